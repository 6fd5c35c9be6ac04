// SPDX-License-Identifier: MIT
// Kernels<Cuda>, one value at a time: arithmetic, activations, copies of views, sums, the AdamW
// step. What each function means, and what may overlap, stands at the CPU's function of its name in
// gaze/cpu/elementwise.hpp, strided.hpp and optimiser.hpp. Defined in elements.cu.
#pragma once
#include "gaze/core/device.hpp"
#include "gaze/core/shape.hpp"
#include "gaze/kernels/settings.hpp"

namespace gaze::cuda {

struct ElementKernels {
  template <class T>
  static void add(Index n, const T* a, const T* b, T* out);
  template <class T>
  static void sub(Index n, const T* a, const T* b, T* out);
  template <class T>
  static void mul(Index n, const T* a, const T* b, T* out);
  template <class T>
  static void div(Index n, const T* a, const T* b, T* out);
  template <class T>
  static void axpy(Index n, T alpha, const T* x, T* y);
  template <class T>
  static void scale(Index n, T alpha, const T* x, T* y);
  template <class T>
  static void fill(Index n, T value, T* y);
  template <class T>
  static void copy(Index n, const T* x, T* y);
  template <class T>
  static void unary_forward(UnaryOp op, Index n, const T* x, T* y);
  template <class T>
  static void unary_backward(UnaryOp op, Index n, const T* x, const T* y, const T* dy, T* dx,
                             bool accumulate);
  template <class T>
  static void swiglu_forward(Index n, Index c, const T* gate_up, T* y);
  template <class T>
  static void swiglu_backward(Index n, Index c, const T* gate_up, const T* dy, T* dgate_up);
  /// Both wait for the device.
  template <class T>
  static double sum(Index n, const T* x);
  template <class T>
  static double sum_squares(Index n, const T* x);
  template <class T>
  static void adamw_step(Index n, T* param, const T* grad, T* m, T* v, const AdamWStep<T>& settings,
                         T bias_correction1, T bias_correction2, T grad_scale);
  template <class T>
  static void copy_strided(const Shape& shape, const T* x, const Shape& strides, T* y);
  template <class T>
  static void binary_strided(BroadcastOp op, const Shape& shape, const T* a, const Shape& strides_a,
                             const T* b, const Shape& strides_b, T* y);
  template <class T>
  static void add_strided(const Shape& shape, const T* x, T* y, const Shape& strides);
};

}  // namespace gaze::cuda
