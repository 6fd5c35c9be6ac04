// SPDX-License-Identifier: MIT
// One matrix product with random operands of any type, against float64.
#pragma once
#include <cmath>
#include <vector>

#include "gaze/cpu/gemm.hpp"
#include "tests/numbers.hpp"
#include "tests/restore.hpp"

namespace gaze::test {

/// C [m, n] = A B (+ C) (+ bias) in float32, from operands of type T. Rows are `gap` elements wider
/// than needed; the gaps of C must not be written.
template <class T>
struct GemmCase {
  bool ta, tb;
  Index m, n, k, gap;
  Index lda = (ta ? m : k) + gap, ldb = (tb ? k : n) + gap, ldc = n + gap;
  std::vector<T> a = noise<T>((ta ? k : m) * lda, 1), b = noise<T>((tb ? n : k) * ldb, 2);
  std::vector<float> c = converted<float>(noise<T>(m * ldc, 3));
  std::vector<float> bias = converted<float>(noise<T>(n, 4));

  std::vector<float> product(bool accumulate, bool with_bias) const {
    std::vector<float> out = c;
    multiply(m, a.data(), out, accumulate, with_bias ? bias.data() : nullptr);
    return out;
  }

  std::vector<double> expected(bool accumulate, bool with_bias) const {
    const auto x = converted<double>(a), y = converted<double>(b), start = converted<double>(bias);
    auto out = converted<double>(c);
    cpu::reference::gemm(ta, tb, m, n, k, x.data(), lda, y.data(), ldb, out.data(), ldc, accumulate,
                         with_bias ? start.data() : nullptr);
    return out;
  }

  /// Row i of C as a product of its own.
  std::vector<float> row(Index i, bool accumulate) const {
    std::vector<float> out(c.begin() + i * ldc, c.begin() + (i + 1) * ldc);
    multiply(1, a.data() + (ta ? i : i * lda), out, accumulate, nullptr);
    return out;
  }

 private:
  void multiply(Index rows, const T* from, std::vector<float>& out, bool accumulate,
                const float* start) const {
    cpu::gemm(args::Gemm<T>{.transpose_a = ta,
                            .transpose_b = tb,
                            .m = rows,
                            .n = n,
                            .k = k,
                            .a = from,
                            .lda = lda,
                            .b = b.data(),
                            .ldb = ldb,
                            .c = out.data(),
                            .ldc = ldc,
                            .accumulate = accumulate,
                            .bias = start});
  }
};

template <class T>
void check_against_double(const GemmCase<T>& x, bool accumulate, bool with_bias) {
  INFO("transposed " << x.ta << x.tb << ", sizes " << x.m << " x " << x.n << " x " << x.k
                     << ", gap " << x.gap << ", accumulate " << accumulate << ", bias " << with_bias
                     << ", " << name(isa()));
  const auto got = x.product(accumulate, with_bias);
  const auto expected = x.expected(accumulate, with_bias);
  double error = 0, norm = 0;
  bool gaps_untouched = true;
  for (Index i = 0; i < x.m; ++i)
    for (Index j = 0; j < x.ldc; ++j) {
      const auto at = static_cast<std::size_t>(i * x.ldc + j);
      if (j >= x.n) gaps_untouched = gaps_untouched && got[at] == x.c[at];
      error += std::pow(got[at] - expected[at], 2);
      norm += std::pow(expected[at], 2);
    }
  CHECK(gaps_untouched);
  CHECK(std::sqrt(error) <= 2e-6 * std::sqrt(norm));  // NaN fails too
}

}  // namespace gaze::test
