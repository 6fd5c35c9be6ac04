// SPDX-License-Identifier: MIT
// Reports failed checks from the device without a host wait per check: a check writes its first
// failure to mapped memory, and the next call that waits for the device throws it.
//
// The report belongs to the first check that failed since the last throw; its message names the
// operation, whatever was launched since. Plain C++.
#pragma once
#include "gaze/kernels/settings.hpp"

namespace gaze::cuda {

/// A ValueCheck that failed, and where.
struct Report {
  const char* op = nullptr;
  double low = 0, high = 0;
  void (*fail)(const ValueCheck& check, Index at, double value) = nullptr;
  Index at = 0;
  double value = 0;
  int found = 0;  // written last
};

/// The report's address for kernels.
Report* device_report();

/// Throws the report, once; called after waiting for the device.
void throw_reported();

}  // namespace gaze::cuda
