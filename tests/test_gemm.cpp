// SPDX-License-Identifier: MIT
// The matrix product against float64, and the same bits for a row alone and in a batch.
#include "gaze/cpu/gemm.hpp"

#include <vector>

#include "tests/gemm_case.hpp"
#include "tests/restore.hpp"
#include "tests/test.hpp"

namespace test_gemm {

using gaze::Index;
using namespace gaze::test;

namespace {

using Case = gaze::test::GemmCase<float>;
}  // namespace

TEST_CASE("gemm agrees with float64 for every transpose and awkward size", "[gemm]") {
  const Restore restore;
  const Index sizes[][3] = {
      {0, 5, 3},      {5, 0, 3},      {1, 1, 1},      {1, 33, 2},     {2, 1, 15},    {3, 17, 16},
      {15, 31, 17},   {16, 16, 31},   {17, 15, 33},   {31, 64, 1},    {33, 2, 100},  {64, 33, 64},
      {12, 32, 256},  {13, 100, 257}, {100, 31, 257}, {257, 100, 33}, {97, 65, 300}, {5, 600, 40},
      {110, 530, 17}, {8, 50, 120},   {16, 333, 700}, {40, 300, 900}};
  for (auto isa : supported_isas()) {
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

TEST_CASE("gemm with k = 0 returns the start value", "[gemm]") {
  const Restore restore;
  for (auto isa : supported_isas()) {
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

TEST_CASE("gemm does not read its output when overwriting, nor beyond the last row", "[gemm]") {
  const Restore restore;
  for (auto isa : supported_isas()) {
    gaze::set_isa(isa);
    for (int transposes = 0; transposes < 4; ++transposes) {
      Case x{(transposes & 1) != 0, (transposes & 2) != 0, 29, 45, 35, 0};
      std::fill(x.c.begin(), x.c.end(), std::nanf(""));
      check_against_double(x, false, true);
    }
  }
}

TEST_CASE("a row of a product has the same bits as that row alone, at any thread count", "[gemm]") {
  const Restore restore;
  for (auto isa : supported_isas()) {
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
  const Restore restore;
  for (auto isa : supported_isas()) {
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

}  // namespace test_gemm
