// SPDX-License-Identifier: MIT
// Losses and gradients of the stages, on any device.
#pragma once
#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "gaze/autograd.hpp"
#include "gaze/ops/elementwise.hpp"
#include "gaze/ops/reduce.hpp"
#include "phyx/train/warm_start.hpp"

namespace gaze::phyx {

namespace detail {

/// Loss -mean log p over the weighted tokens; runs backward.
template <class Device>
Metrics teach(const Model<Device>& model, const TokenWeight& weight_of,
              const std::vector<Lesson>& lessons) {
  std::vector<models::Group> groups;
  std::vector<float> weights;
  double taught = 0;
  for (const Lesson& l : lessons) {
    groups.push_back({l.prompt ? l.prompt : &l.own, {}});
    for (const auto& completion : l.completions) {
      groups.back().completions.push_back(completion);
      for (const std::int32_t token : completion) {
        weights.push_back(weight_of(groups.back().completions.size() <= l.whole, token));
        taught += weights.back();
      }
    }
  }
  for (float& w : weights) w /= static_cast<float>(-taught);
  const auto weight = Tensor<float, Device>::from({static_cast<Index>(weights.size())}, weights);
  const auto loss = sum(mul(model.logprobs(groups).logp, weight));
  backward(loss);
  return {{"loss", loss.item()}};
}

/// Loss -mean log p of the labels [n]; weight 0 for negative labels, `none_weight` for `none`. The
/// weights sum to 0.1 at least, for batches without labels.
template <class Device>
Tensor<float, Device> mean_loss(const Tensor<float, Device>& logp,
                                const std::vector<std::int32_t>& labels, std::int32_t none,
                                double none_weight) {
  std::vector<float> weights;
  double total = 0;
  for (const std::int32_t label : labels) {
    weights.push_back(label < 0 ? 0.0f : label == none ? static_cast<float>(none_weight) : 1.0f);
    total += weights.back();
  }
  for (float& w : weights) w /= static_cast<float>(-std::max(0.1, total));
  return sum(mul(logp, Tensor<float, Device>::from({static_cast<Index>(weights.size())}, weights)));
}

/// Loss of the scene's slots, predicted from all image tokens, plus that of its texts, each
/// predicted from the image token at its place by one shared head, so that numbers need few
/// pictures.
template <class Device>
Tensor<float, Device> label_loss(const Model<Device>& model, const LessonSource& source,
                                 const std::vector<const Example*>& examples, double none_weight) {
  std::vector<Pixels> images;
  std::vector<std::int32_t> slots, texts;
  for (const Example* e : examples) {
    if (!e->pixels()) continue;
    images.push_back(e->pixels());
    source.slots(*e, slots);
    source.texts(*e, model.config().image_side(), texts);
  }
  const auto indices = [](const std::vector<std::int32_t>& labels) {
    return Indices<Device>::from({static_cast<Index>(labels.size())}, labels);
  };
  const auto tokens = model.encode_images(images);
  const models::SlotHead<float, Device>& head = model.slot_head();
  return add(mean_loss(head(tokens, indices(slots)), slots, -1, none_weight),
             mean_loss(head.texts(tokens, indices(texts)), texts, source.none(), none_weight));
}

}  // namespace detail

template <class Device>
typename Trainer<float, Device>::Step lesson_step(const Model<Device>& model, TokenWeight weight,
                                                  Lessons lessons) {
  return [&model, weight = std::move(weight), lessons = std::move(lessons)](Index step,
                                                                            const Update& update) {
    const Metrics m = detail::teach(model, weight, lessons(step));
    update();
    return m;
  };
}

template <class Device>
typename Trainer<float, Device>::Step response_step(const Model<Device>& model,
                                                    const LessonSource& source,
                                                    const WarmStartSettings& s, double corruption,
                                                    Index offset) {
  return lesson_step(model, source.weights(s.letter_weight),
                     [&source, s, corruption, offset](Index step) {
                       std::vector<Lesson> lessons;
                       for (Index i = 0; i < s.batch; ++i)
                         lessons.push_back(source.lesson(s, corruption, offset + step, i));
                       return lessons;
                     });
}

template <class Device>
void warm_start(Trainer<float, Device>& trainer, const Model<Device>& model,
                const LessonSource& source, const WarmStartSettings& s) {
  const std::vector<std::string> model_parts = {"vit", "projector", "decoder"};
  const auto stage = [&s](const char* name, Index steps, double rate,
                          std::vector<std::string> parts) {
    return training_stage(name, steps, rate, s.optimiser, std::move(parts));
  };
  trainer.run(stage("letters", s.letter_steps, s.rate, {"decoder"}),
              lesson_step(model, source.weights(s.letters_stage_weight), [&](Index step) {
                std::vector<Lesson> lessons;
                for (Index i = 0; i < s.batch; ++i) lessons.push_back(source.pick(step, i));
                return lessons;
              }));
  trainer.run(stage("vision", s.vision_steps, s.rate, {"vit", "projector", "slots"}),
              [&](Index step, const Update& update) -> Metrics {
                std::vector<const Example*> examples;
                for (Index i = 0; i < s.vision_pictures * s.batch; ++i)
                  examples.push_back(&source.example(step, i));
                const auto loss = detail::label_loss(model, source, examples, s.none_weight);
                backward(loss);
                update();
                return {{"loss", loss.item()}};
              });
  trainer.run(stage("caption", s.caption_steps, s.rate, {"vit", "projector", "slots", "decoder"}),
              [&](Index step, const Update& update) -> Metrics {
                const Index offset = s.letter_steps + s.vision_steps + step;
                std::vector<Lesson> lessons;
                std::vector<const Example*> examples;
                for (Index i = 0; i < s.batch; ++i) {
                  lessons.push_back(source.caption(offset, i));
                  examples.push_back(&source.example(offset, i));
                }
                const auto labels = detail::label_loss(model, source, examples, s.none_weight);
                backward(scale(labels, static_cast<float>(s.slot_weight)));
                for (Index i = 0; i < s.caption_picks; ++i)
                  lessons.push_back(source.pick(offset, s.batch + i));
                Metrics m = detail::teach(model, source.weights(s.letter_weight), lessons);
                update();
                m.emplace_back("label_loss", labels.item());
                return m;
              });
  const Index clean_at = s.letter_steps + s.vision_steps + s.caption_steps;
  trainer.run(stage("sft", s.clean_steps, s.rate, model_parts),
              response_step(model, source, s, 0, clean_at));
  trainer.run(stage("sft_mixed", s.mixed_steps, s.mixed_rate * s.rate, model_parts),
              response_step(model, source, s, s.corruption.share, clean_at + s.clean_steps));
}

}  // namespace gaze::phyx
