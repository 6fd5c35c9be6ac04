// SPDX-License-Identifier: MIT
// The completion that a rollout returns, as tokens.
#pragma once
#include <cstdint>
#include <vector>

#include "gaze/core/language.hpp"

namespace gaze {

/// A sampled completion. `logp` is under the full distribution at the sampling temperature, before
/// a repetition penalty or a cut of the tail. `seen` is the observed attention [token][column]; row
/// t was observed while token t was chosen.
struct SampledTokens {
  std::vector<std::int32_t> tokens;  // including the end token, if it ended
  std::vector<float> logp;
  std::vector<float> seen;
  bool ended = false;
};

}  // namespace gaze
