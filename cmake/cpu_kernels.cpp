// SPDX-License-Identifier: MIT
// Compiles the CPU kernels once, for programs of many files: the others define GAZE_CPU_COMPILED.
#include "gaze/cpu/kernels.hpp"

namespace gaze::cpu {
#define GAZE_INSTANTIATE template
#define GAZE_T float
#include "gaze/cpu/instantiate.inl"
#undef GAZE_T
#define GAZE_T double
#include "gaze/cpu/instantiate.inl"
}  // namespace gaze::cpu
