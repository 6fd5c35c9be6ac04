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
Tensor<T, Device> rotary(const Tensor<T, Device>& x, Index heads, Index head_size, T theta,
                         const Indices<Device>& position) {
  using K = Kernels<Device>;
  GAZE_CHECK(x.rank() == 2 && x.contiguous() && heads * head_size <= x.size(1) &&
                 position.shape() == Shape({x.size(0)}),
             "rotary", "x ", x.shape(), " for ", heads, " heads of ", head_size, ", position ",
             position.shape());
  GAZE_CHECK(head_size % 2 == 0, "rotary", "the head size must be even, got ", head_size);
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
