// SPDX-License-Identifier: MIT
// Learning rates over the steps of a run.
#pragma once
#include <algorithm>
#include <cmath>

#include "gaze/core/index.hpp"

namespace gaze {

/// Linear warm-up to `peak`, then a cosine down to `floor * peak` (Loshchilov and Hutter 2017).
struct CosineSchedule {
  double peak = 1e-3;
  Index warmup = 0, steps = 1;
  double floor = 0.1;

  double operator()(Index step) const {
    if (step < warmup) return peak * static_cast<double>(step + 1) / static_cast<double>(warmup);
    const double t = static_cast<double>(step - warmup) /
                     static_cast<double>(std::max<Index>(1, steps - warmup));
    const double cosine = 0.5 * (1 + std::cos(3.14159265358979323846 * std::min(1.0, t)));
    return peak * (floor + (1 - floor) * cosine);
  }
};

}  // namespace gaze
