// SPDX-License-Identifier: MIT
// Which of several kernels for the same work is taken.
#pragma once
#include <cstdint>
#include <type_traits>

#include "gaze/core/index.hpp"

namespace gaze::cuda {

struct KernelChoice {
  /// Tensor cores and vectors where sizes allow; false: the plain kernels, which are their oracle.
  bool fast = true;
  /// Attention of few rows over many keys may be split over blocks. Faster where the GPU would be
  /// idle, but the last bits of a row then depend on the rows beside it.
  bool split = false;
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
