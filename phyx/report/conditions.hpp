// SPDX-License-Identifier: MIT
// The conditions of a study: order, meanings and colours. Those of the built-in studies have fixed
// ones.
#pragma once
#include <array>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gaze/io/json.hpp"

namespace gaze::phyx::report {

struct ConditionText {
  const char* name;
  const char* what;
};

inline constexpr std::array<ConditionText, 11> condition_texts = {{
    {"sft", "the warm start: supervised training only; all other conditions start from it"},
    {"sft_more",
     "continued supervised training on the same mixture, with the compute of a GRPO arm"},
    {"sft_clean", "the same continuation on clean responses only"},
    {"format", "GRPO, rewarded for the format of the response alone"},
    {"accuracy", "GRPO, rewarded for a right answer (and for format)"},
    {"rubric", "GRPO, rewarded by five weighted terms of a reference solution"},
    {"attention", "GRPO, rewarded for attention on the whole image, without annotations"},
    {"hybrid", "GRPO, accuracy with a guarded attention term"},
    {"attention_region",
     "GRPO, rewarded for attention on the annotated region: an oracle with boxes"},
    {"random", "GRPO, rewarded by a coin (and for format): a control"},
    {"rft",
     "supervised training on the right answers of the warm start, with the compute of a GRPO arm"},
}};

/// Name and meaning of the conditions that the runs' study declares in `condition` of config.json,
/// in the order of ordered_conditions(); those above if no configuration has any.
std::vector<std::pair<std::string, std::string>> declared_conditions(
    const std::vector<io::Json>& configs);

/// A reward of a condition in config.json: its label in logs, the registered reward, and its name
/// in results.csv, "reward_<scored>".
struct UsedReward {
  std::string condition, label, kind, scored;
};

/// The rewards of all declared conditions, in the order of ordered_conditions().
std::vector<UsedReward> used_rewards(const std::vector<io::Json>& configs);

/// Known conditions in the order above, then others by name.
std::vector<std::string> ordered_conditions(const std::set<std::string>& names);

/// Style classes with a colour for each name: "c0" to "c13", which known conditions have in the
/// order above. Others get those that are left, then share them.
std::map<std::string, std::string> condition_classes(const std::vector<std::string>& names);

}  // namespace gaze::phyx::report
