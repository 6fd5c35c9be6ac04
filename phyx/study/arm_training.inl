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
#include "models/model_metadata.hpp"
#include "phyx/eval/showcase.hpp"
#include "phyx/study/arm_training.hpp"
#include "phyx/study/own_samples.inl"
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
  const std::string done = at_.warm(seed) + "/model.safetensors";
  Model<Device> model(data_.config(), data_.tokenizer().image(), static_cast<std::uint64_t>(seed),
                      slot_count);
  if (!std::filesystem::exists(done)) {
    say("warm start, seed " + std::to_string(seed));
    const std::string start = data_.start_weights();
    if (!start.empty()) load_weights(start, model.parameters(), {"slots"});
    const LessonSource source(data_.train(), data_.maker(), data_.tokenizer(),
                              static_cast<std::uint64_t>(seed));
    Trainer<float, Device> trainer(model.parameters(), run_folder(at_.warm(seed), "warm", seed));
    warm_start(trainer, model, source, s_.warm);
    save_weights(done, model.parameters(), model_metadata(), {"slots"});
    std::filesystem::remove(at_.warm(seed) + "/state.safetensors");
  }
  return Model<Device>(data_.config(), data_.tokenizer().image(), 0).parameters().count();
}

template <class Device>
io::Metadata ArmTraining<Device>::model_metadata() const {
  return models::model_metadata(data_.config(), s_.prompts.problem);
}

template <class Device>
void ArmTraining<Device>::prepare(Model<Device>& model, const Condition& c,
                                  std::int64_t seed) const {
  const std::string folder = at_.arm(c, seed);
  if (std::filesystem::exists(folder + "/model.safetensors")) {
    load_weights(folder + "/model.safetensors", model.parameters());
  } else {
    load_weights(at_.warm(seed) + "/model.safetensors", model.parameters());
    if (c.method != Method::none) {
      say("training " + c.name + ", seed " + std::to_string(seed));
      train(model, c, seed);
    }
    save_weights(folder + "/model.safetensors", model.parameters(), model_metadata());
    std::filesystem::remove(folder + "/state.safetensors");
  }
}

template <class Device>
void ArmTraining<Device>::train(Model<Device>& model, const Condition& c, std::int64_t seed) const {
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
void ArmTraining<Device>::train_by_reward(Model<Device>& model, const Condition& c,
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
  std::optional<Model<Device>> reference, frozen;
  if (grpo.needs_reference()) load_start(reference, seed);
  const bool moves = grpo.reference_sync.every > 0;  // then the reference is not the start for long
  if (grpo.kl_every > 0 && (!reference || moves)) load_start(frozen, seed);
  const Model<Device>* start = frozen ? &*frozen : reference ? &*reference : nullptr;
  rl::RunState<float, Device> state(grpo, reference ? &reference->parameters() : nullptr,
                                    model.parameters());
  run.carried = state.carried();
  Trainer<float, Device> trainer(model.parameters(), run);
  const RewardMix mix = mix_in(folder, c, own);
  PhyxTask<Device> source(data_.pool(c), data_.tokenizer(), data_.config(), mix, key);
  source.answer_with(model, grpo.sampling);
  source.sample = [&](Index step, const Example& e, const phyx::Completion& done,
                      const MixScore& score) {
    if (step % 10 != 0) return;
    const std::string picture = write_picture(at_.out, e, data_.config().vit.image);
    completions.line(training_line(c, seed, step, e, done, picture, mix, score));
  };
  if (grpo.loss.papo.needs_masked()) source.mask_pictures(grpo.loss.papo.mask);
  const bool separate = grpo.advantage.objectives == rl::Objectives::normalise_then_sum;
  const auto task = source.task(separate);
  const Stage stage = training_stage("grpo", own.grpo_steps, own.grpo_rate, own.grpo_optimiser);
  trainer.run(stage, [&](Index step, const Update& update) {
    state.begin_step(step);
    const auto accuracy = validate(model, own, step);
    Metrics m =
        rl::grpo_step(model, reference ? &*reference : nullptr, grpo, task, data_.tokenizer().end(),
                      step, models::Watch::marks, update, state.adaptive(), start);
    if (accuracy) m.emplace_back("validation/accuracy", *accuracy);
    return m;
  });
}

template <class Device>
void ArmTraining<Device>::load_start(std::optional<Model<Device>>& model, std::int64_t seed) const {
  model.emplace(data_.config(), data_.tokenizer().image(), 0);
  load_weights(at_.warm(seed) + "/model.safetensors", model->parameters());
}

template <class Device>
std::optional<double> ArmTraining<Device>::validate(const Model<Device>& model,
                                                    const AblationSettings& own, Index step) const {
  const bool due =
      s_.validate_every > 0 && (step % s_.validate_every == 0 || step + 1 == own.grpo_steps);
  if (!due) return {};
  return validation_accuracy(model, data_.tokenizer(), own.evaluation, data_.validation());
}

template <class Device>
void ArmTraining<Device>::train_supervised(Model<Device>& model, const Condition& c,
                                           const AblationSettings& own, std::int64_t seed) const {
  Trainer<float, Device> trainer(model.parameters(), run_folder(at_.arm(c, seed), c.name, seed));
  const LessonSource source(data_.pool(c), data_.maker(), data_.tokenizer(),
                            static_cast<std::uint64_t>(seed));
  const WarmStartSettings& w = own.warm;
  Index steps = own.sft.steps;
  if (steps == 0) {
    const auto probe = warm_copy(seed);
    const double mixed =
        arithmetic_of(own.sft.probe, response_step(*probe, source, w, w.corruption.share, 0));
    const Condition& like = matched_condition(s_, c);
    steps = steps_within(grpo_arithmetic(like, own.sft.probe, seed, at_.arm(c, seed)), mixed);
  }
  const double corruption = own.sft.clean ? 0 : w.corruption.share;
  trainer.run(training_stage(c.name, steps, own.sft.rate, own.sft.optimiser),
              response_step(model, source, w, corruption, w.steps()));
}

template <class Device>
void ArmTraining<Device>::train_on_own_samples(Model<Device>& model, const Condition& c,
                                               const AblationSettings& own,
                                               std::int64_t seed) const {
  const auto key = static_cast<std::uint64_t>(seed);
  const std::string path = at_.arm(c, seed) + "/samples.jsonl";
  if (!std::filesystem::exists(path)) {
    const PhyxTask<Device> source(data_.pool(c), data_.tokenizer(), data_.config(), {}, key);
    write_own_samples(path, draw_own_samples(model, source, own, key, listener_));
  }
  const OwnSamples samples =
      read_own_samples(path, data_.pool(c).size(), data_.tokenizer().vocab_size());
  say(c.name + ": " + samples.text());
  if (samples.kept.empty()) return;  // nothing to learn from: the arm stays the warm start
  Trainer<float, Device> trainer(model.parameters(), run_folder(at_.arm(c, seed), c.name, seed));
  const LessonSource source(data_.train(), data_.maker(), data_.tokenizer(), key);
  const auto lessons = own_lessons(samples, data_.pool(c), own.warm.batch, key);
  Index steps = own.sft.steps;
  if (steps == 0) {
    const auto probe = warm_copy(seed);
    const double one =
        arithmetic_of(own.sft.probe, lesson_step(*probe, source, own.rft.letter_weight, lessons));
    const double all =
        grpo_arithmetic(matched_condition(s_, c), own.sft.probe, seed, at_.arm(c, seed));
    steps = steps_within(all - static_cast<double>(samples.arithmetic), one);
  }
  trainer.run(training_stage(c.name, steps, own.sft.rate, own.sft.optimiser),
              lesson_step(model, source, own.rft.letter_weight, lessons));
}

template <class Device>
std::unique_ptr<Model<Device>> ArmTraining<Device>::warm_copy(std::int64_t seed) const {
  auto model = std::make_unique<Model<Device>>(data_.config(), data_.tokenizer().image(), 0);
  load_weights(at_.warm(seed) + "/model.safetensors", model->parameters());
  return model;
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
  const auto model = warm_copy(seed);
  const auto key = static_cast<std::uint64_t>(seed);
  PhyxTask<Device> source(data_.pool(c), data_.tokenizer(), data_.config(), mix_in(folder, c, own),
                          key);
  source.answer_with(*model, own.grpo.sampling);
  rl::GrpoSettings grpo = own.grpo;
  if (grpo.loss.papo.needs_masked()) source.mask_pictures(grpo.loss.papo.mask);
  const auto task = source.task();
  grpo.seed = key;
  grpo.loss.kl = grpo.kl_in_reward = 0;
  grpo.reference_sync = {};
  const double one = arithmetic_of(probe, [&](Index i, const Update& update) {
    return rl::grpo_step<Model<Device>>(*model, nullptr, grpo, task, data_.tokenizer().end(), i,
                                        models::Watch::marks, update);
  });
  return one * static_cast<double>(own.grpo_steps);
}

template <class Device>
Index ArmTraining<Device>::steps_within(double budget, double one) {
  return std::max<Index>(1, std::llround(budget / one));
}

}  // namespace gaze::phyx
