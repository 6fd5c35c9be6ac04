// SPDX-License-Identifier: MIT
// The claims of the default study.
#pragma once
#include <vector>

#include "phyx/study/settings.hpp"

namespace gaze::test {

inline const std::vector<phyx::Claim>& study_claims() {
  static const std::vector<phyx::Claim> claims = phyx::ablation_preset("quick").claims;
  return claims;
}

}  // namespace gaze::test
