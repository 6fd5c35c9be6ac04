// SPDX-License-Identifier: MIT
// Launches the kernels of elementwise.cuh.
#include "cuda/elementwise.cuh"

#include "cuda/kernels.hpp"
#include "cuda/vectorised.hpp"

namespace gaze::cuda {

template <class T>
void add(Index n, const T* a, const T* b, T* y) {
  for_each("add", n, Binary<T>{BroadcastOp::add, a, b, y});
}
template <class T>
void sub(Index n, const T* a, const T* b, T* y) {
  for_each("sub", n, Binary<T>{BroadcastOp::sub, a, b, y});
}
template <class T>
void mul(Index n, const T* a, const T* b, T* y) {
  for_each("mul", n, Binary<T>{BroadcastOp::mul, a, b, y});
}
template <class T>
void scale(Index n, T alpha, const T* x, T* y) {
  for_each("scale", n, Scale<T>{alpha, x, y});
}

template <class T>
void broadcast(const args::Broadcast<T>& a) {
  for_each("broadcast", a.shape.numel(),
           BroadcastElement<T>{a.op, Dims(a.shape), Dims(a.a_strides), Dims(a.b_strides), a.a, a.b,
                               a.y});
}

template <class T>
void unary_forward(const args::UnaryForward<T>& a) {
  scalar::with_unary<T>(a.op, a.exponent, [&](auto formula) {
    for_each("unary_forward", a.n, UnaryValue<T, decltype(formula)>{formula, a.x, a.y});
  });
}
template <class T>
void unary_backward(const args::UnaryBackward<T>& a) {
  // The kernel loads x and y whether the formula uses them or not.
  const T* const x = a.x ? a.x : a.y ? a.y : a.dy;
  const T* const y = a.y ? a.y : x;
  scalar::with_unary<T>(a.op, a.exponent, [&](auto formula) {
    for_each("unary_backward", a.n,
             UnaryGrad<T, decltype(formula)>{formula, x, y, a.dy, a.dx, a.accumulate});
  });
}

template <class T>
void power_forward(Index n, const T* x, const T* p, T* y) {
  for_each("power_forward", n, PowerValue<T>{x, p, y});
}
template <class T>
void power_backward(Index n, const T* x, const T* p, const T* dy, T* dx, T* dp) {
  for_each("power_backward", n, PowerGrad<T>{x, p, dy, dx, dp});
}

template <class T>
void swiglu_forward(Index n, Index c, const T* gate_up, T* y) {
  if constexpr (std::is_same_v<T, float>)
    if (in_vectors(c, gate_up, y)) return vectorised::swiglu_forward(n, c, gate_up, y);
  for_each("swiglu_forward", n * c, SwigluValue<T>{c, gate_up, y});
}
template <class T>
void swiglu_backward(Index n, Index c, const T* gate_up, const T* dy, T* dgate_up) {
  if constexpr (std::is_same_v<T, float>)
    if (in_vectors(c, gate_up, dy, dgate_up))
      return vectorised::swiglu_backward(n, c, gate_up, dy, dgate_up);
  for_each("swiglu_backward", n * c, SwigluGrad<T>{c, gate_up, dy, dgate_up});
}

GAZE_ELEMENTWISE_KERNELS(GAZE_INSTANTIATE_KERNEL, float)
GAZE_ELEMENTWISE_KERNELS(GAZE_INSTANTIATE_KERNEL, double)

}  // namespace gaze::cuda
