// SPDX-License-Identifier: MIT
// Measuring the speed of a study's parts, on any device.
#pragma once
#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gaze/core/clock.hpp"
#include "gaze/rl/grpo.hpp"
#include "phyx/answer/response.hpp"
#include "phyx/eval/evaluator.inl"
#include "phyx/study/forecast.hpp"
#include "phyx/study/preview.hpp"
#include "phyx/study/preview_text.hpp"
#include "phyx/study/run_data.hpp"
#include "phyx/study/run_model.inl"
#include "phyx/study/task.inl"
#include "phyx/study/validation.hpp"
#include "phyx/train/lessons.hpp"
#include "phyx/train/warm_start.inl"

namespace gaze::phyx {

/// The problems of a run, in a temporary folder: one's own rows and word problems whole, of our
/// suite a few scenes.
class PreviewData {
 public:
  explicit PreviewData(const AblationSettings& s) : settings_(few(s)), problems_(settings_, at_) {
    problems_.survey();
    problems_.write([](const std::string&) {});
    problems_.read();
  }
  const RunData* operator->() const { return &problems_; }
  const RunData& operator*() const { return problems_; }

  /// Problems of the test, of which the files here may hold a part.
  Index test_problems(const AblationSettings& s) const {
    return whole(s) ? static_cast<Index>(problems_.test().size())
                    : static_cast<Index>(2 * (s.test_known + s.test_new));
  }

  /// Mean length of the response to a training problem.
  Index response() const {
    std::size_t tokens = 0;
    const auto count = std::min<std::size_t>(problems_.train().size(), 168);
    for (std::size_t i = 0; i < count; ++i) {
      const Problem& p = problems_.train()[i].problem;
      const std::string& own = p.response;
      tokens += problems_.codec().response(own.empty() ? gold_response(p) : own).size();
    }
    return static_cast<Index>(tokens / count);
  }

 private:
  static bool whole(const AblationSettings& s) { return s.own.used() || s.suite == "words"; }
  static AblationSettings few(AblationSettings s) {
    constexpr std::size_t scenes = 84;  // two of each template
    if (whole(s)) return s;
    for (std::size_t* count : {&s.train_scenes, &s.test_known, &s.test_new, &s.validate_scenes})
      *count = std::min(*count, scenes);
    return s;
  }

  AblationSettings settings_;
  ScratchFolder folder_;
  RunPaths at_{folder_.path};
  RunData problems_;
};

/// Seconds of a lesson in each stage of the warm start, and in responses, if the run has any: those
/// of the faster of two steps, over the batch.
template <class Device>
void measure_warm_start(Model<Device>& model, const RunData& data, const AblationSettings& s,
                        Speeds& speeds) {
  WarmStartSettings w = s.warm;
  for (Index* steps : {&w.letter_steps, &w.vision_steps, &w.caption_steps})
    *steps = std::min<Index>(*steps, 2);
  w.clean_steps = trains_on_responses(s) ? 2 : 0;
  w.mixed_steps = 0;
  const ScratchFolder folder;
  std::map<std::string, double> seconds;
  RunFolder run;
  run.path = folder.path;
  run.progress = [&](const Stage& stage, Index step, const Metrics& m) {
    for (const auto& [name, value] : m)
      if (name == "step_time")
        seconds[stage.name] = step == 0 ? value : std::min(value, seconds[stage.name]);
  };
  const LessonSource source(data.train(), data.maker(), data.tokenizer(), s.data_seed);
  Trainer<float, Device> trainer(model.parameters(), run);
  warm_start(trainer, model, source, w);
  const auto batch = static_cast<double>(w.batch);
  speeds.letters = seconds["letters"] / batch;
  speeds.vision = seconds["vision"] / batch;
  speeds.caption = seconds["caption"] / batch;
  speeds.response = seconds["sft"] / batch;
}

/// Seconds of a lesson in responses of a published checkpoint.
template <class Device>
void measure_lessons(const Model<Device>& model, const RunData& data, const AblationSettings& s,
                     Speeds& speeds) {
  const auto step = lesson_step(
      model, plain_weight, response_lessons(data.train(), data.codec(), s.warm.batch, s.data_seed));
  const double begin = seconds_now();
  step(0, [] {});
  speeds.response = (seconds_now() - begin) / static_cast<double>(s.warm.batch);
}

/// Seconds of a GRPO step and of answers of up to `tokens` tokens, with the run's own batches.
template <class Device>
void measure_answers(const Model<Device>& model, const RunData& data, const AblationSettings& s,
                     Index tokens, Speeds& speeds) {
  rl::GrpoSettings grpo = s.grpo;
  grpo.loss.kl = grpo.kl_in_reward = 0;
  grpo.loss.papo = {};
  grpo.loss.pathwise = 0;
  grpo.reference_sync = {};
  grpo.resample = 0;
  grpo.overlong_cache = 0;
  grpo.sampling.max_tokens = tokens;
  PhyxTask<Device> source(data.train(), data.codec(), data.config(), mix_of({{"format", 1.0}}), 0);
  const auto task = source.task();
  double begin = seconds_now();
  const Metrics m = rl::grpo_step<Model<Device>>(model, nullptr, grpo, task, data.codec().ends(), 0,
                                                 watch_of(data.config()), [] {});
  const auto completions = static_cast<double>(grpo.prompts * grpo.group);
  const double step = seconds_now() - begin;
  for (const auto& [name, value] : m)
    if (name == "rollout_time") speeds.sampled = value / completions;
  speeds.trained = step / completions - speeds.sampled;
  EvaluationSettings evaluation = at_temperature(s.evaluation, s.evaluation.sampling.temperature);
  evaluation.sampling.max_tokens = tokens;
  const auto few = std::min(data.train().size(), static_cast<std::size_t>(evaluation.batch));
  const std::vector<Example> examples(data.train().begin(),
                                      data.train().begin() + static_cast<std::ptrdiff_t>(few));
  begin = seconds_now();
  Evaluator<Device>(model, data.codec(), evaluation)(examples, {});
  speeds.answer = (seconds_now() - begin) / static_cast<double>(few) /
                  static_cast<double>(evaluation.samples + 1);
  begin = seconds_now();
  validation_accuracy(model, data.codec(), evaluation, std::span(examples));
  speeds.single = (seconds_now() - begin) / static_cast<double>(few);
}

template <class Device>
Speeds measure_speeds(const AblationSettings& s, const PreviewData& data) {
  Speeds out;
  RunModel<Device> model(s, *data, 0, slot_count);
  Index tokens = s.max_tokens;
  if (!data->published()) {
    measure_warm_start(*model, *data, s, out);
    tokens = std::min(tokens, data.response());  // an untrained model does not end its answers
  } else if (trains_on_responses(s)) {
    measure_lessons(*model, *data, s, out);
  }
  measure_answers(*model, *data, s, tokens, out);
  return out;
}

template <class Device>
std::string preview(const Study& study, const Listener& listener) {
  std::string out = study_text(study);
  std::map<std::string, std::pair<std::unique_ptr<PreviewData>, Speeds>> measured;  // by model
  std::vector<TimeForecast> times;
  for (const StudyRun& run : study.runs) {
    const AblationSettings& s = run.settings;
    const std::string name = s.model + ", " + s.precision;
    auto& [data, speeds] = measured[name + "\n" + s.own.start];
    if (!data) {
      if (listener.begin) listener.begin("measuring the speed of " + name);
      data = std::make_unique<PreviewData>(s);
      speeds = measure_speeds<Device>(s, *data);
    }
    const Forecast memory = forecast(s, **data);
    times.push_back(forecast_time(s, speeds, data->test_problems(s)));
    out += run_text(run, memory, times.back());
    const std::string lower = advice(memory, s, available_memory());
    if (!lower.empty()) out += lower + "\n";
  }
  if (!study.grid.empty()) out += grid_text(study, times);
  return out;
}

}  // namespace gaze::phyx
