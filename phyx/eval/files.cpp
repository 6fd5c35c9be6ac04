// SPDX-License-Identifier: MIT
// The evaluation of files on the CPU.
#include "phyx/eval/files.hpp"

#include "gaze/cpu/kernels.hpp"
#include "phyx/eval/files.inl"

namespace gaze::phyx {

template class FileEvaluation<Cpu>;

}  // namespace gaze::phyx
