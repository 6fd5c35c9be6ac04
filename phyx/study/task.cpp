// SPDX-License-Identifier: MIT
// The task on the CPU.
#include "phyx/study/task.hpp"

#include "gaze/cpu/kernels.hpp"
#include "phyx/study/task.inl"

namespace gaze::phyx {

template class PhyxTask<Cpu>;

}  // namespace gaze::phyx
