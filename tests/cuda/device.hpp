// SPDX-License-Identifier: MIT
// Helpers for tests that run on a GPU, or on the emulator if they are linked with it.
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

/// Is there a device to test on? Prints one line if not.
inline bool have_device() {
  static const std::string reason = cuda::unavailable();
  static const bool told = [] {
    if (!reason.empty()) std::cout << "skipped: " << reason << "\n";
    return true;
  }();
  return told && reason.empty();
}

/// Selects invariant products until it goes out of scope.
struct Invariant {
  cuda::KernelChoice before = cuda::kernel_choice;
  explicit Invariant(bool fast = true) {
    cuda::kernel_choice.invariant = true;
    cuda::kernel_choice.fast = fast;
  }
  ~Invariant() { cuda::kernel_choice = before; }
};

}  // namespace gaze::test

#define GAZE_OPS_ON_CUDA  // the cases of tests/op_case.hpp, included below this, run on Cuda too
#define GAZE_NEEDS_DEVICE() \
  if (!gaze::test::have_device()) return
