// SPDX-License-Identifier: MIT
// Row-wise kernels in float, single-threaded: norms, rotary, softmax statistics, column sums.
//
// Every row is computed on its own, over ascending columns, with masked lanes at its end: its bits
// depend on its length, never on the other rows. Formulas are in cpu/rows.hpp.

inline constexpr float lane_ones[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

/// The first min(left, W) floats of p; the other lanes are 0.
GAZE_INLINE vf row_load(const float* p, Index left) {
  return left >= W ? load(p) : load_n(p, static_cast<int>(left));
}
/// The same, but the other lanes are `other`.
GAZE_INLINE vf row_load_or(const float* p, Index left, vf other) {
  if (left >= W) return load(p);
  const int n = static_cast<int>(left);
  return less_select(set(0.5f), load_n(lane_ones, n), load_n(p, n), other);
}
GAZE_INLINE void row_store(float* p, vf v, Index left) {
  if (left >= W)
    store(p, v);
  else
    store_n(p, v, static_cast<int>(left));
}

struct RowSums {
  double first = 0, second = 0;
};

/// Two sums over the c columns of a row: terms.take(j, left, first, second) adds W columns from j
/// on, of which `left` are in the row, to both.
template <class Terms>
GAZE_INLINE RowSums row_sums(Index c, const Terms& terms) {
  RowSums total;
  for (Index begin = 0; begin < c; begin += gaze::kChainedColumns) {
    const Index end = c - begin > gaze::kChainedColumns ? begin + gaze::kChainedColumns : c;
    vf first = set(0.0f), second = set(0.0f);
    for (Index j = begin; j < end; j += W) terms.take(j, c - j, first, second);
    total.first += static_cast<double>(sum(first));
    total.second += static_cast<double>(sum(second));
  }
  return total;
}

struct SquareTerms {
  const float* x;
  GAZE_INLINE void take(Index j, Index left, vf& squares, vf&) const {
    const vf v = row_load(x + j, left);
    squares = fma(v, v, squares);
  }
};

GAZE_FN void rms_norm_forward(Index n, Index c, const float* x, const float* weight, float eps,
                              float* y, float* inv_rms) {
  for (Index r = 0; r < n; ++r, x += c, y += c) {
    const float squares = static_cast<float>(row_sums(c, SquareTerms{x}).first);
    inv_rms[r] = 1.0f / __builtin_sqrtf(squares / static_cast<float>(c) + eps);
    const vf scale = set(inv_rms[r]);
    for (Index j = 0; j < c; j += W) {
      const vf normed = mul(row_load(x + j, c - j), scale);
      row_store(y + j, mul(normed, row_load(weight + j, c - j)), c - j);
    }
  }
}

struct RmsNormTerms {
  const float *dy, *weight, *x;
  GAZE_INLINE void take(Index j, Index left, vf& dots, vf&) const {
    const vf g = mul(row_load(dy + j, left), row_load(weight + j, left));
    dots = fma(g, row_load(x + j, left), dots);
  }
};

/// dweight (may be null) is added to, row after row.
GAZE_FN void rms_norm_backward(Index n, Index c, const float* x, const float* weight,
                               const float* inv_rms, const float* dy, float* dx, float* dweight,
                               bool accumulate_dx) {
  for (Index r = 0; r < n; ++r, x += c, dy += c, dx += c) {
    const float dots = static_cast<float>(row_sums(c, RmsNormTerms{dy, weight, x}).first);
    const float s = inv_rms[r];
    const vf scale = set(s), pull = set(-(s * s * s) * (dots / static_cast<float>(c)));
    for (Index j = 0; j < c; j += W) {
      const Index left = c - j;
      const vf xj = row_load(x + j, left), dyj = row_load(dy + j, left);
      vf d = fma(xj, pull, mul(mul(dyj, row_load(weight + j, left)), scale));
      if (accumulate_dx) d = add(row_load(dx + j, left), d);
      row_store(dx + j, d, left);
      if (dweight)
        row_store(dweight + j, fma(mul(dyj, xj), scale, row_load(dweight + j, left)), left);
    }
  }
}

struct ValueTerms {
  const float* x;
  GAZE_INLINE void take(Index j, Index left, vf& total, vf&) const {
    total = add(total, row_load(x + j, left));
  }
};
struct CentredSquareTerms {
  const float* x;
  vf mean;
  GAZE_INLINE void take(Index j, Index left, vf& squares, vf&) const {
    const vf centred = sub(row_load_or(x + j, left, mean), mean);
    squares = fma(centred, centred, squares);
  }
};

GAZE_FN void layer_norm_forward(Index n, Index c, const float* x, const float* weight,
                                const float* bias, float eps, float* y, float* mean,
                                float* inv_std) {
  for (Index r = 0; r < n; ++r, x += c, y += c) {
    mean[r] = static_cast<float>(row_sums(c, ValueTerms{x}).first) / static_cast<float>(c);
    const vf m = set(mean[r]);
    const float squares = static_cast<float>(row_sums(c, CentredSquareTerms{x, m}).first);
    inv_std[r] = 1.0f / __builtin_sqrtf(squares / static_cast<float>(c) + eps);
    const vf scale = set(inv_std[r]);
    for (Index j = 0; j < c; j += W) {
      const Index left = c - j;
      const vf normed = mul(sub(row_load(x + j, left), m), scale);
      row_store(y + j, fma(normed, row_load(weight + j, left), row_load(bias + j, left)), left);
    }
  }
}

struct LayerNormTerms {
  const float *dy, *weight, *x;
  vf mean, scale;
  GAZE_INLINE void take(Index j, Index left, vf& plain, vf& dots) const {
    const vf g = mul(row_load(dy + j, left), row_load(weight + j, left));
    plain = add(plain, g);
    dots = fma(g, mul(sub(row_load(x + j, left), mean), scale), dots);
  }
};

/// dweight and dbias (each may be null) are added to, row after row.
GAZE_FN void layer_norm_backward(Index n, Index c, const float* x, const float* weight,
                                 const float* mean, const float* inv_std, const float* dy,
                                 float* dx, float* dweight, float* dbias, bool accumulate_dx) {
  for (Index r = 0; r < n; ++r, x += c, dy += c, dx += c) {
    const vf m = set(mean[r]), scale = set(inv_std[r]);
    const RowSums sums = row_sums(c, LayerNormTerms{dy, weight, x, m, scale});
    const vf mean_g = set(static_cast<float>(sums.first) / static_cast<float>(c));
    const vf pull = set(-static_cast<float>(sums.second) / static_cast<float>(c));
    for (Index j = 0; j < c; j += W) {
      const Index left = c - j;
      const vf dyj = row_load(dy + j, left);
      const vf normed = mul(sub(row_load(x + j, left), m), scale);
      const vf g = fma(dyj, row_load(weight + j, left), sub(set(0.0f), mean_g));
      vf d = mul(scale, fma(normed, pull, g));
      if (accumulate_dx) d = add(row_load(dx + j, left), d);
      row_store(dx + j, d, left);
      if (dweight) row_store(dweight + j, fma(dyj, normed, row_load(dweight + j, left)), left);
      if (dbias) row_store(dbias + j, add(dyj, row_load(dbias + j, left)), left);
    }
  }
}

/// table: per position head_size / 2 cosines, then as many sines. sign -1 turns back.
GAZE_FN void rotary(Index n, Index heads, Index head_size, Index stride, const int* position,
                    const float* table, float sign, float* x) {
  const Index half = head_size / 2;
  for (Index r = 0; r < n; ++r) {
    const float* cosine = table + position[r] * head_size;
    const float* sine = cosine + half;
    for (Index h = 0; h < heads; ++h) {
      float* low = x + r * stride + h * head_size;
      float* high = low + half;
      for (Index i = 0; i < half; i += W) {
        const Index left = half - i;
        const vf a = row_load(low + i, left), b = row_load(high + i, left);
        const vf c = row_load(cosine + i, left), s = mul(row_load(sine + i, left), set(sign));
        row_store(low + i, fma(b, sub(set(0.0f), s), mul(a, c)), left);
        row_store(high + i, fma(a, s, mul(b, c)), left);
      }
    }
  }
}

/// x inv_temperature - shift, but at least -100, where e^x is 0: so 0 times it is never a NaN.
GAZE_INLINE vf shifted_logit(vf logit, vf inv_temperature, vf minus_shift) {
  const vf z = fma(logit, inv_temperature, minus_shift), floor = set(-100.0f);
  return less_select(z, floor, floor, z);
}

struct SoftmaxTerms {
  const float* logits;
  vf scale, minus_max;
  GAZE_INLINE void take(Index j, Index left, vf& exps, vf& weighted) const {
    const vf row = row_load_or(logits + j, left, set(-__builtin_inff()));
    const vf z = shifted_logit(row, scale, minus_max), e = exp(z);
    exps = add(exps, e);
    weighted = fma(e, z, weighted);
  }
};

GAZE_FN void softmax_stats(Index n, Index v, const float* logits, Index stride,
                           float inv_temperature, const int* target, float* logp, float* entropy,
                           float* lse) {
  const vf scale = set(inv_temperature), lowest = set(-__builtin_inff());
  for (Index r = 0; r < n; ++r, logits += stride) {
    vf lane_max = lowest;
    for (Index j = 0; j < v; j += W)
      lane_max = max(lane_max, mul(row_load_or(logits + j, v - j, lowest), scale));
    const float row_max = hmax(lane_max);
    const vf minus_max = set(-row_max);
    const RowSums sums = row_sums(v, SoftmaxTerms{logits, scale, minus_max});
    const float total = static_cast<float>(sums.first), log_total = __builtin_logf(total);
    lse[r] = row_max + log_total;
    entropy[r] = log_total - static_cast<float>(sums.second) / total;
    logp[r] = 0.0f;
    if (target[r] < 0) continue;
    float z_target;
    store_n(&z_target, fma(set(logits[target[r]]), scale, minus_max), 1);
    logp[r] = z_target - log_total;
  }
}

/// dlogits = -inv_temperature p (dlogp + dentropy (log p + H)), and inv_temperature dlogp more at
/// the target.
GAZE_FN void softmax_stats_backward(Index n, Index v, float* logits, Index stride,
                                    float inv_temperature, const int* target, const float* lse,
                                    const float* entropy, const float* dlogp,
                                    const float* dentropy) {
  const vf scale = set(inv_temperature), minus_scale = set(-inv_temperature);
  for (Index r = 0; r < n; ++r, logits += stride) {
    const float dl = dlogp && target[r] >= 0 ? dlogp[r] : 0.0f;
    const float dh = dentropy ? dentropy[r] : 0.0f;
    if (dl == 0.0f && dh == 0.0f) {
      for (Index j = 0; j < v; j += W) row_store(logits + j, set(0.0f), v - j);
      continue;
    }
    const vf minus_lse = set(-lse[r]), dlv = set(dl), dhv = set(dh);
    const vf h = set(dentropy ? entropy[r] : 0.0f);
    for (Index j = 0; j < v; j += W) {
      const vf log_p = shifted_logit(row_load(logits + j, v - j), scale, minus_lse);
      const vf grad = fma(dhv, add(log_p, h), dlv);
      row_store(logits + j, mul(mul(exp(log_p), grad), minus_scale), v - j);
    }
    if (dl != 0.0f) logits[target[r]] += inv_temperature * dl;
  }
}

/// out[j] += x[r, j] over ascending rows r; rows are `stride` apart.
GAZE_FN void add_rows(Index n, Index c, Index stride, const float* x, float* out) {
  for (Index r = 0; r < n; ++r, x += stride)
    for (Index j = 0; j < c; j += W)
      row_store(out + j, add(row_load(out + j, c - j), row_load(x + j, c - j)), c - j);
}

/// table[index[r], j] += x[r, j] over ascending rows r, for the c columns given; -1 is skipped.
GAZE_FN void scatter_add_rows(Index n, Index c, Index stride, const float* x, const int* index,
                              float* table) {
  for (Index r = 0; r < n; ++r, x += stride)
    if (index[r] >= 0) add_rows(1, c, stride, x, table + index[r] * stride);
}
