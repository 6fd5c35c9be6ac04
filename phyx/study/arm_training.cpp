// SPDX-License-Identifier: MIT
// The arms' training on the CPU.
#include "phyx/study/arm_training.hpp"

#include "gaze/cpu/kernels.hpp"
#include "phyx/study/arm_training.inl"

namespace gaze::phyx {

template class ArmTraining<Cpu>;

}  // namespace gaze::phyx
