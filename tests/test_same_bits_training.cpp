// SPDX-License-Identifier: MIT
// Two runs of a training job give the same bits at any number of threads: a supervised stage, then
// GRPO with rollouts, in the step loop with clipping, optimiser, log and checkpoints.
#include "gaze/rl/grpo.hpp"
#include "gaze/train/loop.hpp"
#include "tests/folder.hpp"
#include "tests/small_model.hpp"

namespace test_same_bits_training {
namespace {

using namespace gaze;
using namespace gaze::test;
using Policy = models::Vlm<float>;

/// The results of a job: the last saved state, and the log without times.
struct Left {
  std::string weights, log;
  friend bool operator==(const Left&, const Left&) = default;
};

std::string log_without_times(const std::string& path) {
  std::istringstream in(io::read_file(path));
  std::string out, line;
  while (std::getline(in, line)) {
    auto j = io::OrderedJson::parse(line);
    for (const char* time : {"step_time", "rollout_time", "tokens_per_second"}) j.erase(time);
    out += j.dump() + "\n";
  }
  return out;
}

/// A reward that depends only on the tokens.
double reward(const Completion& c) {
  double sum = 0;
  for (const std::int32_t token : c.tokens) sum += token % 7;
  return sum / static_cast<double>(c.tokens.size());
}

rl::Task<Policy> make_task(const std::vector<models::Prompt>& prompts) {
  rl::Task<Policy> task;
  task.prompts = [&prompts](Index step, Index, Index count) {
    std::vector<rl::TaskPrompt<Policy>> out;
    for (Index i = 0; i < count; ++i) {
      const auto at = static_cast<std::size_t>(step + i) % prompts.size();
      out.push_back({&prompts[at], static_cast<std::uint64_t>(step * 100 + i), at});
    }
    return out;
  };
  task.score = [](Index, auto, std::span<const Completion> completions, Metrics&) {
    std::vector<double> rewards;
    for (const Completion& c : completions) rewards.push_back(reward(c));
    return rewards;
  };
  return task;
}

Stage stage(const std::string& name, Index steps) {
  Stage s;
  s.name = name;
  s.steps = steps;
  s.rate = {0.01, 2, steps, 0.1};
  return s;
}

void supervised(Policy& model, Trainer<float>& trainer,
                const std::vector<models::Prompt>& prompts) {
  trainer.run(stage("sft", 4), [&](Index step, const auto&) -> Metrics {
    std::vector<std::vector<std::int32_t>> answers;
    std::vector<models::Group> groups;
    for (std::size_t i = 0; i < prompts.size(); ++i)
      answers.push_back(
          random_tokens(static_cast<std::uint64_t>(step) * 50 + i, 3 + static_cast<Index>(i) % 5));
    for (std::size_t i = 0; i < prompts.size(); ++i) groups.push_back({&prompts[i], {answers[i]}});
    const auto loss = neg(mean(model.logprobs(groups).logp));
    backward(loss);
    return {{"loss", loss.item()}};
  });
}

void reinforced(Policy& model, Trainer<float>& trainer,
                const std::vector<models::Prompt>& prompts) {
  rl::GrpoSettings s;
  s.prompts = 3;
  s.group = 4;
  s.sampling.max_tokens = 6;
  s.updates = 2;
  const auto task = make_task(prompts);
  const Policy* none = nullptr;
  trainer.run(stage("grpo", 3), [&](Index step, const auto& apply) {
    auto metrics = rl::grpo_step(model, none, s, task, end_token, step, Watch::marks, apply);
    for (const auto& [name, value] : metrics)
      if (name == "first_ratio_min" || name == "first_ratio_max") CHECK(value == 1);
    return metrics;
  });
}

Left job(const models::VlmConfig& c) {
  const Folder folder("same_bits");
  const auto prompts = some_prompts(c, 5);
  Policy model(c, image_token, 7);
  RunFolder run;
  run.path = folder.file("run");
  Trainer<float> trainer(model.parameters(), run);
  supervised(model, trainer, prompts);
  reinforced(model, trainer, prompts);
  save_weights(folder.file("model"), model.parameters(), {});
  return {io::read_file(folder.file("model")), log_without_times(run.metrics())};
}

}  // namespace

TEST_CASE("two runs of a training job give the same bits at any number of threads", "[bits]") {
  for (const auto& c : {config("nano"), with_head_size(72)})
    at_each_isa([&c] {
      set_threads(1);
      const Left first = job(c);
      CHECK(first.log.find("\"stage\":\"grpo\"") != std::string::npos);
      at_thread_counts([&] { CHECK(job(c) == first); });
    });
}

}  // namespace test_same_bits_training
