// SPDX-License-Identifier: MIT
// SwiGLU, and GELU with a bias, in accesses of 16 bytes: N values per thread, element i of a loop
// is the i-th vector of the result.
#pragma once
#include "cuda/device/loops.cuh"
#include "cuda/device/vectors.cuh"

namespace gaze::cuda::vectorised {

__device__ __forceinline__ float sigmoid(float x) { return 1 / (1 + expf(-x)); }

/// y [n, c] = silu(gate) up from rows gate | up of gate_up [n, 2 c].
template <class T>
struct SwigluVector {
  Index c;
  const T* gate_up;
  T* y;
  __device__ void operator()(Index i) const {
    constexpr int N = wide<T>;
    const Index vectors = c / N, row = i / vectors, j = i % vectors * N;
    float gate[N], up[N];
    load_floats(gate, gate_up + 2 * row * c + j);
    load_floats(up, gate_up + (2 * row + 1) * c + j);
    for (int e = 0; e < N; ++e) up[e] *= gate[e] * sigmoid(gate[e]);
    store_floats(y + row * c + j, up);
  }
  void pointers(auto f) { f(gate_up), f(y); }
};

/// With s = sigmoid(gate): dgate = dy up (s + gate s (1 - s)), dup = dy gate s.
template <class T>
struct SwigluGradVector {
  Index c;
  const T* gate_up;
  const float* dy;
  float* dgate_up;
  __device__ void operator()(Index i) const {
    constexpr int N = wide<T>;
    const Index vectors = c / N, row = i / vectors, j = i % vectors * N;
    float gate[N], up[N], d[N];
    load_floats(gate, gate_up + 2 * row * c + j);
    load_floats(up, gate_up + (2 * row + 1) * c + j);
    load_floats(d, dy + row * c + j);
    for (int e = 0; e < N; ++e) {
      const float s = sigmoid(gate[e]), silu = gate[e] * s;
      gate[e] = d[e] * up[e] * (s + silu * (1 - s));
      up[e] = d[e] * silu;
    }
    store_floats(dgate_up + 2 * row * c + j, gate);
    store_floats(dgate_up + (2 * row + 1) * c + j, up);
  }
  void pointers(auto f) { f(gate_up), f(dy), f(dgate_up); }
};

/// gelu(x) in its tanh form, and its derivative; k = sqrt(2 / pi).
struct GeluWithGrad {
  float value, grad;
  __device__ explicit GeluWithGrad(float x) {
    constexpr float k = 0.79788456080286536f, cubic = 0.044715f;
    const float t = tanhf(k * (x + cubic * x * x * x));
    value = x / 2 * (1 + t);
    grad = (1 + t) / 2 + x / 2 * (1 - t * t) * k * (1 + 3 * cubic * x * x);
    if (x < -20 || x > 20) grad = x > 0;  // to rounding; x^2 must not overflow
  }
};

/// y [n, c] = gelu(x + bias), bias [c].
template <class T>
struct BiasGeluVector {
  Index c;
  const T *x, *bias;
  T* y;
  __device__ void operator()(Index i) const {
    constexpr int N = wide<T>;
    float v[N], b[N];
    load_floats(v, x + i * N);
    load_floats(b, bias + i % (c / N) * N);
    for (int e = 0; e < N; ++e) v[e] = GeluWithGrad(v[e] + b[e]).value;
    store_floats(y + i * N, v);
  }
  void pointers(auto f) { f(x), f(bias), f(y); }
};

/// dx = dy gelu'(x + bias); dx may be dy. The gradient of the bias is the column sum of dx.
template <class T>
struct BiasGeluGradVector {
  Index c;
  const T *x, *bias;
  const float* dy;
  float* dx;
  __device__ void operator()(Index i) const {
    constexpr int N = wide<T>;
    float v[N], b[N], d[N];
    load_floats(v, x + i * N);
    load_floats(b, bias + i % (c / N) * N);
    load_floats(d, dy + i * N);
    for (int e = 0; e < N; ++e) d[e] *= GeluWithGrad(v[e] + b[e]).grad;
    store_floats(dx + i * N, d);
  }
  void pointers(auto f) { f(x), f(bias), f(dy), f(dx); }
};

}  // namespace gaze::cuda::vectorised
