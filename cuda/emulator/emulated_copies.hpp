// SPDX-License-Identifier: MIT
// How the emulator does asynchronous copies: see mma_emulated.hpp.
#pragma once

namespace gaze::cuda::emulator {

/// When a copy happens: as soon as it is asked for, or as late as its wait allows.
inline bool late_copies = false;

}  // namespace gaze::cuda::emulator
