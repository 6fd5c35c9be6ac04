// SPDX-License-Identifier: MIT
// Warm start, GRPO and supervised arms, on any device.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <optional>

#include "gaze/core/arithmetic.hpp"
#include "gaze/rl/grpo.hpp"
#include "gaze/rl/run_state.hpp"
#include "gaze/train/checkpoint.hpp"
#include "phyx/eval/showcase.hpp"
#include "phyx/study/arm_training.hpp"
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
  return {{"model", s_.model}, {"precision", s_.precision}, {"prompt", s_.prompts.problem}};
}

template <class Device>
void ArmTraining<Device>::prepare(Model<Device>& model, const Condition& c,
                                  std::int64_t seed) const {
  const std::string folder = at_.arm(c, seed);
  if (std::filesystem::exists(folder + "/model.safetensors")) {
    load_weights(folder + "/model.safetensors", model.parameters());
  } else {
    load_weights(at_.warm(seed) + "/model.safetensors", model.parameters());
    if (c.training != Training::start) {
      say(std::string("training ") + c.name + ", seed " + std::to_string(seed));
      train(model, c, seed);
    }
    save_weights(folder + "/model.safetensors", model.parameters(), model_metadata());
    std::filesystem::remove(folder + "/state.safetensors");
  }
}

template <class Device>
void ArmTraining<Device>::train(Model<Device>& model, const Condition& c, std::int64_t seed) const {
  if (c.training == Training::grpo)
    train_by_reward(model, c, seed);
  else
    train_supervised(model, c, seed);
}

template <class Device>
void ArmTraining<Device>::train_by_reward(Model<Device>& model, const Condition& c,
                                          std::int64_t seed) const {
  const auto key = static_cast<std::uint64_t>(seed);
  const std::string folder = at_.arm(c, seed);
  const std::string text = arm_tags(c, seed).dump();
  io::AppendLog completions(folder + "/completions.jsonl", text.substr(0, text.size() - 1));
  RunFolder run = run_folder(folder, c.name, seed);
  run.logs = {&completions};
  rl::GrpoSettings grpo = s_.grpo;
  grpo.seed = key;
  std::optional<Model<Device>> reference, frozen;
  if (grpo.needs_reference()) load_start(reference, seed);
  const bool moves = grpo.reference_sync.every > 0;  // then the reference is not the start for long
  if (grpo.kl_every > 0 && (!reference || moves)) load_start(frozen, seed);
  const Model<Device>* start = frozen ? &*frozen : reference ? &*reference : nullptr;
  rl::RunState<float, Device> state(grpo, reference ? &reference->parameters() : nullptr,
                                    model.parameters());
  run.carried = state.carried();
  Trainer<float, Device> trainer(model.parameters(), run);
  const RewardMix mix = reward_mix(c, s_.format_weight, s_.reward_options);
  PhyxTask<Device> source(data_.train(), data_.tokenizer(), data_.config(), mix, key);
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
  trainer.run(grpo_stage(), [&](Index step, const Update& update) {
    state.begin_step(step);
    const auto accuracy = validate(model, step);
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
std::optional<double> ArmTraining<Device>::validate(const Model<Device>& model, Index step) const {
  const bool due =
      s_.validate_every > 0 && (step % s_.validate_every == 0 || step + 1 == s_.grpo_steps);
  if (!due) return {};
  return validation_accuracy(model, data_.tokenizer(), s_.evaluation, data_.validation());
}

template <class Device>
void ArmTraining<Device>::train_supervised(Model<Device>& model, const Condition& c,
                                           std::int64_t seed) const {
  const auto key = static_cast<std::uint64_t>(seed);
  Trainer<float, Device> trainer(model.parameters(), run_folder(at_.arm(c, seed), c.name, seed));
  const double corruption = c.training == Training::clean ? 0 : s_.warm.corruption.share;
  const LessonSource source(data_.train(), data_.maker(), data_.tokenizer(), key);
  const WarmStartSettings& w = s_.warm;
  const Index offset =
      w.letter_steps + w.vision_steps + w.caption_steps + w.clean_steps + w.mixed_steps;
  Stage stage = supervised_stage(c.name, matched_steps(seed), 0.3 * w.rate);
  trainer.run(stage, response_step(model, source, w, corruption, offset));
}

template <class Device>
Stage ArmTraining<Device>::grpo_stage() const {
  Stage stage;
  stage.name = "grpo";
  stage.steps = s_.grpo_steps;
  stage.rate = {s_.grpo_rate, std::min<Index>(10, s_.grpo_steps / 10 + 1), s_.grpo_steps, 0.1};
  stage.adamw.beta2 = 0.95;
  return stage;
}

template <class Device>
Index ArmTraining<Device>::matched_steps(std::int64_t seed) const {
  Model<Device> model(data_.config(), data_.tokenizer().image(), 0);
  load_weights(at_.warm(seed) + "/model.safetensors", model.parameters());
  const auto key = static_cast<std::uint64_t>(seed);
  PhyxTask<Device> source(data_.train(), data_.tokenizer(), data_.config(),
                          reward_mix(condition("accuracy"), 0.5), key);
  rl::GrpoSettings grpo = s_.grpo;
  if (grpo.loss.papo.needs_masked()) source.mask_pictures(grpo.loss.papo.mask);
  const auto task = source.task();
  grpo.seed = key;
  grpo.loss.kl = grpo.kl_in_reward = 0;
  grpo.reference_sync = {};
  const LessonSource lessons(data_.train(), data_.maker(), data_.tokenizer(), key);
  const auto respond = response_step(model, lessons, s_.warm, s_.warm.corruption.share, 0);
  const Index probe = 4, start = arithmetic();
  for (Index i = 0; i < probe; ++i)
    rl::grpo_step<Model<Device>>(model, nullptr, grpo, task, data_.tokenizer().end(), i,
                                 models::Watch::marks, [] {});
  const Index middle = arithmetic();
  for (Index i = 0; i < probe; ++i) respond(i, [] {});
  const double ratio =
      static_cast<double>(middle - start) / static_cast<double>(arithmetic() - middle);
  return std::max<Index>(1, std::llround(ratio * static_cast<double>(s_.grpo_steps)));
}

}  // namespace gaze::phyx
