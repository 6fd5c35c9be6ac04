// SPDX-License-Identifier: MIT
// When the emulator runs asynchronous copies (mma_emulated.hpp).
#pragma once

namespace gaze::cuda::emulator {

/// Whether a copy runs when it is waited for rather than when it is issued.
inline bool late_copies = false;

}  // namespace gaze::cuda::emulator
