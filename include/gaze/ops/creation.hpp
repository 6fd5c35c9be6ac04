// SPDX-License-Identifier: MIT
// New tensors from a rule: constants, ranges, the identity, counter-based random numbers. (from,
// full, zeros and scalar are members of Tensor.) None has inputs to differentiate.
#pragma once
#include <cmath>
#include <limits>
#include <type_traits>

#include "gaze/core/bf16.hpp"
#include "gaze/core/parallel.hpp"
#include "gaze/core/philox.hpp"
#include "gaze/tensor.hpp"

namespace gaze {

namespace detail {

/// Values made on the host, moved to the device.
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
  T* const to = y.data();
  parallel_for(y.numel(), 4096, [&](Index i, Index end) {
    for (; i < end; ++i) to[i] = static_cast<T>(f(i));
  });
  return y;
}

/// The type for computing values of type T.
template <class T>
using Arithmetic = std::conditional_t<std::is_same_v<T, bf16>, float, T>;

/// The number next to x towards minus infinity; x is finite.
template <class T>
T below(T x) {
  if constexpr (std::is_same_v<T, bf16>) {
    const auto value = static_cast<float>(x);
    if (value == 0) return bf16::from_bits(0x8001);  // the negative number next to 0
    return bf16::from_bits(static_cast<std::uint16_t>(value > 0 ? x.bits - 1 : x.bits + 1));
  } else {
    return std::nextafter(x, -std::numeric_limits<T>::infinity());
  }
}

}  // namespace detail

/// All 1.
template <class T, class Device = Cpu>
Tensor<T, Device> ones(const Shape& shape) {
  return Tensor<T, Device>::full(shape, T(1));
}
/// All 0, in the shape of x.
template <class T, class Device>
Tensor<T, Device> zeros_like(const Tensor<T, Device>& x) {
  detail::check_defined("zeros_like", x);
  return Tensor<T, Device>::zeros(x.shape());
}
/// All 1, in the shape of x.
template <class T, class Device>
Tensor<T, Device> ones_like(const Tensor<T, Device>& x) {
  detail::check_defined("ones_like", x);
  return ones<T, Device>(x.shape());
}

/// start, start + step, ... below `end` (above it for a negative step). A number that rounds to
/// `end` in T is left out.
template <class T, class Device = Cpu>
Tensor<T, Device> arange(T start, T end, T step = T(1)) {
  using A = detail::Arithmetic<T>;
  const auto first = static_cast<A>(start), limit = static_cast<A>(end), by = static_cast<A>(step);
  const double exact = std::ceil((static_cast<double>(limit) - static_cast<double>(first)) /
                                 static_cast<double>(by));
  GAZE_CHECK(by != 0 && std::isfinite(exact) && exact < 0x1p48, "arange", "from ", first, " to ",
             limit, " by ", by);
  const auto value = [=](Index i) {
    if constexpr (std::is_integral_v<T>)
      return static_cast<T>(Index{first} + i * Index{by});
    else
      return static_cast<T>(first + static_cast<A>(i) * by);
  };
  auto count = exact > 0 ? static_cast<Index>(exact) : 0;
  const auto outside = [&](T x) {
    const auto v = static_cast<A>(x);
    return by > 0 ? !(v < limit) : !(v > limit);
  };
  while (count > 0 && outside(value(count - 1))) --count;
  return detail::placed<Device>(detail::from_rule<T>({count}, value));
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

/// Uniform in [low, high), both rounded to T: element i is number (sample, i) of the generator,
/// for any number of threads and any device. A number that would round to `high` becomes the one
/// below it.
template <class T, class Device = Cpu>
Tensor<T, Device> uniform(const Shape& shape, const Philox& random, std::uint64_t sample,
                          double low = 0, double high = 1) {
  static_assert(!std::is_integral_v<T>, "whole numbers: Philox::below()");
  using A = detail::Arithmetic<T>;
  const T end = static_cast<T>(high);
  const A limit = static_cast<A>(end);
  GAZE_CHECK(std::isfinite(high - low) && std::isfinite(limit) &&
                 static_cast<A>(static_cast<T>(low)) < limit,
             "uniform", "no number of this type is in [", low, ", ", high, ")");
  const T last = detail::below(end);
  return detail::placed<Device>(detail::from_rule<T>(shape, [&](Index i) {
    const T x =
        static_cast<T>(low + (high - low) * random.uniform(sample, static_cast<std::uint64_t>(i)));
    return static_cast<A>(x) < limit ? x : last;
  }));
}

/// Normal with this mean and deviation, counted as in uniform().
template <class T, class Device = Cpu>
Tensor<T, Device> normal(const Shape& shape, const Philox& random, std::uint64_t sample,
                         double mean = 0, double deviation = 1) {
  GAZE_CHECK(std::isfinite(mean) && std::isfinite(deviation) && deviation >= 0, "normal", "mean ",
             mean, ", deviation ", deviation);
  return detail::placed<Device>(detail::from_rule<T>(shape, [&](Index i) {
    return mean + deviation * random.normal(sample, static_cast<std::uint64_t>(i));
  }));
}

}  // namespace gaze
