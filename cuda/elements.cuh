// SPDX-License-Identifier: MIT
// One thread per value (or per value of a result), walking on by the number of threads; no thread
// reads what another writes, so there are no barriers but those inside the sums.
#pragma once
#include "cuda/device/device.cuh"
#include "gaze/core/shape.hpp"
#include "gaze/kernels/scalar.hpp"

namespace gaze::cuda {

inline constexpr int kElementThreads = 256;

/// A Shape that kernels take by value.
struct Dims {
  int rank = 0;
  Index size[Shape::max_rank] = {};

  Dims() = default;
  explicit Dims(const Shape& s) : rank(s.rank()) {
    for (int i = 0; i < rank; ++i) size[i] = s[i];
  }
  constexpr Index numel() const {
    Index n = 1;
    for (int i = 0; i < rank; ++i) n *= size[i];
    return n;
  }
};

/// How far element i (row-major in `dims`) lies from the first, by `strides`.
constexpr Index strided_offset(const Dims& dims, const Dims& strides, Index i) {
  Index at = 0;
  for (int d = dims.rank - 1; d >= 0; --d) {
    at += i % dims.size[d] * strides.size[d];
    i /= dims.size[d];
  }
  return at;
}

// ---- f(i) for every i < n
// ------------------------------------------------------------------------

template <class F>
__global__ void for_each_kernel(Index n, F f) {
  for (Index i = thread_index(); i < n; i += thread_count()) f(i);
}

/// f is a struct with a device function operator()(Index); it says its pointers to the emulator.
template <class F>
void for_each(const char* name, Index n, const F& f,
              std::source_location where = std::source_location::current()) {
  if (n <= 0) return;
  const Launch how(name, blocks_for(n, kElementThreads), dim3(kElementThreads), 0, where);
  launch(how, for_each_kernel<F>, n, f);
}

template <class T>
struct Binary {
  BroadcastOp op;
  const T *a, *b;
  T* y;
  __device__ void operator()(Index i) const { y[i] = scalar::broadcast_value(op, a[i], b[i]); }
  void pointers(auto f) { f(a), f(b), f(y); }
};

/// y = alpha x, or y += alpha x.
template <class T>
struct Scale {
  T alpha;
  const T* x;
  T* y;
  bool accumulate;
  __device__ void operator()(Index i) const {
    y[i] = accumulate ? y[i] + alpha * x[i] : alpha * x[i];
  }
  void pointers(auto f) { f(x), f(y); }
};

template <class T>
struct Fill {
  T value;
  T* y;
  __device__ void operator()(Index i) const { y[i] = value; }
  void pointers(auto f) { f(y); }
};

template <class T>
struct Copy {
  const T* x;
  T* y;
  __device__ void operator()(Index i) const { y[i] = x[i]; }
  void pointers(auto f) { f(x), f(y); }
};

template <class T>
struct UnaryForward {
  UnaryOp op;
  const T* x;
  T* y;
  __device__ void operator()(Index i) const { y[i] = scalar::unary_value(op, x[i]); }
  void pointers(auto f) { f(x), f(y); }
};

template <class T>
struct UnaryBackward {
  UnaryOp op;
  const T *x, *y, *dy;
  T* dx;
  bool accumulate;
  __device__ void operator()(Index i) const {
    const T d = scalar::kept_zero(dy[i], dy[i] * scalar::unary_slope(op, x[i], y[i]));
    dx[i] = accumulate ? dx[i] + d : d;
  }
  void pointers(auto f) { f(x), f(y), f(dy), f(dx); }
};

/// Element i of y [N, C], from rows gate | up of gate_up [N, 2C].
template <class T>
struct SwigluForward {
  Index c;
  const T* gate_up;
  T* y;
  __device__ void operator()(Index i) const {
    const T* const at = gate_up + i / c * 2 * c + i % c;
    y[i] = at[0] * scalar::sigmoid(at[0]) * at[c];
  }
  void pointers(auto f) { f(gate_up), f(y); }
};

/// Reads both values of its place before it writes them: dgate_up may be gate_up.
template <class T>
struct SwigluBackward {
  Index c;
  const T *gate_up, *dy;
  T* dgate_up;
  __device__ void operator()(Index i) const {
    const Index at = i / c * 2 * c + i % c;
    const T gate = gate_up[at], up = gate_up[at + c];
    dgate_up[at] = dy[i] * up * scalar::unary_slope(UnaryOp::silu, gate, T(0));
    dgate_up[at + c] = dy[i] * gate * scalar::sigmoid(gate);
  }
  void pointers(auto f) { f(gate_up), f(dy), f(dgate_up); }
};

/// The formula stands at gaze/cpu/optimiser.hpp.
template <class T>
struct AdamW {
  AdamWStep<T> s;
  T inverse1, inverse_root2, grad_scale;
  T* param;
  const T* grad;
  T *m, *v;
  __device__ void operator()(Index i) const {
    const T g = grad[i] * grad_scale;
    m[i] = s.beta1 * m[i] + (1 - s.beta1) * g;
    v[i] = s.beta2 * v[i] + (1 - s.beta2) * g * g;
    const T step = m[i] * inverse1 / (std::sqrt(v[i]) * inverse_root2 + s.eps);
    param[i] -= s.lr * (step + s.weight_decay * param[i]);
  }
  void pointers(auto f) { f(param), f(grad), f(m), f(v); }
};

template <class T>
struct CopyStrided {
  Dims dims, strides;
  const T* x;
  T* y;
  __device__ void operator()(Index i) const { y[i] = x[strided_offset(dims, strides, i)]; }
  void pointers(auto f) { f(x), f(y); }
};

template <class T>
struct BinaryStrided {
  BroadcastOp op;
  Dims dims, strides_a, strides_b;
  const T *a, *b;
  T* y;
  __device__ void operator()(Index i) const {
    y[i] = scalar::broadcast_value(op, a[strided_offset(dims, strides_a, i)],
                                   b[strided_offset(dims, strides_b, i)]);
  }
  void pointers(auto f) { f(a), f(b), f(y); }
};

/// One thread per element of y: it adds the elements of x that fall on it, in ascending order.
/// `kept` are the dimensions that y has, `summed` those along which y does not move; the strides
/// of x go with each.
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

// ---- sums over everything
// ------------------------------------------------------------------------

inline constexpr Index kSumPiece = 4096;  // elements of one block

/// Block b: partial[b] = sum of its piece of x (or of the squares) in double. Each thread adds
/// every 256th element in ascending order, then the threads' sums are folded (block_sum).
template <class T>
__global__ void sum_pieces_kernel(Index n, const T* x, bool squares, double* partial) {
  for (Index piece = blockIdx.x; piece * kSumPiece < n; piece += gridDim.x) {
    const Index begin = piece * kSumPiece, end = begin + kSumPiece < n ? begin + kSumPiece : n;
    double sum = 0;
    for (Index i = begin + threadIdx.x; i < end; i += blockDim.x) {
      const double value = static_cast<double>(x[i]);
      sum += squares ? value * value : value;
    }
    sum = block_sum(sum);
    if (threadIdx.x == 0) partial[piece] = sum;
  }
}

/// One block: partial[0] = the sum of all n.
template <class T>
__global__ void sum_partials_kernel(Index n, T* partial) {
  T sum = 0;
  for (Index i = threadIdx.x; i < n; i += blockDim.x) sum += partial[i];
  sum = block_sum(sum);
  if (threadIdx.x == 0) partial[0] = sum;
}

}  // namespace gaze::cuda
