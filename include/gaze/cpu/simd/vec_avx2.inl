// SPDX-License-Identifier: MIT
// Eight float lanes: AVX2 with fused multiply-add.
constexpr int W = 8;
constexpr int registers = 16;
using vf = __m256;

GAZE_INLINE __m256i first_lanes(int n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
GAZE_INLINE vf set(float x) { return _mm256_set1_ps(x); }
GAZE_INLINE vf load(const float* p) { return _mm256_loadu_ps(p); }
GAZE_INLINE void store(float* p, vf v) { _mm256_storeu_ps(p, v); }
GAZE_INLINE vf load_n(const float* p, int n) { return _mm256_maskload_ps(p, first_lanes(n)); }
GAZE_INLINE void store_n(float* p, vf v, int n) { _mm256_maskstore_ps(p, first_lanes(n), v); }
GAZE_INLINE vf add(vf a, vf b) { return _mm256_add_ps(a, b); }
GAZE_INLINE vf sub(vf a, vf b) { return _mm256_sub_ps(a, b); }
GAZE_INLINE vf mul(vf a, vf b) { return _mm256_mul_ps(a, b); }
GAZE_INLINE vf div(vf a, vf b) { return _mm256_div_ps(a, b); }
GAZE_INLINE vf fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }
GAZE_INLINE vf less_select(vf a, vf b, vf yes, vf no) {  // a < b ? yes : no, per lane
  return _mm256_blendv_ps(no, yes, _mm256_cmp_ps(a, b, _CMP_LT_OQ));
}
GAZE_INLINE vf max(vf a, vf b) { return _mm256_max_ps(a, b); }
GAZE_INLINE vf min(vf a, vf b) { return _mm256_min_ps(a, b); }
GAZE_INLINE vf sqrt(vf a) { return _mm256_sqrt_ps(a); }
GAZE_INLINE vf round(vf a) {  // to nearest even
  return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
GAZE_INLINE vf low_bits_to_exponent(vf a) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(a), 23));
}
GAZE_INLINE float sum(vf a) {
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_shuffle_ps(s, s, 1)));
}
GAZE_INLINE float hmax(vf a) {
  __m128 s = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  s = _mm_max_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_max_ss(s, _mm_shuffle_ps(s, s, 1)));
}
GAZE_INLINE vf load_halves(const float* low, const float* high) {
  return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(low)), _mm_loadu_ps(high), 1);
}
GAZE_INLINE void load_quads(const float* p, Index stride, vf* v) {  // 4 x 4 in each half
  const float* const q = p + 4 * stride;
  const vf r0 = load_halves(p, q), r1 = load_halves(p + stride, q + stride);
  const vf r2 = load_halves(p + 2 * stride, q + 2 * stride);
  const vf r3 = load_halves(p + 3 * stride, q + 3 * stride);
  const vf a = _mm256_unpacklo_ps(r0, r1), b = _mm256_unpackhi_ps(r0, r1);
  const vf c = _mm256_unpacklo_ps(r2, r3), d = _mm256_unpackhi_ps(r2, r3);
  v[0] = _mm256_shuffle_ps(a, c, 0x44);
  v[1] = _mm256_shuffle_ps(a, c, 0xee);
  v[2] = _mm256_shuffle_ps(b, d, 0x44);
  v[3] = _mm256_shuffle_ps(b, d, 0xee);
}
// v[c] lane r = p[r * stride + c] for W x W floats.
GAZE_INLINE void load_transposed(const float* p, Index stride, vf* v) {
  load_quads(p, stride, v), load_quads(p + 4, stride, v + 4);
}
