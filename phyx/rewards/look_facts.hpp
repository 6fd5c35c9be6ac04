// SPDX-License-Identifier: MIT
// Which facts of the reference solution's look section a response states rightly. A measurement,
// not a reward: it tells misread pictures from wrong reasoning.
#pragma once
#include "phyx/answer/response.hpp"
#include "phyx/problem.hpp"

namespace gaze::phyx {

struct LookFacts {
  int gold = 0;   // facts of the reference: phrases such as "mass = 5 kg" or "ball left"
  int right = 0;  // of those, facts that the response's look section states
};

/// Compares phrase by phrase: words by spelling, a value after "=" also as a quantity ("5.0 kg").
/// A name with several different values ("mass = 5 kg , mass = 6 kg") states none of them. A
/// response that is not well-formed states nothing.
LookFacts look_facts(const Problem& problem, const ParsedResponse& response);

}  // namespace gaze::phyx
