// SPDX-License-Identifier: MIT
// GRPO: complete steps of a small model on tasks with known answers.
#include "gaze/rl/grpo.hpp"

#include "tests/small_model.hpp"
#include "tests/texts.hpp"

namespace test_grpo {
namespace {

using namespace gaze;
using namespace gaze::rl;
using namespace gaze::test;
using Catch::Approx;
using Doubles = std::vector<double>;

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

  /// Rewards tokens for which `good` is true.
  template <class Good>
  Task<Nano> task(Good good) const {
    return {[this](Index step, Index round, Index count) { return some(step, round, count); },
            [good](Index, std::span<const TaskPrompt<Nano>>,
                   std::span<const SampledTokens> completions, Metrics&) {
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
      const Task<Nano>& task, Index i = 0, const Update& update = [] {}) {
    return grpo_step<Nano>(model, nullptr, s, task, end_token, i, Watch::marks, update);
  }
};

}  // namespace

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
  s.loss.kl = 0.1;  // a run's, not a variant's
  s.loss.max_length = 99;
  s.apply(variant("cispo"));
  CHECK(s.loss.surrogate == Surrogate::weight);
  CHECK(s.loss.kl == 0.1);
  CHECK(s.loss.max_length == 99);
  CHECK(contains(error_of([] { variant("ppo"); }),
                 "[gaze::variant] no GRPO variant named ppo; there are grpo, dr_grpo, dapo, gspo"));
}

TEST_CASE("the first update after a rollout has a ratio of exactly 1 for every token") {
  at_each_isa([] {
    for (const double temperature : {1.0, 0.7})
      for (const Index micro : {1, 3, 4}) {
        Player player;
        player.s.sampling.temperature = temperature;
        player.s.sampling.top_k = temperature < 1 ? 20 : 0;
        player.s.groups_per_micro = micro;
        const auto m = player.step(player.task([](std::int32_t t) { return t % 2 == 0; }));
        CHECK(metric(m, "first_ratio_min") == 1.0);
        CHECK(metric(m, "first_ratio_max") == 1.0);
        CHECK(metric(m, "reward_std") > 0);
      }
  });
}

TEST_CASE("a step's gradients do not depend on its micro-batches") {
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
      const auto g = all_gradients(player.model);
      if (whole.empty()) whole = g;
      check_near_largest(g, whole, 1e-5f);
    }
  }
}

TEST_CASE("several updates on one rollout move the ratio, and each takes an optimiser step") {
  Player player;
  player.s.updates = 3;
  AdamW<float> optimiser(player.model.parameters(), {});
  int updates = 0;
  const auto m = player.step(player.task([](std::int32_t t) { return t % 2 == 0; }), 0, [&] {
    optimiser.step(3e-2);
    ++updates;
  });
  CHECK(updates == 3);
  CHECK(metric(m, "first_ratio_max") == 1.0);
  CHECK(metric(m, "clip_ratio/low_mean") + metric(m, "clip_ratio/high_mean") > 0);
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
    kl.push_back(metric(m, "kl"));
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
    player.s.loss.mask_truncated = false;  // this model has not learned to end
    AdamW<float> optimiser(player.model.parameters(), {});
    const auto task = player.task([](std::int32_t t) { return t == 42; });
    Doubles rewards;
    for (Index i = 0; i < 30; ++i) {
      rewards.push_back(metric(player.step(task, i), "reward"));
      optimiser.step(5e-3);
    }
    const double first = (rewards[0] + rewards[1] + rewards[2]) / 3;
    const double last = (rewards[27] + rewards[28] + rewards[29]) / 3;
    CHECK(first < 0.1);
    CHECK(last > 0.6);
  }
}

TEST_CASE("groups with equal rewards are counted, and replaced while rounds last") {
  Player player;
  std::vector<std::pair<Index, Index>> asked;  // round, count
  const Task<Nano> task{[&](Index step, Index round, Index count) {
                          asked.emplace_back(round, count);
                          return player.some(step, round, count);
                        },
                        [&](Index, std::span<const TaskPrompt<Nano>> prompts,
                            std::span<const SampledTokens> done, Metrics&) {
                          Doubles out;
                          for (std::size_t i = 0; i < done.size(); ++i) {
                            const bool flat =
                                prompts[i / 6].index % 2 == 1;  // every other prompt is too easy
                            out.push_back(flat ? 1 : static_cast<double>(i % 6));
                          }
                          return out;
                        }};
  SECTION("never replaced") {
    const auto m = player.step(task);
    CHECK(asked == decltype(asked){{0, 4}});
    CHECK(metric(m, "frac_reward_zero_std") == 0.5);
    CHECK(metric(m, "reward") == Approx((1 + 2.5) / 2));
  }
  SECTION("replaced, and kept in the last round") {
    player.s.resample = 1;
    const auto m = player.step(task);
    CHECK(asked == decltype(asked){{0, 4}, {1, 2}});
    CHECK(metric(m, "frac_reward_zero_std") == Approx(3.0 / 6));
    CHECK(metric(m, "reward") == Approx((3 * 2.5 + 1) / 4));
  }
  SECTION("until all have spread") {
    player.s.resample = 5;
    const auto m = player.step(task);
    CHECK(asked == decltype(asked){{0, 4}, {1, 2}, {2, 1}});
    CHECK(metric(m, "reward") == Approx(2.5));
  }
}

TEST_CASE("invalid GRPO settings and tasks are refused") {
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
  CHECK_FALSE(error([](GrpoSettings& s) { s.minibatches = 5; }).empty());
  CHECK_FALSE(error([](GrpoSettings& s) { s.overlong_cache = 9; }).empty());
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

TEST_CASE("each mini-batch makes an optimiser step, and together they see every group") {
  Player player;
  player.s.minibatches = 2;
  player.s.updates = 2;
  AdamW<float> optimiser(player.model.parameters(), {});
  int updates = 0;
  const auto m = player.step(player.task([](std::int32_t t) { return t % 2 == 0; }), 0, [&] {
    optimiser.step(1e-2);
    ++updates;
  });
  CHECK(updates == 4);
  CHECK(metric(m, "first_ratio_max") == 1.0);
  // Without a step between them, the gradients of all mini-batches are there to compare.
  Player half, whole;
  half.s.minibatches = 2;
  half.step(half.task([](std::int32_t t) { return t % 2 == 0; }));
  whole.step(whole.task([](std::int32_t t) { return t % 2 == 0; }));
  const auto a = all_gradients(half.model), b = all_gradients(whole.model);
  float largest = 0, worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::abs(b[i]));
    worst = std::max(worst, std::abs(a[i] / 2 - b[i]));
  }
  CHECK(worst <= 1e-5f * largest);
}

TEST_CASE("several reward functions are weighted, and may skip completions") {
  Player player;
  Task<Nano> task = player.task([](std::int32_t) { return false; });
  task.table = [](Index, std::span<const TaskPrompt<Nano>>, std::span<const SampledTokens> done,
                  Metrics&) {
    RewardTable t{{"even", "first"}, {1, 0.5}, {}};
    for (std::size_t i = 0; i < done.size(); ++i)
      t.rows.push_back({i % 2 == 0 ? Score(1.0) : Score(0.0), i == 1 ? Score() : Score(2.0)});
    t.rows[0] = {Score(), Score()};
    return t;
  };
  const auto m = player.step(task);
  CHECK(metric(m, "rewards/even/mean") == Approx(11.0 / 23));
  CHECK(metric(m, "rewards/first/mean") == Approx(2));
  CHECK(metric(m, "rewards/first/std") == Approx(0).margin(1e-12));
  CHECK(metric(m, "reward") == Approx((11 + 22) / 23.0));
}

TEST_CASE("length and distance from the reference can be subtracted from the reward") {
  Player player;
  const auto task = player.task([](std::int32_t) { return false; });  // every reward is 0
  CHECK(metric(player.step(task), "reward") == 0);
  player.s.overlong_cache = 4;
  const auto m = player.step(task);
  CHECK(metric(m, "reward") < 0);
  CHECK(metric(m, "reward") >= -1);
  player.s.overlong_cache = 0;
  player.s.kl_in_reward = 0.5;
  CHECK(contains(error_of([&] { player.step(task); }), "needs a reference"));
  const Nano other(player.c, image_token, 4);
  const auto far =
      grpo_step<Nano>(player.model, &other, player.s, task, end_token, 0, Watch::nothing, [] {});
  const auto near = grpo_step<Nano>(player.model, &player.model, player.s, task, end_token, 0,
                                    Watch::nothing, [] {});
  CHECK(metric(far, "reward") != 0);
  CHECK(metric(near, "reward") == Approx(0).margin(1e-5));
}

TEST_CASE("a sampler equal to the trainer needs no correction") {
  Player plain, corrected;
  corrected.s.loss.correction.level = ImportanceCorrection::Level::sequence;
  const auto task = plain.task([](std::int32_t t) { return t % 2 == 0; });
  plain.step(task);
  const auto m = corrected.step(task);
  CHECK(metric(m, "sampling/sampling_logp_difference/max") == 0);
  CHECK(metric(m, "sampling/importance_sampling_ratio/mean") == 1);
  CHECK(all_gradients(corrected.model) == all_gradients(plain.model));
}

TEST_CASE("entropy mask and bonus change the gradient independently of the micro-batches") {
  const Player lasting;  // outlives the task
  const auto task = lasting.task([](std::int32_t t) { return t % 2 == 0; });
  std::vector<float> whole;
  for (const Index micro : {4, 1}) {
    Player player;
    player.s.groups_per_micro = micro;
    player.s.loss.top_entropy = 0.37;
    player.s.loss.entropy_bonus = 0.1;
    const auto m = player.step(task);
    CHECK(metric(m, "loss") < metric(m, "policy_loss"));
    const auto g = all_gradients(player.model);
    if (whole.empty()) whole = g;
    float largest = 0, worst = 0;
    for (std::size_t i = 0; i < g.size(); ++i) {
      largest = std::max(largest, std::abs(whole[i]));
      worst = std::max(worst, std::abs(g[i] - whole[i]));
    }
    CHECK(worst <= 1e-5f * largest);
  }
  Player player;
  AdaptiveEntropy adaptive;
  adaptive.target = 1000;
  for (Index i = 0; i < 2; ++i) {
    const auto m = grpo_step<Nano>(
        player.model, nullptr, player.s, task, end_token, i, Watch::nothing, [] {}, &adaptive);
    CHECK(metric(m, "entropy_coef") == Approx(0.005 * static_cast<double>(i + 1)));
  }
}

TEST_CASE("a reference can follow the policy") {
  const auto c = config("nano");
  Nano policy(c, image_token, 3), reference(c, image_token, 4);
  const auto weights = [](Nano& m) { return m.parameters().packs()[0].values.to_vector(); };
  const auto p = weights(policy), before = weights(reference);
  synchronise(reference.parameters(), policy.parameters(), 0.25);
  const auto mixed = weights(reference);
  for (std::size_t i = 0; i < p.size(); ++i)
    CHECK(mixed[i] == Approx(0.25 * p[i] + 0.75 * before[i]).margin(1e-6));
  synchronise(reference.parameters(), policy.parameters(), 1);
  CHECK(weights(reference) == p);
  CHECK_FALSE(
      error_of([&] { synchronise(reference.parameters(), policy.parameters(), 2); }).empty());
  const ReferenceSync sync{4, 0.6};
  CHECK_FALSE(sync.due(0));
  CHECK(sync.due(8));
  CHECK_FALSE(ReferenceSync{}.due(512));
}

TEST_CASE("a policy with disabled adapters is its own reference") {
  Player player;
  player.s.loss.kl = 0.1;
  const auto task = player.task([](std::int32_t t) { return t % 2 == 0; });
  std::vector<bool> calls;
  auto weights = player.model.parameters().packs()[0].values;
  const auto adapters = [&](bool on) {  // "adapters" that scale weights
    calls.push_back(on);
    for (Index i = 0; i < weights.numel(); ++i) weights.data()[i] *= on ? 0.5f : 2.0f;
    weights.changed();
  };
  const auto kl = [&](const Reference<Nano>& reference) {
    return metric(grpo_step<Nano>(player.model, reference, player.s, task, end_token, 0,
                                  Watch::nothing, [] {}),
                  "kl");
  };
  CHECK(kl(&player.model) == Approx(0).margin(1e-9));
  CHECK(kl({&player.model, adapters}) > 1e-6);
  CHECK(calls == std::vector<bool>{false, true});
}

}  // namespace test_grpo
