// SPDX-License-Identifier: MIT
// The gradient of a reward through attention: observed values, derivatives of the model against
// finite differences, whole steps.
#include "gaze/rl/pathwise.hpp"

#include "gaze/rl/grpo.hpp"
#include "gaze/rl/options.hpp"
#include "tests/small_model.hpp"
#include "tests/texts.hpp"

namespace test_grpo_pathwise {
namespace {

using namespace gaze;
using namespace gaze::rl;
using namespace gaze::test;
using Catch::Approx;
using Nano = models::Vlm<float>;

/// Rollouts of four prompts, observed, as groups for logprobs().
template <class T>
struct Rolled {
  models::VlmConfig c = config("nano");
  models::Vlm<T> model{c, image_token, 3};
  std::vector<models::Prompt> prompts = some_prompts(c, 4);
  std::vector<SampledTokens> completions;
  std::vector<models::Group> groups;
  std::vector<Index> lengths;

  Rolled() {
    SamplingSettings s;
    s.max_tokens = 5;
    completions = sample(model, pointers(prompts), 2, s, {0, 1, 2, 3}, end_token, Watch::marks);
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      groups.push_back({&prompts[i], {}});
      for (std::size_t j = 2 * i; j < 2 * i + 2; ++j) {
        groups.back().completions.push_back(completions[j].tokens);
        lengths.push_back(static_cast<Index>(completions[j].tokens.size()));
      }
    }
  }

  std::vector<std::vector<float>> random_gradients() const {
    const Philox random(8, Purpose::test);
    std::vector<std::vector<float>> out;
    for (const auto& x : completions) {
      out.emplace_back();
      for (std::size_t i = 0; i < x.seen.size(); ++i)
        out.back().push_back(static_cast<float>(random.uniform(out.size(), i)) - 0.5f);
    }
    out[2].clear();  // a reward that does not depend on the attention
    return out;
  }

  Tensor<T, Cpu> term(const std::vector<std::vector<float>>& gradients) const {
    return pathwise_term(model.logprobs(groups, T(1), Watch::marks).seen, std::span(gradients),
                         std::span(lengths), 0.7);
  }
};

/// A policy, three prompts, and a reward: the mean mass on the image, times a factor that differs
/// from completion to completion.
struct Player {
  models::VlmConfig c = config("nano");
  Nano model{c, image_token, 3};
  std::vector<models::Prompt> prompts;
  GrpoSettings s;
  Task<Nano> task;

  Player() {
    for (std::uint64_t i = 0; i < 3; ++i) prompts.push_back(image_prompt(c, 60 + i, 4));
    s.prompts = 3;
    s.group = 4;
    s.sampling.max_tokens = 6;
    task.masks = true;
    task.prompts = [this](Index step, Index, Index count) {
      std::vector<TaskPrompt<Nano>> out;
      for (Index i = 0; i < count; ++i) {
        const auto& prompt = prompts[static_cast<std::size_t>(i)];
        auto black = std::make_shared<models::Prompt>(prompt);
        black->rgb = std::make_shared<const std::vector<std::uint8_t>>(prompt.rgb->size(), 0);
        out.push_back({&prompt, static_cast<std::uint64_t>(step * 8 + i),
                       static_cast<std::size_t>(i), black});
      }
      return out;
    };
    task.score = [](Index, auto, std::span<const SampledTokens> completions, Metrics& m) {
      double all = 0, ended = 0;
      for (const auto& x : completions) {
        const double reward = factor(x) * image_mass(x) / static_cast<double>(completions.size());
        all += reward;
        ended += x.ended ? reward : 0;
      }
      m.emplace_back("reward_mass", all);
      m.emplace_back("ended_mass", ended);
      return std::vector<double>(completions.size(), 0.0);  // no policy gradient
    };
    task.attention_gradients = [](auto, std::span<const SampledTokens> completions) {
      std::vector<std::vector<float>> out;
      for (const auto& x : completions) {
        out.emplace_back(x.seen.size(), 0.0f);
        const float each =
            static_cast<float>(factor(x)) / static_cast<float>(x.seen.size() / models::mark_count);
        for (std::size_t i = 0; i < x.seen.size(); i += models::mark_count) out.back()[i] = each;
      }
      return out;
    };
  }

  static double factor(const SampledTokens& x) { return 1 + x.tokens.front() % 3; }

  static double image_mass(const SampledTokens& x) {
    double sum = 0;
    for (std::size_t i = 0; i < x.seen.size(); i += models::mark_count)
      sum += static_cast<double>(x.seen[i]);
    return sum / static_cast<double>(x.seen.size() / models::mark_count);
  }

  Metrics step() {
    return grpo_step<Nano>(model, nullptr, s, task, end_token, 0, Watch::marks, [] {});
  }

  std::vector<float> gradients() { return all_gradients(model); }
};

}  // namespace

TEST_CASE("logprobs() observes the same attention as the rollout, bit by bit") {
  const Rolled<float> r;
  const auto all = r.model.logprobs(r.groups, 1.0f, Watch::marks);
  const auto plain = r.model.logprobs(r.groups);
  CHECK(bits(all.logp) == bits(plain.logp));
  CHECK(bits(all.entropy) == bits(plain.entropy));
  CHECK(r.model.logprobs(r.groups, 1.0f, Watch::nothing).seen.empty());
  REQUIRE(all.seen.size() == static_cast<std::size_t>(r.c.decoder.layers));
  const auto width = static_cast<std::size_t>(r.c.decoder.heads * models::mark_count);
  std::vector<std::vector<float>> layers;
  for (const auto& layer : all.seen) layers.push_back(layer.to_vector());
  std::size_t row = 0;
  for (const auto& x : r.completions)
    for (std::size_t t = 0; t < x.tokens.size(); ++t, ++row)
      for (std::size_t l = 0; l < layers.size(); ++l)
        for (std::size_t i = 0; i < width; ++i)
          REQUIRE(layers[l][row * width + i] == x.seen[(t * layers.size() + l) * width + i]);
}

TEST_CASE("the pathwise term is its formula, and its gradient agrees with finite differences") {
  Rolled<double> r;
  const auto gradients = r.random_gradients();
  double sum = 0;
  for (std::size_t j = 0; j < gradients.size(); ++j)
    for (std::size_t i = 0; i < gradients[j].size(); ++i)
      sum += static_cast<double>(gradients[j][i]) * static_cast<double>(r.completions[j].seen[i]);
  const auto term = r.term(gradients);
  CHECK(term.item() == Approx(-0.7 * sum).epsilon(1e-5));
  backward(term);
  const NoGrad no_grad;
  const Philox random(9, Purpose::test);
  std::uint64_t direction = 0;
  std::size_t reached = 0;
  for (auto& p : r.model.parameters().all()) {  // one direction for each parameter
    INFO(p.name);
    const auto before = p.value.to_vector();
    const auto gradient =
        p.value.grad().defined() ? p.value.grad().to_vector() : std::vector<double>(before.size());
    const auto shifted = [&](double by) {
      for (std::size_t i = 0; i < before.size(); ++i)
        p.value.data()[i] = before[i] + by * random.normal(direction, i);
      return r.term(gradients).item();
    };
    double expected = 0;
    for (std::size_t i = 0; i < before.size(); ++i)
      expected += gradient[i] * random.normal(direction, i);
    const double h = 1e-5, numeric = (shifted(h) - shifted(-h)) / (2 * h);
    shifted(0);
    CHECK(expected == Approx(numeric).epsilon(1e-4).margin(1e-7));
    reached += expected != 0;
    ++direction;
  }
  // What follows the attention of the last block has no gradient.
  CHECK(reached > direction / 2);
  CHECK(reached < direction);
}

TEST_CASE(
    "a step adds the pathwise term to the loss, with its weight, in any number of micro-batches") {
  Player off;
  off.step();
  for (const float g : off.gradients()) REQUIRE(g == 0);  // equal rewards
  std::vector<float> whole;
  for (const Index micro : {3, 1, 2}) {
    Player player;
    player.s.groups_per_micro = micro;
    player.s.loss.pathwise = 0.5;
    const auto m = player.step();
    CHECK(metric(m, "loss") == Approx(-0.5 * metric(m, "reward_mass")).epsilon(1e-4));
    CHECK(metric(m, "policy_loss") == 0);
    CHECK(metric(m, "first_ratio_min") == 1);
    CHECK(metric(m, "first_ratio_max") == 1);
    const auto g = player.gradients();
    if (whole.empty()) whole = g;
    check_near_largest(g, whole, 1e-5f);
  }
  CHECK(*std::max_element(whole.begin(), whole.end()) > 0);
  Player twice;
  twice.s.loss.pathwise = 1;
  twice.step();
  for (float& g : whole) g *= 2;
  check_near_largest(twice.gradients(), whole, 1e-5f);
}

TEST_CASE("PAPO's masked prompts and the pathwise gradient add up") {
  const auto gradients = [](double pathwise, double gamma) {
    Player player;
    player.s.loss.pathwise = pathwise;
    player.s.loss.papo.gamma = gamma;
    player.step();
    return player.gradients();
  };
  const auto both = gradients(0.5, 0.3), path = gradients(0.5, 0), papo = gradients(0, 0.3);
  std::vector<float> sum = path;
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += papo[i];
  check_near_largest(both, sum, 1e-5f);
}

TEST_CASE("completions that are not in the loss have no pathwise gradient") {
  Player player;
  player.s.sampling.max_tokens = 40;  // some end, some are cut off
  player.s.loss.pathwise = 0.5;
  player.s.loss.mask_truncated = true;
  const auto m = player.step();
  CHECK(metric(m, "ended_mass") > 0);
  CHECK(metric(m, "ended_mass") < metric(m, "reward_mass"));
  CHECK(metric(m, "loss") == Approx(-0.5 * metric(m, "ended_mass")).epsilon(1e-4));
}

TEST_CASE(
    "training on the pathwise gradient alone moves the attention to where the reward reads it") {
  Player player;
  player.s.loss.pathwise = 1;
  AdamW<float> optimiser(player.model.parameters(), {});
  std::vector<double> mass;
  for (int i = 0; i < 8; ++i) {
    mass.push_back(metric(player.step(), "reward_mass"));
    optimiser.step(3e-3);
  }
  CHECK(mass.back() > mass.front() + 0.01);
}

TEST_CASE("the pathwise gradient refuses a task without gradients, and gradients of another size") {
  Player player;
  player.s.loss.pathwise = 1;
  const auto gradients = std::exchange(player.task.attention_gradients, nullptr);
  CHECK(contains(error_of([&] { player.step(); }), "needs a reward that reads the attention"));
  player.task.attention_gradients = [&](auto p, auto completions) {
    auto out = gradients(p, completions);
    out[1].pop_back();
    return out;
  };
  CHECK(contains(error_of([&] { player.step(); }), "the gradient of completion 1 has"));
  player.task.attention_gradients = [&](auto p, auto completions) {
    auto out = gradients(p, completions);
    out.pop_back();
    return out;
  };
  CHECK(contains(error_of([&] { player.step(); }), "11 attention gradients for 12 completions"));
  GrpoSettings s;
  CHECK(contains(error_of([&] { set_option(s, "pathwise=-1"); }), "at least 0"));
}

}  // namespace test_grpo_pathwise
