// SPDX-License-Identifier: MIT
// Operations on the rows of [N, C]: RMS norm (Zhang and Sennrich 2019), layer norm (Ba et al.
// 2016), rotary position embedding (Su et al. 2021), and rows chosen or added by index: embedding
// lookups and sums by segment. (For elements along any axis: select.hpp.)
#pragma once
#include <type_traits>

#include "gaze/kernels/rows.hpp"
#include "gaze/ops/indices.hpp"
#include "gaze/ops/views.hpp"
#include "gaze/ops/weight_products.hpp"

namespace gaze {

/// y = h weight, h = r x, r = 1 / sqrt(mean(x^2) + eps), per row of x [N,C]; with g = dy weight
/// dx = r (g - h mean(g h)), dweight = sum over rows of dy h.
template <class T, class Device>
Tensor<T, Device> rms_norm(const Tensor<T, Device>& input, const Tensor<T, Device>& weight_input,
                           T eps) {
  using K = Kernels<Device>;
  using S = Saved<T, Device>;
  detail::check_defined("rms_norm", input, weight_input);
  GAZE_CHECK(input.rank() == 2 && weight_input.shape() == Shape({input.size(1)}), "rms_norm", "x ",
             input.shape(), ", weight ", weight_input.shape());
  const auto x = contiguous(input), weight = contiguous(weight_input);
  const Index n = x.size(0), c = x.size(1);
  Tensor<T, Device> y(x.shape()), inverse({n});
  K::rms_norm_forward(args::RmsNormForward<T>{.n = n,
                                              .c = c,
                                              .x = x.data(),
                                              .weight = weight.data(),
                                              .eps = eps,
                                              .y = y.data(),
                                              .inv_rms = inverse.data()});
  if (recorded(x, weight))
    record(
        "rms_norm", y,
        [n, c, x = S("rms_norm", x), weight = S("rms_norm", weight), inverse, to_x = x.node(),
         to_weight = weight.node()](const auto& dy) {
          args::RmsNormBackward<T> a{.n = n,
                                     .c = c,
                                     .x = x.data(),
                                     .weight = weight.data(),
                                     .inv_rms = inverse.data(),
                                     .dy = dy.data(),
                                     .dx = nullptr,
                                     .dweight = nullptr};
          Tensor<T, Device> unused;
          if (!to_x) unused = Tensor<T, Device>({n, c});
          const auto dx =
              to_x ? to_x->target() : typename GradNode<T, Device>::Target{unused.data(), false};
          a.dx = dx.data;
          a.accumulate_dx = dx.accumulate;
          a.dweight = to_weight ? to_weight->accumulator() : nullptr;
          K::rms_norm_backward(a);
        },
        x, weight);
  return y;
}

/// y = h weight + bias, h = r (x - mean), r = 1 / sqrt(variance + eps), per row of x [N,C]; with
/// g = dy weight dx = r (g - mean(g) - h mean(g h)), dweight and dbias the sums over rows of dy h
/// and dy.
template <class T, class Device>
Tensor<T, Device> layer_norm(const Tensor<T, Device>& input, const Tensor<T, Device>& weight_input,
                             const Tensor<T, Device>& bias_input, T eps) {
  using K = Kernels<Device>;
  using S = Saved<T, Device>;
  detail::check_defined("layer_norm", input, weight_input, bias_input);
  GAZE_CHECK(input.rank() == 2 && weight_input.shape() == Shape({input.size(1)}) &&
                 bias_input.shape() == weight_input.shape(),
             "layer_norm", "x ", input.shape(), ", weight ", weight_input.shape(), ", bias ",
             bias_input.shape());
  const auto x = contiguous(input), weight = contiguous(weight_input);
  const auto bias = contiguous(bias_input);
  const Index n = x.size(0), c = x.size(1);
  Tensor<T, Device> y(x.shape()), mean({n}), inverse({n});
  K::layer_norm_forward(args::LayerNormForward<T>{.n = n,
                                                  .c = c,
                                                  .x = x.data(),
                                                  .weight = weight.data(),
                                                  .bias = bias.data(),
                                                  .eps = eps,
                                                  .y = y.data(),
                                                  .mean = mean.data(),
                                                  .inv_std = inverse.data()});
  if (recorded(x, weight, bias))
    record(
        "layer_norm", y,
        [n, c, x = S("layer_norm", x), weight = S("layer_norm", weight), mean, inverse,
         to_x = x.node(), to_weight = weight.node(), to_bias = bias.node()](const auto& dy) {
          args::LayerNormBackward<T> a{.n = n,
                                       .c = c,
                                       .x = x.data(),
                                       .weight = weight.data(),
                                       .mean = mean.data(),
                                       .inv_std = inverse.data(),
                                       .dy = dy.data(),
                                       .dx = nullptr,
                                       .dweight = nullptr,
                                       .dbias = nullptr};
          Tensor<T, Device> unused;
          if (!to_x) unused = Tensor<T, Device>({n, c});
          const auto dx =
              to_x ? to_x->target() : typename GradNode<T, Device>::Target{unused.data(), false};
          a.dx = dx.data;
          a.accumulate_dx = dx.accumulate;
          a.dweight = to_weight ? to_weight->accumulator() : nullptr;
          a.dbias = to_bias ? to_bias->accumulator() : nullptr;
          K::layer_norm_backward(a);
        },
        x, weight, bias);
  return y;
}

/// Rotates dimensions i and i + D/2 of each head by the angle position * theta^(-2i/D); the
/// derivative is the inverse rotation.
///
/// Rotary position embedding, half-split, of the first `heads` heads of each row of x [N, at least
/// heads * D]. The result reuses x's memory, so x must be a temporary result that nothing else
/// needs; whatever saved it for backward throws.
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
  auto x = contiguous(input);  // a copy, if it is a view
  const auto position = contiguous(position_input);
  const Index n = x.size(0), c = x.size(1);
  const auto turn = [=](const std::int32_t* positions, T* rows, bool inverse) {
    K::rotary(args::Rotary<T>{.n = n,
                              .heads = heads,
                              .head_size = head_size,
                              .stride = c,
                              .position = positions,
                              .theta = theta,
                              .x = rows,
                              .inverse = inverse});
  };
  turn(position.data(), x.data(), false);
  x.changed();
  Tensor<T, Device> y = x.detach();
  if (recorded(x))
    record(
        "rotary", y,
        [n, c, turn, to = x.node(),
         turned = detail::SavedIndices<Device>("rotary", position)](const auto& dy) {
          Tensor<T, Device> dx({n, c});
          K::copy(dx.numel(), dy.data(), dx.data());
          turn(turned.data(), dx.data(), true);
          to->take(std::move(dx));
        },
        x);
  return y;
}

/// y[i] = table[index[i]], or zeros where index[i] is -1, [N, C] from table [R, C];
/// dtable[index[i]] += dy[i], in ascending i.
template <class T, class Device>
Tensor<T, Device> gather_rows(const Tensor<T, Device>& table_input,
                              const Indices<Device>& index_input) {
  detail::check_defined("gather_rows", table_input, index_input);
  GAZE_CHECK(table_input.rank() == 2 && index_input.rank() == 1, "gather_rows", "table ",
             table_input.shape(), ", index ", index_input.shape());
  const auto table = contiguous(table_input);
  const Index n = index_input.numel(), rows = table.size(0), c = table.size(1);
  const auto index = detail::checked_indices("gather_rows", contiguous(index_input), rows);
  Tensor<T, Device> y({n, c});
  Kernels<Device>::gather_rows(n, c, table.data(), index.data(), y.data());
  if (recorded(table))
    record(
        "gather_rows", y,
        [n, c, rows, index = detail::SavedIndices<Device>("gather_rows", index),
         to = table.node()](const auto& dy) {
          Kernels<Device>::scatter_add_rows(n, c, dy.data(), index.data(), rows, to->accumulator());
        },
        table);
  return y;
}

/// The same from a weight; where it is held in bf16 alone, without a derivative.
template <class T, class Device>
Tensor<T, Device> gather_rows(const Weight<T, Device>& table, const Indices<Device>& index_input) {
  table.refuse_adapters("gather_rows");
  if (table.value.defined()) return gather_rows(table.value, index_input);
  detail::check_defined("gather_rows", table, index_input);
  GAZE_CHECK(table.shape().rank() == 2 && index_input.rank() == 1, "gather_rows", "table ",
             table.shape(), ", index ", index_input.shape());
  const Index n = index_input.numel(), c = table.size(1);
  const auto index = detail::checked_indices("gather_rows", contiguous(index_input), table.size(0));
  Tensor<T, Device> y({n, c});
  if constexpr (std::is_same_v<T, float>)
    Kernels<Device>::gather_rounded_rows(n, c, table.rounded.data(), index.data(), y.data());
  else
    GAZE_FAIL("gather_rows", "rows of bf16 are for values of float32");
  return y;
}

/// y[index[i]] += x[i], into `rows` rows of zeros; dx[i] = dy[index[i]].
template <class T, class Device>
Tensor<T, Device> scatter_add_rows(const Tensor<T, Device>& input,
                                   const Indices<Device>& index_input, Index rows) {
  detail::check_defined("scatter_add_rows", input, index_input);
  GAZE_CHECK(input.rank() == 2 && index_input.shape() == Shape({input.size(0)}) && rows >= 0,
             "scatter_add_rows", "x ", input.shape(), ", index ", index_input.shape(), ", ", rows,
             " rows");
  const auto x = contiguous(input);
  const auto index = detail::checked_indices("scatter_add_rows", contiguous(index_input), rows);
  const Index n = x.size(0), c = x.size(1);
  Tensor<T, Device> y({rows, c});
  Kernels<Device>::fill(y.numel(), T(0), y.data());
  Kernels<Device>::scatter_add_rows(n, c, x.data(), index.data(), rows, y.data());
  if (recorded(x))
    record(
        "scatter_add_rows", y,
        [n, c, index = detail::SavedIndices<Device>("scatter_add_rows", index),
         to = x.node()](const auto& dy) {
          Tensor<T, Device> dx({n, c});
          Kernels<Device>::gather_rows(n, c, dy.data(), index.data(), dx.data());
          to->take(std::move(dx));
        },
        x);
  return y;
}

/// y[.., :] = table[ids[..]], zeros for -1; dtable[ids] += dy.
///
/// Vectors [.., C] for ids of any shape from table [V, C].
template <class T, class Device>
Tensor<T, Device> embedding(const Tensor<T, Device>& table, const Indices<Device>& ids) {
  detail::check_defined("embedding", table, ids);
  GAZE_CHECK(table.rank() == 2 && ids.rank() < Shape::max_rank, "embedding", "table ",
             table.shape(), ", ids ", ids.shape());
  Shape shape = Shape::filled(ids.rank() + 1, table.size(1));
  std::copy(ids.shape().begin(), ids.shape().end(), &shape[0]);
  return reshape(gather_rows(table, reshape(ids, {ids.numel()})), shape);
}

}  // namespace gaze
