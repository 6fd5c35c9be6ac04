// SPDX-License-Identifier: MIT
// What a rollout makes.
#pragma once
#include <cstdint>
#include <vector>

#include "gaze/core/language.hpp"

namespace gaze {

/// One generated completion. `logp` is of the full distribution at the sampling temperature,
/// before a repetition penalty or a cut of its tail. `seen` holds [token][watched columns] of
/// attention, where row t was seen while choosing token t.
struct Completion {
  std::vector<std::int32_t> tokens;  // with the end token, if it ended
  std::vector<float> logp;
  std::vector<float> seen;
  bool ended = false;
};

}  // namespace gaze
