// SPDX-License-Identifier: MIT
// The ablation's eight conditions, as data.
#pragma once
#include <array>
#include <string_view>

#include "gaze/core/error.hpp"
#include "phyx/rewards/registry.hpp"

namespace gaze::phyx {

/// start: the warm start as it is. mixed, clean: more supervised training, on the warm start's last
/// mixture or on clean responses, with the arithmetic of a GRPO arm. grpo: trained by a reward.
enum class Training { start, mixed, clean, grpo };

struct Condition {
  const char* name;
  Training training;
  const char* reward;  // with GRPO: beside half a point for format; "": format alone
};

inline constexpr std::array<Condition, 8> conditions = {{
    {"sft", Training::start, ""},
    {"sft_more", Training::mixed, ""},
    {"sft_clean", Training::clean, ""},
    {"format", Training::grpo, ""},
    {"accuracy", Training::grpo, "accuracy"},
    {"rubric", Training::grpo, "rubric"},
    {"attention", Training::grpo, "attention"},
    {"hybrid", Training::grpo, "hybrid"},
}};

inline const Condition& condition(std::string_view name) {
  std::string known;
  for (const Condition& c : conditions) {
    if (name == c.name) return c;
    known += std::string(known.empty() ? "" : ", ") + c.name;
  }
  GAZE_FAIL("condition", "no condition named ", name, "; there are ", known);
}

/// Every GRPO arm is also paid for form: a strict parser must be able to read it.
inline RewardMix reward_mix(const Condition& c, double format_weight) {
  if (std::string_view(c.reward).empty()) return {{{"format", 1.0}}};
  return {{{c.reward, 1.0}, {"format", format_weight}}};
}

}  // namespace gaze::phyx
