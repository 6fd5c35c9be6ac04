// SPDX-License-Identifier: MIT
// exp and tanh for one vector, the same bits in every lane and at every length.

/// Added to a number it leaves round(x) + 127, the exponent of 2^round(x), in the low bits.
constexpr float exp_bias = 12582912.0f + 127.0f;  // 1.5 2^23

GAZE_INLINE vf pow2(vf n) {  // 2^n for whole n in [-126, 127]
  return low_bits_to_exponent(add(n, set(exp_bias)));
}

/// x = n ln2 + r with |r| <= ln2/2: returns e^r by a polynomial that is off by at most 2e-9.
GAZE_INLINE vf exp_series(vf x, vf n) {
  vf r = fma(n, set(-0.693359375f), x);
  r = fma(n, set(2.12194440e-4f), r);
  vf p = set(1.38436072e-3f);
  p = fma(p, r, set(8.3741955e-3f));
  p = fma(p, r, set(4.1668005e-2f));
  p = fma(p, r, set(1.66664302e-1f));
  p = fma(p, r, set(0.49999994f));
  p = fma(p, r, set(1.0f));
  return fma(p, r, set(1.0f));
}

GAZE_INLINE vf exp_exponent(vf x) { return round(mul(x, set(1.44269504088896341f))); }

/// e^x, within 2 units in the last place; 0 below -87.3 (so also for -inf), inf above 88.7.
GAZE_INLINE vf exp(vf x) {
  const vf low = set(-87.3f), high = set(88.7f);
  const vf y = min(max(x, low), high), n = exp_exponent(y), p = exp_series(y, n);
  // n can be 128: split 2^n in two so that the exponent field never overflows.
  const vf half = round(mul(n, set(0.5f)));
  const vf value = mul(mul(p, pow2(half)), pow2(sub(n, half)));
  const vf capped = less_select(high, x, set(__builtin_inff()), value);
  const vf floored = less_select(x, low, set(0.0f), capped);
  return less_select(x, set(__builtin_inff()), floored, add(x, capped));  // NaN stays NaN
}

/// exp for x <= 0 (to rounding), without what only large x needs: half the time of attention's
/// softmax. Below -87.3 whatever comes out is replaced by 0. NaN stays NaN.
GAZE_INLINE vf exp_negative(vf x) {
  const vf bias = set(exp_bias), biased = fma(x, set(1.44269504088896341f), bias);
  const vf p = exp_series(x, sub(biased, bias));
  return less_select(x, set(-87.3f), set(0.0f), mul(p, low_bits_to_exponent(biased)));
}

/// 1 / (1 + e^-x); 0 below -88. NaN stays NaN.
GAZE_INLINE vf sigmoid(vf x) {
  const vf t = sub(set(0.0f), x), low = set(-87.3f), high = set(88.0f);
  const vf y = less_select(high, t, high, less_select(t, low, low, t));
  const vf n = exp_exponent(y), p = exp_series(y, n);
  const vf e = less_select(high, t, set(__builtin_inff()), mul(p, pow2(n)));
  return div(set(1.0f), add(e, set(1.0f)));
}

/// tanh x = 1 - 2 / (e^2x + 1); absolute error below 2e-7.
GAZE_INLINE vf tanh(vf x) {
  const vf s = sigmoid(mul(x, set(-2.0f)));
  return sub(set(1.0f), add(s, s));
}
