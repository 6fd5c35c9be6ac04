// SPDX-License-Identifier: MIT
// Compiles the CPU kernels once, optimised, for programs of several files in any build type; the
// other files define GAZE_CPU_COMPILED. With CMake, the target gaze::kernels does both.
#include "gaze/cpu/kernels.hpp"

namespace gaze::cpu {
#define GAZE_INSTANTIATE template
#define GAZE_T float
#include "gaze/cpu/instantiate.inl"
#undef GAZE_T
#define GAZE_T double
#include "gaze/cpu/instantiate.inl"
#include "gaze/cpu/instantiate_bf16.inl"
}  // namespace gaze::cpu
