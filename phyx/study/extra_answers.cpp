// SPDX-License-Identifier: MIT
// Attaching further answers to inputs; ExtraAnswers on the CPU.
#include "phyx/study/extra_answers.hpp"

#include "gaze/cpu/kernels.hpp"
#include "phyx/study/extra_answers.inl"

namespace gaze::phyx {

void FurtherAnswers::attach(RewardInput& input, std::size_t i) const {
  const auto pointer = [](const auto& answer) { return answer ? &*answer : nullptr; };
  input.given = given;
  if (given.answer_from_look) input.from_look = &from_look[i];
  if (given.answer_swapped) input.swapped = pointer(swapped[i / group]);
  if (given.twin_swapped) input.twin = pointer(twin[i]);
}

template class ExtraAnswers<Cpu>;

}  // namespace gaze::phyx
