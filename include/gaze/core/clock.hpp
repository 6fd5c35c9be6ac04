// SPDX-License-Identifier: MIT
// A monotonic clock for measuring durations.
#pragma once
#include <chrono>

#include "gaze/core/language.hpp"

namespace gaze {

/// Seconds since an arbitrary fixed point; never goes backwards.
inline double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace gaze
