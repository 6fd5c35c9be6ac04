// SPDX-License-Identifier: MIT
// Warm start, GRPO and supervised arms, on any device.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>

#include "gaze/core/arithmetic.hpp"
#include "gaze/rl/grpo.hpp"
#include "gaze/rl/run_state.hpp"
#include "gaze/train/checkpoint.hpp"
#include "phyx/eval/showcase.hpp"
#include "phyx/study/arm_training.hpp"
#include "phyx/study/own_samples.inl"
#include "phyx/study/run_model.inl"
#include "phyx/study/sample_log.hpp"
#include "phyx/study/task.inl"
#include "phyx/study/validation.hpp"
#include "phyx/train/lessons.hpp"
#include "phyx/train/warm_start.inl"

namespace gaze::phyx {

template <class Device>
void ArmTraining<Device>::say(const std::string& what) const {
  if (listener_.begin) listener_.begin(what);
}

template <class Device>
RunFolder ArmTraining<Device>::run_folder(const std::string& path, const std::string& who,
                                          std::int64_t seed) const {
  RunFolder run;
  run.path = path;
  run.tags["condition"] = who;
  run.tags["seed"] = seed;
  run.checkpoint_every = s_.checkpoint_every;
  run.tensorboard = s_.tensorboard;
  run.stop = listener_.stop;
  run.progress = [this](const Stage& stage, Index step, const Metrics& m) {
    if (!listener_.progress) return;
    std::string note = stage.name;
    for (const auto& [key, value] : m)
      if (key == "loss" || key == "reward" || key == "accuracy") {
        char text[48];
        std::snprintf(text, sizeof text, "  %s %.3f", key.c_str(), value);
        note += text;
      }
    listener_.progress(static_cast<std::size_t>(step + 1), static_cast<std::size_t>(stage.steps),
                       note);
  };
  return run;
}

template <class Device>
Index ArmTraining<Device>::warm_up(std::int64_t seed) const {
  const RunModel<Device> model(s_, data_, seed, slot_count);
  const std::string folder = at_.warm(seed);
  if (has_warm_start() && !model.saved(folder)) {
    say("warm start, seed " + std::to_string(seed));
    Trainer<float, Device> trainer(model->parameters(), run_folder(folder, "warm", seed));
    if (data_.published()) {
      const WarmStartSettings& w = s_.warm;
      trainer.run(training_stage("sft", w.clean_steps, w.rate, w.optimiser, model.parts()),
                  supervised_step(model, data_.train(), w, 0, 0, seed));
    } else {
      const std::string start = data_.start_weights();
      if (!start.empty()) load_weights(start, model->parameters(), {"slots"});
      const LessonSource source(data_.train(), data_.maker(), data_.tokenizer(),
                                static_cast<std::uint64_t>(seed));
      warm_start(trainer, *model, source, s_.warm);
    }
    model.save(folder);
    std::filesystem::remove(folder + "/state.safetensors");
  }
  return RunModel<Device>(s_, data_, seed)->parameters().count();
}

template <class Device>
RunModel<Device> ArmTraining<Device>::start(std::int64_t seed) const {
  RunModel<Device> model(s_, data_, seed);
  if (has_warm_start()) model.load(at_.warm(seed));
  return model;
}

template <class Device>
typename ArmTraining<Device>::Step ArmTraining<Device>::supervised_step(
    const RunModel<Device>& model, const std::vector<Example>& problems, const WarmStartSettings& w,
    double corruption, Index offset, std::int64_t seed) const {
  const auto key = static_cast<std::uint64_t>(seed);
  if (data_.published())
    return lesson_step(*model, plain_weight,
                       response_lessons(problems, data_.codec(), w.batch, key));
  const auto source =
      std::make_shared<const LessonSource>(problems, data_.maker(), data_.tokenizer(), key);
  return [source, step = response_step(*model, *source, w, corruption, offset)](
             Index i, const Update& update) { return step(i, update); };
}

template <class Device>
RunModel<Device> ArmTraining<Device>::prepare(const Condition& c, std::int64_t seed) const {
  const std::string folder = at_.arm(c, seed);
  RunModel<Device> model = start(seed);
  if (model.saved(folder)) {
    model.load(folder);
  } else if (c.method != Method::none) {
    say("training " + c.name + ", seed " + std::to_string(seed));
    train(model, c, seed);
  }
  if (!model.saved(folder)) model.save(folder);
  std::filesystem::remove(folder + "/state.safetensors");
  return model;
}

template <class Device>
void ArmTraining<Device>::train(const RunModel<Device>& model, const Condition& c,
                                std::int64_t seed) const {
  const AblationSettings own = settings_of(s_, c);
  if (c.method == Method::grpo) train_by_reward(model, c, own, seed);
  if (c.method == Method::sft) train_supervised(model, c, own, seed);
  if (c.method == Method::rft) train_on_own_samples(model, c, own, seed);
}

template <class Device>
RewardMix ArmTraining<Device>::mix_in(const std::string& folder, const Condition& c,
                                      const AblationSettings& own) {
  RewardMix mix = mix_of(c, own.reward_options);
  for (const RewardTerm& term : mix.terms)
    if (term.reward.keep_files) term.reward.keep_files(folder + "/" + term.reward.name);
  return mix;
}

template <class Device>
void ArmTraining<Device>::train_by_reward(const RunModel<Device>& model, const Condition& c,
                                          const AblationSettings& own, std::int64_t seed) const {
  const auto key = static_cast<std::uint64_t>(seed);
  const std::string folder = at_.arm(c, seed);
  const std::string text = arm_tags(c, seed).dump();
  io::AppendLog completions(folder + "/completions.jsonl", text.substr(0, text.size() - 1));
  RunFolder run = run_folder(folder, c.name, seed);
  run.logs = {&completions};
  rl::GrpoSettings grpo = own.grpo;
  grpo.seed = key;
  grpo.steps = own.grpo_steps;
  // A checkpoint with adapters is its own reference. Another one is a second model, a third one if
  // the reference does not stay the start.
  std::optional<RunModel<Device>> second, third;
  const bool moves = grpo.reference_sync.every > 0;
  rl::Reference<Model<Device>> reference = model.base(), from = reference;
  if (!reference.policy && grpo.needs_reference()) reference = &*second.emplace(start(seed));
  if (!from.policy && grpo.kl_every > 0)
    from = second && !moves ? reference : &*third.emplace(start(seed));
  rl::RunState<float, Device> state(grpo, second ? &(*second)->parameters() : nullptr,
                                    model->parameters());
  run.carried = state.carried();
  Trainer<float, Device> trainer(model->parameters(), run);
  const RewardMix mix = mix_in(folder, c, own);
  PhyxTask<Device> source(data_.pool(c), data_.codec(), data_.config(), mix, key);
  source.answer_with(*model, grpo.sampling);
  source.sample = [&](Index step, const Example& e, const phyx::Completion& done,
                      const MixScore& score) {
    if (step % 10 != 0) return;
    const std::string picture = write_picture(at_.out, e, data_.config().vit.image);
    completions.line(training_line(c, seed, step, e, done, picture, mix, score));
  };
  if (grpo.loss.papo.needs_masked()) source.mask_pictures(grpo.loss.papo.mask);
  const bool separate = grpo.advantage.objectives == rl::Objectives::normalise_then_sum;
  const auto task = source.task(separate);
  const Stage stage =
      training_stage("grpo", own.grpo_steps, own.grpo_rate, own.grpo_optimiser, model.parts());
  trainer.run(stage, [&](Index step, const Update& update) {
    state.begin_step(step);
    const Metrics validated = validate(*model, own, step);
    Metrics m = rl::grpo_step(*model, reference, grpo, task, data_.codec().ends(), step,
                              watch_of(data_.config()), update, state.adaptive(), from);
    m.insert(m.end(), validated.begin(), validated.end());
    return m;
  });
}

template <class Device>
Metrics ArmTraining<Device>::validate(const Model<Device>& model, const AblationSettings& own,
                                      Index step) const {
  const bool due =
      s_.validate_every > 0 && (step % s_.validate_every == 0 || step + 1 == own.grpo_steps);
  if (!due) return {};
  const auto accuracy = [&](Index samples) {
    return validation_accuracy(model, data_.codec(), own.evaluation, data_.validation(), samples);
  };
  Metrics out = {{"validation/accuracy", accuracy(0)}};
  if (s_.validate_samples > 0)
    out.emplace_back("validation/sampled_accuracy", accuracy(s_.validate_samples));
  return out;
}

template <class Device>
void ArmTraining<Device>::train_supervised(const RunModel<Device>& model, const Condition& c,
                                           const AblationSettings& own, std::int64_t seed) const {
  Trainer<float, Device> trainer(model->parameters(), run_folder(at_.arm(c, seed), c.name, seed));
  const WarmStartSettings& w = own.warm;
  Index steps = own.sft.steps;
  if (steps == 0) {
    const auto probe = start(seed);
    const double mixed = arithmetic_of(
        own.sft.probe, supervised_step(probe, data_.pool(c), w, w.corruption.share, 0, seed));
    const Condition& like = matched_condition(s_, c);
    steps = steps_within(grpo_arithmetic(like, own.sft.probe, seed, at_.arm(c, seed)), mixed);
  }
  const double corruption = own.sft.clean ? 0 : w.corruption.share;
  trainer.run(training_stage(c.name, steps, own.sft.rate, own.sft.optimiser, model.parts()),
              supervised_step(model, data_.pool(c), w, corruption, w.steps(), seed));
}

template <class Device>
void ArmTraining<Device>::train_on_own_samples(const RunModel<Device>& model, const Condition& c,
                                               const AblationSettings& own,
                                               std::int64_t seed) const {
  const auto key = static_cast<std::uint64_t>(seed);
  const std::string path = at_.arm(c, seed) + "/samples.jsonl";
  if (!std::filesystem::exists(path)) {
    const PhyxTask<Device> source(data_.pool(c), data_.codec(), data_.config(), {}, key);
    write_own_samples(path, draw_own_samples(*model, source, own, key, listener_));
  }
  const OwnSamples samples =
      read_own_samples(path, data_.pool(c).size(), data_.config().vocabulary);
  say(c.name + ": " + samples.text());
  if (samples.kept.empty()) return;  // nothing to learn from: the arm stays the warm start
  Trainer<float, Device> trainer(model->parameters(), run_folder(at_.arm(c, seed), c.name, seed));
  const auto lessons = own_lessons(samples, data_.pool(c), own.warm.batch, key);
  std::optional<LessonSource> source;
  if (!data_.published()) source.emplace(data_.train(), data_.maker(), data_.tokenizer(), key);
  const TokenWeight weight = source ? source->weights(own.rft.letter_weight) : plain_weight;
  Index steps = own.sft.steps;
  if (steps == 0) {
    const auto probe = start(seed);
    const double one = arithmetic_of(own.sft.probe, lesson_step(*probe, weight, lessons));
    const double all =
        grpo_arithmetic(matched_condition(s_, c), own.sft.probe, seed, at_.arm(c, seed));
    steps = steps_within(all - static_cast<double>(samples.arithmetic), one);
  }
  trainer.run(training_stage(c.name, steps, own.sft.rate, own.sft.optimiser, model.parts()),
              lesson_step(*model, weight, lessons));
}

template <class Device>
double ArmTraining<Device>::arithmetic_of(Index probe, const Step& step) {
  const Index before = arithmetic();
  for (Index i = 0; i < probe; ++i) step(i, [] {});
  return static_cast<double>(arithmetic() - before) / static_cast<double>(probe);
}

template <class Device>
double ArmTraining<Device>::grpo_arithmetic(const Condition& c, Index probe, std::int64_t seed,
                                            const std::string& folder) const {
  const AblationSettings own = settings_of(s_, c);
  const auto model = start(seed);
  const auto key = static_cast<std::uint64_t>(seed);
  PhyxTask<Device> source(data_.pool(c), data_.codec(), data_.config(), mix_in(folder, c, own),
                          key);
  source.answer_with(*model, own.grpo.sampling);
  rl::GrpoSettings grpo = own.grpo;
  if (grpo.loss.papo.needs_masked()) source.mask_pictures(grpo.loss.papo.mask);
  const auto task = source.task();
  grpo.seed = key;
  grpo.loss.kl = grpo.kl_in_reward = 0;
  grpo.reference_sync = {};
  const double one = arithmetic_of(probe, [&](Index i, const Update& update) {
    return rl::grpo_step<Model<Device>>(*model, nullptr, grpo, task, data_.codec().ends(), i,
                                        watch_of(data_.config()), update);
  });
  return one * static_cast<double>(own.grpo_steps);
}

template <class Device>
Index ArmTraining<Device>::steps_within(double budget, double one) {
  return std::max<Index>(1, std::llround(budget / one));
}

}  // namespace gaze::phyx
