// SPDX-License-Identifier: MIT
// The ablation's eight conditions, as data.
#pragma once
#include <array>
#include <string_view>

#include "phyx/rewards/registry.hpp"

namespace gaze::phyx {

/// start: the warm start unchanged. mixed, clean: further supervised training, on the warm start's
/// last mixture or on clean responses, with the arithmetic of a GRPO arm. grpo: trained by a
/// reward.
enum class Training { start, mixed, clean, grpo };

struct Condition {
  const char* name;
  Training training;
  const char* reward;  // of GRPO, plus half a point for format; "": format alone
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

/// The condition of this name; an unknown name is an Error that lists the known ones.
const Condition& condition(std::string_view name);

/// The reward of a GRPO arm, which always includes format, so that the strict parser can read it.
RewardMix reward_mix(const Condition& c, double format_weight);

}  // namespace gaze::phyx
