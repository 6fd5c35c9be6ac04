// SPDX-License-Identifier: MIT
// Evaluating an arm and writing examples, on any device.
#pragma once
#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/io/atomic_file.hpp"
#include "phyx/eval/evaluator.inl"
#include "phyx/eval/showcase.inl"
#include "phyx/results/outcome.hpp"
#include "phyx/rewards/registry.hpp"
#include "phyx/study/arm_evaluation.hpp"
#include "phyx/study/sample_log.hpp"

namespace gaze::phyx {

template <class Device>
void ArmEvaluation<Device>::operator()(const Model<Device>& model, const Condition& c,
                                       std::int64_t seed) const {
  const std::string folder = at_.arm(c, seed);
  EvaluationSettings settings = settings_of(s_, c).evaluation;
  settings.seed = s_.data_seed;
  const auto paths = at_.outcomes(c, seed);
  for (std::size_t i = 0; i < c.temperatures.size(); ++i) {
    const EvaluationSettings other = at_temperature(settings, c.temperatures[i]);
    const std::string name = c.name + "@" + RunPaths::number_text(c.temperatures[i]);
    if (!std::filesystem::exists(paths[i + 1]))
      write_outcomes(paths[i + 1], {name, seed, evaluate(model, other, {})});
  }
  OutcomeSet set{c.name, seed, {}};
  using Scores = std::map<std::string, float>;
  std::vector<std::vector<Scores>> scores(data_.test().size());
  const std::vector<Reward> rewards = evaluated_rewards(s_.conditions, s_.reward_options);
  for (const Reward& reward : rewards)
    if (reward.keep_files) reward.keep_files(folder + "/test." + reward.name);
  std::string differing;
  set.outcomes =
      evaluate(model, settings,
               [&, count = 0](std::size_t i, const std::vector<phyx::Completion>& all) mutable {
                 const Example& e = data_.test()[i];
                 const auto line = differing_line(c, seed, e, all.front());
                 if (!line.empty() && ++count <= 20) differing += line + "\n";
                 scores[i] = score_answers(rewards, e.problem, all);
               });
  for (std::size_t i = 0; i < scores.size(); ++i) {
    Outcome& o = set.outcomes[i];
    o.greedy.rewards = scores[i][0];
    for (std::size_t j = 0; j < o.sampled.size(); ++j) o.sampled[j].rewards = scores[i][j + 1];
  }
  io::write_file(folder + "/differing.jsonl", differing);
  show_examples(model, c, seed, rewards);
  write_outcomes(paths.front(), set);
}

template <class Device>
std::vector<Outcome> ArmEvaluation<Device>::evaluate(
    const Model<Device>& model, const EvaluationSettings& settings,
    const typename Evaluator<Device>::Keep& keep) const {
  return Evaluator<Device>(model, data_.codec(), settings)(
      data_.test(),
      [this](std::size_t done, std::size_t all) {
        if (listener_.progress) listener_.progress(done, all, "problems");
        if (listener_.stop && listener_.stop())
          throw Interrupted("stopped while evaluating; the trained weights are saved");
      },
      keep);
}

template <class Device>
void ArmEvaluation<Device>::show_examples(const Model<Device>& model, const Condition& c,
                                          std::int64_t seed,
                                          const std::vector<Reward>& rewards) const {
  std::string lines;
  std::size_t shown = 0;
  for (std::size_t i = 0; i < data_.test().size() && shown < 10; i += 7) {
    const Example& e = data_.test()[i];
    if (data_.published() || !e.prompt.rgb || !e.problem.needs_image) continue;
    ++shown;
    const Shown s = show(model, data_.codec(), e, settings_of(s_, c).evaluation.sampling);
    io::OrderedJson line = arm_tags(c, seed);
    line["step"] = settings_of(s_, c).grpo_steps;
    line.update(shown_json(e, s.completion, write_picture(at_.out, e, data_.config().vit.image)));
    const auto scores = score_answers(rewards, e.problem, {s.completion});
    for (const auto& [name, value] : scores.front()) line["rewards"][name] = value;
    line["attention"] = {{"grid", {data_.config().image_side(), data_.config().image_side()}},
                         {"tokens", s.completion.tokens},
                         {"maps", s.maps}};
    lines += dump_line(line) + "\n";
  }
  io::write_file(at_.arm(c, seed) + "/shown.jsonl", lines);
}

}  // namespace gaze::phyx
