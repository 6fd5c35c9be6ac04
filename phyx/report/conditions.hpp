// SPDX-License-Identifier: MIT
// The conditions of a study: order, meanings and colours. Those of the first study have fixed ones.
#pragma once
#include <array>
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

inline constexpr std::array<ConditionText, 8> condition_texts = {{
    {"sft", "the warm start: supervised training only; all other conditions start from it"},
    {"sft_more",
     "continued supervised training on the same mixture, with the compute of a GRPO arm"},
    {"sft_clean", "the same continuation on clean responses only"},
    {"format", "GRPO, rewarded for the format of the response alone"},
    {"accuracy", "GRPO, rewarded for a right answer (and for format)"},
    {"rubric", "GRPO, rewarded by five weighted terms of a reference solution"},
    {"attention", "GRPO, rewarded for attention on the whole image, without annotations"},
    {"hybrid", "GRPO, accuracy with a guarded attention term"},
}};

/// Name and meaning of the conditions that the runs' study declares in `condition` of config.json,
/// in the order of ordered_conditions(); those above if no configuration has any.
std::vector<std::pair<std::string, std::string>> declared_conditions(
    const std::vector<io::Json>& configs);

/// Known conditions in the order above, then others by name.
std::vector<std::string> ordered_conditions(const std::set<std::string>& names);

/// The style class with a condition's colour: "c0" to "c7"; unknown ones share "cx".
std::string condition_class(const std::string& name);

}  // namespace gaze::phyx::report
