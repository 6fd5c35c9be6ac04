// SPDX-License-Identifier: MIT
// The stages of the supervised warm start: letters, vision, captions, responses.
//
// The ViT learns little from the language loss alone in the time a laptop has, so it first learns
// to name what is in the picture and to read each label where it stands, then to describe it, then
// to answer. Responses are clean at first, then a share is worsened, so that rewards have something
// to choose from.
#pragma once
#include <string>
#include <vector>

#include "gaze/train/loop.hpp"
#include "phyx/train/lessons.hpp"
#include "phyx/train/model.hpp"
#include "phyx/train/warm_start_settings.hpp"

namespace gaze::phyx {

/// Cosine with a short warm-up, as every supervised stage uses it.
Stage supervised_stage(const std::string& name, Index steps, double rate,
                       std::vector<std::string> parts = {});

/// Steps of responses at a corruption share: the last part of the warm start, and sft_more and
/// sft_clean after it. Model and source must outlive the function that is returned.
template <class Device>
typename Trainer<float, Device>::Step response_step(const Model<Device>& model,
                                                    const LessonSource& source,
                                                    const WarmStartSettings& s, double corruption,
                                                    Index offset);

/// All stages in order, resumable, for a model with a slot head; the head is no longer trained
/// after the captions.
template <class Device>
void warm_start(Trainer<float, Device>& trainer, const Model<Device>& model,
                const LessonSource& source, const WarmStartSettings& s);

extern template Trainer<float, Cpu>::Step response_step<Cpu>(const Model<Cpu>&, const LessonSource&,
                                                             const WarmStartSettings&, double,
                                                             Index);
extern template void warm_start<Cpu>(Trainer<float, Cpu>&, const Model<Cpu>&, const LessonSource&,
                                     const WarmStartSettings&);

}  // namespace gaze::phyx
