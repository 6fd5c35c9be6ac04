// SPDX-License-Identifier: MIT
// Reports failed checks on the device without making the host wait for each: a check writes its
// first finding to memory that host and device share, and the next wait for the device throws it.
//
// The report is that of the first check that failed since the last report was thrown; its message
// names the operation, whatever was launched since. Plain C++.
#pragma once
#include "gaze/kernels/values.hpp"

namespace gaze::cuda {

/// A ValueCheck that failed, and the element.
struct Report {
  const char* op = nullptr;
  double low = 0, high = 0;
  void (*fail)(const ValueCheck& check, Index at, double value) = nullptr;
  Index at = 0;
  double value = 0;
  int found = 0;  // written last
};

/// The device address of the report.
Report* device_report();

/// Throws the report, once. Called after waiting for the device.
void throw_reported();

}  // namespace gaze::cuda
