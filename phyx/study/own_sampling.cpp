// SPDX-License-Identifier: MIT
// Sampling a warm start's own answers on the CPU.
#include "gaze/cpu/kernels.hpp"
#include "phyx/study/own_samples.inl"

namespace gaze::phyx {

template OwnSamples draw_own_samples<Cpu>(const Model<Cpu>&, const PhyxTask<Cpu>&,
                                          const AblationSettings&, std::uint64_t, const Listener&);

}  // namespace gaze::phyx
