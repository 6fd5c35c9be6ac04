// SPDX-License-Identifier: MIT
// Kernels<Cuda>, along the rows of x [R, n]: variance, softmax, running sums, the best element, and
// choosing, adding and sorting elements. What each function means stands at the CPU's function of
// its name in gaze/cpu/reduce_rows.hpp and sorting.hpp; indices out of range are left alone here.
// Defined in along_rows.cu.
#pragma once
#include <cstdint>

#include "gaze/core/index.hpp"

namespace gaze::cuda {

struct AlongRowKernels {
  template <class T>
  static void variance_forward(Index rows, Index n, T inverse, const T* x, T* y);
  template <class T>
  static void variance_backward(Index rows, Index n, T inverse, const T* x, const T* dy, T* dx);
  template <class T>
  static void logsumexp_forward(Index rows, Index n, const T* x, T* y);
  template <class T>
  static void logsumexp_backward(Index rows, Index n, const T* x, const T* dy, T* dx);
  template <class T>
  static void softmax_forward(bool log, Index rows, Index n, const T* x, T* y);
  template <class T>
  static void softmax_backward(bool log, Index rows, Index n, const T* y, const T* dy, T* dx);
  template <class T>
  static void cumsum(Index rows, Index n, bool from_end, const T* x, T* y);
  template <class T>
  static void best_in_rows(Index rows, Index n, bool greatest, const T* x, std::int32_t* best);
  template <class T>
  static void gather_elements(Index rows, Index n, Index k, const T* x, const std::int32_t* index,
                              T* y);
  template <class T>
  static void scatter_add_elements(Index rows, Index n, Index k, const T* x,
                                   const std::int32_t* index, T* y);
  template <class T>
  static void order_rows(Index rows, Index n, Index k, bool descending, const T* x,
                         std::int32_t* index);
};

}  // namespace gaze::cuda
