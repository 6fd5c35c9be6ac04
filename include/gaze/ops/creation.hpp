// SPDX-License-Identifier: MIT
// New tensors from a rule: constants, ranges, the identity, counted random numbers. (Tensor itself
// has from, full, zeros and scalar.) None has inputs to differentiate.
#pragma once
#include <cmath>
#include <type_traits>

#include "gaze/core/parallel.hpp"
#include "gaze/core/philox.hpp"
#include "gaze/tensor.hpp"

namespace gaze {

namespace detail {

/// Values made on the host, on the device where they are wanted.
template <class Device, class T>
Tensor<T, Device> placed(const Tensor<T, Cpu>& x) {
  if constexpr (std::is_same_v<Device, Cpu>)
    return x;
  else
    return x.template to<Device>();
}

/// y[i] = f(i).
template <class T, class Function>
Tensor<T, Cpu> from_rule(const Shape& shape, Function f) {
  Tensor<T, Cpu> y(shape);
  parallel_for(y.numel(), 4096, [&](Index i, Index end) {
    for (; i < end; ++i) y.data()[i] = static_cast<T>(f(i));
  });
  return y;
}

}  // namespace detail

template <class T, class Device = Cpu>
Tensor<T, Device> ones(const Shape& shape) {
  return Tensor<T, Device>::full(shape, T(1));
}
template <class T, class Device>
Tensor<T, Device> zeros_like(const Tensor<T, Device>& x) {
  return Tensor<T, Device>::zeros(x.shape());
}
template <class T, class Device>
Tensor<T, Device> ones_like(const Tensor<T, Device>& x) {
  return ones<T, Device>(x.shape());
}

/// start, start + step, ... below `end` (above it for a negative step).
template <class T, class Device = Cpu>
Tensor<T, Device> arange(T start, T end, T step = T(1)) {
  const double count = std::ceil(static_cast<double>(end - start) / static_cast<double>(step));
  GAZE_CHECK(step != 0 && std::isfinite(count) && count < 0x1p48, "arange", "from ", start, " to ",
             end, " by ", step);
  return detail::placed<Device>(
      detail::from_rule<T>({count > 0 ? static_cast<Index>(count) : 0},
                           [=](Index i) { return start + static_cast<T>(i) * step; }));
}

/// `count` numbers at equal distances from `first` to `last`, both included.
template <class T, class Device = Cpu>
Tensor<T, Device> linspace(T first, T last, Index count) {
  GAZE_CHECK(count >= 0, "linspace", count, " numbers");
  return detail::placed<Device>(detail::from_rule<T>({count}, [=](Index i) {
    const double at = count > 1 ? static_cast<double>(i) / static_cast<double>(count - 1) : 0;
    return static_cast<double>(first) * (1 - at) + static_cast<double>(last) * at;
  }));
}

/// The identity matrix [n, n].
template <class T, class Device = Cpu>
Tensor<T, Device> eye(Index n) {
  return detail::placed<Device>(
      detail::from_rule<T>({n, n}, [=](Index i) { return i / n == i % n ? 1 : 0; }));
}

/// Uniform in [low, high): element i is number (sample, i) of the generator, whatever the threads
/// and the device.
template <class T, class Device = Cpu>
Tensor<T, Device> uniform(const Shape& shape, const Philox& random, std::uint64_t sample,
                          double low = 0, double high = 1) {
  return detail::placed<Device>(detail::from_rule<T>(shape, [&](Index i) {
    return low + (high - low) * random.uniform(sample, static_cast<std::uint64_t>(i));
  }));
}

/// Normal with this mean and deviation, counted as in uniform().
template <class T, class Device = Cpu>
Tensor<T, Device> normal(const Shape& shape, const Philox& random, std::uint64_t sample,
                         double mean = 0, double deviation = 1) {
  return detail::placed<Device>(detail::from_rule<T>(shape, [&](Index i) {
    return mean + deviation * random.normal(sample, static_cast<std::uint64_t>(i));
  }));
}

}  // namespace gaze
