// SPDX-License-Identifier: MIT
// The matrix product of bf16 operands against float64, with and without the processor's bf16
// instructions, and the same bits for a row alone and in a batch.
#include "gaze/cpu/gemm.hpp"

#include <cmath>
#include <cstdlib>
#include <limits>

#include "tests/gemm_case.hpp"
#include "tests/restore.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_gemm_bf16 {

using gaze::bf16;
using gaze::Index;
using gaze::Isa;
using namespace gaze::test;

namespace {

using Case = gaze::test::GemmCase<bf16>;
using Way = gaze::Bf16Products;

/// Runs f on every instruction set and every bf16 product path of this processor.
template <class Function>
void in_every_way(Function f) {
  const Restore restore;
  for (const auto isa : gaze::every_isa)
    for (const auto way : gaze::every_bf16_products) {
      if (!gaze::supported(isa) || !gaze::supported(way)) continue;
      gaze::set_isa(isa);
      gaze::set_bf16_products(way);
      if (gaze::bf16_products() != way) continue;  // only with AVX-512
      INFO("instruction set " << gaze::name(isa) << ", bf16 in " << gaze::name(way));
      f();
    }
}

}  // namespace

TEST_CASE("bf16 products are float32 sums of exact products on every path") {
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

TEST_CASE("a bf16 product with k = 0 keeps the start value") {
  in_every_way([] {
    const Case x{false, true, 3, 5, 0, 0};
    CHECK(x.product(true, false) == x.c);
    const auto y = x.product(false, true);
    for (std::size_t i = 0; i < y.size(); ++i) CHECK(y[i] == x.bias[i % 5]);
  });
}

TEST_CASE("a row of a bf16 product has the same bits alone, in a batch and on more threads") {
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

TEST_CASE("infinities and NaNs propagate through a bf16 product within their rows") {
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

TEST_CASE("GAZE_BF16 selects the bf16 product path by a known name") {
  const auto chosen = [](const char* text) {
    ::setenv("GAZE_TEST_WAY", text, 1);
    return gaze::detail::choice_from("GAZE_TEST_WAY", gaze::every_bf16_products, Way::avx512_bf16);
  };
  ::unsetenv("GAZE_TEST_WAY");
  CHECK(gaze::detail::choice_from("GAZE_TEST_WAY", {Way::f32}, Way::avx512_bf16) ==
        Way::avx512_bf16);
  CHECK(chosen("floats") == Way::f32);
  const auto refused = [&](const char* text, const char* because) {
    return gaze::test::contains(gaze::test::error_of([&] { chosen(text); }), because);
  };
  CHECK(refused("fast", "GAZE_TEST_WAY=fast: not one of floats, pairs, tiles"));
  if (!gaze::supported(Way::amx)) CHECK(refused("tiles", "this processor does not have it"));
  ::unsetenv("GAZE_TEST_WAY");
}

}  // namespace test_gemm_bf16
