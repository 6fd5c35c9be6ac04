// SPDX-License-Identifier: MIT
// Comparisons, choices and elements by index, without barriers: one thread per element of the
// result, except that scatter_add_elements has one thread per row.
#pragma once
#include "cuda/device/loops.cuh"
#include "gaze/kernels/scalar.hpp"

namespace gaze::cuda {

template <class T, class F>
struct Compare {
  F holds;
  const T *a, *b;
  std::int32_t* mask;
  __device__ void operator()(Index i) const { mask[i] = holds(a[i], b[i]) ? 1 : 0; }
  void pointers(auto f) { f(a), f(b), f(mask); }
};

template <class T>
struct Choose {
  const std::int32_t* mask;
  const T *yes, *no;  // null: zeros
  T* y;
  __device__ void operator()(Index i) const {
    const T* const from = mask[i] ? yes : no;
    y[i] = from ? from[i] : T(0);
  }
  void pointers(auto f) { f(mask), f(yes), f(no), f(y); }
};

template <class T>
struct GatherElements {
  Index n, k;
  const T* x;
  const std::int32_t* index;
  T* y;
  __device__ void operator()(Index i) const {
    const Index from = index[i];
    y[i] = from >= 0 && from < n ? x[i / k * n + from] : T(0);
  }
  void pointers(auto f) { f(x), f(index), f(y); }
};

/// Only the thread of a row writes to it: additions in ascending order, as on the CPU.
template <class T>
struct ScatterAddElements {
  Index n, k;
  const T* x;
  const std::int32_t* index;
  T* y;
  __device__ void operator()(Index r) const {
    for (Index j = r * k; j < (r + 1) * k; ++j)
      if (index[j] >= 0 && index[j] < n) y[r * n + index[j]] += x[j];
  }
  void pointers(auto f) { f(x), f(index), f(y); }
};

}  // namespace gaze::cuda
