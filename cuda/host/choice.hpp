// SPDX-License-Identifier: MIT
// Chooses between kernels for the same operation.
#pragma once
#include <cstdint>
#include <cstdlib>

#include "gaze/core/index.hpp"

namespace gaze::cuda {

struct KernelChoice {
  /// Tensor cores and vectors where sizes allow; false: the plain kernels, their reference.
  /// GAZE_CUDA_PLAIN=1 in the environment sets it to false initially.
  bool fast = !asked("GAZE_CUDA_PLAIN");
  /// Batch-invariant products (tensor_gemm.hpp for bf16 operands, the plain kernel for others)
  /// instead of cuBLASLt's, which has no such guarantee.
  /// GAZE_CUDA_INVARIANT=1 in the environment sets it to true initially.
  bool invariant = asked("GAZE_CUDA_INVARIANT");
  /// Attention of few rows over many keys may be split over blocks. Faster if the GPU would be
  /// idle, but a row's last bits then depend on other rows: not used with `invariant`.
  bool split = false;

  bool library() const { return fast && !invariant; }

 private:
  static bool asked(const char* variable) {
    const char* const text = std::getenv(variable);
    return text && *text && *text != '0';
  }
};

/// Process-wide; change it only between launches.
inline KernelChoice kernel_choice;

/// Whether rows of c values at these addresses support 16-byte accesses. Null pointers do.
template <class... T>
bool in_vectors(Index c, const T*... rows) {
  const auto whole = (reinterpret_cast<std::uintptr_t>(rows) | ...) |
                     static_cast<std::uintptr_t>(c) * sizeof(float);
  return kernel_choice.fast && whole % 16 == 0;
}

}  // namespace gaze::cuda
