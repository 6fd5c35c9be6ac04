// SPDX-License-Identifier: MIT
// Shapes and strides as kernel parameters.
#pragma once
#include "cuda/device/device.cuh"
#include "gaze/core/shape.hpp"

namespace gaze::cuda {

/// A Shape that kernels take by value.
struct Dims {
  int rank = 0;
  Index size[Shape::max_rank] = {};

  Dims() = default;
  explicit Dims(const Shape& s) : rank(s.rank()) {
    for (int i = 0; i < rank; ++i) size[i] = s[i];
  }
  constexpr Index numel() const {
    Index n = 1;
    for (int i = 0; i < rank; ++i) n *= size[i];
    return n;
  }
};

/// Offset by `strides` of element i, counted row-major in `dims`.
constexpr Index strided_offset(const Dims& dims, const Dims& strides, Index i) {
  Index at = 0;
  for (int d = dims.rank - 1; d >= 0; --d) {
    at += i % dims.size[d] * strides.size[d];
    i /= dims.size[d];
  }
  return at;
}

}  // namespace gaze::cuda
