// SPDX-License-Identifier: MIT
// Running a study on the CPU.
#include "phyx/study/run_study.hpp"

#include "gaze/cpu/kernels.hpp"
#include "phyx/study/run_study.inl"

namespace gaze::phyx {

template void run_study<Cpu>(const Study&, const StudyRunOptions&);

}  // namespace gaze::phyx
