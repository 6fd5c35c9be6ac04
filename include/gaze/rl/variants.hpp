// SPDX-License-Identifier: MIT
// GRPO variants by name: rows of settings on the axes of advantage.hpp and policy_loss.hpp.
#pragma once
#include <array>
#include <string>
#include <string_view>

#include "gaze/rl/advantage.hpp"
#include "gaze/rl/policy_loss.hpp"

namespace gaze::rl {

struct Variant {
  const char* name;
  const char* source;
  Spread spread;
  RatioLevel ratio;
  double clip_low, clip_high;
  Aggregation aggregation;
  bool mask_truncated;
  bool resample_zero_spread;
};

inline constexpr std::array<Variant, 4> variants = {{
    {"grpo", "Shao et al. 2024, arXiv 2402.03300", Spread::group, RatioLevel::token, 0.2, 0.2,
     Aggregation::sequence_mean, false, false},
    {"dr_grpo", "Liu et al. 2025, arXiv 2503.20783", Spread::none, RatioLevel::token, 0.2, 0.2,
     Aggregation::fixed_length, false, false},
    {"dapo", "Yu et al. 2025, arXiv 2503.14476", Spread::group, RatioLevel::token, 0.2, 0.28,
     Aggregation::token_mean, true, true},
    {"gspo", "Zheng et al. 2025, arXiv 2507.18071", Spread::group, RatioLevel::sequence, 3e-4, 4e-4,
     Aggregation::sequence_mean, false, false},
}};

inline const Variant& variant(std::string_view name) {
  std::string known;
  for (const auto& v : variants) {
    if (name == v.name) return v;
    known += std::string(known.empty() ? "" : ", ") + v.name;
  }
  GAZE_FAIL("variant", "no GRPO variant named ", name, "; there are ", known);
}

}  // namespace gaze::rl
