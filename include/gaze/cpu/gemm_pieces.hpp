// SPDX-License-Identifier: MIT
// The matrix product of float and double, threaded over rows or columns of C.
//
// Each element is one chain of multiply-adds over ascending k from its start value, so its bits do
// not depend on m, on its tile or on the number of threads.
#pragma once
#include <cstdint>
#include <type_traits>
#include <vector>

#include "gaze/core/index.hpp"
#include "gaze/core/parallel.hpp"
#include "gaze/cpu/simd/sets.hpp"
#include "gaze/kernels/gemm.hpp"

namespace gaze::cpu {

namespace reference {
/// The plain loops, for any T: the definition of gemm.
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
/// This thread's buffer for `Count` packed values, aligned to 64 bytes.
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

/// The start of row i of op(x) in x as stored; with `transposed` negated, of column i.
template <class T>
const T* operand_at(bool transposed, const T* x, Index ld, Index i) {
  return x + (transposed ? i : i * ld);
}

/// gemm() for float or double.
template <class T>
void gemm_in_pieces(const args::Gemm<T>& p) {
  for_pieces(p.m, p.n, p.k, [&](Index i, Index rows, Index j, Index cols) {
    const T* const a = operand_at(p.transpose_a, p.a, p.lda, i);
    const T* const b = operand_at(!p.transpose_b, p.b, p.ldb, j);
    T* const c = p.c + i * p.ldc + j;
    const T* const bias = p.bias ? p.bias + j : nullptr;
    if constexpr (std::is_same_v<T, float>)
      GAZE_SIMD(gemm, p.transpose_a, p.transpose_b, rows, cols, p.k, a, p.lda, b, p.ldb, c, p.ldc,
                p.accumulate, bias, gemm_scratch());
    else
      reference::gemm(p.transpose_a, p.transpose_b, rows, cols, p.k, a, p.lda, b, p.ldb, c, p.ldc,
                      p.accumulate, bias);
  });
}

}  // namespace detail

}  // namespace gaze::cpu
