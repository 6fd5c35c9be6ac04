// SPDX-License-Identifier: MIT
// Calls of CPU kernels on whole arrays, for tests.
#pragma once
#include <vector>

#include "gaze/cpu/adamw.hpp"
#include "gaze/cpu/elementwise.hpp"
#include "tests/kernel_arrays.hpp"

namespace gaze::test::arrays {

template <class T>
void unary(UnaryOp op, const Vec<T>& x, Vec<T>& y) {
  cpu::unary_forward(args::UnaryForward<T>{
      .op = op, .n = static_cast<Index>(x.size()), .x = x.data(), .y = y.data()});
}

/// Of x and y, one may be null: the one that the derivative does not read.
template <class T>
void unary_grad(UnaryOp op, const T* x, const T* y, const Vec<T>& dy, Vec<T>& dx,
                bool accumulate = false) {
  cpu::unary_backward(args::UnaryBackward<T>{.op = op,
                                             .n = static_cast<Index>(dy.size()),
                                             .x = x,
                                             .y = y,
                                             .dy = dy.data(),
                                             .dx = dx.data(),
                                             .accumulate = accumulate});
}

template <class T>
args::AdamW<T> adamw_args(Index n, T* param, const T* grad, T* m, T* v,
                          const AdamWStep<T>& settings, T correction1, T correction2,
                          T grad_scale) {
  return {.n = n,
          .param = param,
          .grad = grad,
          .m = m,
          .v = v,
          .settings = settings,
          .bias_correction1 = correction1,
          .bias_correction2 = correction2,
          .grad_scale = grad_scale};
}

}  // namespace gaze::test::arrays
