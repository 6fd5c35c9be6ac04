// SPDX-License-Identifier: MIT
// The logits on the processor.
#include "phyx/eval/logits.inl"
#include "gaze/cpu/kernels.hpp"

namespace gaze::phyx {

template void write_logits<Cpu>(const LogitsSettings&);

}  // namespace gaze::phyx
