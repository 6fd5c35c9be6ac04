// SPDX-License-Identifier: MIT
// Devices are types: Tensor<float, Cpu> and Tensor<float, Cuda> cannot be mixed by accident.
#pragma once
#include "gaze/core/language.hpp"

namespace gaze {

/// The processor and its memory.
struct Cpu {
  static constexpr const char* name = "cpu";
};

/// An NVIDIA GPU and its memory (gaze/cuda/kernels.hpp).
struct Cuda {
  static constexpr const char* name = "cuda";
};

/// The type of a T's gradient (bf16 values have float gradients).
template <class T>
struct GradOfType {
  using type = T;  ///< its own type
};
template <class T>
using GradOf = typename GradOfType<T>::type;  ///< The type of a T's gradient.

}  // namespace gaze
