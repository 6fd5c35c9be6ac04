// SPDX-License-Identifier: MIT
// Learning rate schedules.
#pragma once
#include <algorithm>
#include <cmath>

#include "gaze/core/error.hpp"
#include "gaze/core/index.hpp"

namespace gaze {

/// Linear warm-up to `peak`, then a cosine down to `floor * peak` (Loshchilov and Hutter 2017):
///   peak (i + 1) / warmup                               for step i < warmup
///   peak (floor + (1 - floor) (1 + cos(pi t)) / 2)      after, t = (i - warmup) / (steps - warmup)
struct CosineSchedule {
  double peak = 1e-3;
  Index warmup = 0, steps = 1;
  double floor = 0.1;

  /// Throws an Error that names a setting out of range.
  void check() const {
    GAZE_CHECK(std::isfinite(peak) && peak >= 0, "schedule",
               "the peak must be finite and at least 0, got ", peak);
    GAZE_CHECK(floor >= 0 && floor <= 1, "schedule", "the floor must be in [0, 1], got ", floor);
    GAZE_CHECK(warmup >= 0 && steps >= 0, "schedule", "warmup and steps must be at least 0, got ",
               warmup, " and ", steps);
  }

  /// The learning rate of a step, counted from 0.
  double operator()(Index step) const {
    check();
    GAZE_CHECK(step >= 0, "schedule", "step ", step, " is below 0");
    if (step < warmup) return peak * static_cast<double>(step + 1) / static_cast<double>(warmup);
    const double t = static_cast<double>(step - warmup) /
                     static_cast<double>(std::max<Index>(1, steps - warmup));
    const double cosine = 0.5 * (1 + std::cos(3.14159265358979323846 * std::min(1.0, t)));
    return peak * (floor + (1 - floor) * cosine);
  }
};

}  // namespace gaze
