// SPDX-License-Identifier: MIT
// The matrix product of bf16 operands with float32 sums.
//
// With AMX it runs on tiles (simd/amx.inl). AVX512_BF16, used where it is fast (isa.hpp),
// multiplies two neighbours along k at once: vdpbf16ps adds both products to a lane. A matrix of
// bf16 whose rows run along k is, without a copy, a matrix of such pairs of half the depth, so the
// kernels of float work on it with another multiplication; one that runs across k has its rows
// interleaved two by two. Other processors multiply in float.
#pragma once
#include "gaze/core/bf16.hpp"
#include "gaze/core/storage.hpp"
#include "gaze/cpu/gemm_pieces.hpp"

namespace gaze::cpu {

namespace detail {

/// A buffer for an operand in another form; freed with the object.
template <class T>
class Room {
 public:
  explicit Room(Index n = 0)
      : bytes_(static_cast<std::size_t>(n) * sizeof(T)),
        data_(n > 0 ? static_cast<T*>(Allocator<Cpu>::allocate(bytes_)) : nullptr) {}
  ~Room() {
    if (data_) Allocator<Cpu>::free(data_, bytes_);
  }
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;
  T* data() const { return data_; }

 private:
  std::size_t bytes_;
  T* data_;
};

#if GAZE_X86
inline const unsigned short* bits(const bf16* x) {
  return reinterpret_cast<const unsigned short*>(x);
}

/// x of [rows, cols] as pairs along k; `along`: its rows run along k.
struct Pairs {
  Pairs(bool along, Index rows, Index cols, const bf16* x, Index ld)
      : room_(copied(along, cols, ld) ? (along ? rows * (cols + 1) : (rows + 1) * cols) : 0) {
    if (!room_.data()) {
      data = reinterpret_cast<const float*>(x);
      stride = ld / 2;
      return;
    }
    data = reinterpret_cast<const float*>(room_.data());
    stride = along ? (cols + 1) / 2 : cols;
    if (along)
      parallel_for(rows, 16384 / (cols + 1) + 1, [&, to = room_.data()](Index i, Index end) {
        for (; i < end; ++i) pad(cols, x + i * ld, to + i * 2 * stride);
      });
    else
      parallel_for((rows + 1) / 2, 16384 / (cols + 1) + 1,
                   [&, to = room_.data()](Index i, Index end) {
                     for (; i < end; ++i) {
                       const auto* low = bits(x + 2 * i * ld);
                       auto* pair = reinterpret_cast<std::uint16_t*>(to + 2 * i * cols);
                       if (2 * i + 1 < rows)
                         simd::avx512_bf16::interleave(cols, low, low + ld, pair);
                       else
                         for (Index c = 0; c < cols; ++c) pair[2 * c] = low[c], pair[2 * c + 1] = 0;
                     }
                   });
  }

  const float* data;
  Index stride;  // in pairs

 private:
  static bool copied(bool along, Index cols, Index ld) {
    return !along || cols % 2 != 0 || ld % 2 != 0;
  }
  static void pad(Index n, const bf16* x, bf16* to) {
    std::copy(x, x + n, to);
    if (n % 2 != 0) to[n] = bf16(0.0f);
  }
  Room<bf16> room_;
};
#endif

/// Widens x [rows, cols] to contiguous float rows.
inline void widen(Index rows, Index cols, const bf16* x, Index ld, float* to) {
  parallel_for(rows, 16384 / (cols + 1) + 1, [=](Index i, Index end) {
    for (; i < end; ++i)
      for (Index c = 0; c < cols; ++c) to[i * cols + c] = static_cast<float>(x[i * ld + c]);
  });
}

/// gemm() for bf16: sums are float32, and every element of C is one chain over ascending k.
inline void gemm_bf16(const args::Gemm<bf16>& p) {
  const Index a_rows = p.transpose_a ? p.k : p.m, a_cols = p.transpose_a ? p.m : p.k;
  const Index b_rows = p.transpose_b ? p.n : p.k, b_cols = p.transpose_b ? p.k : p.n;
  [[maybe_unused]] const Bf16Products path = bf16_products();
#if GAZE_AMX
  if (path == Bf16Products::amx) {
    // Tiles are some eight times as fast as float's multiply-adds, but waking a thread is not.
    for_pieces(p.m, p.n, p.k / 8, [&](Index i, Index rows, Index j, Index cols) {
      simd::amx::gemm(p.transpose_a, p.transpose_b, rows, cols, p.k,
                      bits(operand_at(p.transpose_a, p.a, p.lda, i)), p.lda,
                      bits(operand_at(!p.transpose_b, p.b, p.ldb, j)), p.ldb, p.c + i * p.ldc + j,
                      p.ldc, p.accumulate, p.bias ? p.bias + j : nullptr,
                      packing_room<unsigned short, simd::amx::tiles_scratch>());
    });
    return;
  }
#endif
#if GAZE_X86
  if (path == Bf16Products::avx512_bf16) {
    const Pairs a(!p.transpose_a, a_rows, a_cols, p.a, p.lda);
    const Pairs b(p.transpose_b, b_rows, b_cols, p.b, p.ldb);
    const Index depth = (p.k + 1) / 2;
    for_pieces(p.m, p.n, depth, [&](Index i, Index rows, Index j, Index cols) {
      simd::avx512_bf16::gemm(p.transpose_a, p.transpose_b, rows, cols, depth,
                              operand_at(p.transpose_a, a.data, a.stride, i), a.stride,
                              operand_at(!p.transpose_b, b.data, b.stride, j), b.stride,
                              p.c + i * p.ldc + j, p.ldc, p.accumulate,
                              p.bias ? p.bias + j : nullptr, gemm_scratch());
    });
    return;
  }
#endif
  const Room<float> a(a_rows * a_cols), b(b_rows * b_cols);
  widen(a_rows, a_cols, p.a, p.lda, a.data());
  widen(b_rows, b_cols, p.b, p.ldb, b.data());
  gemm_in_pieces(args::Gemm<float>{.transpose_a = p.transpose_a,
                                   .transpose_b = p.transpose_b,
                                   .m = p.m,
                                   .n = p.n,
                                   .k = p.k,
                                   .a = a.data(),
                                   .lda = a_cols,
                                   .b = b.data(),
                                   .ldb = b_cols,
                                   .c = p.c,
                                   .ldc = p.ldc,
                                   .accumulate = p.accumulate,
                                   .bias = p.bias});
}

}  // namespace detail

}  // namespace gaze::cpu
