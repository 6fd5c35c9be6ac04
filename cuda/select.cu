// SPDX-License-Identifier: MIT
// Launches the kernels of select.cuh.
#include "cuda/select.cuh"

#include "cuda/kernels.hpp"

namespace gaze::cuda {

template <class T>
void compare(CompareOp op, Index n, const T* a, const T* b, std::int32_t* mask) {
  scalar::with_comparison<T>(op, [=](auto holds) {
    for_each("compare", n, Compare<T, decltype(holds)>{holds, a, b, mask});
  });
}
template <class T>
void choose(Index n, const std::int32_t* mask, const T* yes, const T* no, T* y) {
  for_each("choose", n, Choose<T>{mask, yes, no, y});
}

template <class T>
void gather_elements(Index rows, Index n, Index k, const T* x, const std::int32_t* index, T* y) {
  for_each("gather_elements", rows * k, GatherElements<T>{n, k, x, index, y});
}
template <class T>
void scatter_add_elements(Index rows, Index n, Index k, const T* x, const std::int32_t* index,
                          T* y) {
  for_each("scatter_add_elements", rows, ScatterAddElements<T>{n, k, x, index, y});
}

GAZE_SELECT_KERNELS(GAZE_INSTANTIATE_KERNEL, float)
GAZE_SELECT_KERNELS(GAZE_INSTANTIATE_KERNEL, double)
GAZE_SELECT_KERNELS(GAZE_INSTANTIATE_KERNEL, std::int32_t)

}  // namespace gaze::cuda
