// SPDX-License-Identifier: MIT
// The stages of the supervised warm start: letters, vision, captions, responses.
//
// From the language loss alone the ViT learns too slowly for a laptop. So it is first trained to
// classify the picture's contents and to read each label at its place, then to describe it, then to
// answer. Responses are clean at first; then a share is corrupted, so that rewards have a choice.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "gaze/train/loop.hpp"
#include "phyx/train/lessons.hpp"
#include "phyx/train/model.hpp"
#include "phyx/train/warm_start_settings.hpp"

namespace gaze::phyx {

/// A stage of training `parts` of the model (none: all) with a cosine schedule up to `rate`.
Stage training_stage(const std::string& name, Index steps, double rate,
                     const OptimiserSettings& optimiser, std::vector<std::string> parts = {});

/// The step function of supervised training on the lessons of each step: mean -log p of their
/// tokens by these weights. The model must outlive it.
template <class Device>
typename Trainer<float, Device>::Step lesson_step(const Model<Device>& model, TokenWeight weight,
                                                  Lessons lessons);

/// The step function of training on responses with a corruption share: the last part of the warm
/// start, and sft_more and sft_clean. Model and source must outlive it.
template <class Device>
typename Trainer<float, Device>::Step response_step(const Model<Device>& model,
                                                    const LessonSource& source,
                                                    const WarmStartSettings& s, double corruption,
                                                    Index offset);

/// Runs all stages in order, resumable, for a model with a slot head, which is trained up to the
/// caption stage.
template <class Device>
void warm_start(Trainer<float, Device>& trainer, const Model<Device>& model,
                const LessonSource& source, const WarmStartSettings& s);

extern template Trainer<float, Cpu>::Step lesson_step<Cpu>(const Model<Cpu>&, TokenWeight, Lessons);
extern template Trainer<float, Cpu>::Step response_step<Cpu>(const Model<Cpu>&, const LessonSource&,
                                                             const WarmStartSettings&, double,
                                                             Index);
extern template void warm_start<Cpu>(Trainer<float, Cpu>&, const Model<Cpu>&, const LessonSource&,
                                     const WarmStartSettings&);

}  // namespace gaze::phyx
