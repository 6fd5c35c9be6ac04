// SPDX-License-Identifier: MIT
// Copies and sums between contiguous arrays and strided views, one thread per element of the
// result, without barriers.
#pragma once
#include "cuda/device/loops.cuh"
#include "cuda/device/strides.cuh"
#include "gaze/kernels/reduce.hpp"

namespace gaze::cuda {

template <class T>
struct CopyStrided {
  Dims dims, strides;
  const T* x;
  T* y;
  __device__ void operator()(Index i) const { y[i] = x[strided_offset(dims, strides, i)]; }
  void pointers(auto f) { f(x), f(y); }
};

/// No stride of a dimension with several elements is 0, so different i have different offsets.
template <class T>
struct CopyToStrided {
  Dims dims, strides;
  const T* x;
  T* y;
  __device__ void operator()(Index i) const { y[strided_offset(dims, strides, i)] = x[i]; }
  void pointers(auto f) { f(x), f(y); }
};

/// One thread per element of y, which adds the elements of x that map to it, in ascending order.
/// `kept` are the dimensions that y has, `summed` those along which its stride is 0; kept_x and
/// summed_x are the strides of x along them.
template <class T>
struct AddStrided {
  Dims kept, kept_x, kept_y, summed, summed_x;
  const T* x;
  T* y;
  __device__ void operator()(Index i) const {
    const T* const from = x + strided_offset(kept, kept_x, i);
    T& to = y[strided_offset(kept, kept_y, i)];
    const Index n = summed.numel();
    if (n > kChainedValues && !std::is_integral_v<T>)
      to = static_cast<T>(static_cast<double>(to) + sum_from(0.0, from, n));
    else
      to = sum_from(to, from, n);
  }
  template <class Sum>
  __device__ Sum sum_from(Sum sum, const T* from, Index n) const {
    for (Index j = 0; j < n; ++j)
      sum += static_cast<Sum>(from[strided_offset(summed, summed_x, j)]);
    return sum;
  }
  void pointers(auto f) { f(x), f(y); }
};

template <class T>
struct CopyRows {
  Index c, x_stride, y_stride;
  const T* x;
  T* y;
  __device__ void operator()(Index i) const {
    y[i / c * y_stride + i % c] = x[i / c * x_stride + i % c];
  }
  void pointers(auto f) { f(x), f(y); }
};

}  // namespace gaze::cuda
