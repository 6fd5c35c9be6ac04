// SPDX-License-Identifier: MIT
// The matrix product of bf16 operands on tiles (AMX), of one thread.
//
// A tile register is 16 rows of 64 bytes. One instruction adds to 16 x 16 sums the products of
// 16 rows of 32 values along k with 16 columns of 32 values, which lie as 16 rows of pairs: row q
// has the values 2 q and 2 q + 1 of all columns side by side. Both operands are packed as blocks of
// one tile, zeros beyond their edges: [16 rows or columns][step of 32] after one another.
//
// Every element of C is one chain over the steps of k, so its bits do not depend on m, n, the block
// it fell in or which operand gave the rows.

constexpr int tile_side = 16, tile_depth = 32, tile_values = tile_side * tile_depth;
constexpr int tiles_kc = 512;  // depth of a block: a panel of 32 columns stays in L1
constexpr int tiles_nc = 512;  // rows and columns packed at a time, half a MiB each, in L2
constexpr int tiles_scratch = 2 * tiles_kc * tiles_nc;  // values

/// A matrix in memory; `along`: its rows run along k.
struct TileOperand {
  const unsigned short* data;
  Index ld;
  bool along;
};

/// Rows of tiles: where they begin, bytes between the rows of one, values to the next step along k
/// and to the next 16 rows.
struct TileRows {
  const unsigned short* data;
  Index row_bytes, step, group;
};

/// Destination of the sums. `turned`: rows of tiles are columns of C.
struct TileTarget {
  float* c;
  Index ldc;
  bool turned, accumulate;
  const float* bias;  // or null
};

/// 16 rows of `depth` values along k, zeros beyond.
GAZE_INLINE void tile_load_rows(const unsigned short* from, Index ld, int rows, int depth, vf* v) {
  const __mmask32 lanes = depth >= 32 ? ~__mmask32(0) : (__mmask32(1) << depth) - 1;
  for (int i = 0; i < tile_side; ++i)
    v[i] = i < rows ? _mm512_castsi512_ps(_mm512_maskz_loadu_epi16(lanes, from + i * ld))
                    : set(0.0f);
}

/// 16 rows of pairs, of rows 2 q and 2 q + 1 of `cols` values each, zeros beyond.
GAZE_INLINE void tile_load_pairs(const unsigned short* from, Index ld, int cols, int depth, vf* v) {
  const __mmask16 lanes = first_lanes(cols);
  for (int q = 0; q < tile_side; ++q, from += 2 * ld) {
    const __m256i zero = _mm256_setzero_si256();
    const __m256i low = 2 * q < depth ? _mm256_maskz_loadu_epi16(lanes, from) : zero;
    const __m256i high = 2 * q + 1 < depth ? _mm256_maskz_loadu_epi16(lanes, from + ld) : zero;
    v[q] = _mm512_castsi512_ps(_mm512_or_si512(
        _mm512_cvtepu16_epi32(low), _mm512_slli_epi32(_mm512_cvtepu16_epi32(high), 16)));
  }
}

/// Packs `count` rows or columns from `at` on, depth kc from p on, as tiles of pairs or of rows.
GAZE_FN void tile_pack(const TileOperand& x, bool pairs, Index at, Index count, Index p, Index kc,
                       unsigned short* to) {
  alignas(64) float block[tile_side * tile_side];
  vf v[tile_side];
  for (Index i = 0; i < count; i += tile_side)
    for (Index q = 0; q < kc; q += tile_depth, to += tile_values) {
      const int n = count - i < tile_side ? int(count - i) : tile_side;
      const int depth = kc - q < tile_depth ? int(kc - q) : tile_depth;
      const unsigned short* const from =
          x.along ? x.data + (at + i) * x.ld + p + q : x.data + (p + q) * x.ld + at + i;
      if (pairs && x.along && n == tile_side && depth == tile_depth && x.ld % 2 == 0) {
        load_transposed(reinterpret_cast<const float*>(from), x.ld / 2, v);
      } else {
        if (x.along)
          tile_load_rows(from, x.ld, n, depth, v);
        else
          tile_load_pairs(from, x.ld, n, depth, v);
        if (pairs == x.along) {
          for (int r = 0; r < tile_side; ++r) store(block + r * tile_side, v[r]);
          load_transposed(block, tile_side, v);
        }
      }
      for (int r = 0; r < tile_side; ++r)
        store(reinterpret_cast<float*>(to) + r * tile_side, v[r]);
    }
}

/// c = start + R tiles of rows times S tiles of columns, `steps` along k. start (null: zeros) has
/// rows `start_stride` floats apart; 0: the same row for all.
template <int R, int S>
GAZE_INLINE void tile_sums(Index steps, const TileRows& a, const unsigned short* b,
                           const float* start, Index start_stride, float* c, Index ldc) {
  __asm__ volatile("" ::: "memory");  // hides the tiles' reads from the compiler
  const unsigned short* const b1 = b + steps * tile_values;
  const auto stride = static_cast<std::size_t>(start_stride) * sizeof(float);
  const auto a_bytes = static_cast<std::size_t>(a.row_bytes);
  if (start) {
    const float* const low = start + tile_side * start_stride;
    _tile_loadd(0, start, stride);
    if constexpr (S > 1) _tile_loadd(1, start + tile_side, stride);
    if constexpr (R > 1) _tile_loadd(2, low, stride);
    if constexpr (R > 1 && S > 1) _tile_loadd(3, low + tile_side, stride);
  } else {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
  }
  const unsigned short* rows = a.data;
  for (Index s = 0; s < steps; ++s, rows += a.step) {
    _tile_loadd(4, rows, a_bytes);
    _tile_loadd(6, b + s * tile_values, 64);
    if constexpr (S > 1) _tile_loadd(7, b1 + s * tile_values, 64);
    if constexpr (R > 1) _tile_loadd(5, rows + a.group, a_bytes);
    _tile_dpbf16ps(0, 4, 6);
    if constexpr (S > 1) _tile_dpbf16ps(1, 4, 7);
    if constexpr (R > 1) _tile_dpbf16ps(2, 5, 6);
    if constexpr (R > 1 && S > 1) _tile_dpbf16ps(3, 5, 7);
  }
  const std::size_t c_bytes = static_cast<std::size_t>(ldc) * sizeof(float);
  float* const c_low = c + tile_side * ldc;
  _tile_stored(0, c, c_bytes);
  if constexpr (S > 1) _tile_stored(1, c + tile_side, c_bytes);
  if constexpr (R > 1) _tile_stored(2, c_low, c_bytes);
  if constexpr (R > 1 && S > 1) _tile_stored(3, c_low + tile_side, c_bytes);
}

GAZE_FN void tile_sums_of(bool two_rows, bool two_cols, Index steps, const TileRows& a,
                          const unsigned short* b, const float* start, Index start_stride, float* c,
                          Index ldc) {
  if (two_rows && two_cols) return tile_sums<2, 2>(steps, a, b, start, start_stride, c, ldc);
  if (two_rows) return tile_sums<2, 1>(steps, a, b, start, start_stride, c, ldc);
  if (two_cols) return tile_sums<1, 2>(steps, a, b, start, start_stride, c, ldc);
  tile_sums<1, 1>(steps, a, b, start, start_stride, c, ldc);
}

/// to = the transpose of from, both [32][32].
GAZE_INLINE void tile_turn(const float* from, float* to) {
  vf v[tile_side];
  for (int r = 0; r < 32; r += tile_side)
    for (int s = 0; s < 32; s += tile_side) {
      load_transposed(from + r * 32 + s, 32, v);
      for (int i = 0; i < tile_side; ++i) store(to + (s + i) * 32 + r, v[i]);
    }
}

/// The sums of up to 32 x 32 elements, which begin at row i and column j of the tiles' product,
/// through a buffer: at the edges of C, and where C lies the other way.
GAZE_FN void tile_block(const TileTarget& to, Index i, Index j, int rows, int cols, Index steps,
                        const TileRows& a, const unsigned short* b) {
  alignas(64) float straight[32 * 32], turned[32 * 32];
  float* const c = to.turned ? to.c + j * to.ldc + i : to.c + i * to.ldc + j;
  const float* const bias = to.bias ? to.bias + (to.turned ? i : j) : nullptr;
  const int height = to.turned ? cols : rows, width = to.turned ? rows : cols;
  const int n0 = width < 16 ? width : 16, n1 = width - n0;
  float* const sums = to.turned ? turned : straight;
  const bool starts = to.accumulate || bias;
  if (starts) {
    for (int r = 0; r < 32; ++r) {
      const float* const from = to.accumulate ? c + r * to.ldc : bias;
      const bool inside = r < height;
      store(straight + r * 32, inside ? load_n(from, n0) : set(0.0f));
      store(straight + r * 32 + 16, inside ? load_n(from + n0, n1) : set(0.0f));
    }
    if (to.turned) tile_turn(straight, turned);
  }
  tile_sums_of(rows > tile_side, cols > tile_side, steps, a, b, starts ? sums : nullptr, 32, sums,
               32);
  if (to.turned) tile_turn(turned, straight);
  for (int r = 0; r < height; ++r) {
    store_n(c + r * to.ldc, load(straight + r * 32), n0);
    store_n(c + r * to.ldc + n0, load(straight + r * 32 + 16), n1);
  }
}

/// All blocks of `rows` rows of tiles from i on and `cols` packed columns from j on.
GAZE_FN void tile_blocks(const TileTarget& to, Index i, Index j, Index rows, Index cols,
                         Index steps, const TileRows& a, const unsigned short* b) {
  for (Index s = 0; s < cols; s += 32)
    for (Index r = 0; r < rows; r += 32) {
      const int height = rows - r < 32 ? int(rows - r) : 32;
      const int width = cols - s < 32 ? int(cols - s) : 32;
      const TileRows from{a.data + r / tile_side * a.group, a.row_bytes, a.step, a.group};
      const unsigned short* const columns = b + s / tile_side * steps * tile_values;
      if (to.turned || height % tile_side != 0 || width % tile_side != 0) {
        tile_block(to, i + r, j + s, height, width, steps, from, columns);
        continue;
      }
      float* const c = to.c + (i + r) * to.ldc + j + s;
      const float* const bias = to.bias ? to.bias + j + s : nullptr;
      tile_sums_of(height > tile_side, width > tile_side, steps, from, columns,
                   to.accumulate ? c : bias, to.accumulate ? to.ldc : 0, c, to.ldc);
    }
}

/// All registers: 16 rows of 64 bytes.
GAZE_INLINE void tile_configure() {
  alignas(64) unsigned char config[64] = {1};
  for (int t = 0; t < 8; ++t) config[16 + 2 * t] = 64, config[48 + t] = tile_side;
  __asm__ volatile("" ::: "memory");  // as above
  _tile_loadconfig(config);
}

/// c[m,n] = start + op(A) op(B) as gemm.inl says; scratch: tiles_scratch values at a multiple of 64
/// bytes. Rows that run across k and columns that run along it are turned while they are packed;
/// where that is more than to turn them the other way and C too, B gives the rows of tiles.
GAZE_FN void gemm(bool transpose_a, bool transpose_b, Index m, Index n, Index k,
                  const unsigned short* a, Index lda, const unsigned short* b, Index ldb, float* c,
                  Index ldc, bool accumulate, const float* bias, unsigned short* scratch) {
  const TileOperand first{a, lda, !transpose_a}, second{b, ldb, transpose_b};
  const Index straight_cost = (first.along ? 0 : m * k) + (second.along ? n * k : 0);
  const Index turned_cost = (second.along ? 0 : n * k) + (first.along ? m * k : 0) +
                            2 * m * n * ((k + tiles_kc - 1) / tiles_kc);
  const bool turned = turned_cost < straight_cost;
  const TileOperand& x = turned ? second : first;
  const TileOperand& y = turned ? first : second;
  const Index rows = turned ? n : m, cols = turned ? m : n;
  TileTarget to{c, ldc, turned, accumulate, accumulate ? nullptr : bias};
  unsigned short *const packed_y = scratch, *const packed_x = scratch + tiles_kc * tiles_nc;
  tile_configure();
  for (Index p = 0; p == 0 || p < k; p += tiles_kc) {
    const Index kc = k - p < tiles_kc ? k - p : tiles_kc;
    const Index steps = (kc + tile_depth - 1) / tile_depth;
    for (Index j = 0; j < cols; j += tiles_nc) {
      const Index width = cols - j < tiles_nc ? cols - j : tiles_nc;
      tile_pack(y, true, j, width, p, kc, packed_y);
      for (Index i = 0; i < rows; i += tiles_nc) {
        const Index height = rows - i < tiles_nc ? rows - i : tiles_nc;
        TileRows from{packed_x, 64, tile_values, steps * tile_values};
        if (x.along && height % tile_side == 0 && kc % tile_depth == 0)
          from = {x.data + i * x.ld + p, 2 * x.ld, tile_depth, tile_side * x.ld};
        else if (j == 0 || rows > tiles_nc)  // else it is still there
          tile_pack(x, false, i, height, p, kc, packed_x);
        tile_blocks(to, i, j, height, width, steps, from, packed_y);
      }
    }
    to.accumulate = true, to.bias = nullptr;
  }
  _tile_release();
}
