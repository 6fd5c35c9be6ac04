// SPDX-License-Identifier: MIT
// Kernels that fill, copy, convert and check values, one thread per value without barriers; only
// the check folds over a block.
#pragma once
#include "cuda/device/loops.cuh"
#include "cuda/host/report.hpp"

namespace gaze::cuda {

template <class T>
struct Fill {
  T value;
  T* y;
  __device__ void operator()(Index i) const { y[i] = value; }
  void pointers(auto f) { f(y); }
};

/// All threads read the one value.
template <class T>
struct FillFrom {
  const T* value;
  T* y;
  __device__ void operator()(Index i) const { y[i] = *value; }
  void pointers(auto f) { f(value), f(y); }
};

template <class T>
struct Copy {
  const T* x;
  T* y;
  __device__ void operator()(Index i) const { y[i] = x[i]; }
  void pointers(auto f) { f(x), f(y); }
};

/// y += alpha x.
template <class T>
struct Axpy {
  T alpha;
  const T* x;
  T* y;
  __device__ void operator()(Index i) const { y[i] = y[i] + alpha * x[i]; }
  void pointers(auto f) { f(x), f(y); }
};

/// A value outside the range of a whole-number type becomes 0; check_values reports it to the host.
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

struct Smallest {
  template <class T>
  __device__ T operator()(T a, T b) const {
    return b < a ? b : a;
  }
};

inline constexpr int kCheckThreads = 1024;

/// One block. Thread t checks elements t, t + the number of threads, ... below n, and writes the
/// same elements of `safe`. The positions found are folded (block_fold has the barriers), and
/// thread 0 reports the smallest unless an earlier report is still unread. Checks run one after
/// another, so no other kernel writes the report at the same time; the fence makes `found` the last
/// write that the host sees.
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
