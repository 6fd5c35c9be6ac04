// SPDX-License-Identifier: MIT
// New tensors from a rule: constants, ranges, the identity, counted random numbers. (Tensor itself
// has from, full, zeros and scalar.) None has inputs to differentiate.
#pragma once
#include <cmath>

#include "gaze/core/parallel.hpp"
#include "gaze/core/philox.hpp"
#include "gaze/tensor.hpp"

namespace gaze {

template <class T>
Tensor<T> ones(const Shape& shape) {
  return Tensor<T>::full(shape, T(1));
}
template <class T>
Tensor<T> zeros_like(const Tensor<T>& x) {
  return Tensor<T>::zeros(x.shape());
}
template <class T>
Tensor<T> ones_like(const Tensor<T>& x) {
  return ones<T>(x.shape());
}

/// start, start + step, ... below `end` (above it for a negative step).
template <class T>
Tensor<T> arange(T start, T end, T step = T(1)) {
  const double count = std::ceil(static_cast<double>(end - start) / static_cast<double>(step));
  GAZE_CHECK(step != 0 && std::isfinite(count) && count < 0x1p48, "arange", "from ", start, " to ",
             end, " by ", step);
  Tensor<T> y({count > 0 ? static_cast<Index>(count) : 0});
  for (Index i = 0; i < y.numel(); ++i) y.data()[i] = start + static_cast<T>(i) * step;
  return y;
}

/// `count` numbers at equal distances from `first` to `last`, both included.
template <class T>
Tensor<T> linspace(T first, T last, Index count) {
  GAZE_CHECK(count >= 0, "linspace", count, " numbers");
  Tensor<T> y({count});
  for (Index i = 0; i < count; ++i) {
    const double at = count > 1 ? static_cast<double>(i) / static_cast<double>(count - 1) : 0;
    y.data()[i] =
        static_cast<T>(static_cast<double>(first) * (1 - at) + static_cast<double>(last) * at);
  }
  return y;
}

/// The identity matrix [n, n].
template <class T>
Tensor<T> eye(Index n) {
  auto y = Tensor<T>::zeros({n, n});
  for (Index i = 0; i < n; ++i) y.data()[i * (n + 1)] = T(1);
  return y;
}

/// Uniform in [low, high): element i is number (sample, i) of the generator, whatever the threads.
template <class T>
Tensor<T> uniform(const Shape& shape, const Philox& random, std::uint64_t sample, double low = 0,
                  double high = 1) {
  Tensor<T> y(shape);
  parallel_for(y.numel(), 4096, [&](Index i, Index end) {
    for (; i < end; ++i)
      y.data()[i] = static_cast<T>(low + (high - low) *
                                             random.uniform(sample, static_cast<std::uint64_t>(i)));
  });
  return y;
}

/// Normal with this mean and deviation, counted as in uniform().
template <class T>
Tensor<T> normal(const Shape& shape, const Philox& random, std::uint64_t sample, double mean = 0,
                 double deviation = 1) {
  Tensor<T> y(shape);
  parallel_for(y.numel(), 4096, [&](Index i, Index end) {
    for (; i < end; ++i)
      y.data()[i] =
          static_cast<T>(mean + deviation * random.normal(sample, static_cast<std::uint64_t>(i)));
  });
  return y;
}

}  // namespace gaze
