// SPDX-License-Identifier: MIT
// Matrix products: matmul, and linear (a product with stored weights, bias and residual).
#pragma once
#include "gaze/ops/views.hpp"

namespace gaze {

/// op(a) op(b) for matrices; op(x) is the transpose when asked for.
/// da = dy op(b)^T, db = op(a)^T dy, transposed back where needed.
template <class T, class Device>
Tensor<T, Device> matmul(const Tensor<T, Device>& a_input, const Tensor<T, Device>& b_input,
                         bool transpose_a = false, bool transpose_b = false) {
  using K = Kernels<Device>;
  using S = Saved<T, Device>;
  GAZE_CHECK(a_input.rank() == 2 && b_input.rank() == 2, "matmul", "needs matrices, got ",
             a_input.shape(), " x ", b_input.shape());
  const auto a = contiguous(a_input), b = contiguous(b_input);
  const Index m = a.size(transpose_a), k = a.size(!transpose_a);
  const Index n = b.size(!transpose_b), inner = b.size(transpose_b);
  GAZE_CHECK(k == inner, "matmul", "inner sizes differ: ", a.shape(), transpose_a ? "^T" : "",
             " x ", b.shape(), transpose_b ? "^T" : "");
  Tensor<T, Device> y({m, n});
  K::gemm(transpose_a, transpose_b, m, n, k, static_cast<const T*>(a.data()), a.size(1),
          static_cast<const T*>(b.data()), b.size(1), y.data(), n, false);
  if (recorded(a, b))
    record(
        "matmul", y,
        [=, a = S("matmul", a), b = S("matmul", b), to_a = a.node(),
         to_b = b.node()](const auto& dy) {
          const T* g = dy.data();
          const Index lda = transpose_a ? m : k, ldb = transpose_b ? k : n;
          if (to_a) {
            const auto t = to_a->target();
            if (transpose_a)
              K::gemm(transpose_b, true, k, m, n, b.data(), ldb, g, n, t.data, m, t.accumulate);
            else
              K::gemm(false, !transpose_b, m, k, n, g, n, b.data(), ldb, t.data, k, t.accumulate);
          }
          if (to_b) {
            const auto t = to_b->target();
            if (transpose_b)
              K::gemm(true, transpose_a, n, k, m, g, n, a.data(), lda, t.data, k, t.accumulate);
            else
              K::gemm(!transpose_a, false, k, n, m, a.data(), lda, g, n, t.data, n, t.accumulate);
          }
        },
        a, b);
  return y;
}

/// y = x w^T + bias + residual: x [N,C], w [O,C], bias [O] or undefined, residual [N,O] or
/// undefined. dx = dy w, dw = dy^T x, dbias = column sums of dy, dresidual = dy.
template <class T, class Device>
Tensor<T, Device> linear(const Tensor<T, Device>& input, const Tensor<T, Device>& w,
                         const Tensor<T, Device>& bias = {},
                         const Tensor<T, Device>& residual = {}) {
  using K = Kernels<Device>;
  using S = Saved<T, Device>;
  GAZE_CHECK(input.rank() == 2 && w.rank() == 2 && input.size(1) == w.size(1), "linear",
             "inner sizes differ: x ", input.shape(), ", weight ", w.shape());
  GAZE_CHECK(w.contiguous(), "linear", "the weight ", w.shape(), " must be contiguous");
  const auto x = contiguous(input);
  const Index n = x.size(0), c = x.size(1), o = w.size(0);
  GAZE_CHECK(!bias.defined() || bias.shape() == Shape({o}), "linear", "bias ", bias.shape(),
             " for ", o, " outputs");
  GAZE_CHECK(!residual.defined() || (residual.shape() == Shape({n, o}) && residual.contiguous()),
             "linear", "residual ", residual.shape(), " for a result of ", Shape({n, o}));
  GAZE_CHECK(!(bias.defined() && residual.defined()), "linear",
             "bias and residual together: the sum starts from one of them");
  Tensor<T, Device> y({n, o});
  const T* start = bias.defined() ? bias.data() : nullptr;
  if (residual.defined())
    K::copy(y.numel(), static_cast<const T*>(residual.data()), y.data());
  K::gemm(false, true, n, o, c, static_cast<const T*>(x.data()), c,
          static_cast<const T*>(w.data()), c, y.data(), o, residual.defined(), start);
  if (recorded(x, w, bias, residual))
    record(
        "linear", y,
        [n, c, o, x = S("linear", x), w = S("linear", w), to_x = x.node(), to_w = w.node(),
         to_bias = bias.node(), to_residual = residual.node()](const auto& dy) {
          const T* g = dy.data();
          if (to_w) {
            const auto t = to_w->target();
            K::gemm(true, false, o, c, n, g, o, x.data(), c, t.data, c, t.accumulate);
          }
          if (to_bias) K::column_sum(n, o, g, to_bias->accumulator());
          if (to_x) {
            const auto t = to_x->target();
            K::gemm(false, false, n, c, o, g, o, w.data(), c, t.data, c, t.accumulate);
          }
          if (to_residual) to_residual->add(dy);
        },
        x, w, bias, residual);
  return y;
}

}  // namespace gaze
