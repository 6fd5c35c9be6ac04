// SPDX-License-Identifier: MIT
// Launches the kernels of values.cuh.
#include "cuda/values.cuh"

#include "cuda/kernels.hpp"
#include "gaze/core/bf16.hpp"

namespace gaze::cuda {

template <class T>
void fill(Index n, T value, T* y) {
  for_each("fill", n, Fill<T>{value, y});
}
template <class T>
void fill_from(Index n, const T* value, T* y) {
  for_each("fill_from", n, FillFrom<T>{value, y});
}
template <class T>
void copy(Index n, const T* x, T* y) {
  for_each("copy", n, Copy<T>{x, y});
}
template <class T>
void axpy(Index n, T alpha, const T* x, T* y) {
  for_each("axpy", n, Axpy<T>{alpha, x, y});
}

template <class T>
void check_values(Index n, const T* x, const ValueCheck& check, T* safe) {
  if (n <= 0) return;
  const Index threads = n < kCheckThreads ? pieces(n, kLanes) * kLanes : kCheckThreads;
  launch({"check_values", dim3(1), dim3(static_cast<unsigned>(threads))}, check_values_kernel<T>, n,
         x, check, safe, device_report());
}

template <class T>
void cast(Index n, const T* x, float* y) {
  for_each("cast", n, Cast<T, float>{x, y});
}
template <class T>
void cast(Index n, const T* x, double* y) {
  for_each("cast", n, Cast<T, double>{x, y});
}
template <class T>
void cast(Index n, const T* x, std::int32_t* y) {
  for_each("cast", n, Cast<T, std::int32_t>{x, y});
}
template <class T>
void cast(Index n, const T* x, bf16* y) {
  for_each("cast", n, Cast<T, bf16>{x, y});
}

GAZE_VALUE_KERNELS(GAZE_INSTANTIATE_KERNEL, float)
GAZE_VALUE_KERNELS(GAZE_INSTANTIATE_KERNEL, double)
GAZE_VALUE_KERNELS(GAZE_INSTANTIATE_KERNEL, std::int32_t)
GAZE_ROUNDING_KERNELS(GAZE_INSTANTIATE_KERNEL, float)

}  // namespace gaze::cuda
