// SPDX-License-Identifier: MIT
// exp and tanh for one vector, the same bits in every lane and at every length.

/// x = n ln2 + r with |r| <= ln2/2: returns e^r by its series to degree 7.
GAZE_INLINE vf exp_series(vf x, vf& n) {
  n = round(mul(x, set(1.44269504088896341f)));
  vf r = fma(n, set(-0.693359375f), x);
  r = fma(n, set(2.12194440e-4f), r);
  vf p = set(1.0f / 5040);
  p = fma(p, r, set(1.0f / 720));
  p = fma(p, r, set(1.0f / 120));
  p = fma(p, r, set(1.0f / 24));
  p = fma(p, r, set(1.0f / 6));
  p = fma(p, r, set(0.5f));
  p = fma(p, r, set(1.0f));
  return fma(p, r, set(1.0f));
}

/// e^x, within 2 units in the last place; 0 below -87.3 (so also for -inf), inf above 88.7.
GAZE_INLINE vf exp(vf x) {
  const vf low = set(-87.3f), high = set(88.7f);
  vf n;
  const vf p = exp_series(min(max(x, low), high), n);
  // n can be 128: split 2^n in two so that the exponent field never overflows.
  const vf half = round(mul(n, set(0.5f)));
  const vf value = mul(mul(p, pow2(half)), pow2(sub(n, half)));
  const vf capped = less_select(high, x, set(__builtin_inff()), value);
  const vf floored = less_select(x, low, set(0.0f), capped);
  return less_select(x, set(__builtin_inff()), floored, add(x, capped));  // NaN stays NaN
}

/// exp for x <= 0 (to rounding), without what only large x needs. NaN stays NaN.
GAZE_INLINE vf exp_negative(vf x) {
  const vf low = set(-87.3f);
  vf n;
  const vf p = exp_series(less_select(x, low, low, x), n);
  return less_select(x, low, set(0.0f), mul(p, pow2(n)));
}

/// 1 / (1 + e^-x); 0 below -88. NaN stays NaN.
GAZE_INLINE vf sigmoid(vf x) {
  const vf t = sub(set(0.0f), x), low = set(-87.3f), high = set(88.0f);
  vf n;
  const vf p = exp_series(less_select(high, t, high, less_select(t, low, low, t)), n);
  const vf e = less_select(high, t, set(__builtin_inff()), mul(p, pow2(n)));
  return div(set(1.0f), add(e, set(1.0f)));
}

/// tanh x = 1 - 2 / (e^2x + 1); absolute error below 2e-7.
GAZE_INLINE vf tanh(vf x) {
  const vf s = sigmoid(mul(x, set(-2.0f)));
  return sub(set(1.0f), add(s, s));
}
