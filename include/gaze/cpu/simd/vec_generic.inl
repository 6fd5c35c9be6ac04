// SPDX-License-Identifier: MIT
// Four float lanes through the compiler's vector extension: any processor.
constexpr int W = 4;
constexpr int registers = 16;  // at least
typedef float vf __attribute__((vector_size(16)));
typedef int vi __attribute__((vector_size(16)));

GAZE_INLINE vf set(float x) { return vf{x, x, x, x}; }
GAZE_INLINE vf load(const float* p) {
  vf v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
GAZE_INLINE void store(float* p, vf v) { __builtin_memcpy(p, &v, sizeof v); }
GAZE_INLINE vf load_n(const float* p, int n) {
  vf v = {0, 0, 0, 0};
  for (int i = 0; i < n; ++i) v[i] = p[i];
  return v;
}
GAZE_INLINE void store_n(float* p, vf v, int n) {
  for (int i = 0; i < n; ++i) p[i] = v[i];
}
GAZE_INLINE vf add(vf a, vf b) { return a + b; }
GAZE_INLINE vf sub(vf a, vf b) { return a - b; }
GAZE_INLINE vf mul(vf a, vf b) { return a * b; }
GAZE_INLINE vf div(vf a, vf b) { return a / b; }
GAZE_INLINE vf fma(vf a, vf b, vf c) { return a * b + c; }
GAZE_INLINE vf less_select(vf a, vf b, vf yes, vf no) {  // a < b ? yes : no, per lane
  const vi m = a < b;
  return (vf)((m & (vi)yes) | (~m & (vi)no));
}
GAZE_INLINE vf max(vf a, vf b) { return less_select(a, b, b, a); }
GAZE_INLINE vf min(vf a, vf b) { return less_select(b, a, b, a); }
GAZE_INLINE vf sqrt(vf a) {
  return vf{__builtin_sqrtf(a[0]), __builtin_sqrtf(a[1]), __builtin_sqrtf(a[2]),
            __builtin_sqrtf(a[3])};
}
GAZE_INLINE vf round(vf a) {  // to nearest even, |a| < 2^22
  const vf magic = set(12582912.0f);
  return (a + magic) - magic;
}
GAZE_INLINE vf low_bits_to_exponent(vf a) { return (vf)((vi)a << 23); }
GAZE_INLINE float sum(vf a) { return (a[0] + a[2]) + (a[1] + a[3]); }
GAZE_INLINE float hmax(vf a) {
  const float x = a[0] > a[1] ? a[0] : a[1], y = a[2] > a[3] ? a[2] : a[3];
  return x > y ? x : y;
}
// v[c] lane r = p[r * stride + c] for W x W floats.
GAZE_INLINE void load_transposed(const float* p, Index stride, vf* v) {
  const float *a = p, *b = a + stride, *c = b + stride, *d = c + stride;
  v[0] = vf{a[0], b[0], c[0], d[0]};
  v[1] = vf{a[1], b[1], c[1], d[1]};
  v[2] = vf{a[2], b[2], c[2], d[2]};
  v[3] = vf{a[3], b[3], c[3], d[3]};
}
