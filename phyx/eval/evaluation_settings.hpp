// SPDX-License-Identifier: MIT
// Settings of an evaluation: answers per problem, batch, sampling, seed.
#pragma once
#include <cstdint>

#include "gaze/core/index.hpp"
#include "gaze/generate/sampling.hpp"

namespace gaze::phyx {

struct EvaluationSettings {
  Index samples = 4;  // in addition to the greedy answer
  Index batch = 48;   // problems per batch; does not affect results
  SamplingSettings sampling;
  std::uint64_t seed = 0;
};

}  // namespace gaze::phyx
