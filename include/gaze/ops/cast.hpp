// SPDX-License-Identifier: MIT
// cast<U>(x): the same values in another type, float, double or whole numbers.
#pragma once
#include <limits>
#include <type_traits>

#include "gaze/kernels/values.hpp"
#include "gaze/ops/views.hpp"

namespace gaze {

namespace detail {
/// Error: a value whose whole part the integer type U cannot represent; on another device than the
/// CPU it comes when the host next waits.
template <class U, class T, class Device>
void check_holds(const Tensor<T, Device>& x) {
  const double low = std::numeric_limits<U>::min();
  const auto fail = [](const ValueCheck& check, Index, double value) {
    GAZE_FAIL(check.op, "not representable as a whole number of this type: ", value);
  };
  T* const no_copy = nullptr;
  Kernels<Device>::check_values(x.numel(), x.data(), ValueCheck{"cast", low - 1, -low, fail},
                                no_copy);
}
}  // namespace detail

/// The values in another element type, towards zero where it is a whole number; dx = dy in x's
/// type.
///
/// Casts to whole numbers have no derivative. Errors: a derivative of those is needed; a value is
/// not finite or too large.
template <class U, class T, class Device>
Tensor<U, Device> cast(const Tensor<T, Device>& input) {
  detail::check_defined("cast", input);
  if constexpr (std::is_integral_v<U>) refuse_gradient("cast", input);
  const auto x = contiguous(input);
  if constexpr (std::is_integral_v<U> && !std::is_integral_v<T>) detail::check_holds<U>(x);
  Tensor<U, Device> y(x.shape());
  Kernels<Device>::cast(x.numel(), x.data(), y.data());
  if constexpr (!std::is_integral_v<U> && !std::is_integral_v<T>)
    if (recorded(x))
      record(
          "cast", y,
          [to = x.node()](const auto& dy) {
            Tensor<GradOf<T>, Device> dx(dy.shape());
            Kernels<Device>::cast(dx.numel(), dy.data(), dx.data());
            to->take(std::move(dx));
          },
          x);
  return y;
}

}  // namespace gaze
