// SPDX-License-Identifier: MIT
// GRPO without a model: advantages, and the loss of the first variants against plain formulas,
// finite differences and micro-batches.
#include <limits>

#include "gaze/core/philox.hpp"
#include "gaze/cpu/kernels.hpp"
#include "gaze/rl/policy_loss.hpp"
#include "tests/grpo_batch.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_grpo_loss {
namespace {

using namespace gaze;
using namespace gaze::rl;
using namespace gaze::test;
using Catch::Approx;
using Doubles = std::vector<double>;

AdvantageSettings spread(Spread s) { return {s, 1e-4}; }

// ---- the loss by plain formulas ----------------------------------------------------------------

using Case = LossBatch;

/// Completions of 1 to 5 tokens; ratios between about 0.5 and 2, the second one cut short.
Case random_case(std::uint64_t seed) {
  const Philox random(seed, Purpose::test);
  Case c;
  c.in.lengths = {3, 1, 5, 2};
  c.in.advantages = {0.9, -0.4, -1.3, 0.8};
  c.in.truncated = {false, true, false, false};
  for (std::uint64_t i = 0; i < 11; ++i) {
    c.logp.push_back(-0.2 - 2 * random.uniform(1, i));
    c.in.old.push_back(static_cast<float>(c.logp[i] + 1.4 * (random.uniform(2, i) - 0.5)));
    c.in.ref.push_back(static_cast<float>(c.logp[i] + random.uniform(3, i) - 0.5));
  }
  return c;
}

double plain_kl(double logp, double ref, KlEstimator e) {
  const double d = ref - logp;
  if (e == KlEstimator::k1) return -d;
  if (e == KlEstimator::k2) return d * d / 2;
  return std::exp(d) - d - 1;
}

double plain_loss(const Case& c, const LossSettings& s) {
  double tokens = 0, total = 0;
  const auto masked = [&](std::size_t i) { return s.mask_truncated && c.in.truncated[i]; };
  for (std::size_t i = 0; i < c.in.lengths.size(); ++i)
    if (!masked(i)) tokens += static_cast<double>(c.in.lengths[i]);
  const double completions = static_cast<double>(c.in.lengths.size());
  std::size_t at = 0;
  for (std::size_t i = 0; i < c.in.lengths.size(); ++i) {
    const auto n = static_cast<std::size_t>(c.in.lengths[i]);
    double mean = 0, sum = 0;
    for (std::size_t t = at; t < at + n; ++t)
      mean += (c.logp[t] - c.in.old[t]) / static_cast<double>(n);
    for (std::size_t t = at; t < at + n; ++t) {
      const double r = std::exp(s.ratio == RatioLevel::sequence ? mean : c.logp[t] - c.in.old[t]);
      const double a = c.in.advantages[i];
      const double cut = std::min(std::max(r, 1 - s.clip_low), 1 + s.clip_high);
      sum += -std::min(r * a, cut * a);
      if (s.kl != 0) sum += s.kl * plain_kl(c.logp[t], c.in.ref[t], s.estimator);
    }
    at += n;
    if (masked(i)) continue;
    if (s.aggregation == Aggregation::sequence_mean)
      total += sum / static_cast<double>(n) / completions;
    if (s.aggregation == Aggregation::token_mean) total += sum / tokens;
    if (s.aggregation == Aggregation::fixed_length) total += sum / (completions * s.max_length);
  }
  return total;
}

struct Result {
  double loss;
  Doubles gradient;
  LossMetrics metrics;
};

Result engine_loss(const Case& c, const LossSettings& s, std::optional<LossTotals> totals = {}) {
  Result out;
  auto logp = Tensor<double>::from({static_cast<Index>(c.logp.size())}, c.logp);
  logp.requires_grad();
  const auto loss =
      policy_loss(logp, c.in, s, totals ? *totals : loss_totals(c.in, s), &out.metrics);
  backward(loss);
  out.loss = loss.item();
  out.gradient = logp.grad().to_vector();
  return out;
}

/// Every combination of the axes.
template <class Body>
void each_setting(Body body) {
  for (const auto ratio : {RatioLevel::token, RatioLevel::sequence})
    for (const auto aggregation :
         {Aggregation::sequence_mean, Aggregation::token_mean, Aggregation::fixed_length})
      for (const int kl : {-1, 0, 1, 2})
        for (const bool mask : {false, true}) {
          LossSettings s;
          s.ratio = ratio;
          s.clip_low = 0.15;
          s.clip_high = 0.25;
          s.aggregation = aggregation;
          s.max_length = 7;
          s.kl = kl < 0 ? 0 : 0.3;
          s.estimator = static_cast<KlEstimator>(std::max(0, kl));
          s.mask_truncated = mask;
          INFO("ratio " << static_cast<int>(ratio) << ", aggregation "
                        << static_cast<int>(aggregation) << ", kl " << kl << ", mask " << mask);
          body(s);
        }
}

}  // namespace

TEST_CASE("advantages of a group are centred and divided by its deviation") {
  const Doubles rewards = {1, 0, 0, 1};
  const auto a = advantages(rewards, 4, spread(Spread::group));
  const double expected = 0.5 / (std::sqrt(1.0 / 3) + 1e-4);
  CHECK(expected == Approx(0.86587).margin(1e-5));
  for (std::size_t i = 0; i < 4; ++i)
    CHECK(a.values[i] == Approx(rewards[i] > 0 ? expected : -expected).epsilon(1e-12));
  CHECK(a.mean_spread == Approx(std::sqrt(1.0 / 3)));
  CHECK(a.zero_spread == std::vector<bool>{false});
  CHECK(advantages(rewards, 4, spread(Spread::none)).values == Doubles{0.5, -0.5, -0.5, 0.5});
}

TEST_CASE("batch-scaled advantages are centred by group and divided by the batch deviation") {
  const Doubles rewards = {1, 0, 3, 3, 2, 5};
  const auto a = advantages(rewards, 2, spread(Spread::batch));
  double mean = 0, squares = 0;
  for (const double r : rewards) mean += r / 6;
  for (const double r : rewards) squares += (r - mean) * (r - mean);
  const double divisor = std::sqrt(squares / 5) + 1e-4;
  const Doubles centred = {0.5, -0.5, 0, 0, -1.5, 1.5};
  for (std::size_t i = 0; i < 6; ++i) CHECK(a.values[i] == Approx(centred[i] / divisor));
  CHECK(a.zero_spread == std::vector<bool>{false, true, false});
}

TEST_CASE("a group with equal rewards has zero advantages") {
  const Doubles rewards = {0.1, 0.1, 0.1, 7, 7, 7};
  for (const auto s : {Spread::group, Spread::batch, Spread::none})
    for (const double a : advantages(rewards, 3, spread(s)).values)
      CHECK(a == Approx(0).margin(1e-9));
}

TEST_CASE("advantages refuse rewards that cannot be compared") {
  const Doubles rewards = {1, 0, 1};
  CHECK(error_of([&] { advantages(rewards, 1, {}); }) ==
        "[gaze::advantages] a group needs at least two completions, got 1");
  CHECK(error_of([&] { advantages(rewards, 2, {}); }) ==
        "[gaze::advantages] 3 rewards do not make groups of 2");
  CHECK_FALSE(error_of([] { advantages(Doubles{}, 2, {}); }).empty());
  const Doubles broken = {1, std::numeric_limits<double>::quiet_NaN()};
  CHECK_FALSE(error_of([&] { advantages(broken, 2, {}); }).empty());
}

TEST_CASE("the policy loss agrees with its formula, and its gradient with finite differences") {
  for (const std::uint64_t seed : {1, 2, 3}) {
    const Case c = random_case(seed);
    each_setting([&](const LossSettings& s) {
      const Result y = engine_loss(c, s);
      CHECK(y.loss == Approx(plain_loss(c, s)).epsilon(1e-12).margin(1e-14));
      for (std::size_t i = 0; i < c.logp.size(); ++i) {
        Case up = c, down = c;
        up.logp[i] += 1e-6;
        down.logp[i] -= 1e-6;
        CHECK(y.gradient[i] ==
              Approx((plain_loss(up, s) - plain_loss(down, s)) / 2e-6).margin(1e-8));
      }
    });
  }
}

TEST_CASE("losses and gradients of micro-batches add up to the whole batch's") {
  const Case c = random_case(4);
  each_setting([&](const LossSettings& s) {
    const LossTotals totals = loss_totals(c.in, s);
    const Result whole = engine_loss(c, s, totals);
    double loss = 0, kl = 0;
    Doubles gradient;
    for (const auto& [begin, end] : {std::pair(0, 1), std::pair(1, 3), std::pair(3, 4)}) {
      const Result y = engine_loss(
          part_of(c, static_cast<std::size_t>(begin), static_cast<std::size_t>(end)), s, totals);
      loss += y.loss;
      kl += y.metrics.kl;
      gradient.insert(gradient.end(), y.gradient.begin(), y.gradient.end());
    }
    CHECK(loss == Approx(whole.loss).epsilon(1e-12).margin(1e-14));
    CHECK(kl == Approx(whole.metrics.kl).epsilon(1e-12).margin(1e-14));
    REQUIRE(gradient.size() == whole.gradient.size());
    for (std::size_t i = 0; i < gradient.size(); ++i)
      CHECK(gradient[i] == Approx(whole.gradient[i]).epsilon(1e-12).margin(1e-14));
  });
}

TEST_CASE("masked tokens may contain anything") {
  const Case c = random_case(5);
  const float inf = std::numeric_limits<float>::infinity();
  each_setting([&](const LossSettings& s) {
    if (!s.mask_truncated) return;
    const Result y = engine_loss(c, s);
    for (const float strange : {1e30f, -1e30f, 1000.0f, inf, -inf, std::nanf("")}) {
      INFO("masked token contains " << strange);
      Case odd = c;  // token 3 is all of the second completion
      odd.logp[3] = strange;
      odd.in.old[3] = -strange;
      odd.in.ref[3] = strange;
      const Result z = engine_loss(odd, s);
      CHECK(z.loss == y.loss);
      CHECK(z.gradient == y.gradient);
      CHECK(z.gradient[3] == 0);
      CHECK(z.metrics.kl == y.metrics.kl);
      CHECK(z.metrics.clip_high == y.metrics.clip_high);
      CHECK(z.metrics.ratio_max == y.metrics.ratio_max);
    }
  });
}

TEST_CASE("a batch of nothing but truncated completions has no loss and no gradient") {
  Case c = random_case(6);
  c.in.truncated = {true, true, true, true};
  each_setting([&](const LossSettings& s) {
    if (!s.mask_truncated) return;
    const Result y = engine_loss(c, s);
    CHECK(y.loss == 0);
    CHECK(y.gradient == Doubles(c.logp.size(), 0));
    CHECK(y.metrics.clip_low == 0);
  });
}

TEST_CASE("clip fractions count only tokens whose loss clipping changes") {
  Case c;
  c.in.lengths = {2, 2};
  c.in.advantages = {1, -1};
  c.in.old = {0, 0, 0, 0};
  c.logp = {std::log(1.5), std::log(0.5), std::log(1.5), std::log(0.5)};
  const Result y = engine_loss(c, {});
  CHECK(y.metrics.clip_high == 0.25);
  CHECK(y.metrics.clip_low == 0.25);
  CHECK(y.metrics.ratio_max == Approx(1.5));
  CHECK(y.metrics.ratio_min == Approx(0.5));
  CHECK(y.gradient[0] == 0);
  CHECK(y.gradient[3] == 0);
  CHECK(y.gradient[1] == Approx(-0.5 / 4));
  CHECK(y.gradient[2] == Approx(1.5 / 4));
}

TEST_CASE("errors of the policy loss name the mismatch") {
  Case c = random_case(1);
  c.in.old.pop_back();
  CHECK(error_of([&] { engine_loss(c, {}); }).find("10 old log-probabilities") !=
        std::string::npos);
  Case without = random_case(1);
  without.in.ref.clear();
  LossSettings s;
  s.kl = 0.1;
  CHECK(error_of([&] { engine_loss(without, s); }).find("KL needs a reference") !=
        std::string::npos);
}

}  // namespace test_grpo_loss
