// SPDX-License-Identifier: MIT
// Launches the kernels of elementwise_vectorised.cuh.
#include "cuda/elementwise_vectorised.cuh"

#include "cuda/vectorised.hpp"

namespace gaze::cuda::vectorised {

template <class T>
void swiglu_forward(Index n, Index c, const T* gate_up, T* y) {
  check_columns<T>("swiglu", c);
  for_each("swiglu", n * c / wide<T>, SwigluVector<T>{c, gate_up, y});
}
template <class T>
void swiglu_backward(Index n, Index c, const T* gate_up, const float* dy, float* dgate_up) {
  check_columns<T>("swiglu_backward", c);
  for_each("swiglu_backward", n * c / wide<T>, SwigluGradVector<T>{c, gate_up, dy, dgate_up});
}

template <class T>
void bias_gelu_forward(Index n, Index c, const T* x, const T* bias, T* y) {
  check_columns<T>("bias_gelu", c);
  for_each("bias_gelu", n * c / wide<T>, BiasGeluVector<T>{c, x, bias, y});
}
template <class T>
void bias_gelu_backward(Index n, Index c, const T* x, const T* bias, const float* dy, float* dx) {
  check_columns<T>("bias_gelu_backward", c);
  for_each("bias_gelu_backward", n * c / wide<T>, BiasGeluGradVector<T>{c, x, bias, dy, dx});
}

GAZE_VECTORISED_ELEMENT_KERNELS(GAZE_INSTANTIATE_KERNEL, float)
GAZE_VECTORISED_ELEMENT_KERNELS(GAZE_INSTANTIATE_KERNEL, bf16)

}  // namespace gaze::cuda::vectorised
