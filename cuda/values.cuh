// SPDX-License-Identifier: MIT
// One thread per value of the result (see elements.cuh): element i of every output belongs to the
// thread of i, which reads element i of the inputs, or of a strided one the element that
// strided_offset says; so all accesses lie below n and nothing needs a barrier. Only the check of
// values folds positions, as a sum does its values.
#pragma once
#include "cuda/elements.cuh"
#include "cuda/host/report.hpp"
#include "gaze/kernels/pointwise.hpp"

namespace gaze::cuda {

/// What no whole number holds becomes 0: the host has yet to hear of it (check_values).
template <class T, class U>
struct Cast {
  const T* x;
  U* y;
  __device__ void operator()(Index i) const {
    if constexpr (std::is_integral_v<U> && !std::is_integral_v<T>) {
      const double value = x[i], low = std::numeric_limits<U>::min();
      y[i] = value > low - 1 && value < -low ? static_cast<U>(value) : U(0);
    } else {
      y[i] = static_cast<U>(x[i]);
    }
  }
  void pointers(auto f) { f(x), f(y); }
};

/// All threads read the one value.
template <class T>
struct FillFrom {
  const T* value;
  T* y;
  __device__ void operator()(Index i) const { y[i] = *value; }
  void pointers(auto f) { f(value), f(y); }
};

/// No two i have the same offset: no stride is 0 where there are several elements.
template <class T>
struct CopyToStrided {
  Dims dims, strides;
  const T* x;
  T* y;
  __device__ void operator()(Index i) const { y[strided_offset(dims, strides, i)] = x[i]; }
  void pointers(auto f) { f(x), f(y); }
};

/// F is one of the formulas in kernels/pointwise.hpp.
template <class T, class F>
struct PointwiseForward {
  F formula;
  const T* x;
  T* y;
  __device__ void operator()(Index i) const { y[i] = formula.value(x[i]); }
  void pointers(auto f) { f(x), f(y); }
};

template <class T, class F>
struct PointwiseBackward {
  F formula;
  const T *x, *y, *dy;
  T* dx;
  __device__ void operator()(Index i) const {
    dx[i] = scalar::kept_zero(dy[i], dy[i] * formula.slope(x[i], y[i]));
  }
  void pointers(auto f) { f(x), f(y), f(dy), f(dx); }
};

template <class T>
struct PowerForward {
  const T *x, *p;
  T* y;
  __device__ void operator()(Index i) const { y[i] = std::pow(x[i], p[i]); }
  void pointers(auto f) { f(x), f(p), f(y); }
};

template <class T>
struct PowerBackward {
  const T *x, *p, *dy;
  T *dx, *dp;  // either may be null
  __device__ void operator()(Index i) const {
    if (dx) dx[i] = scalar::power_slope_base(x[i], p[i], dy[i]);
    if (dp) dp[i] = scalar::power_slope_exponent(x[i], p[i], dy[i]);
  }
  void pointers(auto f) { f(x), f(p), f(dy), f(dx), f(dp); }
};

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
  T* out;
  __device__ void operator()(Index i) const {
    const T* const from = mask[i] ? yes : no;
    out[i] = from ? from[i] : T(0);
  }
  void pointers(auto f) { f(mask), f(yes), f(no), f(out); }
};

/// One block: y[0] = the sum of n partial sums, each thread's in ascending order, then folded.
template <class T>
__global__ void sum_to_kernel(Index n, const double* partial, T* y) {
  double sum = 0;
  for (Index i = threadIdx.x; i < n; i += blockDim.x) sum += partial[i];
  sum = block_sum(sum);
  if (threadIdx.x == 0) *y = static_cast<T>(sum);
}

struct Smallest {
  template <class T>
  __device__ T operator()(T a, T b) const {
    return b < a ? b : a;
  }
};

inline constexpr int kCheckThreads = 1024;

/// One block: thread t looks at elements t, t + the number of threads, ... below n and writes safe
/// of the same. The positions found are folded (block_fold has the barriers) and thread 0 reports
/// the smallest, unless there is a report that the host has not read. Checks run one after another,
/// so nobody else writes the report meanwhile; the fence lets the host see `found` last.
template <class T>
__global__ void __launch_bounds__(kCheckThreads)
    check_values_kernel(Index n, const T* x, ValueCheck check, T* safe, Report* shared) {
  Index found = n;
  for (Index i = threadIdx.x; i < n; i += blockDim.x) {
    const double value = static_cast<double>(x[i]);
    const bool inside = value > check.low && value < check.high;
    if (!inside && i < found) found = i;
    if (safe) safe[i] = inside ? x[i] : T(-1);
  }
  found = block_fold(found, Smallest{}, n);
  volatile Report* const report = shared;  // the host reads and writes it too
  if (threadIdx.x > 0 || found == n || report->found) return;
  report->op = check.op;
  report->low = check.low;
  report->high = check.high;
  report->fail = check.fail;
  report->at = found;
  report->value = static_cast<double>(x[found]);
  __threadfence_system();
  report->found = 1;
}

}  // namespace gaze::cuda
