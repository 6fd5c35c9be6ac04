// SPDX-License-Identifier: MIT
// Four float lanes: NEON of 64-bit ARM, with fused multiply-add.
constexpr int W = 4;
constexpr int registers = 32;
using vf = float32x4_t;

GAZE_INLINE vf set(float x) { return vdupq_n_f32(x); }
GAZE_INLINE vf load(const float* p) { return vld1q_f32(p); }
GAZE_INLINE void store(float* p, vf v) { vst1q_f32(p, v); }
GAZE_INLINE vf load_n(const float* p, int n) {
  if (n == W) return load(p);
  vf v = set(0.0f);
  if (n > 0) v = vld1q_lane_f32(p, v, 0);
  if (n > 1) v = vld1q_lane_f32(p + 1, v, 1);
  if (n > 2) v = vld1q_lane_f32(p + 2, v, 2);
  return v;
}
GAZE_INLINE void store_n(float* p, vf v, int n) {
  if (n == W) return store(p, v);
  if (n > 0) vst1q_lane_f32(p, v, 0);
  if (n > 1) vst1q_lane_f32(p + 1, v, 1);
  if (n > 2) vst1q_lane_f32(p + 2, v, 2);
}
GAZE_INLINE vf add(vf a, vf b) { return vaddq_f32(a, b); }
GAZE_INLINE vf sub(vf a, vf b) { return vsubq_f32(a, b); }
GAZE_INLINE vf mul(vf a, vf b) { return vmulq_f32(a, b); }
GAZE_INLINE vf div(vf a, vf b) { return vdivq_f32(a, b); }
GAZE_INLINE vf fma(vf a, vf b, vf c) { return vfmaq_f32(c, a, b); }
GAZE_INLINE vf less_select(vf a, vf b, vf yes, vf no) {  // a < b ? yes : no, per lane
  return vbslq_f32(vcltq_f32(a, b), yes, no);
}
GAZE_INLINE vf max(vf a, vf b) { return vmaxq_f32(a, b); }
GAZE_INLINE vf min(vf a, vf b) { return vminq_f32(a, b); }
GAZE_INLINE vf sqrt(vf a) { return vsqrtq_f32(a); }
GAZE_INLINE vf round(vf a) { return vrndnq_f32(a); }  // to nearest even
GAZE_INLINE vf low_bits_to_exponent(vf a) {
  return vreinterpretq_f32_s32(vshlq_n_s32(vreinterpretq_s32_f32(a), 23));
}
GAZE_INLINE float sum(vf a) {
  const float32x2_t s = vadd_f32(vget_low_f32(a), vget_high_f32(a));
  return vget_lane_f32(s, 0) + vget_lane_f32(s, 1);
}
GAZE_INLINE float hmax(vf a) { return vmaxvq_f32(a); }
GAZE_INLINE vf pairs_of(bool high, vf a, vf b) {  // two lanes of each
  const float64x2_t x = vreinterpretq_f64_f32(a), y = vreinterpretq_f64_f32(b);
  return vreinterpretq_f32_f64(high ? vtrn2q_f64(x, y) : vtrn1q_f64(x, y));
}
// v[c] lane r = p[r * stride + c] for W x W floats.
GAZE_INLINE void load_transposed(const float* p, Index stride, vf* v) {
  const vf r0 = load(p), r1 = load(p + stride);
  const vf r2 = load(p + 2 * stride), r3 = load(p + 3 * stride);
  const vf even = vtrn1q_f32(r0, r1), odd = vtrn2q_f32(r0, r1);
  const vf even2 = vtrn1q_f32(r2, r3), odd2 = vtrn2q_f32(r2, r3);
  v[0] = pairs_of(false, even, even2);
  v[1] = pairs_of(false, odd, odd2);
  v[2] = pairs_of(true, even, even2);
  v[3] = pairs_of(true, odd, odd2);
}
