// SPDX-License-Identifier: MIT
// Rows of float or bf16 as float registers, in accesses of 16 bytes.
#pragma once
#include "cuda/device/device.cuh"
#include "gaze/core/bf16.hpp"

namespace gaze::cuda::vectorised {

inline constexpr int kVectorBytes = 16;

/// Elements of one access.
template <class T>
inline constexpr int wide = kVectorBytes / static_cast<int>(sizeof(T));

/// Throws unless rows of c columns of T are whole vectors.
template <class T>
void check_columns(const char* name, Index c) {
  GAZE_CHECK(c % wide<T> == 0, name, c, " columns are not whole vectors of 16 bytes");
}

/// N values as floats, in accesses of at most 16 bytes.
template <int N, class T>
__device__ __forceinline__ void load_floats(float (&x)[N], const T* from) {
  constexpr int each = N < wide<T> ? N : wide<T>;
  for (int i = 0; i < N; i += each) {
    const Vector<T, each> v = load<each>(from + i);
    for (int j = 0; j < each; ++j) x[i + j] = static_cast<float>(v[j]);
  }
}
/// One element at a time unless the address is aligned.
template <int N, class T>
__device__ __forceinline__ void load_floats(float (&x)[N], const T* from, bool aligned) {
  if (aligned) return load_floats(x, from);
  for (int i = 0; i < N; ++i) x[i] = static_cast<float>(from[i]);
}
template <int N, class T>
__device__ __forceinline__ void store_floats(T* to, const float (&x)[N]) {
  constexpr int each = N < wide<T> ? N : wide<T>;
  for (int i = 0; i < N; i += each) {
    Vector<T, each> v;
    for (int j = 0; j < each; ++j) v[j] = T(x[i + j]);
    store(to + i, v);
  }
}
template <int N, class T>
__device__ __forceinline__ void store_floats(T* to, const float (&x)[N], bool aligned) {
  if (aligned) return store_floats(to, x);
  for (int i = 0; i < N; ++i) to[i] = T(x[i]);
}

}  // namespace gaze::cuda::vectorised
