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
