// SPDX-License-Identifier: MIT
// Every axis of advantages and policy loss: derivatives against finite differences, micro-batches
// against the whole batch, masked tokens, overflow, and estimators against their formulas.
#include <set>

#include "gaze/core/philox.hpp"
#include "gaze/cpu/kernels.hpp"
#include "gaze/rl/policy_loss.hpp"
#include "gaze/rl/variants.hpp"
#include "tests/grpo_batch.hpp"
#include "tests/numbers.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_grpo_axes {
namespace {

using namespace gaze;
using namespace gaze::rl;
using namespace gaze::test;
using Catch::Approx;
using Doubles = std::vector<double>;

using Batch = LossBatch;

/// Six completions of 1 to 6 tokens with ratios around 1, the second cut short.
Batch random_batch(std::uint64_t seed) {
  const Philox random(seed, Purpose::test);
  Batch b;
  b.in.lengths = {3, 1, 6, 2, 4, 5};
  b.in.advantages = {0.9, -0.4, -1.3, 0.8, 0.35, -0.7};
  b.in.truncated = {false, true, false, false, false, false};
  for (std::uint64_t i = 0; i < 21; ++i) {
    const double lp = -0.2 - 2 * random.uniform(1, i);
    b.logp.push_back(lp);
    b.in.old.push_back(lp + 0.9 * (random.uniform(2, i) - 0.5));
    b.in.ref.push_back(lp + random.uniform(3, i) - 0.5);
    b.in.sampling.push_back(b.in.old.back() + 0.5 * (random.uniform(4, i) - 0.5));
    b.in.entropy.push_back(3 * random.uniform(5, i));
  }
  return b;
}

struct Result {
  double loss;
  Doubles gradient;
};

template <class T = double>
Result evaluate(const Batch& b, const LossSettings& s, const LossTotals& totals) {
  auto logp = Tensor<T>::from({static_cast<Index>(b.logp.size())},
                              std::vector<T>(b.logp.begin(), b.logp.end()));
  logp.requires_grad();
  const auto loss = policy_loss(logp, b.in, s, totals);
  backward(loss);
  const auto g = logp.grad().to_vector();
  return {static_cast<double>(loss.item()), Doubles(g.begin(), g.end())};
}
LossTotals totals_of(const Batch& b, const LossSettings& s) {
  LossTotals out = loss_totals(b.in, s);
  if (s.top_entropy < 1) add_entropy_totals(out, b.in, s);
  return out;
}

/// Every named variant, plain and with all masks, corrections and a KL term.
template <class Body>
void each_variant(Body body) {
  for (const Variant& v : variants)
    for (const bool all : {false, true}) {
      INFO(v.name << (all ? " with everything" : ""));
      LossSettings s = v.loss;
      s.max_length = 7;
      if (all) {
        s.kl = 0.3;
        s.kl_bias_correction = s.surrogate != Surrogate::gamma;
        s.mask_truncated = true;
        s.top_entropy = 0.63;
        s.off_policy_limit = 0.01;
        s.correction = {ImportanceCorrection::Level::token, ImportanceCorrection::Mode::truncate,
                        0.8, 1.2};
      }
      body(s);
    }
}

void check_near(const Doubles& a, const Doubles& b, double tolerance) {
  REQUIRE(a.size() == b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    INFO("token " << i);
    CHECK(a[i] == Approx(b[i]).epsilon(0).margin(tolerance));
  }
}

/// The derivative of the loss by central differences.
Doubles differences(const Batch& b, const LossSettings& s) {
  Doubles out;
  const LossTotals totals = totals_of(b, s);
  for (std::size_t i = 0; i < b.logp.size(); ++i) {
    Batch up = b, down = b;
    up.logp[i] += 1e-6;
    down.logp[i] -= 1e-6;
    out.push_back((evaluate(up, s, totals).loss - evaluate(down, s, totals).loss) / 2e-6);
  }
  return out;
}

Doubles values(const Doubles& rewards, Index group, const AdvantageSettings& s,
               const std::vector<Index>& lengths = {}) {
  return advantages(rewards, group, s, lengths).values;
}

}  // namespace

TEST_CASE("derivatives through the ratio agree with finite differences") {
  for (const std::uint64_t seed : {1, 2})
    for (const auto surrogate : {Surrogate::clip, Surrogate::soft, Surrogate::log_clip})
      for (const auto ratio : {RatioLevel::token, RatioLevel::sequence, RatioLevel::sequence_sum})
        for (const int extra : {0, 1, 2}) {
          if (surrogate == Surrogate::log_clip && ratio != RatioLevel::sequence) continue;
          INFO(static_cast<int>(surrogate) << " " << static_cast<int>(ratio) << " " << extra);
          LossSettings s;
          s.surrogate = surrogate;
          s.ratio = ratio;
          s.clip_low = 0.15;
          s.clip_high = 0.25;
          s.aggregation = static_cast<Aggregation>(extra * 2);
          s.max_length = 7;
          s.delta = extra == 1 ? 1.1 : 0;
          s.dual_clip = extra == 2 ? 1.2 : 0;
          s.kl = extra == 0 ? 0 : 0.3;
          s.kl_bias_correction = extra == 1;
          s.top_entropy = extra == 2 ? 0.63 : 1;
          s.correction.level = static_cast<ImportanceCorrection::Level>(extra);
          const Batch b = random_batch(seed);
          check_near(evaluate(b, s, totals_of(b, s)).gradient, differences(b, s), 1e-7);
        }
}

TEST_CASE("KL estimators have their own derivatives") {
  const Batch b = random_batch(3);
  for (const auto e : {KlEstimator::k1, KlEstimator::k2, KlEstimator::k3, KlEstimator::absolute}) {
    LossSettings s;
    s.kl = 0.5;
    s.estimator = e;
    check_near(evaluate(b, s, totals_of(b, s)).gradient, differences(b, s), 1e-7);
  }
  LossSettings k2, straight;
  k2.kl = straight.kl = 0.5;
  k2.estimator = KlEstimator::k2;
  straight.kl_k2_gradient = true;  // the value of k3
  CHECK(evaluate(b, straight, totals_of(b, straight)).gradient ==
        evaluate(b, k2, totals_of(b, k2)).gradient);
}

TEST_CASE("the derivative of a weighted log-probability is its weight") {
  const Batch b = random_batch(4);
  for (const char* name : {"cispo", "cispo_verl", "vespo", "nanochat"}) {
    INFO(name);
    const LossSettings& s = variant(name).loss;
    const Result y = evaluate(b, s, totals_of(b, s));
    double sum = 0;  // the loss is linear in the log-probabilities
    for (std::size_t t = 0; t < b.logp.size(); ++t) sum += y.gradient[t] * b.logp[t];
    CHECK(y.loss == Approx(sum).epsilon(1e-12));
  }
  LossSettings s = variant("nanochat").loss;  // plain policy gradient
  const Result y = evaluate(b, s, totals_of(b, s));
  CHECK(y.gradient[0] == Approx(-0.9 / 21));
  CHECK(y.gradient[20] == Approx(0.7 / 21));
}

TEST_CASE("GSPO-token has GSPO's value, and its gradient where a completion has one advantage") {
  const Batch b = random_batch(5);
  LossSettings s = variant("gspo").loss;
  s.clip_low = s.clip_high = 0.1;
  const Result whole = evaluate(b, s, totals_of(b, s));
  s.ratio = RatioLevel::sequence_token;
  const Result own = evaluate(b, s, totals_of(b, s));
  CHECK(own.loss == whole.loss);
  check_near(own.gradient, whole.gradient, 1e-14);
}

TEST_CASE("micro-batches of one step add up to the whole batch, for every variant") {
  const Batch b = random_batch(6);
  each_variant([&](const LossSettings& s) {
    LossTotals totals = totals_of(b, s);
    const bool means = s.aggregation == Aggregation::micro_token_mean;
    const Result whole = evaluate(b, s, totals);
    totals.micro_batches = 3;
    double loss = 0, expected = 0, bonus = 0;
    Doubles gradient;
    const auto entropy = [](const Batch& x) {
      return Tensor<double>::from({static_cast<Index>(x.logp.size())}, x.in.entropy);
    };
    for (const auto& [begin, end] : {std::pair(0, 1), std::pair(1, 4), std::pair(4, 6)}) {
      const Batch part = part_of(b, static_cast<std::size_t>(begin), static_cast<std::size_t>(end));
      const Result y = evaluate(part, s, totals);
      loss += y.loss;
      gradient.insert(gradient.end(), y.gradient.begin(), y.gradient.end());
      bonus += entropy_bonus(entropy(part), part.in, s, totals, 0.1).item();
      LossTotals own = totals_of(part, s);  // the mean of the separate parts
      own.entropy_threshold = totals.entropy_threshold;
      expected += evaluate(part, s, own).loss / 3;
    }
    CHECK(loss == Approx(means ? expected : whole.loss).epsilon(1e-12).margin(1e-14));
    if (!means) check_near(gradient, whole.gradient, 1e-14);
    CHECK(bonus == Approx(entropy_bonus(entropy(b), b.in, s, totals, 0.1).item()));
  });
}

TEST_CASE("masked tokens may contain anything, for every variant") {
  const Batch plain = random_batch(7);
  each_variant([&](const LossSettings& s) {
    for (const double strange : {1e300, -1e30, infinity, -infinity, std::nan("")}) {
      Batch odd;
      odd.in.advantages = plain.in.advantages;
      odd.in.truncated = plain.in.truncated;
      std::size_t at = 0;
      Doubles expected;
      const Result y = evaluate(plain, s, totals_of(plain, s));
      for (const Index length : plain.in.lengths) {  // a masked token before and after each
        for (Index t = -1; t <= length; ++t) {
          const bool kept = t >= 0 && t < length;
          odd.in.mask.push_back(kept);
          const auto put = [&](Doubles& to, const Doubles& from, double other) {
            to.push_back(kept ? from[at] : other);
          };
          put(odd.logp, plain.logp, strange);
          put(odd.in.old, plain.in.old, -strange);
          put(odd.in.ref, plain.in.ref, strange);
          put(odd.in.sampling, plain.in.sampling, strange);
          put(odd.in.entropy, plain.in.entropy, strange);
          expected.push_back(kept ? y.gradient[at] : 0);
          at += kept;
        }
        odd.in.lengths.push_back(length + 2);
      }
      const Result z = evaluate(odd, s, totals_of(odd, s));
      CHECK(z.loss == Approx(y.loss).epsilon(1e-14));
      check_near(z.gradient, expected, 1e-15);
    }
  });
}

TEST_CASE("no exponent overflows, for every variant") {
  each_variant([](const LossSettings& s) {
    for (const int where : {0, 1, 2, 3}) {
      Batch b = random_batch(8);
      for (std::size_t t = 2; t < b.logp.size(); t += 3) {
        if (where == 0) b.logp[t] = -1e4;
        if (where == 1) b.in.old[t] = -1e4;
        if (where == 2) b.in.ref[t] = t % 2 ? -infinity : 1e6;
        if (where == 3) b.in.old[t] = b.in.sampling[t] = -infinity;
      }
      const Result y = evaluate<float>(b, s, totals_of(b, s));
      CHECK(std::isfinite(y.loss));
      for (const double g : y.gradient) CHECK(std::isfinite(g));
    }
  });
}

TEST_CASE("advantage estimators follow their formulas") {
  const Doubles r = {1, 0, 0.5, 0.5, 2, 0};
  const auto set = [](const char* name) { return variant(name).advantage; };
  check_near(values(r, 3, set("rloo")), {0.75, -0.75, 0, 0.5 - 1, 2 - 0.25, 0 - 1.25}, 1e-12);
  check_near(values(r, 3, set("pass_at_k")), {0.5, 0, 0, 0, 1.5, 0}, 1e-12);
  const double base = (1 * 2 + 0.5 * 4) / 7;
  check_near(values({1, 0, 0.5}, 3, set("opo"), {2, 1, 4}), {1 - base, -base, 0.5 - base}, 1e-12);
  AdvantageSettings population = set("grpo");
  population.population = true;
  check_near(values({1, 0, 0, 1}, 4, population), {0.9998, -0.9998, -0.9998, 0.9998}, 1e-4);
  const auto whitened = values(r, 3, set("reinforce_plus_plus"), {1, 2, 3, 1, 2, 3});
  double mean = 0, squares = 0;
  const std::vector<Index> lengths = {1, 2, 3, 1, 2, 3};
  for (std::size_t i = 0; i < 6; ++i) mean += whitened[i] * static_cast<double>(lengths[i]) / 12;
  for (std::size_t i = 0; i < 6; ++i)
    squares += whitened[i] * whitened[i] * static_cast<double>(lengths[i]) / 11;
  CHECK(mean == Approx(0).margin(1e-12));
  CHECK(squares == Approx(1).epsilon(1e-6));
}

TEST_CASE("a discount gives every token its own advantage") {
  AdvantageSettings s = variant("reinforce_plus_plus").advantage;
  s.whiten = Whiten::none;
  s.discount = 0.5;
  const std::vector<Index> lengths = {3, 1};
  const auto a = advantages(Doubles{1, 2}, 2, s, lengths);
  CHECK(a.tokens == Doubles{0.25, 0.5, 1, 2});
  Batch b;
  b.in.lengths = lengths;
  b.in.advantages = a.tokens;
  b.logp = {-1, -1, -1, -1};  // no old ones: on policy
  check_near(evaluate(b, {}, loss_totals(b.in, {})).gradient, {-0.0625, -0.125, -0.25, -0.5},
             1e-15);
}

TEST_CASE("completions without a score have no effect and are excluded from their group") {
  RewardTable t;
  t.weights = {1, 2};
  t.rows = {{1.0, Score()}, {Score(), Score()}, {0.0, 0.5}, {Score(), 0.0}};
  const auto a = advantages(t, 4, {});
  const double deviation = std::sqrt(1.0 / 3);  // of 1, 1, 0
  CHECK(a.rewards[0] == 1);
  CHECK(std::isnan(a.rewards[1]));
  CHECK(a.rewards[2] == 1);
  CHECK(a.rewards[3] == 0);
  CHECK(a.reward_mean == Approx(2.0 / 3));
  CHECK(a.values[0] == Approx(1.0 / 3 / (deviation + 1e-4)));
  CHECK(a.values[1] == 0);
  CHECK(a.values[3] == Approx(-2.0 / 3 / (deviation + 1e-4)));
  RewardTable alone;
  alone.rows = {{1.0}, {Score()}};  // nothing to compare with
  CHECK(advantages(alone, 2, {}).values == Doubles{0, 0});
  add_reward(alone, "length", Doubles{-0.5, -0.5});
  CHECK(alone.rows[0] == std::vector<Score>{1.0, -0.5});
  CHECK(alone.rows[1] == std::vector<Score>{Score(), Score()});
}

TEST_CASE("errors of advantages name the bad input") {
  RewardTable t;
  t.rows = {{1.0, 2.0}, {1.0}};
  CHECK(error_of([&] { advantages(t, 2, {}); }) == "[gaze::advantages] a row has 1 rewards, not 2");
  t.rows[1].push_back(infinity);
  CHECK(error_of([&] { advantages(t, 2, {}); }) == "[gaze::advantages] a reward is inf");
  t.rows[1][1] = 0.0;
  t.weights = {1};
  CHECK_FALSE(error_of([&] { advantages(t, 2, {}); }).empty());
  CHECK(error_of([&] {
          values({1, 0}, 2, variant("opo").advantage);
        }) == "[gaze::advantages] 2 rewards, 0 lengths");
}

TEST_CASE("overlong completions get a soft penalty") {
  CHECK(overlong_punishment(80, 100, 20) == 0);
  CHECK(overlong_punishment(90, 100, 20) == -0.5);
  CHECK(overlong_punishment(100, 100, 20) == -1);
  CHECK(overlong_punishment(101, 100, 20) == -1);
  CHECK_FALSE(error_of([] { overlong_punishment(1, 10, 11); }).empty());
}

TEST_CASE("the adaptive entropy bonus follows its target") {
  AdaptiveEntropy a;
  CHECK(a.applied() == 0);
  a.update(0.1);
  CHECK(a.coefficient == 0.005);
  CHECK(a.applied() == 0.005);
  a.update(0.3);
  CHECK(a.coefficient == 0);
  CHECK(a.applied() == 0);
  for (int i = 0; i < 300; ++i) a.update(0);
  CHECK(a.coefficient == 1);
}

TEST_CASE("the entropy bonus is the mean entropy, and differentiable") {
  const Batch b = random_batch(9);
  LossSettings s;
  s.mask_truncated = true;
  auto h = Tensor<double>::from({21}, b.in.entropy);
  h.requires_grad();
  const auto y = entropy_bonus(h, b.in, s, loss_totals(b.in, s), 0.2);
  backward(y);
  double mean = 0;
  for (std::size_t t = 0; t < 21; ++t) mean += t == 3 ? 0 : b.in.entropy[t] / 20;
  CHECK(y.item() == Approx(-0.2 * mean));
  CHECK(h.grad().to_vector()[0] == Approx(-0.01));
  CHECK(h.grad().to_vector()[3] == 0);
}

TEST_CASE("means over active completions exclude fully masked ones") {
  const Batch b = random_batch(10);
  LossSettings s = variant("grpo").loss;
  s.mask_truncated = true;
  const double all = evaluate(b, s, totals_of(b, s)).loss;
  s.mean_over_active = true;
  CHECK(evaluate(b, s, totals_of(b, s)).loss == Approx(all * 6 / 5));
}

TEST_CASE("variants have one name each and settings that fit together") {
  std::set<std::string> names;
  for (const Variant& v : variants) {
    INFO(v.name);
    CHECK(names.insert(v.name).second);
    CHECK(std::string(v.source).size() > 5);
    CHECK(error_of([&] { v.loss.check(); }).empty());
    CHECK(v.loss.kl == 0);
  }
  for (const char* name : {"grpo", "dr_grpo", "dapo", "gspo", "gspo_token", "cispo", "cispo_verl",
                           "sapo", "luspo", "vespo", "gmpo", "bnpo", "rloo", "reinforce_plus_plus",
                           "reinforce_plus_plus_baseline", "opo", "gdpo", "pass_at_k"})
    CHECK(names.count(name) == 1);
}

TEST_CASE("invalid settings are refused") {
  const Batch b = random_batch(11);
  const auto refused = [&](auto change) {
    LossSettings s;
    change(s);
    return error_of([&] { evaluate(b, s, {6, 21}); });
  };
  CHECK(refused([](LossSettings& s) { s.surrogate = Surrogate::gamma; }).find("gamma") !=
        std::string::npos);
  CHECK(refused([](LossSettings& s) { s.dual_clip = 0.5; }).find("dual clip must be above 1") !=
        std::string::npos);
  CHECK_FALSE(refused([](LossSettings& s) { s.clip_low = -1; }).empty());
  CHECK_FALSE(refused([](LossSettings& s) { s.top_entropy = 0; }).empty());
  CHECK_FALSE(refused([](LossSettings& s) { s.token_log_limit = 500; }).empty());
  Batch without = random_batch(11);
  without.in.sampling.clear();
  LossSettings s;
  s.correction.level = ImportanceCorrection::Level::token;
  CHECK(error_of([&] { evaluate(without, s, {6, 21}); }).find("sampler") != std::string::npos);
}

}  // namespace test_grpo_axes
