// SPDX-License-Identifier: MIT
// The ablation's conditions, as data: eight that run by default, and further rewards.
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
  const char* reward;      // of GRPO, plus half a point for format; "": format alone
  bool by_default = true;  // false: runs only where it is named
};

inline constexpr std::array<Condition, 14> conditions = {{
    {"sft", Training::start, ""},
    {"sft_more", Training::mixed, ""},
    {"sft_clean", Training::clean, ""},
    {"format", Training::grpo, ""},
    {"accuracy", Training::grpo, "accuracy"},
    {"rubric", Training::grpo, "rubric"},
    {"attention", Training::grpo, "attention"},
    {"hybrid", Training::grpo, "hybrid"},
    {"attention_region", Training::grpo, "attention_region", false},
    {"attention_raw", Training::grpo, "attention_raw", false},
    {"random", Training::grpo, "random", false},
    {"avar", Training::grpo, "avar", false},
    {"vision_sr1", Training::grpo, "vision_sr1", false},
    {"contrast", Training::grpo, "contrast", false},
}};

/// The condition of this name; an unknown name is an Error that lists the known ones.
const Condition& condition(std::string_view name);

/// The reward of a GRPO arm, which always includes format, so that the strict parser can read it.
RewardMix reward_mix(const Condition& c, double format_weight, const RewardOptions& options = {});

}  // namespace gaze::phyx
