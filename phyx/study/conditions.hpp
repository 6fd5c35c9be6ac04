// SPDX-License-Identifier: MIT
// The ablation's eight conditions, as data.
#pragma once
#include <array>
#include <string_view>

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

/// The condition of this name; an Error lists the names that there are.
const Condition& condition(std::string_view name);

/// Every GRPO arm is also paid for form: a strict parser must be able to read it.
RewardMix reward_mix(const Condition& c, double format_weight);

}  // namespace gaze::phyx
