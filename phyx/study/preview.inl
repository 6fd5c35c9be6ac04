// SPDX-License-Identifier: MIT
// Measuring the speed of a study's parts, on any device.
#pragma once
#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "gaze/core/clock.hpp"
#include "gaze/core/error.hpp"
#include "gaze/rl/grpo.hpp"
#include "phyx/eval/evaluator.inl"
#include "phyx/study/forecast.hpp"
#include "phyx/study/preview.hpp"
#include "phyx/study/preview_text.hpp"
#include "phyx/study/task.inl"
#include "phyx/study/validation.hpp"
#include "phyx/synth/suite.hpp"
#include "phyx/train/vocabulary.hpp"
#include "phyx/train/warm_start.inl"

namespace gaze::phyx {

/// A sample of the training problems, and their model.
struct PreviewData {
  models::VlmConfig config;
  std::vector<Problem> problems;
  text::Tokenizer tokenizer;
  ExampleMaker maker;
  std::vector<Example> examples;

  explicit PreviewData(const AblationSettings& s)
      : config(model_config(s)),
        problems(sample(s, config.vit.image)),
        tokenizer(build_tokenizer(problems)),
        maker(tokenizer, with_vocabulary(), s.prompts) {
    for (const Problem& p : problems) examples.push_back(maker(p));
  }
  PreviewData(const PreviewData&) = delete;  // maker refers to tokenizer
  PreviewData& operator=(const PreviewData&) = delete;

  /// Mean length of a gold response.
  Index response() const {
    std::size_t tokens = 0;
    for (const Problem& p : problems) tokens += maker.response(gold_response(p)).size();
    return static_cast<Index>(tokens / problems.size());
  }

 private:
  static std::vector<Problem> sample(const AblationSettings& s, Index side) {
    std::vector<Problem> out;
    for (const Form form : {Form::mc, Form::oe})
      for (auto& p : synth::make_split("train", form, std::min<std::size_t>(84, s.train_scenes),
                                       s.data_seed, static_cast<int>(side)))
        out.push_back(std::move(p));
    return out;
  }
  const models::VlmConfig& with_vocabulary() {
    config.vocabulary = tokenizer.vocab_size();
    return config;
  }
};

/// Times of two steps of each stage of the warm start, per lesson.
template <class Device>
void measure_warm_start(Model<Device>& model, const PreviewData& data, const AblationSettings& s,
                        Speeds& speeds) {
  WarmStartSettings w = s.warm;
  w.letter_steps = w.vision_steps = w.caption_steps = w.clean_steps = w.mixed_steps = 2;
  const ScratchFolder folder;
  std::map<std::string, double> seconds;  // the faster step of each stage
  RunFolder run;
  run.path = folder.path;
  run.progress = [&](const Stage& stage, Index step, const Metrics& m) {
    for (const auto& [name, value] : m)
      if (name == "step_time")
        seconds[stage.name] = step == 0 ? value : std::min(value, seconds[stage.name]);
  };
  const LessonSource source(data.examples, data.maker, data.tokenizer, s.data_seed);
  Trainer<float, Device> trainer(model.parameters(), run);
  warm_start(trainer, model, source, w);
  const auto batch = static_cast<double>(w.batch);
  speeds.letters = seconds["letters"] / batch;
  speeds.vision = seconds["vision"] / batch;
  speeds.caption = seconds["caption"] / batch;
  speeds.response = seconds["sft"] / batch;
}

template <class Device>
Speeds measure_speeds(const AblationSettings& s, const PreviewData& data) {
  Speeds out;
  Model<Device> model(data.config, data.tokenizer.image(), 0, slot_count);
  measure_warm_start(model, data, s, out);
  rl::GrpoSettings grpo = s.grpo;
  grpo.loss.kl = grpo.kl_in_reward = 0;
  grpo.loss.papo = {};
  grpo.loss.pathwise = 0;
  grpo.reference_sync = {};
  grpo.resample = 0;
  grpo.overlong_cache = 0;
  grpo.sampling.max_tokens = std::min(s.max_tokens, data.response());
  PhyxTask<Device> source(data.examples, data.maker, data.config, mix_of({{"format", 1.0}}), 0);
  const auto task = source.task();
  double begin = seconds_now();
  const Metrics m = rl::grpo_step<Model<Device>>(model, nullptr, grpo, task, data.maker.ends(), 0,
                                                 models::Watch::marks, [] {});
  const auto completions = static_cast<double>(grpo.prompts * grpo.group);
  const double step = seconds_now() - begin;
  for (const auto& [name, value] : m)
    if (name == "rollout_time") out.sampled = value / completions;
  out.trained = step / completions - out.sampled;
  EvaluationSettings evaluation = at_temperature(s.evaluation, s.evaluation.sampling.temperature);
  evaluation.sampling.max_tokens = grpo.sampling.max_tokens;
  const auto few = std::min(data.examples.size(), static_cast<std::size_t>(evaluation.batch));
  const std::vector<Example> examples(data.examples.begin(),
                                      data.examples.begin() + static_cast<std::ptrdiff_t>(few));
  begin = seconds_now();
  Evaluator<Device>(model, data.maker, evaluation)(examples, {});
  out.answer = (seconds_now() - begin) / static_cast<double>(few) /
               static_cast<double>(evaluation.samples + 1);
  begin = seconds_now();
  validation_accuracy(model, data.maker, evaluation, std::span(examples));
  out.single = (seconds_now() - begin) / static_cast<double>(few);
  return out;
}

template <class Device>
std::string preview(const Study& study, const Listener& listener) {
  std::string out = study_text(study);
  std::map<std::string, std::pair<std::unique_ptr<PreviewData>, Speeds>> measured;  // by model
  std::vector<TimeForecast> times;
  for (const StudyRun& run : study.runs) {
    const AblationSettings& s = run.settings;
    GAZE_CHECK(!from_checkpoint(s), "ablate", "--check measures our own models, not published ",
               "checkpoints; gaze info --model says what one needs");
    const std::string name = s.model + ", " + s.precision;
    auto& [data, speeds] = measured[name + "\n" + s.own.start];
    if (!data) {
      if (listener.begin) listener.begin("measuring the speed of " + name);
      data = std::make_unique<PreviewData>(s);
      speeds = measure_speeds<Device>(s, *data);
    }
    const LessonSource source(data->examples, data->maker, data->tokenizer, s.data_seed);
    const Forecast memory = forecast(s, data->config, data->examples, data->examples, source);
    times.push_back(forecast_time(s, speeds));
    out += run_text(run, memory, times.back());
  }
  if (!study.grid.empty()) out += grid_text(study, times);
  return out;
}

}  // namespace gaze::phyx
