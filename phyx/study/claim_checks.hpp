// SPDX-License-Identifier: MIT
// Checks before a run that its claims can be decided: a misspelt metric would be "not measured".
#pragma once
#include "phyx/results/claims.hpp"
#include "phyx/study/settings.hpp"

namespace gaze::phyx {

/// Throws Error "claim.ID: ..." unless the study has both conditions, and its results will have the
/// metric on the slice. Names of subfields, and of domains and templates of one's own data, are
/// unknown before a run and accepted.
void check_claim(const AblationSettings& s, const Claim& c);

}  // namespace gaze::phyx
