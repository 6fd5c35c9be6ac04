// SPDX-License-Identifier: MIT
// Launches the kernels of elements.cuh.
#include "cuda/elements.cuh"

#include "cuda/elements.hpp"
#include "cuda/fused_rows.hpp"
#include "cuda/host/choice.hpp"

namespace gaze::cuda {

template <class T>
void ElementKernels::add(Index n, const T* a, const T* b, T* out) {
  for_each("add", n, Binary<T>{BroadcastOp::add, a, b, out});
}
template <class T>
void ElementKernels::sub(Index n, const T* a, const T* b, T* out) {
  for_each("sub", n, Binary<T>{BroadcastOp::sub, a, b, out});
}
template <class T>
void ElementKernels::mul(Index n, const T* a, const T* b, T* out) {
  for_each("mul", n, Binary<T>{BroadcastOp::mul, a, b, out});
}
template <class T>
void ElementKernels::div(Index n, const T* a, const T* b, T* out) {
  for_each("div", n, Binary<T>{BroadcastOp::div, a, b, out});
}
template <class T>
void ElementKernels::axpy(Index n, T alpha, const T* x, T* y) {
  for_each("axpy", n, Scale<T>{alpha, x, y, true});
}
template <class T>
void ElementKernels::scale(Index n, T alpha, const T* x, T* y) {
  for_each("scale", n, Scale<T>{alpha, x, y, false});
}
template <class T>
void ElementKernels::fill(Index n, T value, T* y) {
  for_each("fill", n, Fill<T>{value, y});
}
template <class T>
void ElementKernels::copy(Index n, const T* x, T* y) {
  for_each("copy", n, Copy<T>{x, y});
}

template <class T>
void ElementKernels::unary_forward(UnaryOp op, Index n, const T* x, T* y) {
  for_each("unary_forward", n, UnaryForward<T>{op, x, y});
}
template <class T>
void ElementKernels::unary_backward(UnaryOp op, Index n, const T* x, const T* y, const T* dy, T* dx,
                                    bool accumulate) {
  if (!x) x = y ? y : dy;
  if (!y) y = x;
  for_each("unary_backward", n, UnaryBackward<T>{op, x, y, dy, dx, accumulate});
}

template <class T>
void ElementKernels::swiglu_forward(Index n, Index c, const T* gate_up, T* y) {
  if constexpr (std::is_same_v<T, float>)
    if (in_vectors(c, gate_up, y)) return FusedRows::swiglu_forward(n, c, gate_up, y);
  for_each("swiglu_forward", n * c, SwigluForward<T>{c, gate_up, y});
}
template <class T>
void ElementKernels::swiglu_backward(Index n, Index c, const T* gate_up, const T* dy, T* dgate_up) {
  if constexpr (std::is_same_v<T, float>)
    if (in_vectors(c, gate_up, dy, dgate_up))
      return FusedRows::swiglu_backward(n, c, gate_up, dy, dgate_up);
  for_each("swiglu_backward", n * c, SwigluBackward<T>{c, gate_up, dy, dgate_up});
}

namespace {

template <class T>
double sum_on_device(Index n, const T* x, bool squares) {
  if (n <= 0) return 0;
  const Index count = pieces(n, kSumPiece);
  const Storage<Cuda> partials(static_cast<std::size_t>(count) * sizeof(double));
  auto* const partial = static_cast<double*>(partials.data());
  launch({"sum", blocks_for(n, kSumPiece), dim3(kElementThreads)}, sum_pieces_kernel<T>, n, x,
         squares, partial);
  if (count > 1)
    launch({"sum", dim3(1), dim3(kElementThreads)}, sum_partials_kernel<double>, count, partial);
  double sum = 0;
  copy_out(&sum, partial, sizeof(sum));
  return sum;
}

}  // namespace

template <class T>
double ElementKernels::sum(Index n, const T* x) {
  return sum_on_device(n, x, false);
}
template <class T>
double ElementKernels::sum_squares(Index n, const T* x) {
  return sum_on_device(n, x, true);
}

template <class T>
void ElementKernels::adamw_step(Index n, T* param, const T* grad, T* m, T* v,
                                const AdamWStep<T>& settings, T bias_correction1,
                                T bias_correction2, T grad_scale) {
  check_adamw_step(settings, bias_correction1, bias_correction2, grad_scale);
  if constexpr (std::is_same_v<T, float>)
    if (in_vectors(n, param, grad, m, v))
      return FusedRows::adamw_step(n, param, grad, m, v, settings, bias_correction1,
                                   bias_correction2, grad_scale, nullptr);
  for_each("adamw_step", n,
           AdamW<T>{settings, 1 / bias_correction1, 1 / std::sqrt(bias_correction2), grad_scale,
                    param, grad, m, v});
}

template <class T>
void ElementKernels::copy_strided(const Shape& shape, const T* x, const Shape& strides, T* y) {
  for_each("copy_strided", shape.numel(), CopyStrided<T>{Dims(shape), Dims(strides), x, y});
}

template <class T>
void ElementKernels::binary_strided(BroadcastOp op, const Shape& shape, const T* a,
                                    const Shape& strides_a, const T* b, const Shape& strides_b,
                                    T* y) {
  for_each("binary_strided", shape.numel(),
           BinaryStrided<T>{op, Dims(shape), Dims(strides_a), Dims(strides_b), a, b, y});
}

template <class T>
void ElementKernels::add_strided(const Shape& shape, const T* x, T* y, const Shape& strides) {
  AddStrided<T> f{{}, {}, {}, {}, {}, x, y};
  const Shape of_x = contiguous_strides(shape);
  const auto append = [](Dims& to, Index value) { to.size[to.rank++] = value; };
  for (int d = 0; d < shape.rank(); ++d) {
    const bool kept = strides[d] != 0;
    append(kept ? f.kept : f.summed, shape[d]);
    append(kept ? f.kept_x : f.summed_x, of_x[d]);
    if (kept) append(f.kept_y, strides[d]);
  }
  if (shape.numel() > 0) for_each("add_strided", f.kept.numel(), f);
}

#define GAZE_INSTANTIATE(T)                                                                        \
  template void ElementKernels::add(Index, const T*, const T*, T*);                                \
  template void ElementKernels::sub(Index, const T*, const T*, T*);                                \
  template void ElementKernels::mul(Index, const T*, const T*, T*);                                \
  template void ElementKernels::div(Index, const T*, const T*, T*);                                \
  template void ElementKernels::scale(Index, T, const T*, T*);                                     \
  template void ElementKernels::unary_forward(UnaryOp, Index, const T*, T*);                       \
  template void ElementKernels::unary_backward(UnaryOp, Index, const T*, const T*, const T*, T*,   \
                                               bool);                                              \
  template void ElementKernels::swiglu_forward(Index, Index, const T*, T*);                        \
  template void ElementKernels::swiglu_backward(Index, Index, const T*, const T*, T*);             \
  template double ElementKernels::sum(Index, const T*);                                            \
  template double ElementKernels::sum_squares(Index, const T*);                                    \
  template void ElementKernels::adamw_step(Index, T*, const T*, T*, T*, const AdamWStep<T>&, T, T, \
                                           T);                                                     \
  template void ElementKernels::binary_strided(BroadcastOp, const Shape&, const T*, const Shape&,  \
                                               const T*, const Shape&, T*);
GAZE_INSTANTIATE(float)
GAZE_INSTANTIATE(double)
#undef GAZE_INSTANTIATE

#define GAZE_INSTANTIATE(T)                                                             \
  template void ElementKernels::fill(Index, T, T*);                                     \
  template void ElementKernels::copy(Index, const T*, T*);                              \
  template void ElementKernels::axpy(Index, T, const T*, T*);                           \
  template void ElementKernels::copy_strided(const Shape&, const T*, const Shape&, T*); \
  template void ElementKernels::add_strided(const Shape&, const T*, T*, const Shape&);
GAZE_INSTANTIATE(float)
GAZE_INSTANTIATE(double)
GAZE_INSTANTIATE(std::int32_t)
#undef GAZE_INSTANTIATE

}  // namespace gaze::cuda
