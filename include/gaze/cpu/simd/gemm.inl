// SPDX-License-Identifier: MIT
// The matrix product of one thread: C[m,n] = start + op(A)[m,k] op(B)[k,n], row-major.
//
// Every element of C is one chain of multiply-adds over ascending k, whatever the tile, so a row
// has the same bits alone and among a thousand. The register tile is gemm_mr x gemm_nr. B is packed
// in panels of gemm_nr columns, [k][gemm_nr] each. Where a panel fits into L1 beside a few rows of
// A it stays there while A passes by, read where it lies unless it is transposed; with wider
// vectors the rows of A, packed at a fixed stride, stay in L1 and the panels pass by. Elements of A
// are broadcast. k is cut in blocks; C carries the chain across.

constexpr int gemm_mr = registers == 32 ? 12 : W == 8 ? 6 : 4;
constexpr int gemm_nr = 2 * W;
// Measured on Zen 4 at 1024^3 and m = 3000: a depth of 384 beats 256 by 5 %, 512 gains no more.
constexpr int gemm_kc = 384;                    // depth of a block
constexpr int gemm_nc = 512;                    // columns of B packed at a time: 768 KiB, in L2
constexpr int gemm_mc = 96;                     // rows of A packed at a time
constexpr int gemm_few_rows = W == 16 ? 8 : 4;  // up to these, a transposed B is not packed
constexpr int gemm_as = gemm_kc + 16;           // row stride of packed A: off the powers of two
constexpr bool gemm_panel_stays = gemm_kc * gemm_nr <= 6144;  // 24 KiB: a panel of B fits into L1
constexpr int gemm_scratch = gemm_kc * gemm_nc + gemm_mc * gemm_as + 16;  // floats

enum class GemmStart { zero, bias, c };

#if defined(GAZE_BF16_PAIRS)
/// Every lane holds two neighbours along k in bf16, see cpu/gemm_bf16.hpp: acc + both products.
GAZE_INLINE vf dot(vf a, vf b, vf acc) { return _mm512_dpbf16_ps(acc, (__m512bh)a, (__m512bh)b); }
#else
GAZE_INLINE vf dot(vf a, vf b, vf acc) { return fma(a, b, acc); }
#endif

GAZE_INLINE vf broadcast(const float* p) {  // bits as they are: they may be a pair
  float x;
  __builtin_memcpy(&x, p, sizeof x);
  return set(x);
}

/// c[R, cols] = start + a[R, kc] b[kc, cols]; cols <= V vectors, all of which b has.
template <int R, int V = 2>
GAZE_INLINE void gemm_tile(Index kc, const float* a, Index a_stride, const float* b, Index b_stride,
                           float* c, Index ldc, int cols, GemmStart start, const float* bias) {
  const bool whole = cols == V * W;
  const int n0 = cols < W ? cols : W;
  const int at[2] = {0, n0}, count[2] = {n0, cols - n0};
  if (!gemm_panel_stays) a_stride = gemm_as;  // a constant: twelve rows need no twelve pointers
  vf acc[R][V];
  GAZE_UNROLL
  for (int i = 0; i < R; ++i) {
    const float* from = start == GemmStart::c ? c + i * ldc : bias;
    GAZE_UNROLL
    for (int v = 0; v < V; ++v)
      acc[i][v] = start == GemmStart::zero ? set(0.0f)
                  : whole                  ? load(from + v * W)
                                           : load_n(from + at[v], count[v]);
  }
  for (Index p = 0; p < kc; ++p) {
    vf bv[V];
    GAZE_UNROLL
    for (int v = 0; v < V; ++v) bv[v] = load(b + v * W);
    b += b_stride;
    GAZE_UNROLL
    for (int i = 0; i < R; ++i) {
      const vf x = broadcast(a + i * a_stride + p);
      GAZE_UNROLL
      for (int v = 0; v < V; ++v) acc[i][v] = dot(x, bv[v], acc[i][v]);
    }
  }
  GAZE_UNROLL
  for (int i = 0; i < R; ++i) {
    float* to = c + i * ldc;
    GAZE_UNROLL
    for (int v = 0; v < V; ++v) {
      if (whole)
        store(to + v * W, acc[i][v]);
      else
        store_n(to + at[v], acc[i][v], count[v]);
    }
  }
}

GAZE_FN void gemm_tile_of(int rows, Index kc, const float* a, Index a_stride, const float* b,
                          Index b_stride, float* c, Index ldc, int cols, GemmStart start,
                          const float* bias) {
#define GAZE_GEMM_TILE(R)                                                    \
  case R:                                                                    \
    if constexpr (R <= gemm_mr)                                              \
      gemm_tile<R>(kc, a, a_stride, b, b_stride, c, ldc, cols, start, bias); \
    break;
  switch (rows) {
    GAZE_GEMM_TILE(1)
    GAZE_GEMM_TILE(2)
    GAZE_GEMM_TILE(3)
    GAZE_GEMM_TILE(4)
    GAZE_GEMM_TILE(5)
    GAZE_GEMM_TILE(6)
    GAZE_GEMM_TILE(7)
    GAZE_GEMM_TILE(8)
    GAZE_GEMM_TILE(9)
    GAZE_GEMM_TILE(10)
    GAZE_GEMM_TILE(11)
    GAZE_GEMM_TILE(12)
  }
#undef GAZE_GEMM_TILE
}

/// load_transposed at an edge: rows x cols of the block exist, the rest is zero.
GAZE_INLINE void gemm_load_edge(const float* from, Index stride, Index rows, Index cols, vf* v) {
  float block[W * W];
  for (int i = 0; i < W; ++i)
    store(block + i * W,
          i < rows ? load_n(from + i * stride, cols < W ? int(cols) : W) : set(0.0f));
  load_transposed(block, W, v);
}

/// to[c][r] = from[r][c]; rows are written in whole vectors, zeros after the last.
GAZE_INLINE void gemm_transposed(const float* from, Index stride, Index rows, Index cols, float* to,
                                 Index to_stride) {
  for (Index r = 0; r < rows; r += W, from += W * stride, to += W) {
    Index c = 0;
    if (rows - r >= W)
      for (; c + W <= cols; c += W) {
        vf v[W];
        load_transposed(from + c, stride, v);
        GAZE_UNROLL
        for (int i = 0; i < W; ++i) store(to + (c + i) * to_stride, v[i]);
      }
    for (; c < cols; c += W) {
      vf v[W];
      gemm_load_edge(from + c, stride, rows - r, cols - c, v);
      for (int i = 0; i < W && c + i < cols; ++i) store(to + (c + i) * to_stride, v[i]);
    }
  }
}

/// The whole product of 1 to R rows with B[n,k] stored transposed: blocks of B are turned in
/// registers and used at once, which for so few rows costs less than packing them. Rows beyond the
/// last repeat it: few instances compile faster, and 2 rows take hardly less time than 4. The next
/// W rows of B are fetched into L2 meanwhile, since no prefetcher follows W rows at once: weights
/// that come from memory pass by at 22 instead of 15 GB/s, where a plain sum reads 24 to 27 (Zen 4,
/// one thread); fetched into L1, or a fixed distance ahead in each row, they gained nothing.
template <int R>
GAZE_INLINE void gemm_few(Index rows, Index n, Index k, const float* a, Index lda, const float* b,
                          Index ldb, float* c, Index ldc, bool accumulate, const float* bias) {
  const float* a_row[R];
  float* c_row[R];
  GAZE_UNROLL
  for (int i = 0; i < R; ++i) {
    const Index row = i < rows ? i : rows - 1;
    a_row[i] = a + row * lda;
    c_row[i] = c + row * ldc;
  }
  for (Index j = 0; j < n; j += W, b += W * ldb) {
    const int cols = n - j < W ? int(n - j) : W;
    vf acc[R];
    GAZE_UNROLL
    for (int i = 0; i < R; ++i)
      acc[i] = accumulate ? load_n(c_row[i] + j, cols) : bias ? load_n(bias + j, cols) : set(0.0f);
    Index p = 0;
    if (cols == W)
      for (; p + W <= k; p += W) {
        vf v[W];
        GAZE_UNROLL
        for (int q = 0; q < W; ++q) __builtin_prefetch(b + (W + q) * ldb + p, 0, 2);
        load_transposed(b + p, ldb, v);
        GAZE_UNROLL
        for (int q = 0; q < W; ++q) {
          GAZE_UNROLL
          for (int i = 0; i < R; ++i) acc[i] = dot(broadcast(a_row[i] + p + q), v[q], acc[i]);
        }
      }
    for (; p < k; p += W) {
      vf v[W];
      gemm_load_edge(b + p, ldb, cols, k - p, v);
      for (int q = 0; q < W && p + q < k; ++q) {
        GAZE_UNROLL
        for (int i = 0; i < R; ++i) acc[i] = dot(broadcast(a_row[i] + p + q), v[q], acc[i]);
      }
    }
    GAZE_UNROLL
    for (int i = 0; i < R; ++i) store_n(c_row[i] + j, acc[i], cols);
  }
}

GAZE_FN void gemm_few_of(Index rows, Index n, Index k, const float* a, Index lda, const float* b,
                         Index ldb, float* c, Index ldc, bool accumulate, const float* bias) {
  if (rows == 1) return gemm_few<1>(rows, n, k, a, lda, b, ldb, c, ldc, accumulate, bias);
  if constexpr (gemm_few_rows > 4)
    if (rows > 4) return gemm_few<8>(rows, n, k, a, lda, b, ldb, c, ldc, accumulate, bias);
  gemm_few<4>(rows, n, k, a, lda, b, ldb, c, ldc, accumulate, bias);
}

GAZE_FN void gemm_pack_a(bool transposed, Index rows, Index kc, const float* a, Index lda,
                         float* to) {
  if (transposed) return gemm_transposed(a, lda, kc, rows, to, gemm_as);
  for (Index i = 0; i < rows; ++i, a += lda, to += gemm_as) {
    Index p = 0;
    for (; p + W <= kc; p += W) store(to + p, load(a + p));
    if (p < kc) store(to + p, load_n(a + p, int(kc - p)));
  }
}

/// One panel of B: cols <= gemm_nr columns, zeros after them.
GAZE_FN void gemm_pack_b(bool transposed, Index kc, int cols, const float* b, Index ldb,
                         float* to) {
  if (transposed) {
    if (cols <= W)
      for (Index p = 0; p < kc; ++p) store(to + p * gemm_nr + W, set(0.0f));
    return gemm_transposed(b, ldb, cols, kc, to, gemm_nr);
  }
  const int n0 = cols < W ? cols : W, n1 = cols - n0;
  for (Index p = 0; p < kc; ++p, b += ldb, to += gemm_nr) {
    store(to, cols == gemm_nr ? load(b) : load_n(b, n0));
    store(to + W, cols == gemm_nr ? load(b + W) : load_n(b + n0, n1));
  }
}

/// The columns [0, n) of kc rows of B as panels, one after the other; `stream` leaves whole panels
/// where they are.
GAZE_FN void gemm_pack_panels(bool transposed, bool stream, Index kc, Index n, const float* b,
                              Index ldb, float* to) {
  for (Index j = stream ? n - n % gemm_nr : 0; j < n; j += gemm_nr)
    gemm_pack_b(transposed, kc, n - j < gemm_nr ? int(n - j) : gemm_nr,
                transposed ? b + j * ldb : b + j, ldb, to + j * kc);
}

/// Fetches the corner b[rows, cols] ahead of its use.
GAZE_INLINE void gemm_prefetch(Index rows, Index cols, const float* b, Index ldb) {
  for (Index r = 0; r < rows; ++r)
    for (Index c = 0; c < cols; c += 16) __builtin_prefetch(b + r * ldb + c, 0, 2);
}

/// c[rows, n] += rows of A times panels of B (whole ones from b if `stream`).
GAZE_FN void gemm_rows(bool stream, Index rows, Index n, Index kc, const float* a, Index a_stride,
                       const float* b, Index ldb, const float* packed_b, float* c, Index ldc,
                       GemmStart start, const float* bias) {
  constexpr bool stays = gemm_panel_stays;
  const Index tiles = (rows + gemm_mr - 1) / gemm_mr;
  const Index height = (rows + tiles - 1) / tiles;  // all about equal
  for (Index outer = 0; outer < (stays ? n : rows); outer += stays ? gemm_nr : height)
    for (Index inner = 0; inner < (stays ? rows : n); inner += stays ? height : gemm_nr) {
      const Index r = stays ? inner : outer, j = stays ? outer : inner;
      const Index count = rows - r < height ? rows - r : height;
      const int cols = n - j < gemm_nr ? int(n - j) : gemm_nr;
      const bool direct = stream && cols == gemm_nr;
      float* const to = c + r * ldc + j;
      if (stays && start == GemmStart::c && kc >= 128)  // the next chains begin there
        for (Index i = count; i < 2 * count && r + i < rows; ++i) __builtin_prefetch(to + i * ldc);
      gemm_tile_of(int(count), kc, a + r * a_stride, a_stride, direct ? b + j : packed_b + j * kc,
                   direct ? ldb : gemm_nr, to, ldc, cols, start, bias ? bias + j : nullptr);
    }
}

/// Whether C[m,n] = X[m,k] W[n,k]^T is faster as C^T = W X^T, which turns X and C instead of W: for
/// few rows, as when tokens are sampled, if they fill at least 7/8 of their vectors. On Zen 3, n =
/// 1536 and k = 576, by 24 to 29 % at m = 8 and 16, 9 % at 24, 16 % at 32, 4 to 7 % from 40 to 128;
/// not measured with wider vectors.
GAZE_INLINE bool gemm_turns_rows(Index m, Index n, Index k) {
  const Index lanes = (m + W - 1) / W * W;
  return gemm_panel_stays && m <= gemm_nc && 7 * lanes <= 8 * m && 3 * m * (n + k) < n * k;
}

/// to[rows, gemm_nr] = start + w[rows, kc] x[kc, cols], x a panel.
GAZE_INLINE void gemm_turned_tiles(Index rows, Index kc, const float* w, Index ldw, const float* x,
                                   Index cols, GemmStart start, float* to) {
  constexpr int tall = 2 * gemm_mr;  // with one vector of columns
  Index r = 0;
  if (cols <= W)
    for (; r + tall <= rows; r += tall)
      gemm_tile<tall, 1>(kc, w + r * ldw, ldw, x, gemm_nr, to + r * gemm_nr, gemm_nr, W, start,
                         nullptr);
  for (; r < rows; r += gemm_mr)
    gemm_tile_of(rows - r < gemm_mr ? int(rows - r) : gemm_mr, kc, w + r * ldw, ldw, x, gemm_nr,
                 to + r * gemm_nr, gemm_nr, gemm_nr, start, nullptr);
}

/// The same product as C^T = W X^T: W is read where it lies and only once, in blocks of rows that
/// pass by all panels of X^T. A block's results are turned on their way to C.
GAZE_FN void gemm_turned(Index m, Index n, Index k, const float* x, Index ldx, const float* w,
                         Index ldw, float* c, Index ldc, bool accumulate, const float* bias,
                         float* scratch) {
  constexpr int block = 4 * gemm_mr;
  static_assert(block % W == 0);
  alignas(64) float turned[block * gemm_nr];  // [row of W][row of X]
  for (Index p = 0; p == 0 || p < k; p += gemm_kc) {
    const Index kc = k - p < gemm_kc ? k - p : gemm_kc;
    const bool resumes = p > 0 || accumulate;
    const GemmStart start = resumes || bias ? GemmStart::c : GemmStart::zero;
    gemm_pack_panels(true, false, kc, m, x + p, ldx, scratch);
    for (Index i = 0; i < n; i += block) {
      const Index rows = n - i < block ? n - i : block, whole = rows - rows % W;
      const float* const from = w + i * ldw + p;
      gemm_prefetch(n - i - rows < block ? n - i - rows : block, kc, from + block * ldw, ldw);
      for (Index j = 0; j < m; j += gemm_nr) {
        const Index cols = m - j < gemm_nr ? m - j : gemm_nr;
        float* const to = c + j * ldc + i;
        if (resumes)
          gemm_transposed(to, ldc, cols, rows, turned, gemm_nr);
        else if (bias)
          for (Index r = 0; r < rows; ++r)
            for (int half = 0; half < 2; ++half)
              store(turned + r * gemm_nr + half * W, set(bias[i + r]));
        gemm_turned_tiles(rows, kc, from, ldw, scratch + j * kc, cols, start, turned);
        gemm_transposed(turned, gemm_nr, whole, cols, to, ldc);
        for (Index r = whole; r < rows; ++r)
          for (Index q = 0; q < cols; ++q) to[q * ldc + r] = turned[r * gemm_nr + q];
      }
    }
  }
}

/// The whole product; scratch: gemm_scratch floats at a multiple of 64 bytes.
GAZE_FN void gemm(bool transpose_a, bool transpose_b, Index m, Index n, Index k, const float* a,
                  Index lda, const float* b, Index ldb, float* c, Index ldc, bool accumulate,
                  const float* bias, float* scratch) {
  if (transpose_b && !transpose_a && m > 0 && m <= gemm_few_rows)
    return gemm_few_of(m, n, k, a, lda, b, ldb, c, ldc, accumulate, bias);
  if (transpose_b && !transpose_a && gemm_turns_rows(m, n, k))
    return gemm_turned(m, n, k, a, lda, b, ldb, c, ldc, accumulate, bias, scratch);
  float *const packed_b = scratch, *const packed_a = scratch + gemm_kc * gemm_nc;
  const bool stream = !transpose_b && m <= gemm_mr;  // each element of B is used once
  const bool a_as_it_is = gemm_panel_stays && !transpose_a;
  const Index nc = m <= gemm_mc ? gemm_nr : gemm_nc;  // few rows: pack a panel, use it at once
  for (Index p = 0; p == 0 || p < k; p += gemm_kc) {
    const Index kc = k - p < gemm_kc ? k - p : gemm_kc;
    const GemmStart first = bias ? GemmStart::bias : GemmStart::zero;
    const GemmStart start = p > 0 || accumulate ? GemmStart::c : first;
    for (Index j = 0; j < n; j += nc) {
      const Index cols = n - j < nc ? n - j : nc;
      const float* const corner = transpose_b ? b + j * ldb + p : b + p * ldb + j;
      gemm_pack_panels(transpose_b, stream, kc, cols, corner, ldb, packed_b);
      if (transpose_b && nc == gemm_nr)  // the next panel comes from far while this one works
        gemm_prefetch(n - j - cols < nc ? n - j - cols : nc, kc, corner + nc * ldb, ldb);
      for (Index i = 0; i < m; i += gemm_mc) {
        const Index rows = m - i < gemm_mc ? m - i : gemm_mc;
        const float* const from_a = transpose_a ? a + p * lda + i : a + i * lda + p;
        if (!a_as_it_is && (j == 0 || m > gemm_mc))  // else it is still there
          gemm_pack_a(transpose_a, rows, kc, from_a, lda, packed_a);
        gemm_rows(stream, rows, cols, kc, a_as_it_is ? from_a : packed_a,
                  a_as_it_is ? lda : gemm_as, corner, ldb, packed_b, c + i * ldc + j, ldc, start,
                  bias ? bias + j : nullptr);
      }
    }
  }
}
