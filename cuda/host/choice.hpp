// SPDX-License-Identifier: MIT
// Selects among several kernels for the same work.
#pragma once
#include <cstdint>
#include <cstdlib>

#include "gaze/core/index.hpp"

namespace gaze::cuda {

struct KernelChoice {
  /// Use tensor cores and vectors where sizes allow; otherwise the plain kernels, their oracle.
  /// GAZE_CUDA_PLAIN=1 in the environment makes the initial value false.
  bool fast = !is_set("GAZE_CUDA_PLAIN");
  /// Use products whose rows do not depend on the batch (tensor_gemm.hpp for bf16 operands, the
  /// plain kernel for others) instead of cuBLASLt's, which do not guarantee that.
  /// GAZE_CUDA_INVARIANT=1 in the environment makes the initial value true.
  bool invariant = is_set("GAZE_CUDA_INVARIANT");
  /// Allow attention of few rows over many keys to be split over blocks. This is faster where the
  /// GPU would be idle, but the last bits of a row then depend on the other rows, so `invariant`
  /// disables it.
  bool split = false;

  bool library() const { return fast && !invariant; }

 private:
  static bool is_set(const char* variable) {
    const char* const text = std::getenv(variable);
    return text && *text && *text != '0';
  }
};

/// For the whole process. Change it only between launches.
inline KernelChoice kernel_choice;

/// Whether rows of c floats at these addresses (or null) may be accessed 16 bytes at a time.
template <class... T>
bool in_vectors(Index c, const T*... rows) {
  const auto whole = (reinterpret_cast<std::uintptr_t>(rows) | ...) |
                     static_cast<std::uintptr_t>(c) * sizeof(float);
  return kernel_choice.fast && whole % 16 == 0;
}

}  // namespace gaze::cuda
