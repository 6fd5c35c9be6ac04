// SPDX-License-Identifier: MIT
// The model type of training, evaluation and the commands.
#pragma once
#include "models/vlm.hpp"

namespace gaze::phyx {

/// The model on the device of the run.
template <class Device>
using Model = models::Vlm<float, Device>;

/// What rollouts, updates and answers observe: nothing of a model without pictures.
inline models::Watch watch_of(const models::VlmConfig& c) {
  return c.sees() ? models::Watch::marks : models::Watch::nothing;
}

inline constexpr Index slot_count = 6;  // labels per scene for the slot head of the warm start

}  // namespace gaze::phyx
