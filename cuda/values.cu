// SPDX-License-Identifier: MIT
// Launches the kernels of values.cuh.
#include "cuda/values.cuh"

#include "cuda/values.hpp"
#include "gaze/core/bf16.hpp"

namespace gaze::cuda {

template <class T, class U>
void ValueKernels::cast(Index n, const T* x, U* y) {
  for_each("cast", n, Cast<T, U>{x, y});
}

template <class T>
void ValueKernels::check_values(Index n, const T* x, const ValueCheck& check, T* safe) {
  if (n <= 0) return;
  const Index threads = n < kCheckThreads ? pieces(n, kWarp) * kWarp : kCheckThreads;
  launch({"check_values", dim3(1), dim3(static_cast<unsigned>(threads))}, check_values_kernel<T>, n,
         x, check, safe, device_report());
}

template <class T>
void ValueKernels::sum_to(Index n, const T* x, T* y) {
  const Index count = pieces(n, kSumPiece);
  const Storage<Cuda> partials(static_cast<std::size_t>(count) * sizeof(double));
  auto* const partial = static_cast<double*>(partials.data());
  const dim3 threads(kElementThreads);
  if (count > 0)
    launch({"sum_to", blocks_for(n, kSumPiece), threads}, sum_pieces_kernel<T>, n, x, false,
           partial);
  launch({"sum_to", dim3(1), threads}, sum_to_kernel<T>, count, partial, y);
}

template <class T>
void ValueKernels::fill_from(Index n, const T* value, T* y) {
  for_each("fill_from", n, FillFrom<T>{value, y});
}

template <class T>
void ValueKernels::copy_to_strided(const Shape& shape, const T* x, T* y, const Shape& strides) {
  for_each("copy_to_strided", shape.numel(), CopyToStrided<T>{Dims(shape), Dims(strides), x, y});
}

template <class T>
void ValueKernels::pointwise_forward(PointwiseOp op, Index n, T p, const T* x, T* y) {
  scalar::with_pointwise(op, p, [=](auto formula) {
    for_each("pointwise_forward", n, PointwiseForward<T, decltype(formula)>{formula, x, y});
  });
}
template <class T>
void ValueKernels::pointwise_backward(PointwiseOp op, Index n, T p, const T* x, const T* y,
                                      const T* dy, T* dx) {
  scalar::with_pointwise(op, p, [=](auto formula) {
    for_each("pointwise_backward", n,
             PointwiseBackward<T, decltype(formula)>{formula, x, y, dy, dx});
  });
}

template <class T>
void ValueKernels::power_forward(Index n, const T* x, const T* p, T* y) {
  for_each("power_forward", n, PowerForward<T>{x, p, y});
}
template <class T>
void ValueKernels::power_backward(Index n, const T* x, const T* p, const T* dy, T* dx, T* dp) {
  for_each("power_backward", n, PowerBackward<T>{x, p, dy, dx, dp});
}

template <class T>
void ValueKernels::compare(CompareOp op, Index n, const T* a, const T* b, std::int32_t* mask) {
  scalar::with_comparison<T>(op, [=](auto holds) {
    for_each("compare", n, Compare<T, decltype(holds)>{holds, a, b, mask});
  });
}
template <class T>
void ValueKernels::choose(Index n, const std::int32_t* mask, const T* yes, const T* no, T* out) {
  for_each("choose", n, Choose<T>{mask, yes, no, out});
}

#define GAZE_INSTANTIATE(T)                                                                 \
  template void ValueKernels::sum_to(Index, const T*, T*);                                  \
  template void ValueKernels::pointwise_forward(PointwiseOp, Index, T, const T*, T*);       \
  template void ValueKernels::pointwise_backward(PointwiseOp, Index, T, const T*, const T*, \
                                                 const T*, T*);                             \
  template void ValueKernels::power_forward(Index, const T*, const T*, T*);                 \
  template void ValueKernels::power_backward(Index, const T*, const T*, const T*, T*, T*);
GAZE_INSTANTIATE(float)
GAZE_INSTANTIATE(double)
#undef GAZE_INSTANTIATE

#define GAZE_INSTANTIATE(T)                                                                 \
  template void ValueKernels::cast(Index, const T*, float*);                                \
  template void ValueKernels::cast(Index, const T*, double*);                               \
  template void ValueKernels::cast(Index, const T*, std::int32_t*);                         \
  template void ValueKernels::check_values(Index, const T*, const ValueCheck&, T*);         \
  template void ValueKernels::fill_from(Index, const T*, T*);                               \
  template void ValueKernels::copy_to_strided(const Shape&, const T*, T*, const Shape&);    \
  template void ValueKernels::compare(CompareOp, Index, const T*, const T*, std::int32_t*); \
  template void ValueKernels::choose(Index, const std::int32_t*, const T*, const T*, T*);
GAZE_INSTANTIATE(float)
GAZE_INSTANTIATE(double)
GAZE_INSTANTIATE(std::int32_t)
#undef GAZE_INSTANTIATE
template void ValueKernels::cast(Index, const float*, bf16*);

}  // namespace gaze::cuda
