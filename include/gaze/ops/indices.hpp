// SPDX-License-Identifier: MIT
// Indices: Tensor<int32>, without gradients. An index of -1 means no row or element.
#pragma once
#include <type_traits>

#include "gaze/autograd.hpp"

namespace gaze {

/// Whole numbers such as token ids, targets and positions.
template <class Device>
using Indices = Tensor<std::int32_t, Device>;

namespace detail {
template <class Device>
using SavedIndices = Saved<std::int32_t, Device>;

/// The indices of a contiguous tensor, each -1 or below `rows`. Error: another index; on another
/// device than the CPU it then counts as -1, and the Error comes when the host next waits.
template <class Device>
Indices<Device> checked_indices(const char* op, const Indices<Device>& index, Index rows) {
  constexpr bool at_once = std::is_same_v<Device, Cpu>;
  const auto fail = [](const ValueCheck& check, Index at, double value) {
    GAZE_FAIL(check.op, "index ", static_cast<Index>(value), " at ", at, " is outside the ",
              static_cast<Index>(check.high), " rows");
  };
  auto safe = at_once ? index : Indices<Device>(index.shape());
  Kernels<Device>::check_values(index.numel(), index.data(),
                                ValueCheck{op, -2.0, static_cast<double>(rows), fail},
                                at_once ? nullptr : safe.data());
  return safe;
}
}  // namespace detail

}  // namespace gaze
