// SPDX-License-Identifier: MIT
// How an evaluation asks: answers per problem, batch, sampling, seed.
#pragma once
#include <cstdint>

#include "gaze/core/index.hpp"
#include "gaze/generate/sampling.hpp"

namespace gaze::phyx {

struct EvaluationSettings {
  Index samples = 4;  // beside the greedy answer; 0: none
  Index batch = 48;   // problems at a time
  SamplingSettings sampling;
  std::uint64_t seed = 0;
};

}  // namespace gaze::phyx
