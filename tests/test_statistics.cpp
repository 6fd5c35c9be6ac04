// SPDX-License-Identifier: MIT
// Intervals and distributions against closed forms and hand-computed values.
#include "phyx/results/statistics.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "gaze/core/error.hpp"
#include "phyx/results/decision.hpp"
#include "phyx/results/student.hpp"
#include "tests/test.hpp"

namespace test_statistics {

using namespace gaze::phyx;

namespace {

/// A table of means: one value per seed and scene.
RatioTable means(const std::vector<std::vector<double>>& by_seed) {
  RatioTable out;
  for (const auto& seed : by_seed) {
    auto& scenes = out.emplace_back();
    for (const double v : seed) scenes.push_back({v, 1});
  }
  return out;
}

constexpr double t_4 = 2.7764451052;  // the 97.5 % point of Student's t with 4 degrees of freedom

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

TEST_CASE("Student's t has its published values, also for fractions of a degree", "[statistics]") {
  CHECK(student_quantile(.975, 1) == Catch::Approx(12.7062047362).epsilon(1e-9));
  CHECK(student_quantile(.975, 4) == Catch::Approx(t_4).epsilon(1e-9));
  CHECK(student_quantile(.95, 4) == Catch::Approx(2.1318467863).epsilon(1e-9));
  CHECK(student_quantile(.975, 10) == Catch::Approx(2.2281388520).epsilon(1e-9));
  CHECK(student_quantile(.975, 1e9) == Catch::Approx(1.95996398).epsilon(1e-5));
  CHECK(student_quantile(.025, 10) == -student_quantile(.975, 10));
  CHECK(student_quantile(.5, 3) == 0);
  // One degree is Cauchy's distribution, two have F(t) = 1/2 + t / (2 sqrt(2 + t^2)).
  for (const double t : {-40.0, -1.0, 0.0, .3, 7.0, 1e6}) {
    CHECK(student_cdf(t, 1) == Catch::Approx(.5 + std::atan(t) / 3.14159265358979323846));
    CHECK(student_cdf(t, 2) == Catch::Approx(.5 + t / (2 * std::sqrt(2 + t * t))).margin(1e-15));
  }
  for (const double df : {.7, 2.5, 33.3, 4000.0})
    for (const double p : {.01, .6, .975, .9999})
      CHECK(student_cdf(student_quantile(p, df), df) == Catch::Approx(p).epsilon(1e-9));
  CHECK_THROWS_AS(student_quantile(.975, 0), gaze::Error);
  CHECK_THROWS_AS(student_quantile(1, 4), gaze::Error);
}

TEST_CASE("if only seeds differ, the interval is the t interval over seed means", "[statistics]") {
  // Seed means .1, .2, .3, .4, .5: standard deviation sqrt(.025), error sqrt(.025 / 5).
  std::vector<std::vector<double>> by_seed;
  for (const double mean : {.1, .2, .3, .4, .5}) by_seed.push_back(std::vector<double>(50, mean));
  const Interval i = *ratio_interval(means(by_seed));
  CHECK(i.value == Catch::Approx(.3));
  CHECK(i.error == Catch::Approx(std::sqrt(.005)));
  CHECK(i.df == Catch::Approx(4));
  CHECK(i.low == Catch::Approx(.3 - t_4 * std::sqrt(.005)));
  CHECK(i.high == Catch::Approx(.3 + t_4 * std::sqrt(.005)));
  CHECK(i.seeds == 5);
  CHECK(i.scenes == 50);
  CHECK(i.basis == Basis::seeds_and_scenes);
}

TEST_CASE("with one seed the interval covers scenes only", "[statistics]") {
  // 0, 0, 1, 1, 1: variance .3, error sqrt(.3 / 5), 4 degrees of freedom.
  const Interval i = *ratio_interval(means({{0, 0, 1, 1, 1}}));
  CHECK(i.basis == Basis::scenes);
  CHECK(i.seeds == 1);
  CHECK(i.error == Catch::Approx(std::sqrt(.06)));
  CHECK(i.df == Catch::Approx(4));
  CHECK(i.high - i.low == Catch::Approx(2 * t_4 * std::sqrt(.06)));
}

TEST_CASE("variances of seeds and scenes add up, with Satterthwaite's degrees of freedom",
          "[statistics]") {
  // Seed means 0.25 and 0.75: variance of the mean 1/16. Scene means 0, .5, 1 and 0.5: variance
  // 1/6, of the mean 1/24. df = (5/48)^2 / ((1/16)^2 / 1 + (1/24)^2 / 3) = 25/9 / (1 + 4/27) =
  // 75/31.
  const Interval i = *ratio_interval(means({{0, 0, 1, 0}, {0, 1, 1, 1}}));
  CHECK(i.value == Catch::Approx(.5));
  CHECK(i.error == Catch::Approx(std::sqrt(5.0 / 48)));
  CHECK(i.df == Catch::Approx(75.0 / 31));
  // The order of seeds and of scenes does not matter.
  const Interval other = *ratio_interval(means({{1, 0, 1, 1}, {0, 0, 0, 1}}));
  CHECK(other.error == Catch::Approx(i.error));
}

TEST_CASE("copies of a scene's answers do not narrow the interval", "[statistics]") {
  RatioTable once(1), often(1);
  for (int i = 0; i < 30; ++i) {
    once[0].push_back({double(i % 3 == 0), 1});
    often[0].push_back({8.0 * double(i % 3 == 0), 8});  // both forms, four samples each
  }
  CHECK(ratio_interval(often)->error == Catch::Approx(ratio_interval(once)->error));
}

TEST_CASE("the interval of a ratio is its jackknife interval", "[statistics]") {
  // (1 + 2 + 0) / (2 + 2 + 1); without one scene: 2/3, 1/3, 3/4.
  const Interval i = *ratio_interval({{{1, 2}, {2, 2}, {0, 1}}});
  const double mean = (2.0 / 3 + 1.0 / 3 + .75) / 3;
  const auto square = [&](double r) { return (r - mean) * (r - mean); };
  CHECK(i.value == Catch::Approx(.6));
  CHECK(i.error ==
        Catch::Approx(std::sqrt((square(2.0 / 3) + square(1.0 / 3) + square(.75)) * 2 / 3)));
  CHECK(i.scenes == 3);
  const Interval padded = *ratio_interval({{{1, 2}, {0, 0}, {2, 2}, {0, 1}}});
  CHECK(padded.scenes == 3);  // a scene without data is no cluster
  CHECK(padded.error == Catch::Approx(i.error));
  CHECK_FALSE(ratio_interval({{{0, 0}, {0, 0}}}));
  CHECK_THROWS_AS(ratio_interval({}), gaze::Error);
  CHECK_THROWS_AS(ratio_interval({{{1, 1}}, {}}), gaze::Error);
}

TEST_CASE("paired differences cancel the scenes and seeds of both sides", "[statistics]") {
  // Scenes and seeds differ much, and every cell of a is .1 above b, but for two cells.
  std::vector<std::vector<double>> a, b;
  for (int s = 0; s < 5; ++s) {
    b.emplace_back();
    for (int i = 0; i < 20; ++i) b.back().push_back(.02 * i + .05 * s);
    a.push_back(b.back());
    for (double& v : a.back()) v += .1;
  }
  CHECK(difference_interval(means(a), means(b))->basis == Basis::degenerate);
  a[0][0] += .1;
  a[3][7] -= .1;
  const Interval d = *difference_interval(means(a), means(b));
  CHECK(d.basis == Basis::seeds_and_scenes);
  CHECK(d.value == Catch::Approx(.1));
  CHECK(d.low > .09);
  const Interval own = *ratio_interval(means(a));
  CHECK(d.high - d.low < .1 * (own.high - own.low));
  CHECK_THROWS_AS(difference_interval(means(a), means({b[0]})), gaze::Error);
}

TEST_CASE("intervals without spread or with one cluster are degenerate", "[statistics]") {
  const auto basis = [](const std::vector<std::vector<double>>& v) {
    return ratio_interval(means(v))->basis;
  };
  CHECK(basis({std::vector<double>(40, 0)}) == Basis::degenerate);
  CHECK(basis(std::vector(5, std::vector<double>(17, .1))) == Basis::degenerate);
  CHECK(basis(std::vector(3, std::vector<double>(17, 1.0 / 3))) == Basis::degenerate);
  CHECK(basis({{.4}}) == Basis::degenerate);
  CHECK(basis({{.4}, {.5}, {.6}}) == Basis::degenerate);  // one scene
  // One of two seeds has all data: nothing is known about other seeds.
  CHECK(ratio_interval({{{1, 1}, {0, 1}}, {{0, 0}, {0, 0}}})->basis == Basis::degenerate);
  const Interval none = share_interval(*ratio_interval(means({std::vector<double>(40, 0)})), 20);
  CHECK(none.basis == Basis::degenerate);
  CHECK(none.high == Catch::Approx(wilson(0, 40).high));
  for (const Basis b :
       {Basis::unknown, Basis::scenes, Basis::seeds_and_scenes, Basis::wilson, Basis::degenerate})
    CHECK(basis_of(basis_name(b)) == b);
  CHECK_FALSE(basis_of("bootstrap"));
}

TEST_CASE("the rounding of stored outcomes is no spread", "[statistics]") {
  std::vector<double> a(40, .25), b(40, .25);
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += i % 3 == 0 ? 1e-6 : 0;
  const Interval d = *difference_interval(means({a}), means({b}));
  CHECK(d.basis == Basis::degenerate);
  CHECK(decide(d, .03) == Verdict::undecided);
  for (double& v : a) v = .25 + (v - .25) * 1000;
  CHECK(difference_interval(means({a}), means({b}))->basis == Basis::scenes);
}

TEST_CASE("differences of rare events have the variance at the end of their interval",
          "[statistics]") {
  // One of 100: D = 1 in one scene. Jackknife: variance .99 / 100^2 * 100 / 99; its slope is nearly
  // 1/100. The error (z/2 + sqrt(1 + z^2/4)) / 100 gives Wilson's bound for a count of one.
  std::vector<double> a(100, 0), b(100, 0);
  a[3] = 1;
  const double z = 1.959963984540054;
  const Interval d = *difference_interval(means({a}), means({b}));
  CHECK(d.value == Catch::Approx(.01));
  CHECK(d.error == Catch::Approx((z / 2 + std::sqrt(1 + z * z / 4)) / 100).epsilon(.02));
  // As many losses as gains: symmetric, and the plain jackknife.
  b[5] = 1;
  const Interval both = *difference_interval(means({a}), means({b}));
  CHECK(both.error == Catch::Approx(std::sqrt(2.0 / 99) / 10));
  // Fewer than five scenes' worth of difference between shares: a scene counts as a whole.
  const Interval sparse = *difference_interval(means({a}), means({b}), true);
  CHECK(sparse.error == Catch::Approx((z / 2 + std::sqrt(2 + z * z / 4)) / 100));
  CHECK(sparse.basis == Basis::wilson);
  // Many differences, on many scenes: no extension.
  for (std::size_t i = 10; i < 60; ++i) (i % 2 ? a : b)[i] = 1;
  CHECK(difference_interval(means({a}), means({b}), true)->basis == Basis::scenes);
}

TEST_CASE("intervals of shares stay within 0 to 1 and include Wilson's for few scenes",
          "[statistics]") {
  std::vector<double> values(30, 1);
  values[0] = 0;
  const Interval i = share_interval(*ratio_interval(means({values})), 20);
  CHECK(i.high == 1);  // the t interval ends above 1
  CHECK(i.low <= wilson(29, 30).low);
  CHECK(i.basis == Basis::wilson);
  values.assign(200, 0);
  for (std::size_t k = 0; k < 80; ++k) values[k] = 1;
  const Interval many = *ratio_interval(means({values}));
  CHECK(share_interval(many, 20).low == many.low);
  CHECK(share_interval(many, 20).basis == Basis::scenes);
}

TEST_CASE("a value lies in its interval despite rounding", "[statistics]") {
  for (int n = 1; n <= 400; ++n)
    for (int hits = 0; hits <= n; ++hits) {
      const Interval i = wilson(hits, n);
      REQUIRE((0 <= i.low && i.low <= i.value && i.value <= i.high && i.high <= 1));
      std::vector<double> values(std::size_t(n), 0);
      for (int k = 0; k < hits; ++k) values[std::size_t(k)] = 1;
      if (n > 60) continue;
      const Interval share = share_interval(*ratio_interval(means({values})), 20);
      REQUIRE((share.low <= share.value && share.value <= share.high));
      REQUIRE((0 <= share.low && share.high <= 1));
    }
  CHECK(wilson(0, 41).low == 0);
  CHECK(wilson(41, 41).high == 1);
}

TEST_CASE("correlation ignores unknown values and is empty without spread", "[statistics]") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  using Values = std::vector<double>;
  CHECK(*correlation(Values{0, 0, 1, 1}, Values{0, 1, 1, 1}) == Catch::Approx(1 / std::sqrt(3.0)));
  CHECK(*correlation(Values{1, 2, 3}, Values{-2, -4, -6}) == Catch::Approx(-1));
  CHECK(*correlation(Values{0, nan, 1, 5}, Values{0, 7, 1, nan}) == Catch::Approx(1));
  CHECK_FALSE(correlation(Values{.1, .1, .1}, Values{0, 1, 0}));
  CHECK_FALSE(correlation(Values{1, nan}, Values{0, 1}));
  CHECK_THROWS_AS(correlation(Values{1}, Values{}), gaze::Error);
}

}  // namespace test_statistics
