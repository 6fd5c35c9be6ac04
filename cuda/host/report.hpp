// SPDX-License-Identifier: MIT
// What checks on the device found, without the host waiting for each: a check writes its first
// finding into memory that both sides see, and whoever next waits for the device throws it.
//
// The report is that of the first check that found something since the last one was thrown; its
// message names the operation, whatever was launched since. Plain C++.
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

/// Throws what was reported, once; called when the device has been waited for.
void throw_reported();

}  // namespace gaze::cuda
