// SPDX-License-Identifier: MIT
// The one Report of the process, in memory that host and device share.
#include "cuda/host/report.hpp"

#include <atomic>
#include <new>

#include "cuda/host/driver.hpp"

namespace gaze::cuda {

namespace {

/// The host's address of the report, once it is allocated.
std::atomic<Report*> host_report = nullptr;

}  // namespace

Report* device_report() {
  static Report* const address = [] {
    const driver::SharedMemory memory = driver::take_shared(sizeof(Report));
    host_report = new (memory.host) Report;
    return static_cast<Report*>(memory.device);
  }();
  return address;
}

void throw_reported() {
  Report* const report = host_report;
  if (!report || !std::atomic_ref<int>(report->found).load()) return;
  const Report r = *report;
  if (!std::atomic_ref<int>(report->found).exchange(0)) return;  // another thread throws it
  r.fail({r.op, r.low, r.high, r.fail}, r.at, r.value);
}

}  // namespace gaze::cuda
