// SPDX-License-Identifier: MIT
// The Evaluator on the CPU.
#include "phyx/eval/evaluator.hpp"

#include "gaze/cpu/kernels.hpp"
#include "phyx/eval/evaluator.inl"

namespace gaze::phyx {

template class Evaluator<Cpu>;

}  // namespace gaze::phyx
