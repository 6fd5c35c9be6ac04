// SPDX-License-Identifier: MIT
// The matrix product against float64, and its promise: the same bits for a row alone and in
// company.
#include "gaze/cpu/gemm.hpp"

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "tests/restore.hpp"
#include "tests/test.hpp"

using gaze::Index;

namespace {

std::vector<float> noise(Index count, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> v(static_cast<std::size_t>(count));
  for (float& x : v) x = uniform(random);
  return v;
}

std::vector<double> widened(const std::vector<float>& v) { return {v.begin(), v.end()}; }

std::vector<gaze::Isa> instruction_sets() {
  std::vector<gaze::Isa> sets;
  for (auto isa : {gaze::Isa::generic, gaze::Isa::avx2, gaze::Isa::avx512})
    if (gaze::supported(isa)) sets.push_back(isa);
  return sets;
}

/// One product with rows `gap` wider than needed; the gaps of C must stay as they were.
struct Case {
  bool ta, tb;
  Index m, n, k, gap;
  Index lda = (ta ? m : k) + gap, ldb = (tb ? k : n) + gap, ldc = n + gap;
  std::vector<float> a = noise((ta ? k : m) * lda, 1), b = noise((tb ? n : k) * ldb, 2);
  std::vector<float> c = noise(m * ldc, 3), bias = noise(n, 4);

  std::vector<float> product(bool accumulate, bool with_bias) const {
    std::vector<float> out = c;
    multiply(m, a.data(), out, accumulate, with_bias ? bias.data() : nullptr);
    return out;
  }

  /// Row i of C as a product of its own.
  std::vector<float> row(Index i, bool accumulate) const {
    std::vector<float> out(c.begin() + i * ldc, c.begin() + (i + 1) * ldc);
    multiply(1, a.data() + (ta ? i : i * lda), out, accumulate, nullptr);
    return out;
  }

 private:
  void multiply(Index rows, const float* from, std::vector<float>& out, bool accumulate,
                const float* start) const {
    gaze::cpu::gemm(gaze::args::Gemm<float>{.transpose_a = ta,
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

void check_against_double(const Case& x, bool accumulate, bool with_bias) {
  const auto a = widened(x.a), b = widened(x.b), bias = widened(x.bias);
  auto expected = widened(x.c);
  gaze::cpu::reference::gemm(x.ta, x.tb, x.m, x.n, x.k, a.data(), x.lda, b.data(), x.ldb,
                             expected.data(), x.ldc, accumulate, with_bias ? bias.data() : nullptr);
  const auto got = x.product(accumulate, with_bias);
  double error = 0, norm = 0;
  bool gaps_untouched = true;
  for (Index i = 0; i < x.m; ++i)
    for (Index j = 0; j < x.ldc; ++j) {
      const auto at = static_cast<std::size_t>(i * x.ldc + j);
      if (j >= x.n) gaps_untouched = gaps_untouched && got[at] == x.c[at];
      error += (got[at] - expected[at]) * (got[at] - expected[at]);
      norm += expected[at] * expected[at];
    }
  INFO("m " << x.m << " n " << x.n << " k " << x.k << " ta " << x.ta << " tb " << x.tb << " gap "
            << x.gap << " accumulate " << accumulate << " bias " << with_bias << " "
            << gaze::name(gaze::isa()));
  CHECK(gaps_untouched);
  CHECK(std::sqrt(error) <= 2e-6 * std::sqrt(norm));  // NaN fails too
}

bool same_bits(const float* a, const float* b, Index count) {
  return std::memcmp(a, b, static_cast<std::size_t>(count) * sizeof(float)) == 0;
}

}  // namespace

TEST_CASE("gemm agrees with float64 for every transpose and awkward size", "[gemm]") {
  const gaze::test::Restore restore;
  const Index sizes[][3] = {{0, 5, 3},     {5, 0, 3},      {1, 1, 1},      {1, 33, 2},
                            {2, 1, 15},    {3, 17, 16},    {15, 31, 17},   {16, 16, 31},
                            {17, 15, 33},  {31, 64, 1},    {33, 2, 100},   {64, 33, 64},
                            {12, 32, 256}, {13, 100, 257}, {100, 31, 257}, {257, 100, 33},
                            {97, 65, 300}, {5, 600, 40},   {110, 530, 17}};
  for (auto isa : instruction_sets()) {
    gaze::set_isa(isa);
    for (const auto& s : sizes)
      for (int transposes = 0; transposes < 4; ++transposes)
        for (int start = 0; start < 3; ++start) {
          const Index gap = (s[0] + start) % 3 * 3;
          const Case x{(transposes & 1) != 0, (transposes & 2) != 0, s[0], s[1], s[2], gap};
          check_against_double(x, start == 1, start == 2);
        }
  }
}

TEST_CASE("gemm with nothing to sum gives the start value", "[gemm]") {
  const gaze::test::Restore restore;
  for (auto isa : instruction_sets()) {
    gaze::set_isa(isa);
    const Case x{false, true, 19, 37, 0, 2};
    const auto zero = x.product(false, false), kept = x.product(true, false);
    const auto bias = x.product(false, true);
    CHECK(kept == x.c);
    for (Index i = 0; i < x.m; ++i)
      for (Index j = 0; j < x.n; ++j) {
        REQUIRE(zero[static_cast<std::size_t>(i * x.ldc + j)] == 0.0f);
        REQUIRE(bias[static_cast<std::size_t>(i * x.ldc + j)] ==
                x.bias[static_cast<std::size_t>(j)]);
      }
  }
}

TEST_CASE("gemm does not read what it overwrites, nor beyond the last row", "[gemm]") {
  const gaze::test::Restore restore;
  for (auto isa : instruction_sets()) {
    gaze::set_isa(isa);
    for (int transposes = 0; transposes < 4; ++transposes) {
      Case x{(transposes & 1) != 0, (transposes & 2) != 0, 29, 45, 35, 0};
      std::fill(x.c.begin(), x.c.end(), std::nanf(""));
      check_against_double(x, false, true);
    }
  }
}

TEST_CASE("a row of a product has the same bits as that row alone, at any thread count", "[gemm]") {
  const gaze::test::Restore restore;
  for (auto isa : instruction_sets()) {
    gaze::set_isa(isa);
    for (int transposes = 0; transposes < 4; ++transposes)
      for (bool accumulate : {false, true}) {
        const Case x{(transposes & 1) != 0, (transposes & 2) != 0, 211, 171, 530, 5};
        gaze::set_threads(1);
        const auto whole = x.product(accumulate, false);
        for (int threads : {2, 4}) {
          gaze::set_threads(threads);
          CHECK(x.product(accumulate, false) == whole);
        }
        for (Index i = 0; i < x.m; i += 7)
          REQUIRE(same_bits(x.row(i, accumulate).data(), whole.data() + i * x.ldc, x.n));
      }
  }
}

TEST_CASE("the first rows of a product have the same bits for every number of rows", "[gemm]") {
  const gaze::test::Restore restore;
  for (auto isa : instruction_sets()) {
    gaze::set_isa(isa);
    for (bool tb : {false, true}) {
      const Case big{false, tb, 130, 344, 384, 0};
      const auto whole = big.product(false, true);
      for (Index m : {1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 16, 17, 31, 48, 64, 96, 97, 128}) {
        Case part = big;
        part.m = m;
        CHECK(same_bits(part.product(false, true).data(), whole.data(), m * big.n));
      }
    }
  }
}

TEST_CASE("gemm in double is the plain sum", "[gemm]") {
  const double a[] = {1, 2, 3, 4, 5, 6}, b[] = {1, 0, 2, 0, 1, 3}, bias[] = {10, 20};
  double c[4] = {};
  gaze::cpu::gemm(gaze::args::Gemm<double>{.transpose_a = false,
                                           .transpose_b = true,
                                           .m = 2,
                                           .n = 2,
                                           .k = 3,
                                           .a = a,
                                           .lda = 3,
                                           .b = b,
                                           .ldb = 3,
                                           .c = c,
                                           .ldc = 2,
                                           .bias = bias});
  CHECK(c[0] == 17);
  CHECK(c[1] == 31);
  CHECK(c[2] == 26);
  CHECK(c[3] == 43);
}
