// SPDX-License-Identifier: MIT
// For tests that run on a GPU, or on the emulator where the program is linked with that.
#pragma once
#include <iostream>

#include "cuda/kernels.hpp"
#include "gaze/gaze.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

#ifdef GAZE_CUDA_EMULATED
namespace gaze::cuda::emulator {
void set_order(
    std::uint64_t seed);  // see cuda/emulator/emulator.hpp, whose macros tests do not want
}
#endif

namespace gaze::test {

/// False, and one line, where there is no device to test on.
inline bool have_device() {
  static const std::string reason = cuda::unavailable();
  static const bool told = [] {
    if (!reason.empty()) std::cout << "skipped: " << reason << "\n";
    return true;
  }();
  return told && reason.empty();
}

/// Chooses invariant products until it goes.
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
