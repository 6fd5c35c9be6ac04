// SPDX-License-Identifier: MIT
// Fused attention of one thread: a tile of query rows and one block of 64 keys.
//
// A block is 64 key positions: four store blocks [d][16] of transposed keys, and rows of values.
// Scores of a tile live in scratch [n][64] and never leave L1. Scores have keys as lanes and are
// one chain of fma over ascending d; sums over keys have d as lanes and are one chain over
// ascending position. So a row has the same bits whatever tile it is in. Keys past count[row] may
// hold anything, even NaN: their scores become -inf by lane and their values are never read.

constexpr int attention_block = 64;
constexpr int attention_tall = registers == 32 ? 12 : 6;  // rows beside two vectors
/// Vectors beside R rows: one or two rows take more, or each sum would wait for the one before it.
template <int R>
constexpr int attention_width = R <= 2 ? 4 : 2;
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
  constexpr int wide = attention_width<R>, half = wide / 2;
  int seen = 0;
  for (int r = 0; r < R; ++r) seen = count[r] > seen ? count[r] : seen;
  int first = 0;
  for (; seen - first > half * W; first += wide * W)
    attention_score_tile<R, wide>(d, a, stride, keys, first, s);
  if (first < seen) attention_score_tile<R, half>(d, a, stride, keys, first, s);
}

/// Scores of rows a[n][d] with the keys of one block; those from count[r] on are undefined.
/// keys: four readable store blocks [d][16].
GAZE_FN void attention_scores(int n, int d, const float* a, int stride, const float* const* keys,
                              const int* count, float* s) {
  int r = 0;
#define GAZE_ATTENTION_ROWS(R) \
  for (; r + R <= n; r += R)   \
    attention_score_rows<R>(d, a + r * stride, stride, keys, count + r, s + r * attention_block);
  GAZE_ATTENTION_ROWS(attention_tall)
  GAZE_ATTENTION_ROWS(4)
  GAZE_ATTENTION_ROWS(2)
  GAZE_ATTENTION_ROWS(1)
#undef GAZE_ATTENTION_ROWS
}

// ---- sums: out[r][d] += sum_j p[r][j] b[j][d], chains over ascending j --------------------------

/// One step of the sums of a tile: b is row j. Ragged: only rows with j < count[r] take it.
template <int R, int V, bool Transposed, bool Ragged>
GAZE_INLINE void attention_sum_step(int j, int cols, const int* count, const float* p,
                                    const float* b, vf (&sum)[R][V]) {
  vf row[V];
  GAZE_UNROLL
  for (int v = 0; v < V; ++v) row[v] = cols ? load_n(b + v * W, cols) : load(b + v * W);
  GAZE_UNROLL
  for (int r = 0; r < R; ++r) {
    if (Ragged && j >= count[r]) continue;
    const vf x = set(Transposed ? p[j * attention_block + r] : p[r * attention_block + j]);
    GAZE_UNROLL
    for (int v = 0; v < V; ++v) sum[r][v] = fma(x, row[v], sum[r][v]);
  }
}

/// Inner indices first <= j < last, of which all rows take those below `common`, and the others
/// if j < count[r]; b is row `first`. Columns: V vectors, or the first `cols` lanes of one if cols
/// is not 0. Transposed: p is [j][r].
template <int R, int V, bool Transposed>
GAZE_INLINE void attention_sum_tile(int first, int common, int last, int cols, const int* count,
                                    const float* p, const float* b, Index b_stride, float* out,
                                    Index out_stride) {
  vf sum[R][V];
  GAZE_UNROLL
  for (int r = 0; r < R; ++r) {
    GAZE_UNROLL
    for (int v = 0; v < V; ++v) {
      const float* from = out + r * out_stride + v * W;
      sum[r][v] = cols ? load_n(from, cols) : load(from);
    }
  }
  int j = first;
  for (; j < common; ++j, b += b_stride)
    attention_sum_step<R, V, Transposed, false>(j, cols, count, p, b, sum);
  if (R > 1 && !Transposed)
    for (; j < last; ++j, b += b_stride)
      attention_sum_step<R, V, Transposed, true>(j, cols, count, p, b, sum);
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
GAZE_INLINE void attention_sum_rows(int first, int common, int last, int d, const int* count,
                                    const float* p, const float* b, Index b_stride, float* out,
                                    Index out_stride) {
  constexpr int wide = attention_width<R>;
  int e = 0;
#define GAZE_ATTENTION_COLUMNS(V)                                                           \
  for (; e + V * W <= d; e += V * W)                                                        \
    attention_sum_tile<R, V, Transposed>(first, common, last, 0, count, p, b + e, b_stride, \
                                         out + e, out_stride);
  GAZE_ATTENTION_COLUMNS(wide)
  if constexpr (wide > 2) GAZE_ATTENTION_COLUMNS(2)
  GAZE_ATTENTION_COLUMNS(1)
#undef GAZE_ATTENTION_COLUMNS
  if (e < d)
    attention_sum_tile<R, 1, Transposed>(first, common, last, d - e, count, p, b + e, b_stride,
                                         out + e, out_stride);
}

/// The keys that all rows see in one loop, then those that only some do: the diagonal.
template <int R>
GAZE_INLINE void attention_mix_rows(int d, const float* p, const int* count, int first, int last,
                                    const float* b, Index b_stride, float* out, int out_stride) {
  int common = last, seen = first;
  for (int r = 0; r < R; ++r) {
    common = count[r] < common ? count[r] : common;
    seen = count[r] > seen ? count[r] : seen;
  }
  seen = seen < last ? seen : last;
  if (seen > first)
    attention_sum_rows<R, false>(first, common, seen, d, count, p, b, b_stride, out, out_stride);
}

/// out[r] += sum of p[r][j] b[j - first] over the keys first <= j < last that row r sees.
GAZE_FN void attention_mix(int n, int d, const float* p, const int* count, int first, int last,
                           const float* b, Index b_stride, float* out, int out_stride) {
  int r = 0;
#define GAZE_ATTENTION_ROWS(R)                                                             \
  for (; r + R <= n; r += R)                                                               \
    attention_mix_rows<R>(d, p + r * attention_block, count + r, first, last, b, b_stride, \
                          out + r * out_stride, out_stride);
  GAZE_ATTENTION_ROWS(attention_tall)
  GAZE_ATTENTION_ROWS(4)
  GAZE_ATTENTION_ROWS(2)
  GAZE_ATTENTION_ROWS(1)
#undef GAZE_ATTENTION_ROWS
}

template <int R>
GAZE_INLINE void attention_mix_keys(int n, int d, const float* p, const int* count, int first,
                                    const float* b, int b_stride, float* out) {
  int r = 0;
  while (r < n && count[r] <= first) ++r;  // causal: the first rows do not see these keys
  if (r < n)
    attention_sum_rows<R, true>(r, n, n, d, count, p + first, b + Index(r) * b_stride, b_stride,
                                out, d);
}

/// out[j] += sum_r p[r][first + j] b[r] for the keys first <= first + j < last, r ascending;
/// p is 0 where row r does not see the key.
GAZE_FN void attention_mix_transposed(int n, int d, const float* p, const int* count, int first,
                                      int last, const float* b, int b_stride, float* out) {
  int j = first;
#define GAZE_ATTENTION_ROWS(R)  \
  for (; j + R <= last; j += R) \
    attention_mix_keys<R>(n, d, p, count, j, b, b_stride, out + Index(j - first) * d);
  GAZE_ATTENTION_ROWS(attention_tall)
  GAZE_ATTENTION_ROWS(4)
  GAZE_ATTENTION_ROWS(2)
  GAZE_ATTENTION_ROWS(1)
#undef GAZE_ATTENTION_ROWS
}

// ---- softmax ------------------------------------------------------------------------------------

/// The greatest of a row's visible scores; hides those after them in the last vector.
GAZE_INLINE float attention_greatest(int keys, float* s) {
  const vf hidden = set(-__builtin_inff());
  if (keys % W != 0) {
    float* const tail = s + keys / W * W;
    store(tail, attention_visible(keys / W * W, keys, load(tail), hidden));
  }
  vf greatest = hidden;
  for (int j = 0; j < keys; j += W) greatest = max(greatest, load(s + j));
  return hmax(greatest);
}

/// sum_j p[j] column[j] in lanes; a column may hold anything from `keys` on.
GAZE_INLINE vf attention_mark(int keys, const float* p, const float* column, vf seen) {
  int j = 0;
  for (; j + W <= keys; j += W) seen = fma(load(p + j), load(column + j), seen);
  if (j < keys)
    seen = fma(load(p + j), attention_visible(j, keys, load(column + j), set(0.0f)), seen);
  return seen;
}

/// One step of the online softmax for each row with keys in this block: scores s become
/// p = exp(s - m), 0 where not visible, with m the greatest score so far; sums with the old m (out,
/// l, mark_out) are scaled by exp(old - m); l and mark_out take this block's p, each
/// lane for itself until attention_finish. mark: [marks][64], l: [n][16], mark_out: [n][marks][16].
GAZE_FN void attention_softmax(int n, int marks, const int* count, const float* mark, float* s,
                               float* m, float* l, float* mark_out, float* out, int out_stride) {
  float scales[W];
  for (int r = 0; r < n; ++r, s += attention_block, out += out_stride) {
    if (r % W == 0) {  // the scores of W rows in turn, so that none waits for the one before
      for (int i = 0; i < W; ++i) scales[i] = 0;
      for (int i = 0; i < W && r + i < n; ++i) {
        if (count[r + i] == 0) continue;
        const float old = m[r + i], max = attention_greatest(count[r + i], s + i * attention_block);
        m[r + i] = old < max ? max : old;
        scales[i] = old - m[r + i];
      }
      store(scales, exp_negative(load(scales)));
    }
    const vf row_max = set(m[r]), scale = set(scales[r % W]);
    for (int e = 0; e < out_stride; e += W) store(out + e, mul(load(out + e), scale));
    vf total = mul(load(l + r * 16), scale);
    for (int j = 0; j < count[r]; j += W) {
      const vf p = exp_negative(sub(load(s + j), row_max));
      store(s + j, p);
      total = add(total, p);
    }
    store(l + r * 16, total);
    for (int i = 0; i < marks; ++i, mark_out += 16)
      store(mark_out,
            attention_mark(count[r], s, mark + i * attention_block, mul(load(mark_out), scale)));
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
GAZE_FN void attention_finish(int d, int marks, const float* sums, float m, const float* l,
                              const float* mark_sums, float* out, float* lse, float* mark_out) {
  const float whole = sum(load(l));
  const vf share = div(set(1.0f), set(whole));
  int e = 0;
  for (; e + W <= d; e += W) store(out + e, mul(load(sums + e), share));
  if (e < d) store_n(out + e, mul(load_n(sums + e, d - e), share), d - e);
  *lse = m + hmax(attention_log(whole));  // its lanes are equal
  for (int i = 0; i < marks; ++i) mark_out[i] = sum(load(mark_sums + i * 16)) / whole;
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
  for (int r = 0; r < n; ++r, s += attention_block, dp += attention_block) {
    const vf row_lse = set(lse[r]), mean = set(delta[r]);
    int j = 0;
    for (; j < count[r]; j += W) {
      vf g = load(dp + j);
      for (int i = 0; i < marks; ++i)
        g = fma(set(dmark[r * marks + i]), load(mark + i * attention_block + j), g);
      const vf p = exp_negative(sub(load(s + j), row_lse));
      store(s + j, p);
      store(dp + j, mul(p, sub(g, mean)));
    }
    if (j > count[r]) {
      store(s + j - W, attention_visible(j - W, count[r], load(s + j - W), zero));
      store(dp + j - W, attention_visible(j - W, count[r], load(dp + j - W), zero));
    }
    for (; j < attention_block; j += W) {
      store(s + j, zero);
      store(dp + j, zero);
    }
  }
}

/// to[c][r] = from[r][c]; whole vectors are written.
GAZE_FN void attention_transpose(int rows, int cols, const float* from, Index stride, float* to,
                                 int to_stride) {
  gemm_transposed(from, stride, rows, cols, to, to_stride);
}
