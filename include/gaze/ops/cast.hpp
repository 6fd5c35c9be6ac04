// SPDX-License-Identifier: MIT
// cast<U>(x): the same values in another type, float, double or whole numbers.
#pragma once
#include <limits>
#include <type_traits>

#include "gaze/core/parallel.hpp"
#include "gaze/ops/views.hpp"

namespace gaze {

namespace detail {
/// Each value as a U; whole numbers lose the fraction and must hold the rest.
template <class U, class T>
void convert(Index n, const T* x, U* y) {
  if constexpr (std::is_integral_v<U> && !std::is_integral_v<T>)
    for (Index i = 0; i < n; ++i) {
      const double v = static_cast<double>(x[i]), low = std::numeric_limits<U>::min();
      GAZE_CHECK(v > low - 1 && v < -low, "cast", "no whole number of this type holds ", x[i]);
    }
  parallel_for(n, 32768, [&](Index i, Index end) {
    for (; i < end; ++i) y[i] = static_cast<U>(x[i]);
  });
}
}  // namespace detail

/// dx = dy in x's type. To whole numbers there is no derivative: throws where one is needed, and
/// where a value is not finite or too large.
template <class U, class T>
Tensor<U> cast(const Tensor<T>& input) {
  if constexpr (std::is_integral_v<U>) refuse_gradient("cast", input);
  const auto x = contiguous(input);
  Tensor<U> y(x.shape());
  detail::convert(x.numel(), static_cast<const T*>(x.data()), y.data());
  if constexpr (!std::is_integral_v<U> && !std::is_integral_v<T>)
    if (recorded(x))
      record(
          "cast", y,
          [to = x.node()](const auto& dy) {
            Tensor<GradOf<T>> dx(dy.shape());
            detail::convert(dx.numel(), static_cast<const GradOf<U>*>(dy.data()), dx.data());
            to->take(std::move(dx));
          },
          x);
  return y;
}

}  // namespace gaze
