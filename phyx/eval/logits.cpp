// SPDX-License-Identifier: MIT
// The logits on the processor.
#include "phyx/eval/logits.inl"

namespace gaze::phyx {

template void write_logits<Cpu>(const LogitsSettings&);

}  // namespace gaze::phyx
