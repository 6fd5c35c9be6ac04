// SPDX-License-Identifier: MIT
// Sixteen float lanes: AVX-512.
constexpr int W = 16;
constexpr int registers = 32;
using vf = __m512;

GAZE_INLINE __mmask16 first_lanes(int n) {
  return n >= 16 ? __mmask16(0xffff) : __mmask16((1u << n) - 1u);
}
GAZE_INLINE vf set(float x) { return _mm512_set1_ps(x); }
GAZE_INLINE vf load(const float* p) { return _mm512_loadu_ps(p); }
GAZE_INLINE void store(float* p, vf v) { _mm512_storeu_ps(p, v); }
GAZE_INLINE vf load_n(const float* p, int n) { return _mm512_maskz_loadu_ps(first_lanes(n), p); }
GAZE_INLINE void store_n(float* p, vf v, int n) { _mm512_mask_storeu_ps(p, first_lanes(n), v); }
GAZE_INLINE vf add(vf a, vf b) { return _mm512_add_ps(a, b); }
GAZE_INLINE vf sub(vf a, vf b) { return _mm512_sub_ps(a, b); }
GAZE_INLINE vf mul(vf a, vf b) { return _mm512_mul_ps(a, b); }
GAZE_INLINE vf div(vf a, vf b) { return _mm512_div_ps(a, b); }
GAZE_INLINE vf fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
GAZE_INLINE vf less_select(vf a, vf b, vf yes, vf no) {  // a < b ? yes : no, per lane
  return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), no, yes);
}
GAZE_INLINE vf max(vf a, vf b) { return _mm512_max_ps(a, b); }
GAZE_INLINE vf min(vf a, vf b) { return _mm512_min_ps(a, b); }
GAZE_INLINE vf sqrt(vf a) { return _mm512_sqrt_ps(a); }
GAZE_INLINE vf round(vf a) {  // to nearest even
  return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
GAZE_INLINE vf low_bits_to_exponent(vf a) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(a), 23));
}
GAZE_INLINE float sum(vf a) {
  const __m256 h = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_shuffle_ps(s, s, 1)));
}
GAZE_INLINE float hmax(vf a) {
  const __m256 h = _mm256_max_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
  __m128 s = _mm_max_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
  s = _mm_max_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_max_ss(s, _mm_shuffle_ps(s, s, 1)));
}
GAZE_INLINE vf load_halves(const float* low, const float* high) {
  const __m512d v = _mm512_castps_pd(_mm512_castps256_ps512(_mm256_loadu_ps(low)));
  return _mm512_castpd_ps(_mm512_insertf64x4(v, _mm256_castps_pd(_mm256_loadu_ps(high)), 1));
}
GAZE_INLINE void load_quads(const float* p, Index stride, vf* v) {  // 4 x 4 in each quarter
  const float* const q = p + 4 * stride;
  const vf r0 = load_halves(p, q), r1 = load_halves(p + stride, q + stride);
  const vf r2 = load_halves(p + 2 * stride, q + 2 * stride);
  const vf r3 = load_halves(p + 3 * stride, q + 3 * stride);
  const vf a = _mm512_unpacklo_ps(r0, r1), b = _mm512_unpackhi_ps(r0, r1);
  const vf c = _mm512_unpacklo_ps(r2, r3), d = _mm512_unpackhi_ps(r2, r3);
  v[0] = _mm512_shuffle_ps(a, c, 0x44);
  v[1] = _mm512_shuffle_ps(a, c, 0xee);
  v[2] = _mm512_shuffle_ps(b, d, 0x44);
  v[3] = _mm512_shuffle_ps(b, d, 0xee);
}
GAZE_INLINE void join_quads(vf* v) {
  const vf low = _mm512_shuffle_f32x4(v[0], v[4], 0x88);
  v[4] = _mm512_shuffle_f32x4(v[0], v[4], 0xdd);
  v[0] = low;
}
// v[c] lane r = p[r * stride + c] for W x W floats. Loads of halves save a quarter of the shuffles;
// no loops, because an array that is not unrolled would live in memory.
GAZE_INLINE void load_transposed(const float* p, Index stride, vf* v) {
  load_quads(p, stride, v), load_quads(p + 8 * stride, stride, v + 4);
  load_quads(p + 8, stride, v + 8), load_quads(p + 8 * stride + 8, stride, v + 12);
  join_quads(v), join_quads(v + 1), join_quads(v + 2), join_quads(v + 3);
  join_quads(v + 8), join_quads(v + 9), join_quads(v + 10), join_quads(v + 11);
}
