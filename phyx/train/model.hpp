// SPDX-License-Identifier: MIT
// The model that training, evaluation and the commands are about.
#pragma once
#include "models/vlm.hpp"

namespace gaze::phyx {

/// The model that everything here trains and asks, on the device of the run.
template <class Device>
using Model = models::Vlm<float, Device>;

inline constexpr Index slot_count = 6;  // labels per scene, of the slot head in the warm start

}  // namespace gaze::phyx
