// SPDX-License-Identifier: MIT
// Numbers on the device and back, and how far they are from what they should be.
#pragma once
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "cuda/host/runtime.hpp"
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

/// |a - b| / |b| in the Euclidean norm; where b is all zeros, the root mean square of a.
template <class A>
double distance(const std::vector<A>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double x = static_cast<float>(a[i]);
    difference += (x - b[i]) * (x - b[i]);
    size += b[i] * b[i];
  }
  if (size == 0) size = static_cast<double>(b.size());
  return difference == 0 ? 0 : std::sqrt(difference / size);
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

/// Random values that a T can hold.
template <class T>
std::vector<double> numbers(Index n, std::mt19937& random) {
  std::normal_distribution<float> normal;
  std::vector<double> x(static_cast<std::size_t>(n));
  for (double& v : x) v = static_cast<float>(T(normal(random)));
  return x;
}
template <class T>
std::vector<T> rounded(const std::vector<double>& x) {
  std::vector<T> y;
  for (const double v : x) y.push_back(T(static_cast<float>(v)));
  return y;
}

}  // namespace gaze::test
