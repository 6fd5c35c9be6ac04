// SPDX-License-Identifier: MIT
// The matrix product of bf16 operands with float32 sums.
//
// With AMX it is worked out on tiles (simd/tiles.inl). AVX512_BF16, taken where it is fast
// (isa.hpp), multiplies two neighbours along k at once: vdpbf16ps adds both products to a lane. A
// matrix of bf16 whose rows run along k is, without a copy, a matrix of such pairs of half the
// depth, so the kernels of float work on it with another multiplication; one that runs across k has
// its rows interleaved two by two. Other processors multiply in float.
#pragma once
#include <concepts>

#include "gaze/core/bf16.hpp"
#include "gaze/core/storage.hpp"
#include "gaze/cpu/gemm.hpp"

namespace gaze::cpu {

// Both kernels are templates only so that they can be compiled once, as the others
// (instantiate_bf16.inl).

/// y = x rounded to the nearest bf16, ties to even.
template <std::same_as<bf16> T>
void cast(Index n, const float* x, T* y) {
  parallel_for(n, 32768, [=](Index i, Index end) {
#if GAZE_X86
    if (isa() == Isa::avx512)
      return simd::avx512::round_to_bf16(end - i, x + i, reinterpret_cast<unsigned short*>(y) + i);
#endif
    for (; i < end; ++i) y[i] = bf16(x[i]);
  });
}

namespace detail {

/// Room for an operand in another form; freed with the object.
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

/// x of [rows, cols] in float, its rows one after the other.
inline void widen(Index rows, Index cols, const bf16* x, Index ld, float* to) {
  parallel_for(rows, 16384 / (cols + 1) + 1, [=](Index i, Index end) {
    for (; i < end; ++i)
      for (Index c = 0; c < cols; ++c) to[i * cols + c] = static_cast<float>(x[i * ld + c]);
  });
}

}  // namespace detail

/// C[m,n] = start + op(A)[m,k] op(B)[k,n] as in gemm() of float; sums are float32, and every
/// element of C is one chain over ascending k.
template <std::same_as<bf16> T>
void gemm(bool transpose_a, bool transpose_b, Index m, Index n, Index k, const T* a, Index lda,
          const T* b, Index ldb, float* c, Index ldc, bool accumulate,
          const float* bias = nullptr) {
  const Index a_rows = transpose_a ? k : m, a_cols = transpose_a ? m : k;
  const Index b_rows = transpose_b ? n : k, b_cols = transpose_b ? k : n;
  [[maybe_unused]] const Bf16Products way = bf16_products();
#if GAZE_AMX
  if (way == Bf16Products::tiles) {
    // Tiles are some eight times as fast as float's multiply-adds, and threads as slow to wake.
    detail::for_pieces(m, n, k / 8, [&](Index i, Index rows, Index j, Index cols) {
      simd::amx::gemm(transpose_a, transpose_b, rows, cols, k,
                      detail::bits(detail::operand_at(transpose_a, a, lda, i)), lda,
                      detail::bits(detail::operand_at(!transpose_b, b, ldb, j)), ldb,
                      c + i * ldc + j, ldc, accumulate, bias ? bias + j : nullptr,
                      detail::packing_room<unsigned short, simd::amx::tiles_scratch>());
    });
    return;
  }
#endif
#if GAZE_X86
  if (way == Bf16Products::pairs) {
    const detail::Pairs x(!transpose_a, a_rows, a_cols, a, lda);
    const detail::Pairs y(transpose_b, b_rows, b_cols, b, ldb);
    detail::for_pieces(m, n, (k + 1) / 2, [&](Index i, Index rows, Index j, Index cols) {
      simd::avx512_bf16::gemm(transpose_a, transpose_b, rows, cols, (k + 1) / 2,
                              detail::operand_at(transpose_a, x.data, x.stride, i), x.stride,
                              detail::operand_at(!transpose_b, y.data, y.stride, j), y.stride,
                              c + i * ldc + j, ldc, accumulate, bias ? bias + j : nullptr,
                              detail::gemm_scratch());
    });
    return;
  }
#endif
  const detail::Room<float> x(a_rows * a_cols), y(b_rows * b_cols);
  detail::widen(a_rows, a_cols, a, lda, x.data());
  detail::widen(b_rows, b_cols, b, ldb, y.data());
  gemm<float>(transpose_a, transpose_b, m, n, k, x.data(), a_cols, y.data(), b_cols, c, ldc,
              accumulate, bias);
}

}  // namespace gaze::cpu
