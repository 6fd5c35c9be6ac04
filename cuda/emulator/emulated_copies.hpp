// SPDX-License-Identifier: MIT
// Timing of asynchronous copies in the emulator: see mma_emulated.hpp.
#pragma once

namespace gaze::cuda::emulator {

/// When a copy happens: immediately, or as late as its wait allows.
inline bool late_copies = false;

}  // namespace gaze::cuda::emulator
