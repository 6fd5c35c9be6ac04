// SPDX-License-Identifier: MIT
// The AdamW step (kernels/adamw.hpp): one parameter per thread, or four where all arrays are
// aligned to 16 bytes.
#pragma once
#include "cuda/device/loops.cuh"
#include "cuda/device/vectors.cuh"
#include "gaze/kernels/adamw.hpp"

namespace gaze::cuda {

/// With g = grad_scale grad:
///   m = beta1 m + (1 - beta1) g,  v = beta2 v + (1 - beta2) g^2,
///   param -= lr (m inverse1 / (sqrt(v) inverse_root2 + eps) + weight_decay param),
/// where inverse1 and inverse_root2 are the reciprocals of the bias corrections.
template <class T>
struct AdamWElement {
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

namespace vectorised {

/// Four values per thread; also writes the rounded working copy, where there is one. n is a
/// multiple of 4: packs are padded to 16.
struct AdamWVector {
  AdamWStep<float> s;
  float inverse1, inverse_root2, grad_scale;
  float* param;
  const float* grad;
  float *m, *v;
  bf16* copy;  ///< or null

  __device__ void operator()(Index i) const {
    constexpr int N = wide<float>;
    float p[N], g[N], first[N], second[N];
    load_floats(p, param + i * N);
    load_floats(g, grad + i * N);
    load_floats(first, m + i * N);
    load_floats(second, v + i * N);
    for (int e = 0; e < N; ++e) {
      const float x = g[e] * grad_scale;
      first[e] = s.beta1 * first[e] + (1 - s.beta1) * x;
      second[e] = s.beta2 * second[e] + (1 - s.beta2) * x * x;
      const float step = first[e] * inverse1 / (sqrtf(second[e]) * inverse_root2 + s.eps);
      p[e] -= s.lr * (step + s.weight_decay * p[e]);
    }
    store_floats(param + i * N, p);
    store_floats(m + i * N, first);
    store_floats(v + i * N, second);
    if (copy) store_floats(copy + i * N, p);
  }
  void pointers(auto f) { f(param), f(grad), f(m), f(v), f(copy); }
};

}  // namespace vectorised

}  // namespace gaze::cuda
