// SPDX-License-Identifier: MIT
// The MLP of a transformer block with gelu between its two layers, as one operation, so that a
// device can apply bias, gelu and gelu's derivative while a product's result is in registers.
//
//   u = x up^T + up_bias,  h = gelu(u),  y = h down^T + down_bias       (gelu: the tanh form)
//
//   ddown = dy^T h, ddown_bias = column sums of dy, du = (dy down) gelu'(u),
//   dup = du^T x,   dup_bias = column sums of du,   dx = du up
#pragma once
#include "gaze/ops/multiply.hpp"
#include "gaze/ops/views.hpp"

namespace gaze {

/// y [N,O] = gelu(x up^T + up_bias) down^T + down_bias; derivatives above.
///
/// x [N,C], up [M,C], up_bias [M], down [O,M], down_bias [O].
template <class T, class Device>
Tensor<T, Device> gelu_mlp(const Tensor<T, Device>& input, const Tensor<T, Device>& up_input,
                           const Tensor<T, Device>& up_bias_input,
                           const Tensor<T, Device>& down_input,
                           const Tensor<T, Device>& down_bias_input) {
  using K = Kernels<Device>;
  using S = Saved<T, Device>;
  using M = detail::Operand<T>;
  detail::check_defined("gelu_mlp", input, up_input, up_bias_input, down_input, down_bias_input);
  GAZE_CHECK(input.rank() == 2 && up_input.rank() == 2 && down_input.rank() == 2 &&
                 input.size(1) == up_input.size(1) && up_input.size(0) == down_input.size(1) &&
                 up_bias_input.shape() == Shape({up_input.size(0)}) &&
                 down_bias_input.shape() == Shape({down_input.size(0)}),
             "gelu_mlp", "x ", input.shape(), ", up ", up_input.shape(), " with bias ",
             up_bias_input.shape(), ", down ", down_input.shape(), " with bias ",
             down_bias_input.shape());
  const auto x = contiguous(input), up = contiguous(up_input), down = contiguous(down_input);
  const auto up_bias = contiguous(up_bias_input), down_bias = contiguous(down_bias_input);
  const Index n = x.size(0), c = x.size(1), m = up.size(0), o = down.size(0);
  Tensor<T, Device> u({n, m}), h({n, m}), y({n, o});
  K::linear_gelu_forward(args::LinearGeluForward<T>{.m = n,
                                                    .n = m,
                                                    .k = c,
                                                    .x = x.data(),
                                                    .w = up.data(),
                                                    .bias = up_bias.data(),
                                                    .pre = u.data(),
                                                    .y = h.data()});
  detail::multiply<Device>(n, o, m, M{h.data(), m}, {down.data(), m, true}, y.data(), false,
                           down_bias.data());
  if (recorded(x, up, up_bias, down, down_bias))
    record(
        "gelu_mlp", y,
        [n, c, m, o, u, h, x = S("gelu_mlp", x), up = S("gelu_mlp", up), down = S("gelu_mlp", down),
         to_x = x.node(), to_up = up.node(), to_up_bias = up_bias.node(), to_down = down.node(),
         to_down_bias = down_bias.node()](const auto& dy) {
          const T* g = dy.data();
          if (to_down) {
            const T* const hidden = h.data();
            const auto t = to_down->target();
            detail::multiply<Device>(o, m, n, M{g, o, true}, {hidden, m}, t.data, t.accumulate);
          }
          if (to_down_bias) K::column_sum(n, o, g, to_down_bias->accumulator());
          if (!to_x && !to_up && !to_up_bias) return;
          Tensor<T, Device> du({n, m});
          K::linear_gelu_backward(args::LinearGeluBackward<T>{.m = n,
                                                              .n = m,
                                                              .k = o,
                                                              .dy = g,
                                                              .w = down.data(),
                                                              .pre = u.data(),
                                                              .dpre = du.data()});
          g = du.data();
          if (to_up) {
            const T* const input = x.data();
            const auto t = to_up->target();
            detail::multiply<Device>(m, c, n, M{g, m, true}, {input, c}, t.data, t.accumulate);
          }
          if (to_up_bias) K::column_sum(n, m, g, to_up_bias->accumulator());
          if (to_x) {
            const T* const weight = up.data();
            const auto t = to_x->target();
            detail::multiply<Device>(n, c, m, M{g, m}, {weight, c}, t.data, t.accumulate);
          }
        },
        x, up, up_bias, down, down_bias);
  return y;
}

}  // namespace gaze
