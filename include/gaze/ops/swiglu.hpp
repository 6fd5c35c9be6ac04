// SPDX-License-Identifier: MIT
// SwiGLU (Shazeer 2020): y = silu(gate) * up.
#pragma once
#include "gaze/ops/views.hpp"

namespace gaze {

/// y [N,C] from gate_up [N,2C], whose rows hold the gate and then the up projection.
template <class T, class Device>
Tensor<T, Device> swiglu(const Tensor<T, Device>& input) {
  using K = Kernels<Device>;
  detail::check_defined("swiglu", input);
  GAZE_CHECK(input.rank() == 2 && input.size(1) % 2 == 0, "swiglu", "needs [N, 2C], got ",
             input.shape());
  const auto x = contiguous(input);
  const Index n = x.size(0), c = x.size(1) / 2;
  Tensor<T, Device> y({n, c});
  K::swiglu_forward(n, c, static_cast<const T*>(x.data()), y.data());
  if (recorded(x))
    record(
        "swiglu", y,
        [n, c, x = Saved<T, Device>("swiglu", x), to = x.node()](const auto& dy) {
          Tensor<T, Device> dx({n, 2 * c});
          K::swiglu_backward(n, c, x.data(), static_cast<const T*>(dy.data()), dx.data());
          to->take(std::move(dx));
        },
        x);
  return y;
}

}  // namespace gaze
