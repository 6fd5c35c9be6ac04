// SPDX-License-Identifier: MIT
// Fused attention: what one thread does with a tile of query rows and one block of 64 keys.
//
// A block is 64 key positions: four store blocks [d][16] of transposed keys, and rows of values.
// Scores of a tile live in scratch [n][64] and never leave L1. Scores have keys as lanes and are
// one chain of fma over ascending d; sums over keys have d as lanes and are one chain over
// ascending position. So a row has the same bits whatever tile it is in. Keys past count[row] may
// hold anything, even NaN: their scores become -inf by lane and their values are never read.
#if defined(__clang__)
#define GAZE_UNROLL _Pragma("unroll")
#else
#define GAZE_UNROLL _Pragma("GCC unroll 16")
#endif

constexpr int attention_block = 64;
constexpr int attention_wide = W == 16 ? 4 : 2;  // vectors beside six rows: 32 or 16 registers
/// Vectors beside R rows: one or two rows take more, or each sum would wait for the one before it.
template <int R>
constexpr int attention_width = R <= 2 ? 4 : attention_wide;
constexpr float attention_lane[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/// Lane j of the vector at key `first` of a block: first + j < count ? yes : no.
GAZE_INLINE vf attention_visible(int first, int count, vf yes, vf no) {
  const int offset = first % 16;
  return less_select(load(attention_lane + offset), set(float(count - first + offset)), yes, no);
}

/// to[d][16] = the first `split` lanes of a and the others of b, all of them [d][16].
GAZE_FN void attention_seam(int d, int split, const float* a, const float* b, float* to) {
  for (int i = 0; i < d * 16; i += W)
    store(to + i, attention_visible(i % 16, split, load(a + i), load(b + i)));
}

// ---- products: s[r][key] = sum_d a[r][d] key[d], chains over ascending d ------------------------

template <int R, int V>
GAZE_INLINE void attention_score_tile(int d, const float* a, int stride, const float* const* keys,
                                      int first, float* s) {
  const float* k[V];
  vf sum[R][V];
  GAZE_UNROLL
  for (int v = 0; v < V; ++v) {
    k[v] = keys[(first + v * W) / 16] + (first + v * W) % 16;
    GAZE_UNROLL
    for (int r = 0; r < R; ++r) sum[r][v] = set(0.0f);
  }
  for (int e = 0; e < d; ++e) {
    vf key[V];
    GAZE_UNROLL
    for (int v = 0; v < V; ++v) key[v] = load(k[v] + e * 16);
    GAZE_UNROLL
    for (int r = 0; r < R; ++r) {
      const vf x = set(a[r * stride + e]);
      GAZE_UNROLL
      for (int v = 0; v < V; ++v) sum[r][v] = fma(x, key[v], sum[r][v]);
    }
  }
  GAZE_UNROLL
  for (int r = 0; r < R; ++r) {
    GAZE_UNROLL
    for (int v = 0; v < V; ++v) store(s + r * attention_block + first + v * W, sum[r][v]);
  }
}

template <int R>
GAZE_INLINE void attention_score_rows(int d, const float* a, int stride, const float* const* keys,
                                      const int* count, float* s) {
  int most = 0;
  for (int r = 0; r < R; ++r) most = count[r] > most ? count[r] : most;
  for (int first = 0; first < most;) {
    if (attention_width<R> == 4 && most - first > 2 * W) {
      attention_score_tile<R, attention_width<R>>(d, a, stride, keys, first, s);
      first += attention_width<R> * W;
    } else {
      attention_score_tile<R, 2>(d, a, stride, keys, first, s);
      first += 2 * W;
    }
  }
}

/// Scores of rows a[n][d] with the keys of one block; those from count[r] on are undefined.
/// keys: four readable store blocks [d][16].
GAZE_FN void attention_scores(int n, int d, const float* a, int stride, const float* const* keys,
                              const int* count, float* s) {
  int r = 0;
#define GAZE_ATTENTION_ROWS(R) \
  for (; r + R <= n; r += R)   \
    attention_score_rows<R>(d, a + r * stride, stride, keys, count + r, s + r * attention_block);
  GAZE_ATTENTION_ROWS(6)
  GAZE_ATTENTION_ROWS(4)
  GAZE_ATTENTION_ROWS(2)
  GAZE_ATTENTION_ROWS(1)
#undef GAZE_ATTENTION_ROWS
}

// ---- sums: out[r][d] += sum_j p[r][j] b[j][d], chains over ascending j --------------------------

/// Columns: V vectors, or the first `cols` lanes of one if cols is not 0. Transposed: p is [j][r].
template <int R, int V, bool Transposed>
GAZE_INLINE void attention_sum_tile(int inner, int cols, const float* p, const float* b,
                                    Index b_stride, float* out, Index out_stride) {
  vf sum[R][V];
  GAZE_UNROLL
  for (int r = 0; r < R; ++r) {
    GAZE_UNROLL
    for (int v = 0; v < V; ++v) {
      const float* from = out + r * out_stride + v * W;
      sum[r][v] = cols ? load_n(from, cols) : load(from);
    }
  }
  for (int j = 0; j < inner; ++j) {
    vf row[V];
    GAZE_UNROLL
    for (int v = 0; v < V; ++v) row[v] = cols ? load_n(b + v * W, cols) : load(b + v * W);
    b += b_stride;
    GAZE_UNROLL
    for (int r = 0; r < R; ++r) {
      const vf x = set(Transposed ? p[j * attention_block + r] : p[r * attention_block + j]);
      GAZE_UNROLL
      for (int v = 0; v < V; ++v) sum[r][v] = fma(x, row[v], sum[r][v]);
    }
  }
  GAZE_UNROLL
  for (int r = 0; r < R; ++r) {
    GAZE_UNROLL
    for (int v = 0; v < V; ++v) {
      float* to = out + r * out_stride + v * W;
      if (cols)
        store_n(to, sum[r][v], cols);
      else
        store(to, sum[r][v]);
    }
  }
}

template <int R, bool Transposed>
GAZE_INLINE void attention_sum_rows(int inner, int d, const float* p, const float* b,
                                    Index b_stride, float* out, Index out_stride) {
  if (inner <= 0) return;
  int e = 0;
  constexpr int wide = attention_width<R>;
  for (; e + wide * W <= d; e += wide * W)
    attention_sum_tile<R, wide, Transposed>(inner, 0, p, b + e, b_stride, out + e, out_stride);
  for (; e + 2 * W <= d; e += 2 * W)
    attention_sum_tile<R, 2, Transposed>(inner, 0, p, b + e, b_stride, out + e, out_stride);
  for (; e + W <= d; e += W)
    attention_sum_tile<R, 1, Transposed>(inner, 0, p, b + e, b_stride, out + e, out_stride);
  if (e < d)
    attention_sum_tile<R, 1, Transposed>(inner, d - e, p, b + e, b_stride, out + e, out_stride);
}

template <int R>
GAZE_INLINE void attention_mix_rows(int d, const float* p, const int* count, int first, int last,
                                    const float* b, Index b_stride, float* out, int out_stride) {
  int common = last;
  for (int r = 0; r < R; ++r) common = count[r] < common ? count[r] : common;
  common = common > first ? common : first;
  attention_sum_rows<R, false>(common - first, d, p + first, b, b_stride, out, out_stride);
  if (R == 1) return;
  for (int r = 0; r < R; ++r) {  // the few keys that not every row of the tile sees
    const int end = count[r] < last ? count[r] : last;
    attention_sum_rows<1, false>(end - common, d, p + r * attention_block + common,
                                 b + (common - first) * b_stride, b_stride, out + r * out_stride,
                                 out_stride);
  }
}

/// out[r] += sum of p[r][j] b[j - first] over the keys first <= j < last that row r sees.
GAZE_FN void attention_mix(int n, int d, const float* p, const int* count, int first, int last,
                           const float* b, Index b_stride, float* out, int out_stride) {
  int r = 0;
#define GAZE_ATTENTION_ROWS(R)                                                             \
  for (; r + R <= n; r += R)                                                               \
    attention_mix_rows<R>(d, p + r * attention_block, count + r, first, last, b, b_stride, \
                          out + r * out_stride, out_stride);
  GAZE_ATTENTION_ROWS(6)
  GAZE_ATTENTION_ROWS(4)
  GAZE_ATTENTION_ROWS(2)
  GAZE_ATTENTION_ROWS(1)
#undef GAZE_ATTENTION_ROWS
}

/// out[j] += sum_r p[r][first + j] b[r] for the keys first <= first + j < last, r ascending.
GAZE_FN void attention_mix_transposed(int n, int d, const float* p, int first, int last,
                                      const float* b, int b_stride, float* out) {
  int j = first;
#define GAZE_ATTENTION_ROWS(R)  \
  for (; j + R <= last; j += R) \
    attention_sum_rows<R, true>(n, d, p + j, b, b_stride, out + Index(j - first) * d, d);
  GAZE_ATTENTION_ROWS(6)
  GAZE_ATTENTION_ROWS(4)
  GAZE_ATTENTION_ROWS(2)
  GAZE_ATTENTION_ROWS(1)
#undef GAZE_ATTENTION_ROWS
}

// ---- softmax ------------------------------------------------------------------------------------

/// One step of the online softmax for each row with keys in this block: scores s become
/// p = exp(s - m), 0 where not visible, with m the greatest score so far; what was summed with the
/// old m (out, l, mark_out) is scaled by exp(old - m); l and mark_out take this block's p.
/// mark: [marks][64], mark_out: [n][marks].
GAZE_FN void attention_softmax(int n, int marks, const int* count, const float* mark, float* s,
                               float* m, float* l, float* mark_out, float* out, int out_stride) {
  const vf hidden = set(-__builtin_inff()), zero = set(0.0f);
  for (int r = 0; r < n; ++r, s += attention_block, out += out_stride, mark_out += marks) {
    const int keys = count[r];
    if (keys == 0) continue;
    if (keys % W != 0) {
      float* const tail = s + keys / W * W;
      store(tail, attention_visible(keys / W * W, keys, load(tail), hidden));
    }
    vf greatest = hidden;
    for (int j = 0; j < keys; j += W) greatest = max(greatest, load(s + j));
    const float top = hmax(greatest), old = m[r];
    if (old < top) {
      m[r] = top;
      if (old != -__builtin_inff()) {
        const vf fade = exp_negative(sub(set(old), set(top)));
        const float keep = hmax(fade);  // its lanes are equal
        l[r] *= keep;
        for (int i = 0; i < marks; ++i) mark_out[i] *= keep;
        for (int e = 0; e < out_stride; e += W) store(out + e, mul(load(out + e), fade));
      }
    }
    const vf level = set(m[r]);
    vf total = zero;
    for (int j = 0; j < keys; j += W) {
      const vf p = exp_negative(sub(load(s + j), level));
      store(s + j, p);
      total = add(total, p);
    }
    l[r] += sum(total);
    for (int i = 0; i < marks; ++i) {
      const float* const column = mark + i * attention_block;
      vf seen = zero;
      int j = 0;
      for (; j + W <= keys; j += W) seen = fma(load(s + j), load(column + j), seen);
      if (j < keys)
        seen = fma(load(s + j), attention_visible(j, keys, load(column + j), zero), seen);
      mark_out[i] += sum(seen);
    }
  }
}

/// Natural logarithm of one x in [1, 2^127): x = 2^e f, ln f = 2 artanh z, z = (f - 1) / (f + 1).
GAZE_INLINE vf attention_log(float x) {
  unsigned bits;
  __builtin_memcpy(&bits, &x, sizeof bits);
  int e = int(bits >> 23) - 127;
  bits = (bits & 0x7fffffu) | 0x3f800000u;
  float f;
  __builtin_memcpy(&f, &bits, sizeof f);
  if (f > 1.41421356f) {
    f *= 0.5f;
    ++e;
  }
  const vf z = div(set(f - 1.0f), set(f + 1.0f));
  const vf w = mul(z, z);
  vf p = set(1.0f / 9);
  p = fma(p, w, set(1.0f / 7));
  p = fma(p, w, set(1.0f / 5));
  p = fma(p, w, set(1.0f / 3));
  p = fma(p, w, set(1.0f));
  const vf value = fma(set(float(e)), set(0.693147180559945f), mul(add(z, z), p));
  return add(value, sub(set(x), set(x)));  // NaN stays NaN
}

/// One row at the end of its keys: out = sum / l, lse = m + ln l.
GAZE_FN void attention_finish(int d, int marks, const float* sums, float m, float l,
                              const float* mark_sums, float* out, float* lse, float* mark_out) {
  const vf whole = set(l);
  int e = 0;
  for (; e + W <= d; e += W) store(out + e, div(load(sums + e), whole));
  if (e < d) store_n(out + e, div(load_n(sums + e, d - e), whole), d - e);
  *lse = m + hmax(attention_log(l));  // its lanes are equal
  for (int i = 0; i < marks; ++i) mark_out[i] = mark_sums[i] / l;
}

// ---- backward -----------------------------------------------------------------------------------

/// sum_d a[d] b[d], W chains and a fixed tree.
GAZE_FN float attention_dot(int d, const float* a, const float* b) {
  vf total = set(0.0f);
  int e = 0;
  for (; e + W <= d; e += W) total = fma(load(a + e), load(b + e), total);
  if (e < d) total = fma(load_n(a + e, d - e), load_n(b + e, d - e), total);
  return sum(total);
}

/// Scores s become P = exp(s - lse) and dp = dP becomes dS = P (dP + sum_m dmark[m] mark[m] -
/// delta); both exactly 0 where not visible. mark: [marks][64], dmark: [n][marks].
GAZE_FN void attention_grad_scores(int n, int marks, const int* count, const float* lse,
                                   const float* delta, const float* mark, const float* dmark,
                                   float* s, float* dp) {
  const vf zero = set(0.0f);
  for (int r = 0; r < n; ++r, s += attention_block, dp += attention_block)
    for (int j = 0; j < attention_block; j += W) {
      if (j >= count[r]) {
        store(s + j, zero);
        store(dp + j, zero);
        continue;
      }
      vf g = load(dp + j);
      for (int i = 0; i < marks; ++i)
        g = fma(set(dmark[r * marks + i]), load(mark + i * attention_block + j), g);
      const vf p = exp_negative(sub(load(s + j), set(lse[r])));
      const vf ds = mul(p, sub(g, set(delta[r])));
      store(s + j, attention_visible(j, count[r], p, zero));
      store(dp + j, attention_visible(j, count[r], ds, zero));
    }
}

/// to[c][r] = from[r][c]; whole vectors are written.
GAZE_FN void attention_transpose(int rows, int cols, const float* from, int stride, float* to,
                                 int to_stride) {
  gemm_transposed(from, stride, rows, cols, to, to_stride);
}
#undef GAZE_UNROLL
