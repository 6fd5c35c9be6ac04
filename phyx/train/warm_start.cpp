// SPDX-License-Identifier: MIT
// The warm start on the CPU, and its device-independent parts.
#include "phyx/train/warm_start.hpp"

#include <algorithm>
#include <utility>

#include "gaze/cpu/kernels.hpp"
#include "phyx/train/warm_start.inl"

namespace gaze::phyx {

Stage training_stage(const std::string& name, Index steps, double rate,
                     const OptimiserSettings& optimiser, std::vector<std::string> parts) {
  Stage s;
  s.name = name;
  s.steps = steps;
  s.parts = std::move(parts);
  s.rate = {rate, std::min<Index>(optimiser.warmup, steps / 10 + 1), steps, optimiser.floor};
  s.adamw = optimiser.adamw;
  return s;
}

template Trainer<float, Cpu>::Step lesson_step<Cpu>(const Model<Cpu>&, TokenWeight, Lessons);
template Trainer<float, Cpu>::Step response_step<Cpu>(const Model<Cpu>&, const LessonSource&,
                                                      const WarmStartSettings&, double, Index);
template void warm_start<Cpu>(Trainer<float, Cpu>&, const Model<Cpu>&, const LessonSource&,
                              const WarmStartSettings&);

}  // namespace gaze::phyx
