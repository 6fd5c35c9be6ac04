// SPDX-License-Identifier: MIT
// Choosing and adding rows of [N, C] by index: embedding lookups and sums by segment. (For elements
// along any axis: gather.hpp.)
//
// Indices are Tensor<int32>; they carry no gradient. An index of -1 means no row.
#pragma once
#include "gaze/kernels/settings.hpp"
#include "gaze/ops/views.hpp"

namespace gaze {

/// Whole numbers on a device: token ids, targets, positions.
template <class Device>
using Indices = Tensor<std::int32_t, Device>;

namespace detail {
template <class Device>
using SavedIndices = Saved<std::int32_t, Device>;

/// The indices of a contiguous tensor, each -1 or one of so many rows: an Error on the CPU where
/// one is not; elsewhere it counts as -1, and the Error comes when the host next waits.
template <class Device>
Indices<Device> checked_indices(const char* op, const Indices<Device>& index, Index rows) {
  constexpr bool at_once = std::is_same_v<Device, Cpu>;
  const auto fail = [](const ValueCheck& check, Index at, double value) {
    GAZE_FAIL(check.op, "index ", static_cast<Index>(value), " at ", at, " is outside the ",
              static_cast<Index>(check.high), " rows");
  };
  const auto safe = at_once ? index : Indices<Device>(index.shape());
  Kernels<Device>::check_values(index.numel(), index.data(),
                                ValueCheck{op, -2.0, static_cast<double>(rows), fail},
                                at_once ? nullptr : safe.data());
  return safe;
}
}  // namespace detail

/// y[i] = table[index[i]], or zeros where index[i] is -1: [N, C] from table [R, C].
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
  Kernels<Device>::gather_rows(n, c, static_cast<const T*>(table.data()),
                               static_cast<const std::int32_t*>(index.data()), y.data());
  if (recorded(table))
    record(
        "gather_rows", y,
        [n, c, rows, index = detail::SavedIndices<Device>("gather_rows", index),
         to = table.node()](const auto& dy) {
          Kernels<Device>::scatter_add_rows(n, c, static_cast<const T*>(dy.data()), index.data(),
                                            rows, to->accumulator());
        },
        table);
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
  Kernels<Device>::scatter_add_rows(n, c, static_cast<const T*>(x.data()),
                                    static_cast<const std::int32_t*>(index.data()), rows, y.data());
  if (recorded(x))
    record(
        "scatter_add_rows", y,
        [n, c, index = detail::SavedIndices<Device>("scatter_add_rows", index),
         to = x.node()](const auto& dy) {
          Tensor<T, Device> dx({n, c});
          Kernels<Device>::gather_rows(n, c, static_cast<const T*>(dy.data()), index.data(),
                                       dx.data());
          to->take(std::move(dx));
        },
        x);
  return y;
}

/// y[.., :] = table[ids[..]]: vectors [.., C] for ids of any shape from table [V, C]; zeros for -1.
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
