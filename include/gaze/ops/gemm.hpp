// SPDX-License-Identifier: MIT
// Matrix products: matmul, and linear (a product with stored weights, bias and residual).
#pragma once
#include <type_traits>
#include <vector>

#include "gaze/ops/multiply.hpp"
#include "gaze/ops/views.hpp"
#include "gaze/ops/weight_products.hpp"

namespace gaze {

namespace detail {

/// matmul() of two matrices.
template <class T, class Device>
Tensor<T, Device> matrix_product(const Tensor<T, Device>& a_input, const Tensor<T, Device>& b_input,
                                 bool transpose_a, bool transpose_b) {
  using S = Saved<T, Device>;
  using M = Operand<T>;
  const auto a = contiguous(a_input), b = contiguous(b_input);
  const Index m = a.size(transpose_a), k = a.size(!transpose_a), n = b.size(!transpose_b);
  Tensor<T, Device> y({m, n});
  multiply<Device>(m, n, k, M{a.data(), a.size(1), transpose_a}, {b.data(), b.size(1), transpose_b},
                   y.data(), false);
  if (recorded(a, b))
    record(
        "matmul", y,
        [=, a = S("matmul", a), b = S("matmul", b), to_a = a.node(),
         to_b = b.node()](const auto& dy) {
          const T* g = dy.data();
          const Index lda = transpose_a ? m : k, ldb = transpose_b ? k : n;
          if (to_a) {
            const T* const other = b.data();
            const auto t = to_a->target();
            if (transpose_a)
              multiply<Device>(k, m, n, M{other, ldb, transpose_b}, {g, n, true}, t.data,
                               t.accumulate);
            else
              multiply<Device>(m, k, n, M{g, n}, {other, ldb, !transpose_b}, t.data, t.accumulate);
          }
          if (to_b) {
            const T* const other = a.data();
            const auto t = to_b->target();
            if (transpose_b)
              multiply<Device>(n, k, m, M{g, n, true}, {other, lda, transpose_a}, t.data,
                               t.accumulate);
            else
              multiply<Device>(k, n, m, M{other, lda, !transpose_a}, {g, n}, t.data, t.accumulate);
          }
        },
        a, b);
  return y;
}

/// A batch of products: their sizes, and the offsets of their matrices.
struct BatchPlan {
  bool transpose_a, transpose_b;
  Index m, n, k;
  Shape batch;
  std::vector<Index> a, b, y;  // elements from the start of the operand or the result
  bool a_repeats, b_repeats;
};

/// The sizes of all but the last two dimensions.
inline Shape batch_of(const Shape& shape) {
  Shape batch = Shape::filled(shape.rank() - 2, 1);
  std::copy(shape.begin(), shape.end() - 2, &batch[0]);
  return batch;
}

/// The offset of each matrix of `whole` in an operand whose own batch may be stretched.
inline std::vector<Index> matrix_places(const Shape& own, const Shape& whole, Index size) {
  const Shape strides = broadcast_strides(own, contiguous_strides(own), whole);
  std::vector<Index> places(static_cast<std::size_t>(whole.numel()));
  for (std::size_t i = 0; i < places.size(); ++i) {
    Index rest = static_cast<Index>(i);
    for (int d = whole.rank() - 1; d >= 0; rest /= whole[d--])
      places[i] += rest % whole[d] * strides[d] * size;
  }
  return places;
}

/// Matrices as stored; `transposed` uses their transposes.
template <class T>
struct BatchOperand {
  MatrixBatch<const T> matrices;
  bool transposed = false;
};

/// matmul() of batches; the derivative of a stretched operand is summed over the batch.
template <class T, class Device>
Tensor<T, Device> batched_product(const Tensor<T, Device>& a, const Tensor<T, Device>& b,
                                  const BatchPlan& p) {
  using S = Saved<T, Device>;
  using In = MatrixBatch<const T>;
  using Out = MatrixBatch<T>;
  using Operand = BatchOperand<T>;
  const auto products = [count = static_cast<Index>(p.y.size())](
                            Index m, Index n, Index k, const Operand& x, const Operand& z,
                            const Out& to, bool accumulate, bool repeats) {
    Kernels<Device>::gemm_batched(args::GemmBatched<T>{.transpose_a = x.transposed,
                                                       .transpose_b = z.transposed,
                                                       .m = m,
                                                       .n = n,
                                                       .k = k,
                                                       .count = count,
                                                       .a = x.matrices,
                                                       .b = z.matrices,
                                                       .c = to,
                                                       .accumulate = accumulate,
                                                       .c_repeats = repeats});
  };
  Shape shape = Shape::filled(p.batch.rank() + 2, p.n);
  std::copy(p.batch.begin(), p.batch.end(), &shape[0]);
  shape[p.batch.rank()] = p.m;
  Tensor<T, Device> y(shape);
  const Index lda = p.transpose_a ? p.m : p.k, ldb = p.transpose_b ? p.k : p.n;
  products(p.m, p.n, p.k, {In{a.data(), p.a.data(), lda}, p.transpose_a},
           {In{b.data(), p.b.data(), ldb}, p.transpose_b}, Out{y.data(), p.y.data(), p.n}, false,
           false);
  if (recorded(a, b))
    record(
        "matmul", y,
        [p, lda, ldb, products, a = S("matmul", a), b = S("matmul", b), to_a = a.node(),
         to_b = b.node()](const auto& dy) {
          const In g{dy.data(), p.y.data(), p.n};
          if (to_a) {
            const In other{b.data(), p.b.data(), ldb};
            const Out da{to_a->accumulator(), p.a.data(), lda};
            if (p.transpose_a)
              products(p.k, p.m, p.n, {other, p.transpose_b}, {g, true}, da, true, p.a_repeats);
            else
              products(p.m, p.k, p.n, {g}, {other, !p.transpose_b}, da, true, p.a_repeats);
          }
          if (to_b) {
            const In other{a.data(), p.a.data(), lda};
            const Out db{to_b->accumulator(), p.b.data(), ldb};
            if (p.transpose_b)
              products(p.n, p.k, p.m, {g, true}, {other, p.transpose_a}, db, true, p.b_repeats);
            else
              products(p.k, p.n, p.m, {other, !p.transpose_a}, {g}, db, true, p.b_repeats);
          }
        },
        a, b);
  return y;
}

}  // namespace detail

/// op(a) op(b); da = dy op(b)^T, db = op(a)^T dy, transposed back where needed.
///
/// Matrices [M,K] x [K,N], or batches of them [.., M,K] x [.., K,N], whose leading dimensions
/// broadcast; op transposes the last two dimensions if transpose_a or transpose_b is set.
template <class T, class Device>
Tensor<T, Device> matmul(const Tensor<T, Device>& a_input, const Tensor<T, Device>& b_input,
                         bool transpose_a = false, bool transpose_b = false) {
  detail::check_defined("matmul", a_input, b_input);
  GAZE_CHECK(a_input.rank() >= 2 && b_input.rank() >= 2, "matmul", "needs matrices, got ",
             a_input.shape(), " x ", b_input.shape());
  const Index m = a_input.size(transpose_a ? -1 : -2), k = a_input.size(transpose_a ? -2 : -1);
  const Index n = b_input.size(transpose_b ? -2 : -1), inner = b_input.size(transpose_b ? -1 : -2);
  GAZE_CHECK(k == inner, "matmul", "inner sizes differ: ", a_input.shape(), transpose_a ? "^T" : "",
             " x ", b_input.shape(), transpose_b ? "^T" : "");
  if (a_input.rank() == 2 && b_input.rank() == 2)
    return detail::matrix_product(a_input, b_input, transpose_a, transpose_b);
  const Shape of_a = detail::batch_of(a_input.shape()), of_b = detail::batch_of(b_input.shape());
  if (b_input.rank() == 2 && !transpose_a) {  // one product of all rows
    Shape shape = a_input.shape();
    shape[shape.rank() - 1] = n;
    const auto rows = reshape(a_input, {of_a.numel() * m, k});
    return reshape(detail::matrix_product(rows, b_input, false, transpose_b), shape);
  }
  const Shape batch = broadcast(of_a, of_b, "matmul");
  checked_product("matmul", batch.numel(), checked_product("matmul", m, n));
  const detail::BatchPlan plan{transpose_a,
                               transpose_b,
                               m,
                               n,
                               k,
                               batch,
                               detail::matrix_places(of_a, batch, m * k),
                               detail::matrix_places(of_b, batch, k * n),
                               detail::matrix_places(batch, batch, m * n),
                               of_a.numel() != batch.numel(),
                               of_b.numel() != batch.numel()};
  return detail::batched_product(contiguous(a_input), contiguous(b_input), plan);
}

/// y = x w^T + bias + residual; dx = dy w, dw = dy^T x, dbias = column sums of dy, dresidual = dy.
///
/// x [N,C], w [O,C], bias [O] or undefined, residual [N,O] or undefined. With a rounded weight, x
/// and dy are rounded to bf16 too; all sums stay float32. The weight's adapters add to y, see
/// low_rank.hpp.
template <class T, class Device>
Tensor<T, Device> linear(const Tensor<T, Device>& input,
                         const std::type_identity_t<Weight<T, Device>>& weight,
                         const Tensor<T, Device>& bias_input = {},
                         const Tensor<T, Device>& residual_input = {}) {
  using K = Kernels<Device>;
  detail::check_defined("linear", input, weight);
  GAZE_CHECK(input.rank() == 2 && weight.shape().rank() == 2 && input.size(1) == weight.size(1),
             "linear", "inner sizes differ: x ", input.shape(), ", weight ", weight.shape());
  const auto x = contiguous(input), w = detail::contiguous_or_none(weight.value);
  const auto bias = detail::contiguous_or_none(bias_input);
  const auto residual = detail::contiguous_or_none(residual_input);
  const Index n = x.size(0), o = weight.size(0);
  GAZE_CHECK(!bias.defined() || bias.shape() == Shape({o}), "linear", "bias ", bias.shape(),
             " for ", o, " outputs");
  GAZE_CHECK(!residual.defined() || residual.shape() == Shape({n, o}), "linear", "residual ",
             residual.shape(), " for a result of ", Shape({n, o}));
  GAZE_CHECK(!(bias.defined() && residual.defined()), "linear",
             "bias and residual together: the sum starts from one of them");
  const detail::WeightProducts<T, Device> products("linear", x, {w, weight.rounded});
  detail::LowRankProducts<T, Device> adapters;
  if (weight.low_rank) adapters = {"linear", x, *weight.low_rank, o};
  Tensor<T, Device> y({n, o});
  const T* start = bias.defined() ? bias.data() : nullptr;
  if (residual.defined()) K::copy(y.numel(), residual.data(), y.data());
  products.forward(0, n, y.data(), residual.defined(), start);
  adapters.forward(y.data());
  if (recorded(x, w, bias, residual, adapters))
    record(
        "linear", y,
        [n, o, products, adapters, to_x = x.node(), to_w = w.node(), to_bias = bias.node(),
         to_residual = residual.node()](const auto& dy) {
          using Target = typename GradNode<T, Device>::Target;
          const T* g = dy.data();
          products.backward(0, n, g, to_x ? to_x->target() : Target{},
                            to_w ? to_w->target() : Target{});
          adapters.backward(g, to_x ? to_x->target() : Target{});
          if (to_bias) K::column_sum(n, o, g, to_bias->accumulator());
          if (to_residual) to_residual->add(dy);
        },
        x, w, bias, residual, adapters.inputs());
  return y;
}

}  // namespace gaze
