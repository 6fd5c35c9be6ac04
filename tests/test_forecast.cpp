// SPDX-License-Identifier: MIT
// The memory forecast against the allocator's peak: supervised and GRPO steps and rollouts, with
// models and batches that each stress one term of the forecast. The forecasts of a study: further
// answers and masked pictures count.
#include "gaze/ops/reduce.hpp"
#include "gaze/optim/adamw.hpp"
#include "gaze/rl/grpo.hpp"
#include "models/memory.hpp"
#include "phyx/study/forecast.hpp"
#include "phyx/study/preview.hpp"
#include "tests/restore.hpp"
#include "tests/small_model.hpp"
#include "tests/small_world.hpp"

namespace test_forecast {
namespace {

using namespace gaze;
using namespace gaze::test;
using Policy = models::Vlm<float>;

/// Prompts with completions, and their sizes for the forecast.
struct Groups {
  std::vector<models::Prompt> prompts;
  std::deque<Tokens> completions;
  std::vector<models::Group> groups;
  models::BatchSizes sizes;

  /// `count` prompts of `words` words, with or without an image, each with `group` completions.
  Groups(const models::VlmConfig& c, Index count, Index words, bool image, Index group,
         Index length) {
    prompts.reserve(static_cast<std::size_t>(count));
    for (Index i = 0; i < count; ++i) {
      const auto seed = static_cast<std::uint64_t>(i);
      prompts.push_back(image ? image_prompt(c, seed, words) : text_prompt(seed, words));
      groups.push_back({&prompts.back(), {}});
      std::vector<Index> lengths;
      for (Index g = 0; g < group; ++g) {
        lengths.push_back(1 + (length + g * 3) % (length + 4));
        completions.push_back(random_tokens(seed * 100 + completions.size(), lengths.back()));
        groups.back().completions.emplace_back(completions.back());
      }
      sizes.add_group(static_cast<Index>(prompts.back().tokens.size()), image, lengths);
    }
  }
};

struct Seen {
  Index forecast, used;
  double ratio() const { return static_cast<double>(forecast) / static_cast<double>(used); }
};

/// Two steps: the second also has the memory that the first one left.
Seen supervised(const models::VlmConfig& c, const Groups& batch) {
  const std::size_t before = Allocator<Cpu>::in_use();
  Policy model(c, image_token, 7);
  AdamW<float> optimiser(model.parameters(), {});
  Allocator<Cpu>::reset_peak();
  for (int step = 0; step < 2; ++step) {
    const auto loss = neg(mean(model.logprobs(batch.groups).logp));
    backward(loss);
    model.parameters().clear_gradients();
  }
  const Index used = static_cast<Index>(Allocator<Cpu>::peak() - before);
  return {
      models::parameter_bytes(model.parameters(), true) + models::training_bytes(c, batch.sizes),
      used};
}

/// A GRPO step whose completions all have the maximum length; with `path`, with the gradient of
/// the reward through attention.
Seen reinforced(const models::VlmConfig& c, Index prompts, Index group, Index length,
                bool path = false) {
  const std::size_t before = Allocator<Cpu>::in_use();
  Policy model(c, image_token, 7);
  AdamW<float> optimiser(model.parameters(), {});
  const auto all = some_prompts(c, prompts);
  rl::GrpoSettings s;
  s.prompts = prompts;
  s.group = group;
  s.sampling.max_tokens = length;
  rl::Task<Policy> task;
  task.prompts = [&](Index, Index, Index count) {
    std::vector<rl::TaskPrompt<Policy>> out;
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i)
      out.push_back({&all[i], i, i});
    return out;
  };
  task.score = [](Index, auto, std::span<const SampledTokens> completions, Metrics&) {
    std::vector<double> rewards;
    for (const SampledTokens& x : completions) rewards.push_back(x.tokens.front() % 5);
    return rewards;
  };
  if (path) {
    s.loss.pathwise = 1;
    task.attention_gradients = [](auto, std::span<const SampledTokens> completions) {
      std::vector<std::vector<float>> gradients;
      for (const SampledTokens& x : completions) gradients.emplace_back(x.seen.size(), 0.5f);
      return gradients;
    };
  }
  models::BatchSizes update, rollout;
  const std::vector<Index> lengths(static_cast<std::size_t>(group), length);
  for (const auto& p : all) {
    const auto words = static_cast<Index>(p.tokens.size());
    update.add_group(words, p.rgb != nullptr, lengths);
    rollout.add_rollout(words, p.rgb != nullptr, group, length);
  }
  Allocator<Cpu>::reset_peak();
  const Policy* none = nullptr;
  const std::int32_t no_end = -1;
  rl::grpo_step(model, none, s, task, no_end, 0, Watch::marks, [&] { optimiser.step(1e-4); });
  const Index used = static_cast<Index>(Allocator<Cpu>::peak() - before);
  return {models::parameter_bytes(model.parameters(), true) +
              std::max(models::training_bytes(c, update, path ? models::mark_count : 0),
                       models::rollout_bytes(c, rollout)),
          used};
}

/// A rollout of prompts with `words` words after their image.
Seen rolled_out(const models::VlmConfig& c, Index count, Index words, Index group, Index length,
                Watch watch) {
  const std::size_t before = Allocator<Cpu>::in_use();
  Policy model(c, image_token, 7);
  std::vector<models::Prompt> prompts;
  models::BatchSizes sizes;
  std::vector<std::uint64_t> ids;
  for (Index i = 0; i < count; ++i) {
    prompts.push_back(image_prompt(c, static_cast<std::uint64_t>(i), words));
    sizes.add_rollout(static_cast<Index>(prompts.back().tokens.size()), true, group, length);
    ids.push_back(ids.size());
  }
  SamplingSettings s;
  s.max_tokens = length;
  Allocator<Cpu>::reset_peak();
  sample(model, pointers(prompts), group, s, ids, -1, watch);
  const Index used = static_cast<Index>(Allocator<Cpu>::peak() - before);
  return {models::parameter_bytes(model.parameters(), false) +
              models::rollout_bytes(c, sizes, watch == Watch::marks ? models::mark_count : 0),
          used};
}

models::VlmConfig rounded(models::VlmConfig c) {
  c.bf16 = true;
  return c;
}

/// Calls f with a model with bf16 products, on every bf16 path of this processor.
template <class Function>
void in_bf16(const char* preset, Function f) {
  using Way = Bf16Products;
  const Restore restore;
  for (const Way way : {Way::f32, Way::avx512_bf16, Way::amx}) {
    if (!supported(way)) continue;
    set_bf16_products(way);
    INFO("bf16 in " << name(bf16_products()));
    f(rounded(config(preset)));
  }
}

/// A study of one GRPO condition with these rewards and settings.
phyx::AblationSettings study(const std::string& rewards, const std::string& settings = "") {
  const std::string text =
      "model = \"nano\"\n[grpo]\nsteps = 5\nprompts = 4\ngroup = 8\n[condition.a]\n"
      "method = \"grpo\"\nrewards = { " +
      rewards + " }\n" + settings;
  return phyx::parse_study(text, "my.toml").settings;
}

void check(const Seen& seen) {
  INFO("forecast " << seen.forecast << ", used " << seen.used << ", ratio " << seen.ratio());
  CHECK(seen.ratio() > 0.9);
  CHECK(seen.ratio() < 1.1);
}

}  // namespace

TEST_CASE("a model's parameters can be counted without building it", "[memory]") {
  for (const auto& preset : models::presets) {
    if (std::string(preset.name) == "large") continue;
    const auto c = config(preset.name);
    for (const Index slots : {0, 6}) {
      const models::DeclaredVlm declared(c, slots);
      Policy model(c, image_token, 1, slots);
      CHECK(declared.all.count() == model.parameters().count());
      CHECK(models::parameter_bytes(declared.all, true) ==
            models::parameter_bytes(model.parameters(), true));
    }
  }
}

TEST_CASE("the memory forecast of a supervised step is right within a tenth", "[memory]") {
  const auto tiny = config("tiny"), small = config("small");
  SECTION("images and several completions") {
    check(supervised(tiny, {tiny, 16, 20, true, 4, 12}));
  }
  SECTION("one image") { check(supervised(tiny, {tiny, 1, 3, true, 1, 4})); }
  SECTION("many images, little text") { check(supervised(tiny, {tiny, 24, 1, true, 1, 2})); }
  SECTION("text alone, short") { check(supervised(tiny, {tiny, 32, 5, false, 1, 20})); }
  SECTION("text alone, long") { check(supervised(tiny, {tiny, 2, 700, false, 2, 300})); }
  SECTION("another model") { check(supervised(small, {small, 4, 15, true, 3, 25})); }
  SECTION("a large vocabulary") {
    auto c = tiny;
    c.vocabulary = 9000;
    check(supervised(c, {c, 4, 9, true, 4, 30}));
  }
  SECTION("heads of 128") {
    const auto c = with_head_size(128);
    check(supervised(c, {c, 8, 9, true, 2, 30}));
  }
}

TEST_CASE("the memory forecast of a GRPO step is right within a tenth", "[memory]") {
  const auto tiny = config("tiny");
  SECTION("twelve prompts, group 8") { check(reinforced(tiny, 12, 8, 24)); }
  SECTION("one prompt, group 32") { check(reinforced(tiny, 1, 32, 40)); }
  SECTION("short completions") { check(reinforced(tiny, 8, 2, 2)); }
  SECTION("with a gradient through attention") {
    check(reinforced(tiny, 12, 8, 24, true));
    check(reinforced(tiny, 2, 16, 40, true));
  }
}

TEST_CASE("the memory forecast of a rollout is right within a tenth", "[memory]") {
  const auto tiny = config("tiny"), nano = config("nano");
  SECTION("with marks") { check(rolled_out(tiny, 12, 20, 8, 32, Watch::marks)); }
  SECTION("without") { check(rolled_out(tiny, 12, 20, 8, 32, Watch::nothing)); }
  SECTION("one prompt, many completions") { check(rolled_out(tiny, 1, 10, 200, 64, Watch::marks)); }
  SECTION("many prompts, one token") { check(rolled_out(nano, 64, 30, 1, 1, Watch::nothing)); }
}

TEST_CASE("the memory forecast of bf16 steps and rollouts is right within a tenth", "[memory]") {
  in_bf16("tiny", [](const auto& c) {
    check(supervised(c, {c, 16, 20, true, 4, 12}));
    check(supervised(c, {c, 24, 1, true, 1, 2}));
    check(supervised(c, {c, 2, 700, false, 2, 300}));
    check(reinforced(c, 12, 8, 24));
    check(rolled_out(c, 12, 20, 8, 32, Watch::marks));
    check(rolled_out(c, 1, 10, 1, 16, Watch::nothing));
  });
  in_bf16("small", [](const auto& c) { check(supervised(c, {c, 4, 15, true, 3, 25})); });
}

TEST_CASE("the time forecast counts further answers, replaced groups and masked pictures") {
  const auto seconds = [](const std::string& rewards, const std::string& settings = "") {
    const phyx::Speeds speeds = {.sampled = 1, .trained = 10, .single = 100};
    auto s = study(rewards, settings);
    s.validate_every = 0;
    return phyx::forecast_time(s, speeds, 0).conditions / (5 * 4 * 8);
  };
  CHECK(seconds("accuracy = 1.0") == 11);
  CHECK(seconds("contrast = 1.0") == 12);  // a twin of every completion
  CHECK(seconds("contrast = { weight = 1.0, second = \"greedy\" }") == 11 + 100. / 8);
  CHECK(seconds("vision_sr1 = 1.0") == 111);
  CHECK(seconds("accuracy = 1.0", "grpo.resample = 2\n") == 13);
  CHECK(seconds("contrast = 1.0", "grpo.resample = 2\n") == 16);
  CHECK(seconds("accuracy = 1.0", "grpo.papo.gamma = 0.1\n") == 21);
}

TEST_CASE("the time forecast counts every validation and all test problems") {
  const phyx::Speeds speeds = {.answer = 10, .single = 1};
  auto s = study("accuracy = 1.0", "");  // 5 steps
  s.validate_scenes = 3;
  s.validate_every = 2;  // before steps 0, 2 and 4
  CHECK(phyx::forecast_time(s, speeds, 0).conditions == 3 * 6);
  s.validate_every = 3;  // before steps 0 and 3, and the last
  s.validate_samples = 2;
  CHECK(phyx::forecast_time(s, speeds, 0).conditions == 3 * 6 * 21);
  s.validate_every = 0;
  CHECK(phyx::forecast_time(s, speeds, 0).conditions == 0);
  CHECK(phyx::forecast_time(s, speeds, 0).evaluation == 0);
  CHECK(phyx::forecast_time(s, speeds, 7).evaluation > 0);
}

TEST_CASE("the time forecast counts every answer of an evaluation") {
  phyx::EvaluationSettings s;
  s.samples = 4;
  CHECK(phyx::answers_per_problem(s, 0) == 5 + 4);  // with either other picture: greedy, sampled
  s.gold_look = true;
  CHECK(phyx::answers_per_problem(s, 2) == 3 * 5 + 6);
  s.many = 64;
  s.many_share = 0.25;
  CHECK(phyx::answers_per_problem(s, 2) == 3 * 5 + 6 + 16);
  const auto other = phyx::at_temperature(s, 0.5);
  CHECK(phyx::answers_per_problem(other, 0) == 5);
  CHECK(other.sampling.temperature == 0.5);
  s = {};
  s.samples = 0;
  CHECK(phyx::answers_per_problem(s, 0) == 1 + 2);
}

TEST_CASE("the memory forecast counts continued look sections and masked pictures") {
  const auto& w = test::small_world::world();
  const auto bytes = [&](const std::string& rewards, const std::string& settings = "") {
    auto s = study(rewards, settings);
    s.validate_every = 0;
    const phyx::LessonSource source(w.examples, *w.maker, w.tokenizer, 1);
    return phyx::forecast(s, w.config, w.examples, w.examples, source).grpo;
  };
  const std::string small = "grpo.groups_per_micro = 1\n";  // rollouts need the most
  CHECK(bytes("contrast = 1.0", small) == bytes("accuracy = 1.0", small));  // no larger
  CHECK(bytes("vision_sr1 = 1.0", small) > bytes("accuracy = 1.0", small));
  CHECK(bytes("accuracy = 1.0", "grpo.papo.gamma = 0.1\n") > bytes("accuracy = 1.0"));
}

}  // namespace test_forecast
