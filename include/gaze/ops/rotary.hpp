// SPDX-License-Identifier: MIT
// Rotary position embedding (Su et al. 2021), half-split: dimensions i and i + D/2 of each head
// turn by position * theta^(-2i/D).
#pragma once
#include "gaze/ops/rows.hpp"

namespace gaze {

/// Turns the first `heads` heads of each row of x [N, at least heads * D] by its position. The
/// result takes over x's values, so x must be a fresh result that nothing else needs; anything
/// that does need it notices. The derivative is the rotation back.
template <class T, class Device>
Tensor<T, Device> rotary(const Tensor<T, Device>& input, Index heads, Index head_size, T theta,
                         const Indices<Device>& position_input) {
  using K = Kernels<Device>;
  detail::check_defined("rotary", input, position_input);
  GAZE_CHECK(input.rank() == 2 && heads * head_size <= input.size(1) &&
                 position_input.shape() == Shape({input.size(0)}),
             "rotary", "x ", input.shape(), " for ", heads, " heads of ", head_size, ", position ",
             position_input.shape());
  GAZE_CHECK(head_size % 2 == 0, "rotary", "the head size must be even, got ", head_size);
  const auto x = contiguous(input);  // of a view it turns a copy
  const auto position = contiguous(position_input);
  const Index n = x.size(0), c = x.size(1);
  K::rotary(n, heads, head_size, c, static_cast<const std::int32_t*>(position.data()), theta,
            x.data(), false);
  x.changed();
  Tensor<T, Device> y = x.detach();
  if (recorded(x))
    record(
        "rotary", y,
        [=, to = x.node(),
         turned = detail::SavedIndices<Device>("rotary", position)](const auto& dy) {
          Tensor<T, Device> dx({n, c});
          K::copy(dx.numel(), static_cast<const T*>(dy.data()), dx.data());
          K::rotary(n, heads, head_size, c, turned.data(), theta, dx.data(), true);
          to->take(std::move(dx));
        },
        x);
  return y;
}

}  // namespace gaze
