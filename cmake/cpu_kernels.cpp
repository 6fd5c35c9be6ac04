// SPDX-License-Identifier: MIT
// Compiles the CPU kernels once, optimised, for programs of many files and of any build type: the
// others define GAZE_CPU_COMPILED. With CMake, the target gaze::kernels does both.
#include "gaze/cpu/kernels.hpp"

namespace gaze::cpu {
GAZE_CPU_KERNELS(GAZE_INSTANTIATE_KERNEL)
}  // namespace gaze::cpu
