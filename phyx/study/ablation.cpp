// SPDX-License-Identifier: MIT
// The ablation on the CPU.
#include "phyx/study/ablation.hpp"

#include "gaze/cpu/kernels.hpp"
#include "phyx/study/ablation.inl"

namespace gaze::phyx {

template class Ablation<Cpu>;

}  // namespace gaze::phyx
