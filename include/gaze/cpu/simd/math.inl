// SPDX-License-Identifier: MIT
// exp and tanh for one vector, the same bits in every lane and at every length.

/// e^x, within 2 units in the last place; 0 below -87.3 (so also for -inf), inf above 88.7.
/// x = n ln2 + r with |r| <= ln2/2; e^r by its series to degree 7.
GAZE_INLINE vf exp(vf x) {
  const vf low = set(-87.3f), high = set(88.7f);
  const vf clamped = min(max(x, low), high);
  const vf n = round(mul(clamped, set(1.44269504088896341f)));
  vf r = fma(n, set(-0.693359375f), clamped);
  r = fma(n, set(2.12194440e-4f), r);
  vf p = set(1.0f / 5040);
  p = fma(p, r, set(1.0f / 720));
  p = fma(p, r, set(1.0f / 120));
  p = fma(p, r, set(1.0f / 24));
  p = fma(p, r, set(1.0f / 6));
  p = fma(p, r, set(0.5f));
  p = fma(p, r, set(1.0f));
  p = fma(p, r, set(1.0f));
  // n can be 128: split 2^n in two so that the exponent field never overflows.
  const vf half = round(mul(n, set(0.5f)));
  const vf value = mul(mul(p, pow2(half)), pow2(sub(n, half)));
  const vf capped = less_select(high, x, set(__builtin_inff()), value);
  const vf floored = less_select(x, low, set(0.0f), capped);
  return less_select(x, set(__builtin_inff()), floored, add(x, capped));  // NaN stays NaN
}

/// 1 / (1 + e^-x).
GAZE_INLINE vf sigmoid(vf x) { return div(set(1.0f), add(set(1.0f), exp(sub(set(0.0f), x)))); }

/// tanh x = 1 - 2 / (e^2x + 1); absolute error below 2e-7.
GAZE_INLINE vf tanh(vf x) {
  return sub(set(1.0f), div(set(2.0f), add(exp(add(x, x)), set(1.0f))));
}
