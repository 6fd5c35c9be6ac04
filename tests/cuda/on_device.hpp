// SPDX-License-Identifier: MIT
// Arrays on the device, and their differences from expected values.
#pragma once
#include <cmath>
#include <random>
#include <vector>

#include "cuda/host/runtime.hpp"
#include "tests/numbers.hpp"
#include "tests/test.hpp"

namespace gaze::test {

/// An array in device memory.
template <class T>
class OnDevice {
 public:
  explicit OnDevice(const std::vector<T>& x)
      : count_(x.size()), storage_((x.size() + 1) * sizeof(T)) {
    cuda::copy_in(storage_.data(), x.data(), x.size() * sizeof(T));
  }
  explicit OnDevice(Index n) : OnDevice(std::vector<T>(static_cast<std::size_t>(n))) {}

  T* data() const { return static_cast<T*>(storage_.data()); }
  std::vector<T> host() const {
    std::vector<T> x(count_);
    cuda::copy_out(x.data(), data(), count_ * sizeof(T));
    return x;
  }

 private:
  std::size_t count_;
  Storage<Cuda> storage_;
};

/// relative_error(), or the root mean square of a where b is all zeros.
template <class A>
double distance(const std::vector<A>& a, const std::vector<double>& b) {
  if (!std::all_of(b.begin(), b.end(), [](double x) { return x == 0; }))
    return relative_error(a, b);
  REQUIRE(a.size() == b.size());
  double squares = 0;
  for (const A x : a) squares += as_double(x) * as_double(x);
  return squares == 0 ? 0 : std::sqrt(squares / static_cast<double>(b.size()));
}

/// Random values that T represents exactly.
template <class T>
std::vector<double> numbers(Index n, std::mt19937& random) {
  return converted<double>(normal_values<T>(n, random));
}
template <class T>
std::vector<T> rounded(const std::vector<double>& x) {
  std::vector<T> y;
  for (const double v : x) y.push_back(T(static_cast<float>(v)));
  return y;
}

}  // namespace gaze::test
