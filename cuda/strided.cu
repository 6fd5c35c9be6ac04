// SPDX-License-Identifier: MIT
// Launches the kernels of strided.cuh.
#include "cuda/strided.cuh"

#include "cuda/kernels.hpp"

namespace gaze::cuda {

template <class T>
void copy_strided(const Shape& shape, const T* x, const Shape& strides, T* y) {
  for_each("copy_strided", shape.numel(), CopyStrided<T>{Dims(shape), Dims(strides), x, y});
}

template <class T>
void copy_to_strided(const Shape& shape, const T* x, T* y, const Shape& strides) {
  for_each("copy_to_strided", shape.numel(), CopyToStrided<T>{Dims(shape), Dims(strides), x, y});
}

/// Splits the dimensions into those that y has and those that are summed.
template <class T>
void add_strided(const Shape& shape, const T* x, T* y, const Shape& strides) {
  AddStrided<T> f{{}, {}, {}, {}, {}, x, y};
  const Shape x_strides = contiguous_strides(shape);
  const auto append = [](Dims& to, Index value) { to.size[to.rank++] = value; };
  for (int d = 0; d < shape.rank(); ++d) {
    const bool kept = strides[d] != 0;
    append(kept ? f.kept : f.summed, shape[d]);
    append(kept ? f.kept_x : f.summed_x, x_strides[d]);
    if (kept) append(f.kept_y, strides[d]);
  }
  if (shape.numel() > 0) for_each("add_strided", f.kept.numel(), f);
}

template <class T>
void copy_rows(Index n, Index c, const T* x, Index x_stride, T* y, Index y_stride) {
  for_each("copy_rows", n * c, CopyRows<T>{c, x_stride, y_stride, x, y});
}

GAZE_STRIDED_KERNELS(GAZE_INSTANTIATE_KERNEL, float)
GAZE_STRIDED_KERNELS(GAZE_INSTANTIATE_KERNEL, double)
GAZE_STRIDED_KERNELS(GAZE_INSTANTIATE_KERNEL, std::int32_t)

}  // namespace gaze::cuda
