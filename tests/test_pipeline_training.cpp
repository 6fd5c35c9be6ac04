// SPDX-License-Identifier: MIT
// What a GRPO arm's training measures on the side: masked pictures, correctness within groups,
// validation. None of it changes a bit of the training.
#include <cmath>
#include <limits>
#include <sstream>

#include "gaze/cpu/kernels.hpp"
#include "phyx/study/ablation.hpp"
#include "phyx/study/correctness.hpp"
#include "phyx/study/masked_picture.hpp"
#include "phyx/study/task.hpp"
#include "phyx/study/validation.hpp"
#include "tests/folder.hpp"
#include "tests/small_model.hpp"
#include "tests/small_world.hpp"
#include "tests/texts.hpp"

namespace test_pipeline_training {
namespace {

using namespace gaze;
using namespace gaze::phyx;
using Catch::Approx;
using gaze::test::contains;
using gaze::test::error_of;
using gaze::test::Folder;
using gaze::test::metric;
using gaze::test::small_world::World;
using gaze::test::small_world::world;
using Doubles = std::vector<double>;
constexpr double none = std::numeric_limits<double>::quiet_NaN();

bool has(const Metrics& m, const std::string& name) {
  return std::any_of(m.begin(), m.end(), [&](const auto& x) { return x.first == name; });
}

const models::Prompt& pictured() {
  for (const Example& e : world().examples)
    if (e.prompt.rgb) return e.prompt;
  throw Error("test", "no example has a picture");
}

/// The patches of two pictures that differ.
std::size_t differing_patches(const models::Prompt& a, const models::Prompt& b) {
  const auto& c = world().config.vit;
  const auto side = static_cast<std::size_t>(c.image), patch = static_cast<std::size_t>(c.patch);
  std::set<std::size_t> found;
  for (std::size_t i = 0; i < a.rgb->size(); ++i)
    if ((*a.rgb)[i] != (*b.rgb)[i])
      found.insert(i / 3 / side / patch * side + i / 3 % side / patch);
  return found.size();
}

MixScore scored(double total, std::vector<std::optional<double>> parts) {
  return {total, std::move(parts)};
}

}  // namespace

TEST_CASE("a masked picture has the share of its patches in the mean colour, drawn by counter") {
  const auto& vit = world().config.vit;
  models::Prompt noise = pictured();  // in noise every masked patch shows
  noise.rgb = test::random_image(world().config, 5);
  const Philox random(3, Purpose::data);
  const auto all = static_cast<double>(vit.patches());
  for (const double share : {1e-9, 0.3, 0.5, 1.0}) {
    INFO("share " << share);
    const auto masked = masked_prompt(noise, vit, share, random, 7);
    CHECK(differing_patches(noise, masked) ==
          static_cast<std::size_t>(std::max(1.0, std::round(share * all))));
    CHECK(masked.tokens == noise.tokens);
    CHECK(masked.region == noise.region);
    CHECK(*masked_prompt(noise, vit, share, random, 7).rgb == *masked.rgb);
    if (share == 0.3) {
      CHECK(*masked_prompt(noise, vit, share, random, 8).rgb != *masked.rgb);
      CHECK(*masked_prompt(noise, vit, share, Philox(4, Purpose::data), 7).rgb != *masked.rgb);
    }
  }
  const auto whole = masked_prompt(noise, vit, 1, random, 7);
  for (std::size_t channel = 0; channel < 3; ++channel) {
    double mean = 0;
    for (std::size_t i = channel; i < noise.rgb->size(); i += 3) mean += (*noise.rgb)[i];
    mean /= static_cast<double>(noise.rgb->size() / 3);
    CHECK((*whole.rgb)[channel] == Approx(mean).margin(0.5));
  }
  CHECK(contains(error_of([&] { masked_prompt(noise, vit, 0, random, 7); }), "in (0, 1], got 0"));
  noise.rgb = nullptr;
  CHECK(
      contains(error_of([&] { masked_prompt(noise, vit, 1, random, 7); }), "a picture of 0 bytes"));
}

TEST_CASE("a task masks the prompts that have a picture, once it is asked to") {
  const World& w = world();
  PhyxTask<Cpu> source(w.examples, *w.maker, w.config, mix_of({{"accuracy", 1.0}}), 3);
  const auto plain = source.task();
  CHECK_FALSE(plain.masks);
  for (const auto& p : plain.prompts(0, 0, 8)) CHECK_FALSE(p.masked);
  source.mask_pictures(0.3);
  const auto masking = source.task();
  CHECK(masking.masks);
  const auto first = masking.prompts(0, 0, 40), again = masking.prompts(0, 0, 40);
  std::size_t masked = 0;
  for (std::size_t i = 0; i < first.size(); ++i) {
    CHECK(first[i].prompt == plain.prompts(0, 0, 40)[i].prompt);  // the same problems
    CHECK((first[i].masked != nullptr) == (first[i].prompt->rgb != nullptr));
    if (!first[i].masked) continue;
    ++masked;
    CHECK(*first[i].masked->rgb == *again[i].masked->rgb);
  }
  CHECK(masked > 10);
}

TEST_CASE("correlations are taken within groups and pooled") {
  const Doubles right = {1, 0, 1, 0, 0, 1, 1, 1};
  CHECK(correlation_within_groups(right, right, 4) == Approx(1));
  Doubles shifted = right;  // differences between groups do not count
  for (std::size_t i = 4; i < 8; ++i) shifted[i] = 10 - 2 * right[i];
  for (std::size_t i = 0; i < 4; ++i) shifted[i] = -2 * right[i];
  CHECK(correlation_within_groups(shifted, right, 4) == Approx(-1));
  // By hand: x centred is (1, -1 | 2, -2), y centred is (.5, -.5 | -.5, .5).
  CHECK(correlation_within_groups(Doubles{3, 1, 4, 0}, Doubles{1, 0, 0, 1}, 2) ==
        Approx((1 - 2) / std::sqrt(10.0 * 1.0)));
  CHECK(correlation_within_groups(Doubles{3, 1, none, 0}, Doubles{1, 0, 0, 1}, 2) == Approx(1));
  CHECK(std::isnan(correlation_within_groups(Doubles{3, 1, 4, 0}, Doubles{1, 1, 0, 0}, 2)));
  CHECK(std::isnan(correlation_within_groups(Doubles{.1, .1, .1}, Doubles{1, 0, 1}, 3)));
  CHECK(std::isnan(correlation_within_groups(Doubles{}, Doubles{}, 3)));
  CHECK(contains(error_of([] { correlation_within_groups(Doubles{1}, Doubles{}, 1); }),
                 "1 and 0 scores in groups of 1"));
}

TEST_CASE("groups are right or wrong by their correctness, whatever the reward") {
  const Doubles right = {1, 1, 0, 0, 1, 0, 0, 0};
  std::vector<MixScore> scores;
  for (std::size_t i = 0; i < right.size(); ++i)
    scores.push_back(scored(i % 2 ? 0.1 : 0.9, {i % 2 ? 0.2 : 0.7, std::nullopt}));
  Metrics m;
  add_correctness_metrics(right, 2, scores, {"random", "attention"}, m);
  CHECK(metric(m, "groups/all_right") == 0.25);
  CHECK(metric(m, "groups/all_wrong") == 0.5);
  CHECK(metric(m, "correlation/reward") == Approx(0.5));  // three groups of (1, -1) have y = 0
  CHECK(metric(m, "correlation/random") == Approx(0.5));
  CHECK_FALSE(has(m, "correlation/attention"));  // undefined for every completion
}

TEST_CASE("a task reports its groups by correctness") {
  const World& w = world();
  PhyxTask<Cpu> source(w.examples, *w.maker, w.config, mix_of({{"accuracy", 1.0}, {"format", 0.5}}),
                       3);
  const auto prompts = source.task().prompts(0, 0, 3);
  std::vector<gaze::SampledTokens> completions(6);
  for (std::size_t i = 0; i < completions.size(); ++i) {
    const Problem& p = w.examples[prompts[i / 2].index].problem;
    const bool gold = i < 2 || i == 2;
    completions[i].tokens = w.maker->response(gold ? gold_response(p) : "no idea");
    completions[i].ended = true;
  }
  Metrics m;
  source.task().score(0, prompts, completions, m);
  CHECK(metric(m, "groups/all_right") == Approx(1.0 / 3));
  CHECK(metric(m, "groups/all_wrong") == Approx(1.0 / 3));
  CHECK(metric(m, "correlation/accuracy") == Approx(1));
  CHECK(metric(m, "correlation/reward") == Approx(1));
}

TEST_CASE("validation accuracy is that of an evaluation's answers, for any batch") {
  const World& w = world();
  const std::vector<Example> some(w.examples.begin() + 20, w.examples.begin() + 34);
  EvaluationSettings s;
  s.samples = 3;
  s.sampling.max_tokens = 10;
  double right = 0, sampled = 0;
  for (const auto& o : Evaluator(*w.model, *w.maker, s)(some, {})) {
    right += o.greedy.correct;
    for (const Attempt& a : o.sampled) sampled += a.correct;
  }
  for (const Index batch : {48, 5, 1}) {
    s.batch = batch;
    CHECK(validation_accuracy(*w.model, *w.maker, s, std::span(some)) ==
          right / static_cast<double>(some.size()));
    CHECK(validation_accuracy(*w.model, *w.maker, s, std::span(some), 3) ==
          sampled / static_cast<double>(3 * some.size()));
  }
  CHECK(contains(
      error_of([&] { validation_accuracy(*w.model, *w.maker, s, std::span<const Example>()); }),
      "no validation problems"));
}

TEST_CASE("validation and the measured KL do not change a bit of an arm", "[slow]") {
  const Folder folder("pipeline_training");
  const auto run = [&](const std::string& name, Index every) {
    AblationSettings s = ablation_preset("smoke");
    s.only = {"accuracy"};
    s.train_scenes = 30;
    s.test_known = s.test_new = 8;
    s.warm.clean_steps = s.warm.mixed_steps = 2;
    s.warm.batch = 4;
    s.max_tokens = 10;
    s.validate_every = every;
    s.grpo_set.push_back("kl_every=" + std::to_string(every));
    s.validate_scenes = 5;
    Ablation ablation(s, folder.file(name), {});
    ablation.prepare(false, "");
    ablation.run();
    return folder.file(name);
  };
  const std::string with = run("with", 2), without = run("without", 0);
  for (const char* file : {"arms/accuracy/seed0/model.safetensors",
                           "arms/accuracy/seed0/outcomes.jsonl", "results.csv"}) {
    INFO(file);
    const bool same = io::read_file(with + "/" + file) == io::read_file(without + "/" + file);
    CHECK(same);
  }
  std::vector<bool> validated, measured;
  std::istringstream in(io::read_file(with + "/arms/accuracy/seed0/metrics.jsonl"));
  for (std::string line; std::getline(in, line);) {
    validated.push_back(contains(line, "\"validation/accuracy\""));
    measured.push_back(contains(line, "\"kl_start\""));
  }
  CHECK(validated == std::vector<bool>{true, false, true});  // step 0, 2, and the last one
  CHECK(measured == std::vector<bool>{false, true, true});   // every second step, and the last one
  const std::string log = io::read_file(without + "/arms/accuracy/seed0/metrics.jsonl");
  CHECK_FALSE(contains(log, "validation/accuracy"));
  CHECK_FALSE(contains(log, "kl_start"));
}

TEST_CASE("validation problems are spread over the split, without layout-only templates") {
  const Folder folder("pipeline_training");
  AblationSettings s = ablation_preset("smoke");
  s.train_scenes = 30;
  s.test_known = 28;
  s.split = "val";
  s.validate_scenes = 5;
  settle(s);
  const RunPaths paths{folder.path.string()};
  RunData data(s, paths);
  data.write([](const std::string&) {});
  data.read();
  REQUIRE(data.validation().size() == 10);
  REQUIRE(data.test().size() == 56);
  std::vector<std::string> kept;
  for (const Example& e : data.test())
    if (!e.problem.layout_only) kept.push_back(e.problem.index);
  CHECK(kept.size() < 56);
  for (std::size_t i = 0; i < 10; ++i) {
    CHECK(data.validation()[i].problem.form == (i % 2 ? Form::oe : Form::mc));
    CHECK(data.validation()[i].problem.index == kept[i / 2 * (kept.size() / 2) / 5 * 2 + i % 2]);
  }
  s.validate_every = -1;
  CHECK(contains(error_of([&] { settle(s); }),
                 "validation.every: must be a whole number of at least 0, got -1"));
  s.validate_every = 1;
  s.validate_scenes = 0;
  CHECK(contains(error_of([&] { settle(s); }), "validation.scenes must be above 0"));
}

}  // namespace test_pipeline_training
