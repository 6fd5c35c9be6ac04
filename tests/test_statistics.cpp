// SPDX-License-Identifier: MIT
// Intervals against closed forms and hand-computed values.
#include "phyx/results/statistics.hpp"

#include <numeric>

#include "gaze/core/error.hpp"
#include "tests/test.hpp"

namespace test_statistics {

using namespace gaze::phyx;

namespace {

/// A coin flip with probability p, from a counter.
double coin(std::uint64_t key, std::uint64_t i, double p) {
  return draw_below(key, i, 1u << 20) < p * (1u << 20) ? 1.0 : 0.0;
}

}  // namespace

TEST_CASE("pass@k has the values of the combinatorial formula", "[statistics]") {
  CHECK(pass_at_k(8, 0, 4) == 0);
  CHECK(pass_at_k(8, 8, 4) == 1);
  CHECK(pass_at_k(8, 3, 1) == Catch::Approx(3.0 / 8));
  CHECK(pass_at_k(4, 1, 2) == Catch::Approx(0.5));              // 1 - C(3,2)/C(4,2)
  CHECK(pass_at_k(10, 3, 5) == Catch::Approx(1 - 21.0 / 252));  // 1 - C(7,5)/C(10,5)
  CHECK(pass_at_k(8, 5, 4) == 1);                               // fewer than four wrong ones
  CHECK_THROWS_AS(pass_at_k(4, 1, 5), gaze::Error);
  CHECK_THROWS_AS(pass_at_k(4, 5, 1), gaze::Error);
}

TEST_CASE("Wilson's interval has its published values", "[statistics]") {
  const Interval none = wilson(0, 10);  // 0 of 10: 0 to z^2 / (n + z^2)
  const double z2 = 1.959963984540054 * 1.959963984540054;
  CHECK(none.low == Catch::Approx(0).margin(1e-12));
  CHECK(none.high == Catch::Approx(z2 / (10 + z2)));
  const Interval half = wilson(5, 10);
  CHECK(half.low == Catch::Approx(0.2366).margin(1e-4));
  CHECK(half.high == Catch::Approx(0.7634).margin(1e-4));
  CHECK_THROWS_AS(wilson(3, 2), gaze::Error);
}

TEST_CASE("quantiles interpolate between order statistics", "[statistics]") {
  std::vector<double> v = {4, 1, 3, 2};
  CHECK(quantile(v, 0) == 1);
  CHECK(quantile(v, 1) == 4);
  CHECK(quantile(v, 0.5) == Catch::Approx(2.5));
  CHECK(quantile(v, 0.25) == Catch::Approx(1.75));
}

TEST_CASE("every resample draws as many problems as there are", "[statistics]") {
  const Resamples draws(37, 50, 3);
  double drawn_once = 0;
  for (int b = 0; b < 50; ++b) {
    CHECK(std::accumulate(draws.row(b), draws.row(b) + 37, 0.f) == 37.f);
    for (int i = 0; i < 37; ++i) drawn_once += draws.row(b)[i] > 0;
  }
  CHECK(drawn_once / (50 * 37) == Catch::Approx(1 - std::pow(1 - 1.0 / 37, 37)).margin(0.03));
}

TEST_CASE("the blocked product equals plain sums", "[statistics]") {
  const Resamples draws(11, 7, 5);  // 7 is no multiple of the block of four
  std::vector<float> values(11 * 16), out(7 * 16);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = float(draw_below(1, i, 9));
  resampled_sums(draws, values.data(), 16, out.data());
  for (int b = 0; b < 7; ++b)
    for (std::size_t c = 0; c < 16; ++c) {
      float sum = 0;
      for (std::size_t i = 0; i < 11; ++i) sum += draws.row(b)[i] * values[i * 16 + c];
      CHECK(out[std::size_t(b) * 16 + c] == sum);
    }
}

TEST_CASE("the bootstrap interval has the width of the standard error, and repeats",
          "[statistics]") {
  std::vector<double> values(400);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = i % 4 == 0;  // p = 1/4
  const Interval a = bootstrap_mean(values, 9);
  const double error = std::sqrt(0.25 * 0.75 / 400);
  CHECK(a.value == Catch::Approx(0.25));
  CHECK(a.high - a.low == Catch::Approx(2 * 1.96 * error).epsilon(0.08));
  const Interval b = bootstrap_mean(values, 9), other = bootstrap_mean(values, 10);
  CHECK(a.low == b.low);
  CHECK(a.high == b.high);
  CHECK((other.low != a.low || other.high != a.high));
}

TEST_CASE("95 % intervals cover the truth about 95 times in 100", "[statistics]") {
  int covered = 0;
  for (int trial = 0; trial < 300; ++trial) {
    std::vector<double> values(120);
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = coin(mix_bits(std::uint64_t(trial) + 77), i, 0.4);
    const Interval interval = bootstrap_mean(values, std::uint64_t(trial), 400);
    covered += interval.low <= 0.4 && 0.4 <= interval.high;
  }
  CHECK(covered >= 272);  // 95 % of 300 is 285, deviation 3.8
  CHECK(covered <= 297);
}

TEST_CASE("a paired difference cancels what both sides share", "[statistics]") {
  std::vector<double> a(300), b(300);
  for (std::size_t i = 0; i < a.size(); ++i) {
    b[i] = coin(1, i, 0.5);         // hard and easy problems
    a[i] = i % 10 == 0 ? 1 : b[i];  // a also solves every tenth
  }
  const Interval d = bootstrap_difference(a, b, 4);
  const Interval own = bootstrap_mean(a, 4);
  CHECK(d.low > 0);
  CHECK(d.high - d.low < 0.7 * (own.high - own.low));
  CHECK_THROWS_AS(bootstrap_difference(a, {1.0}, 4), gaze::Error);
}

TEST_CASE("seeds that differ widen the pooled interval", "[statistics]") {
  std::vector<std::vector<double>> same(4, std::vector<double>(500)), differ = same;
  for (std::size_t s = 0; s < 4; ++s)
    for (std::size_t i = 0; i < 500; ++i) {
      same[s][i] = coin(5, i, 0.5);
      differ[s][i] = coin(5, i, 0.2 + 0.2 * double(s));
    }
  const Interval one = bootstrap_seeds({same[0]}, 2), pooled = bootstrap_seeds(same, 2);
  const Interval wide = bootstrap_seeds(differ, 2);
  CHECK(pooled.low == Catch::Approx(one.low));  // copies of one seed add nothing
  CHECK(wide.value == Catch::Approx(0.5).margin(0.05));
  CHECK(wide.high - wide.low > 2 * (pooled.high - pooled.low));
  CHECK_THROWS_AS(bootstrap_seeds({{1, 0}, {1}}, 2), gaze::Error);
}

TEST_CASE("a value lies in its interval despite rounding", "[statistics]") {
  for (int n = 1; n <= 400; ++n)
    for (int hits = 0; hits <= n; ++hits) {
      const Interval i = wilson(hits, n);
      REQUIRE((0 <= i.low && i.low <= i.value && i.value <= i.high && i.high <= 1));
    }
  CHECK(wilson(0, 41).low == 0);
  CHECK(wilson(41, 41).high == 1);
  for (const double value : {0.1, 0.3, 1.0 / 3, 0.7}) {  // replicates are sums of floats
    const Interval i = bootstrap_mean(std::vector<double>(17, value));
    CHECK((i.low <= i.value && i.value <= i.high));
  }
}

}  // namespace test_statistics
