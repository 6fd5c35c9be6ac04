// SPDX-License-Identifier: MIT
// The matrix product of bf16 operands against float64, with and without the processor's own
// instruction, and its promise: the same bits for a row alone and in company.
#include "gaze/cpu/gemm.hpp"

#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>

#include "tests/restore.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

using gaze::bf16;
using gaze::Index;
using gaze::Isa;

namespace {

std::vector<bf16> noise(Index count, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<bf16> v;
  for (Index i = 0; i < count; ++i) v.emplace_back(uniform(random));
  return v;
}

template <class T>
std::vector<T> widened(const std::vector<bf16>& v) {
  std::vector<T> out;
  for (const bf16 x : v) out.push_back(static_cast<T>(static_cast<float>(x)));
  return out;
}

/// One product with rows `gap` wider than needed; the gaps of C must stay as they were.
struct Case {
  bool ta, tb;
  Index m, n, k, gap;
  Index lda = (ta ? m : k) + gap, ldb = (tb ? k : n) + gap, ldc = n + gap;
  std::vector<bf16> a = noise((ta ? k : m) * lda, 1), b = noise((tb ? n : k) * ldb, 2);
  std::vector<float> c = widened<float>(noise(m * ldc, 3)), bias = widened<float>(noise(n, 4));

  std::vector<float> product(bool accumulate, bool with_bias) const {
    std::vector<float> out = c;
    multiply(m, a.data(), out, accumulate, with_bias ? bias.data() : nullptr);
    return out;
  }

  std::vector<double> expected(bool accumulate, bool with_bias) const {
    const auto x = widened<double>(a), y = widened<double>(b);
    std::vector<double> out(c.begin(), c.end()), start(bias.begin(), bias.end());
    gaze::cpu::reference::gemm(ta, tb, m, n, k, x.data(), lda, y.data(), ldb, out.data(), ldc,
                               accumulate, with_bias ? start.data() : nullptr);
    return out;
  }

  /// Row i of C as a product of its own.
  std::vector<float> row(Index i, bool accumulate) const {
    std::vector<float> out(c.begin() + i * ldc, c.begin() + (i + 1) * ldc);
    multiply(1, a.data() + (ta ? i : i * lda), out, accumulate, nullptr);
    return out;
  }

 private:
  void multiply(Index rows, const bf16* from, std::vector<float>& out, bool accumulate,
                const float* start) const {
    gaze::cpu::gemm(gaze::args::Gemm<bf16>{.transpose_a = ta,
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
  INFO("transposed " << x.ta << x.tb << ", sizes " << x.m << " x " << x.n << " x " << x.k
                     << ", gap " << x.gap << ", accumulate " << accumulate << ", bias "
                     << with_bias);
  const auto got = x.product(accumulate, with_bias);
  const auto expected = x.expected(accumulate, with_bias);
  double error = 0, norm = 0;
  for (Index i = 0; i < x.m; ++i)
    for (Index j = 0; j < x.ldc; ++j) {
      const auto at = static_cast<std::size_t>(i * x.ldc + j);
      if (j >= x.n) {
        if (got[at] != x.c[at]) FAIL("a gap of C was written to, at " << i << ", " << j);
        continue;
      }
      error += std::pow(got[at] - expected[at], 2);
      norm += std::pow(expected[at], 2);
    }
  CHECK(std::sqrt(error) <= 2e-6 * std::sqrt(norm));
}

/// On every instruction set, and in every way that this processor has for products of bf16.
template <class Function>
void in_every_way(Function f) {
  using Way = gaze::Bf16Products;
  const gaze::test::Restore restore;
  for (const auto isa : {Isa::generic, Isa::avx2, Isa::avx512})
    for (const auto way : {Way::f32, Way::avx512_bf16, Way::amx}) {
      if (!gaze::supported(isa) || !gaze::supported(way)) continue;
      gaze::set_isa(isa);
      gaze::set_bf16_products(way);
      if (gaze::bf16_products() != way) continue;  // only with AVX-512
      INFO("instruction set " << gaze::name(isa) << ", bf16 in " << gaze::name(way));
      f();
    }
}

}  // namespace

TEST_CASE("bf16 products are float32 sums of exact products, in every form") {
  in_every_way([] {
    for (const bool ta : {false, true})
      for (const bool tb : {false, true})
        for (const auto [m, n, k] : {std::array<Index, 3>{1, 1, 1},
                                     {1, 40, 64},
                                     {3, 33, 17},
                                     {8, 64, 128},
                                     {13, 31, 2},
                                     {37, 70, 391},
                                     {64, 96, 800},
                                     {100, 5, 1023},
                                     {33, 544, 1056},
                                     {5, 600, 320},
                                     {130, 530, 40}})
          for (const Index gap : {0, 1, 6}) {
            const Case x{ta, tb, m, n, k, gap};
            check_against_double(x, false, false);
            check_against_double(x, true, false);
            check_against_double(x, false, true);
          }
  });
}

TEST_CASE("a depth of zero leaves the start of a bf16 product") {
  in_every_way([] {
    const Case x{false, true, 3, 5, 0, 0};
    CHECK(x.product(true, false) == x.c);
    const auto y = x.product(false, true);
    for (std::size_t i = 0; i < y.size(); ++i) CHECK(y[i] == x.bias[i % 5]);
  });
}

TEST_CASE("a row of a bf16 product has the same bits alone, in company and on more threads") {
  in_every_way([] {
    for (const bool ta : {false, true})
      for (const bool tb : {false, true}) {
        const Case x{ta, tb, 70, 130, 801, 3};
        for (const bool accumulate : {false, true}) {
          gaze::set_threads(1);
          const auto whole = x.product(accumulate, false);
          for (const int threads : {2, 4}) {
            gaze::set_threads(threads);
            CHECK(x.product(accumulate, false) == whole);
          }
          for (Index i = 0; i < x.m; ++i) {
            const auto alone = x.row(i, accumulate);
            const std::vector<float> there(whole.begin() + i * x.ldc,
                                           whole.begin() + (i + 1) * x.ldc);
            INFO("row " << i);
            CHECK(alone == there);
          }
        }
      }
  });
}

TEST_CASE("infinities and NaNs pass through a bf16 product, and stay in their rows") {
  in_every_way([] {
    for (const bool ta : {false, true}) {
      Case x{ta, true, 4, 20, 33, 0};
      x.a[static_cast<std::size_t>(ta ? 32 * 4 + 1 : 1 * 33 + 32)] =
          bf16(std::numeric_limits<float>::infinity());
      x.a[static_cast<std::size_t>(ta ? 5 * 4 + 2 : 2 * 33 + 5)] =
          bf16(std::numeric_limits<float>::quiet_NaN());
      const auto y = x.product(false, false);
      for (std::size_t j = 0; j < 20; ++j) {
        CHECK(std::isfinite(y[j]));
        CHECK(std::isinf(y[20 + j]));
        CHECK(std::isnan(y[40 + j]));
        CHECK(std::isfinite(y[60 + j]));
      }
    }
  });
}

TEST_CASE("the environment chooses how products of bf16 are worked out, by a name it knows") {
  using Way = gaze::Bf16Products;
  const auto chosen = [](const char* text) {
    ::setenv("GAZE_TEST_WAY", text, 1);
    return gaze::detail::choice_from("GAZE_TEST_WAY", {Way::f32, Way::avx512_bf16, Way::amx},
                                     Way::avx512_bf16);
  };
  ::unsetenv("GAZE_TEST_WAY");
  CHECK(gaze::detail::choice_from("GAZE_TEST_WAY", {Way::f32}, Way::avx512_bf16) ==
        Way::avx512_bf16);
  CHECK(chosen("floats") == Way::f32);
  const auto refused = [&](const char* text, const char* because) {
    return gaze::test::holds(gaze::test::error_of([&] { chosen(text); }), because);
  };
  CHECK(refused("fast", "GAZE_TEST_WAY=fast: not one of floats, pairs, tiles"));
  if (!gaze::supported(Way::amx)) CHECK(refused("tiles", "this processor does not have it"));
  ::unsetenv("GAZE_TEST_WAY");
}
