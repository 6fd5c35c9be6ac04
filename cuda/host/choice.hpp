// SPDX-License-Identifier: MIT
// Which of several kernels for the same work is taken.
#pragma once
#include <cstdint>
#include <cstdlib>

#include "gaze/core/index.hpp"

namespace gaze::cuda {

struct KernelChoice {
  /// Tensor cores and vectors where sizes allow; false: the plain kernels, which are their oracle.
  /// GAZE_CUDA_PLAIN=1 in the environment makes it false from the start.
  bool fast = !asked("GAZE_CUDA_PLAIN");
  /// Products whose rows do not depend on the batch (tensor_gemm.hpp for bf16 operands, the plain
  /// kernel for others) in place of cuBLASLt's, which promises nothing of the kind.
  /// GAZE_CUDA_INVARIANT=1 in the environment makes it true from the start.
  bool invariant = asked("GAZE_CUDA_INVARIANT");
  /// Attention of few rows over many keys may be split over blocks. Faster where the GPU would be
  /// idle, but the last bits of a row then depend on the rows beside it: not with `invariant`.
  bool split = false;

  bool library() const { return fast && !invariant; }

 private:
  static bool asked(const char* variable) {
    const char* const text = std::getenv(variable);
    return text && *text && *text != '0';
  }
};

/// For the process; changed between launches only.
inline KernelChoice kernel_choice;

/// May rows of c values of T, all of them float, be taken 16 bytes at a time? Null pointers may.
template <class... T>
bool in_vectors(Index c, const T*... rows) {
  const auto whole = (reinterpret_cast<std::uintptr_t>(rows) | ...) |
                     static_cast<std::uintptr_t>(c) * sizeof(float);
  return kernel_choice.fast && whole % 16 == 0;
}

}  // namespace gaze::cuda
