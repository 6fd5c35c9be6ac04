// SPDX-License-Identifier: MIT
// The arms' evaluation on the CPU.
#include "phyx/study/arm_evaluation.hpp"

#include "gaze/cpu/kernels.hpp"
#include "phyx/study/arm_evaluation.inl"

namespace gaze::phyx {

template class ArmEvaluation<Cpu>;

}  // namespace gaze::phyx
