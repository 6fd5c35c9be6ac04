// SPDX-License-Identifier: MIT
// GRPO: advantages, every axis of the policy loss against plain formulas, finite differences and
// known values, and whole steps of a small model on tasks whose answer is known.
#include "gaze/rl/grpo.hpp"

#include <limits>

#include "gaze/io/atomic_file.hpp"
#include "gaze/io/json.hpp"
#include "tests/small_model.hpp"
#include "tests/texts.hpp"

namespace {

using namespace gaze;
using namespace gaze::rl;
using namespace gaze::test;
using Catch::Approx;
using Doubles = std::vector<double>;

AdvantageSettings spread(Spread s) { return {s, 1e-4}; }

// ---- the loss by plain formulas ----------------------------------------------------------------

struct Case {
  LossInputs in;
  Doubles logp;
};

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

/// Completions [begin, end) of a case.
Case part_of(const Case& c, std::size_t begin, std::size_t end) {
  Case out;
  std::size_t at = 0;
  for (std::size_t i = 0; i < end; ++i) {
    const auto n = static_cast<std::size_t>(c.in.lengths[i]);
    if (i >= begin) {
      out.in.lengths.push_back(c.in.lengths[i]);
      out.in.advantages.push_back(c.in.advantages[i]);
      out.in.truncated.push_back(c.in.truncated[i]);
      for (std::size_t t = at; t < at + n; ++t) {
        out.logp.push_back(c.logp[t]);
        out.in.old.push_back(c.in.old[t]);
        out.in.ref.push_back(c.in.ref[t]);
      }
    }
    at += n;
  }
  return out;
}

// ---- a small model and tasks -------------------------------------------------------------------

using Nano = models::Vlm<float>;

struct Player {
  models::VlmConfig c = config("nano");
  Nano model{c, image_token, 3};
  std::vector<models::Prompt> prompts = some_prompts(c, 4);
  GrpoSettings s;

  Player() {
    s.prompts = 4;
    s.group = 6;
    s.sampling.max_tokens = 8;
    s.apply(variant("grpo"));
  }

  std::vector<TaskPrompt<Nano>> some(Index step, Index round, Index count) const {
    std::vector<TaskPrompt<Nano>> out;
    for (Index i = 0; i < count; ++i) {
      const auto id = static_cast<std::uint64_t>((step * 8 + round) * 64 + i);
      out.push_back({&prompts[static_cast<std::size_t>(i)], id, static_cast<std::size_t>(i)});
    }
    return out;
  }

  /// Paid for tokens for which `good` holds.
  template <class Good>
  Task<Nano> task(Good good) const {
    return {[this](Index step, Index round, Index count) { return some(step, round, count); },
            [good](Index, std::span<const TaskPrompt<Nano>>,
                   std::span<const Completion> completions, Metrics&) {
              Doubles out;
              for (const auto& c : completions) {
                double hits = 0;
                for (const auto token : c.tokens) hits += good(token);
                out.push_back(hits / static_cast<double>(c.tokens.size()));
              }
              return out;
            }};
  }

  Metrics step(
      const Task<Nano>& task, Index i = 0, const std::function<void()>& apply = [] {}) {
    return grpo_step<Nano>(model, nullptr, s, task, end_token, i, Watch::marks, apply);
  }
};

double value(const Metrics& metrics, const std::string& name) {
  for (const auto& [key, v] : metrics)
    if (key == name) return v;
  FAIL("no metric " << name);
  return 0;
}

std::vector<float> gradients(Nano& model) {
  std::vector<float> out;
  for (const auto& pack : model.parameters().packs()) {
    const auto g = pack.gradients.to_vector();
    out.insert(out.end(), g.begin(), g.end());
  }
  return out;
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

TEST_CASE("advantages by the spread of the batch keep groups apart in their means only") {
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

TEST_CASE("a group without spread teaches nothing, whatever its reward") {
  const Doubles rewards = {0.1, 0.1, 0.1, 7, 7, 7};
  for (const auto s : {Spread::group, Spread::batch, Spread::none})
    for (const double a : advantages(rewards, 3, spread(s)).values)
      CHECK(a == Approx(0).margin(1e-9));
}

TEST_CASE("advantages refuse what cannot be compared") {
  const Doubles rewards = {1, 0, 1};
  CHECK(error_of([&] { advantages(rewards, 1, {}); }) ==
        "[gaze::advantages] a group needs at least two completions, got 1");
  CHECK(error_of([&] { advantages(rewards, 2, {}); }) ==
        "[gaze::advantages] 3 rewards do not make groups of 2");
  CHECK_FALSE(error_of([] { advantages(Doubles{}, 2, {}); }).empty());
  const Doubles broken = {1, std::numeric_limits<double>::quiet_NaN()};
  CHECK_FALSE(error_of([&] { advantages(broken, 2, {}); }).empty());
}

TEST_CASE("the policy loss is its formula, and its gradient the finite difference") {
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

TEST_CASE("masked tokens may hold anything") {
  const Case c = random_case(5);
  const float inf = std::numeric_limits<float>::infinity();
  each_setting([&](const LossSettings& s) {
    if (!s.mask_truncated) return;
    const Result y = engine_loss(c, s);
    for (const float strange : {1e30f, -1e30f, 1000.0f, inf, -inf, std::nanf("")}) {
      INFO("masked token holds " << strange);
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

TEST_CASE("clip shares count clipped tokens of the harmful sign only") {
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

TEST_CASE("the policy loss names what does not fit") {
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

TEST_CASE("known values: advantages, losses and gradients of trl's definitions") {
  const std::string path = std::string(GAZE_TEST_DATA) + "/grpo_cases_small.json";
  const auto near = [](double x) { return Approx(x).margin(5e-6 * std::max(1.0, std::abs(x))); };
  for (const auto& known : io::parse_json(io::read_file(path), path)) {
    INFO(known["name"].get<std::string>());
    const auto& in = known["inputs"];
    const auto& out = known["outputs"];
    Doubles advantage;
    if (in.contains("advantages")) {
      advantage = in["advantages"].get<Doubles>();
    } else {
      Doubles rewards;
      const Doubles weights = in.value("reward_weights", Doubles(8, 1.0));
      for (const auto& row : in["rewards_per_func"]) {
        rewards.push_back(0);
        for (std::size_t k = 0; k < row.size(); ++k)
          rewards.back() += weights[k] * row[k].get<double>();
      }
      const std::string by = in.value("scale_rewards", "group");
      advantage = advantages(rewards, in["num_generations"].get<Index>(),
                             spread(by == "group"   ? Spread::group
                                    : by == "batch" ? Spread::batch
                                                    : Spread::none))
                      .values;
      const auto expected = out["advantages"].get<Doubles>();
      REQUIRE(advantage.size() == expected.size());
      for (std::size_t i = 0; i < expected.size(); ++i) CHECK(advantage[i] == near(expected[i]));
    }
    if (!in.contains("new_logps")) continue;

    Case c;
    c.in.advantages = advantage;
    Doubles gradient;
    for (std::size_t i = 0; i < in["new_logps"].size(); ++i) {
      Index length = 0;
      for (std::size_t t = 0; t < in["new_logps"][i].size(); ++t) {
        if (in["completion_mask"][i][t].get<double>() == 0) continue;
        ++length;
        c.logp.push_back(in["new_logps"][i][t].get<double>());
        const auto& old = in.contains("old_logps") ? in["old_logps"] : in["new_logps"];
        c.in.old.push_back(old[i][t].get<float>());
        if (in.contains("ref_logps")) c.in.ref.push_back(in["ref_logps"][i][t].get<float>());
        gradient.push_back(out["dloss_dlogp"][i][t].get<double>());
      }
      c.in.lengths.push_back(length);
    }
    LossSettings s;
    const std::string type = in["loss_type"].get<std::string>();
    s.aggregation = type == "grpo"      ? Aggregation::sequence_mean
                    : type == "dr_grpo" ? Aggregation::fixed_length
                                        : Aggregation::token_mean;
    s.ratio = in.value("importance_sampling_level", "token") == std::string("token")
                  ? RatioLevel::token
                  : RatioLevel::sequence;
    s.clip_low = in.value("epsilon", 0.2);
    s.clip_high = in.value("epsilon_high", s.clip_low);
    s.max_length = in.value("max_completion_length", 1.0);
    s.kl = in.value("beta", 0.0);
    s.mask_truncated = in.value("mask_truncated_completions", false);
    if (in.contains("truncated")) c.in.truncated = in["truncated"].get<std::vector<bool>>();
    LossTotals totals = loss_totals(c.in, s);
    totals.tokens = in.value("num_items_in_batch", totals.tokens);
    totals.completions *= in.value("grad_accum_steps", 1.0);
    const Result y = engine_loss(c, s, totals);
    CHECK(y.loss == near(out["loss"].get<double>()));
    for (std::size_t i = 0; i < gradient.size(); ++i) CHECK(y.gradient[i] == near(gradient[i]));
    if (out.contains("kl_mean")) CHECK(y.metrics.kl == near(out["kl_mean"].get<double>()));
    if (s.ratio == RatioLevel::token && !in.contains("num_items_in_batch") &&
        out.contains("clip_ratio")) {
      CHECK(y.metrics.clip_low == near(out["clip_ratio"]["low_mean"].get<double>()));
      CHECK(y.metrics.clip_high == near(out["clip_ratio"]["high_mean"].get<double>()));
    }
  }
}

TEST_CASE("variants are rows of settings") {
  GrpoSettings s;
  s.apply(variant("dapo"));
  CHECK(s.loss.clip_high == 0.28);
  CHECK(s.loss.mask_truncated);
  CHECK(s.resample == 3);
  s = {};
  s.apply(variant("dr_grpo"));
  CHECK(s.advantage.spread == Spread::none);
  CHECK(s.loss.aggregation == Aggregation::fixed_length);
  s.apply(variant("gspo"));
  CHECK(s.loss.ratio == RatioLevel::sequence);
  CHECK(error_of([] { variant("ppo"); }) ==
        "[gaze::variant] no GRPO variant named ppo; there are grpo, dr_grpo, dapo, gspo");
}

TEST_CASE("the first update after a rollout sees a ratio of exactly 1 for every token") {
  at_each_isa([] {
    for (const double temperature : {1.0, 0.7})
      for (const Index micro : {1, 3, 4}) {
        Player player;
        player.s.sampling.temperature = temperature;
        player.s.sampling.top_k = temperature < 1 ? 20 : 0;
        player.s.groups_per_micro = micro;
        const auto m = player.step(player.task([](std::int32_t t) { return t % 2 == 0; }));
        CHECK(value(m, "first_ratio_min") == 1.0);
        CHECK(value(m, "first_ratio_max") == 1.0);
        CHECK(value(m, "reward_std") > 0);
      }
  });
}

TEST_CASE("a step's gradients do not depend on how it is cut into micro-batches") {
  for (const char* name : {"grpo", "dapo", "dr_grpo"}) {
    INFO(name);
    std::vector<float> whole;
    for (const Index micro : {4, 1, 3}) {
      Player player;
      player.s.apply(variant(name));
      player.s.resample = 0;
      player.s.loss.max_length = 8;
      player.s.groups_per_micro = micro;
      player.step(player.task([](std::int32_t t) { return t % 2 == 0; }));
      const auto g = gradients(player.model);
      if (whole.empty()) whole = g;
      float largest = 0, worst = 0;
      for (std::size_t i = 0; i < g.size(); ++i) {
        largest = std::max(largest, std::abs(whole[i]));
        worst = std::max(worst, std::abs(g[i] - whole[i]));
      }
      CHECK(largest > 0);
      CHECK(worst <= 1e-5f * largest);
    }
  }
}

TEST_CASE("several updates on one rollout move the ratio, and apply all but the last") {
  Player player;
  player.s.updates = 3;
  AdamW<float> optimiser(player.model.parameters(), {});
  int applied = 0;
  const auto m = player.step(player.task([](std::int32_t t) { return t % 2 == 0; }), 0, [&] {
    optimiser.step(3e-2);
    ++applied;
  });
  CHECK(applied == 2);
  CHECK(value(m, "first_ratio_max") == 1.0);
  CHECK(value(m, "clip_ratio/low_mean") + value(m, "clip_ratio/high_mean") > 0);
}

TEST_CASE("the KL term is zero at the reference and grows away from it") {
  Player player;
  player.s.loss.kl = 0.1;
  const auto task = player.task([](std::int32_t t) { return t % 2 == 0; });
  CHECK(error_of([&] { player.step(task); }).find("needs a reference") != std::string::npos);
  const Nano reference(player.c, image_token, 3);
  AdamW<float> optimiser(player.model.parameters(), {});
  Doubles kl;
  for (Index i = 0; i < 3; ++i) {
    const auto m = grpo_step<Nano>(player.model, &reference, player.s, task, end_token, i,
                                   Watch::nothing, [] {});
    kl.push_back(value(m, "kl"));
    optimiser.step(1e-2);
  }
  CHECK(kl[0] == Approx(0).margin(1e-9));
  CHECK(kl[1] > 1e-6);
  CHECK(kl[2] > kl[1]);
}

TEST_CASE("the reward rises on a trivial task") {
  for (const char* name : {"grpo", "dr_grpo", "dapo", "gspo"}) {
    INFO(name);
    Player player;
    player.s.apply(variant(name));
    player.s.resample = 0;
    player.s.group = 12;
    player.s.loss.max_length = 8;
    player.s.loss.mask_truncated = false;  // nobody has taught this model to end
    AdamW<float> optimiser(player.model.parameters(), {});
    const auto task = player.task([](std::int32_t t) { return t == 42; });
    Doubles rewards;
    for (Index i = 0; i < 30; ++i) {
      rewards.push_back(value(player.step(task, i), "reward"));
      optimiser.step(5e-3);
    }
    const double first = (rewards[0] + rewards[1] + rewards[2]) / 3;
    const double last = (rewards[27] + rewards[28] + rewards[29]) / 3;
    CHECK(first < 0.1);
    CHECK(last > 0.6);
  }
}

TEST_CASE("groups without spread are counted, and replaced while rounds last") {
  Player player;
  std::vector<std::pair<Index, Index>> asked;  // round, count
  const Task<Nano> task{[&](Index step, Index round, Index count) {
                          asked.emplace_back(round, count);
                          return player.some(step, round, count);
                        },
                        [&](Index, std::span<const TaskPrompt<Nano>> prompts,
                            std::span<const Completion> done, Metrics&) {
                          Doubles out;
                          for (std::size_t i = 0; i < done.size(); ++i) {
                            const bool flat =
                                prompts[i / 6].index % 2 == 1;  // every second prompt is too easy
                            out.push_back(flat ? 1 : static_cast<double>(i % 6));
                          }
                          return out;
                        }};
  SECTION("never replaced") {
    const auto m = player.step(task);
    CHECK(asked == decltype(asked){{0, 4}});
    CHECK(value(m, "frac_reward_zero_std") == 0.5);
    CHECK(value(m, "reward") == Approx((1 + 2.5) / 2));
  }
  SECTION("replaced, and kept in the last round") {
    player.s.resample = 1;
    const auto m = player.step(task);
    CHECK(asked == decltype(asked){{0, 4}, {1, 2}});
    CHECK(value(m, "frac_reward_zero_std") == Approx(3.0 / 6));
    CHECK(value(m, "reward") == Approx((3 * 2.5 + 1) / 4));
  }
  SECTION("until all have spread") {
    player.s.resample = 5;
    const auto m = player.step(task);
    CHECK(asked == decltype(asked){{0, 4}, {1, 2}, {2, 1}});
    CHECK(value(m, "reward") == Approx(2.5));
  }
}

TEST_CASE("grpo refuses settings and tasks that make no sense") {
  Player player;
  const auto task = player.task([](std::int32_t t) { return t == 42; });
  const auto error = [&](auto change) {
    Player p;
    change(p.s);
    return error_of([&] { p.step(task); });
  };
  CHECK(error([](GrpoSettings& s) { s.group = 1; }).find("group must be at least 2, got 1") !=
        std::string::npos);
  CHECK_FALSE(error([](GrpoSettings& s) { s.prompts = 0; }).empty());
  CHECK_FALSE(error([](GrpoSettings& s) { s.updates = 0; }).empty());
  CHECK_FALSE(error([](GrpoSettings& s) { s.sampling.greedy = true; }).empty());
  CHECK_FALSE(error([](GrpoSettings& s) { s.sampling.temperature = 0; }).empty());
  Task<Nano> mean = task;
  mean.score = [](Index, auto, auto, Metrics&) { return Doubles{1, 0}; };
  CHECK(error_of([&] { player.step(mean); }).find("2 rewards for 24 completions") !=
        std::string::npos);
  Task<Nano> empty = task;
  empty.prompts = [](Index, Index, Index) { return std::vector<TaskPrompt<Nano>>{}; };
  CHECK(error_of([&] { player.step(empty); }).find("no prompts") != std::string::npos);
}
