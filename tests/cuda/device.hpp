// SPDX-License-Identifier: MIT
// For tests that run on a GPU, or on the emulator if the program is linked with it.
#pragma once
#include <iostream>

#include "cuda/kernels.hpp"
#include "gaze/gaze.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

#ifdef GAZE_CUDA_EMULATED
namespace gaze::cuda::emulator {
// Declared here because the macros of cuda/emulator/emulator.hpp would disturb the tests.
void set_order(std::uint64_t seed);
}  // namespace gaze::cuda::emulator
#endif

namespace gaze::test {

/// Whether there is a device to test on; prints one line if not.
inline bool have_device() {
  static const std::string reason = cuda::unavailable();
  static const bool available = [] {
    if (!reason.empty()) std::cout << "skipped: " << reason << "\n";
    return reason.empty();
  }();
  return available;
}

/// Selects invariant products during its lifetime.
struct Invariant {
  cuda::KernelChoice before = cuda::kernel_choice;
  explicit Invariant(bool fast = true) {
    cuda::kernel_choice.invariant = true;
    cuda::kernel_choice.fast = fast;
  }
  ~Invariant() { cuda::kernel_choice = before; }
};

}  // namespace gaze::test

#define GAZE_NEEDS_DEVICE() \
  if (!gaze::test::have_device()) return
