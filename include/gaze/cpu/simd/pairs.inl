// SPDX-License-Identifier: MIT
// Rows of bf16 as one row of pairs.

/// to[2 c] = low[c], to[2 c + 1] = high[c]; c < n.
GAZE_FN void interleave(Index n, const unsigned short* low, const unsigned short* high,
                        unsigned short* to) {
  alignas(64) unsigned short order[32];  // 0, 32, 1, 33, ..: from 32 on, of the second operand
  for (unsigned i = 0; i < 32; ++i) order[i] = static_cast<unsigned short>(i / 2 + i % 2 * 32);
  const __m512i first = _mm512_load_si512(order);
  const __m512i second = _mm512_add_epi16(first, _mm512_set1_epi16(16));
  Index c = 0;
  for (; c + 32 <= n; c += 32) {
    const __m512i a = _mm512_loadu_si512(low + c), b = _mm512_loadu_si512(high + c);
    _mm512_storeu_si512(to + 2 * c, _mm512_permutex2var_epi16(a, first, b));
    _mm512_storeu_si512(to + 2 * c + 32, _mm512_permutex2var_epi16(a, second, b));
  }
  for (; c < n; ++c) to[2 * c] = low[c], to[2 * c + 1] = high[c];
}

/// to = x rounded to bf16, to the nearest, ties to even; a NaN stays one.
GAZE_FN void round_to_bf16(Index n, const float* x, unsigned short* to) {
  Index i = 0;
  for (; i + 16 <= n; i += 16) {
    const __m512 v = _mm512_loadu_ps(x + i);
    const __m512i u = _mm512_castps_si512(v);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(u, 16), _mm512_set1_epi32(1));
    const __m512i up = _mm512_add_epi32(_mm512_add_epi32(u, _mm512_set1_epi32(0x7fff)), odd);
    const __m512i nan = _mm512_or_si512(u, _mm512_set1_epi32(0x400000));
    const __m512i r = _mm512_mask_blend_epi32(_mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q), up, nan);
    _mm256_storeu_si256((__m256i*)(to + i), _mm512_cvtepi32_epi16(_mm512_srli_epi32(r, 16)));
  }
  for (; i < n; ++i) to[i] = bf16(x[i]).bits;
}
