// SPDX-License-Identifier: MIT
// The matrix product: C = start + op(A) op(B), threaded over rows or columns of C.
//
// Each element is one chain of multiply-adds over ascending k from its start value, so its bits do
// not depend on m, on the tile it fell in or on the number of threads.
#pragma once
#include <cstdint>
#include <type_traits>
#include <vector>

#include "gaze/core/index.hpp"
#include "gaze/core/parallel.hpp"
#include "gaze/cpu/simd/sets.hpp"

namespace gaze::cpu {

namespace reference {
/// The plain loops: what gemm means, for any T.
template <class T>
void gemm(bool transpose_a, bool transpose_b, Index m, Index n, Index k, const T* a, Index lda,
          const T* b, Index ldb, T* c, Index ldc, bool accumulate, const T* bias = nullptr) {
  for (Index i = 0; i < m; ++i)
    for (Index j = 0; j < n; ++j) {
      T sum = accumulate ? c[i * ldc + j] : bias ? bias[j] : T(0);
      for (Index p = 0; p < k; ++p)
        sum += (transpose_a ? a[p * lda + i] : a[i * lda + p]) *
               (transpose_b ? b[j * ldb + p] : b[p * ldb + j]);
      c[i * ldc + j] = sum;
    }
}
}  // namespace reference

namespace detail {
/// This thread's room for `Count` values that are packed, at a multiple of 64 bytes.
template <class T, int Count>
T* packing_room() {
  static thread_local std::vector<T> room(Count + 64 / sizeof(T));
  const auto at = reinterpret_cast<std::uintptr_t>(room.data());
  return room.data() + (64 - at % 64) % 64 / sizeof(T);
}
inline float* gemm_scratch() { return packing_room<float, simd::generic::gemm_scratch>(); }

/// Calls f(first row, rows, first column, columns) for pieces of C, on several threads.
template <class Function>
void for_pieces(Index m, Index n, Index k, Function f) {
  // Pieces of at least two million multiply-adds (some 40 us): waking a thread costs 5 to 20 us.
  // Packing an element of B costs about as much as four rows of work.
  const bool by_rows = m > n / 2;
  const Index length = by_rows ? m : n, unit = 32;
  const Index work = unit * (by_rows ? n : m + 4) * (k + 16);
  const Index grain = (Index{1} << 21) / (work > 0 ? work : 1) + 1;
  parallel_for((length + unit - 1) / unit, grain, [&](Index begin, Index end) {
    const Index first = begin * unit, count = std::min(length, end * unit) - first;
    if (by_rows)
      f(first, count, Index{0}, n);
    else
      f(Index{0}, m, first, count);
  });
}

/// Where row i of op(X) begins in X as stored, or column i, with `transposed` the other way.
template <class T>
const T* operand_at(bool transposed, const T* x, Index ld, Index i) {
  return x + (transposed ? i : i * ld);
}
}  // namespace detail

/// C[m,n] = start + op(A)[m,k] op(B)[k,n], row-major; start is C if accumulate, else bias[n] for
/// every row if given, else 0. op(X) is X stored transposed if so told; lda, ldb, ldc are the row
/// strides of the matrices as stored. C may not overlap A, B or bias.
template <class T>
void gemm(bool transpose_a, bool transpose_b, Index m, Index n, Index k, const T* a, Index lda,
          const T* b, Index ldb, T* c, Index ldc, bool accumulate, const T* bias = nullptr) {
  detail::for_pieces(m, n, k, [&](Index i, Index rows, Index j, Index cols) {
    const T* const x = detail::operand_at(transpose_a, a, lda, i);
    const T* const y = detail::operand_at(!transpose_b, b, ldb, j);
    T* const to = c + i * ldc + j;
    const T* const add = bias ? bias + j : nullptr;
    if constexpr (std::is_same_v<T, float>)
      GAZE_SIMD(gemm, transpose_a, transpose_b, rows, cols, k, x, lda, y, ldb, to, ldc, accumulate,
                add, detail::gemm_scratch());
    else
      reference::gemm(transpose_a, transpose_b, rows, cols, k, x, lda, y, ldb, to, ldc, accumulate,
                      add);
  });
}

}  // namespace gaze::cpu
