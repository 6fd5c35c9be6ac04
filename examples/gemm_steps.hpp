// SPDX-License-Identifier: MIT
// The product C += A B of n x n floats, row-major, from plain to fast; measured by example 05.
// n is a multiple of 96.
#pragma once
#include <algorithm>

#include "gaze/gaze.hpp"

namespace steps {

using gaze::Index;

#if GAZE_X86
#define TARGET __attribute__((target("avx2,fma")))
using namespace gaze::simd::avx2;  // vf: a vector of W floats; set, load, store, fma
constexpr gaze::Isa isa = gaze::Isa::avx2;
#else
#define TARGET
using namespace gaze::simd::generic;
constexpr gaze::Isa isa = gaze::Isa::generic;
#endif
#ifdef __clang__
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

inline void plain(Index n, const float* a, const float* b, float* c) {
  for (Index i = 0; i < n; ++i)
    for (Index j = 0; j < n; ++j)
      for (Index k = 0; k < n; ++k) c[i * n + j] += a[i * n + k] * b[k * n + j];
}

inline void rows(Index n, const float* a, const float* b, float* c) {
  for (Index i = 0; i < n; ++i)
    for (Index k = 0; k < n; ++k)
      for (Index j = 0; j < n; ++j) c[i * n + j] += a[i * n + k] * b[k * n + j];
}

TARGET inline void vectors(Index n, const float* a, const float* b, float* c) {
  for (Index i = 0; i < n; ++i)
    for (Index k = 0; k < n; ++k)
      for (Index j = 0; j < n; j += W)
        store(c + i * n + j, fma(set(a[i * n + k]), load(b + k * n + j), load(c + i * n + j)));
}

constexpr Index height = 6, width = 2 * W;  // of the part of C that stays in twelve registers

/// c[height, width] += a[height, depth] b[depth, width]; lda, ldb, ldc: from row to row.
TARGET inline void tile(Index depth, const float* a, Index lda, const float* b, Index ldb, float* c,
                        Index ldc) {
  vf sum[height][2];
  UNROLL for (int i = 0; i < 2 * height; ++i) sum[i / 2][i % 2] = load(c + i / 2 * ldc + i % 2 * W);
  for (Index k = 0; k < depth; ++k) {
    const vf b0 = load(b + k * ldb), b1 = load(b + k * ldb + W);
    UNROLL for (int i = 0; i < height; ++i) {
      const vf x = set(a[i * lda + k]);
      sum[i][0] = fma(x, b0, sum[i][0]);
      sum[i][1] = fma(x, b1, sum[i][1]);
    }
  }
  UNROLL for (int i = 0; i < 2 * height; ++i) store(c + i / 2 * ldc + i % 2 * W, sum[i / 2][i % 2]);
}

inline void tiles(Index n, const float* a, const float* b, float* c) {
  for (Index j = 0; j < n; j += width)
    for (Index i = 0; i < n; i += height) tile(n, a + i * n, n, b + j, n, c + i * n + j, n);
}

/// A panel of B, `depth` rows of one tile's width, is copied to one place and stays in the L1
/// cache.
inline void panels(Index n, const float* a, const float* b, float* c) {
  static float panel[384 * width];  // 24 KiB
  for (Index k = 0; k < n; k += 384)
    for (Index j = 0; j < n; j += width) {
      const Index depth = std::min<Index>(384, n - k);
      for (Index p = 0; p < depth; ++p) std::copy_n(b + (k + p) * n + j, width, panel + p * width);
      for (Index i = 0; i < n; i += height)
        tile(depth, a + i * n + k, n, panel, width, c + i * n + j, n);
    }
}

inline void library(Index n, const float* a, const float* b, float* c) {
  gaze::cpu::gemm(gaze::args::Gemm<float>{.transpose_a = false,
                                          .transpose_b = false,
                                          .m = n,
                                          .n = n,
                                          .k = n,
                                          .a = a,
                                          .lda = n,
                                          .b = b,
                                          .ldb = n,
                                          .c = c,
                                          .ldc = n});
}

TARGET inline void peak(Index n, const float* a, const float*, float* c) {  // as many multiply-adds
  vf chain[12];
  const vf x = load(a), y = load(a + W);
  UNROLL for (int i = 0; i < 12; ++i) chain[i] = load(a + i);
  for (Index r = n * n * n / (12 * W); r > 0; --r)
    UNROLL for (int i = 0; i < 12; ++i) chain[i] = fma(chain[i], x, y);
  UNROLL for (int i = 0; i < 12; ++i) store(c + i * W, chain[i]);
}

#undef TARGET
#undef UNROLL

}  // namespace steps
