// SPDX-License-Identifier: MIT
// The eight conditions of the ablation: their order, what they are, and their colour in every
// chart.
#pragma once
#include <array>
#include <set>
#include <string>
#include <vector>

namespace gaze::phyx::report {

struct ConditionText {
  const char* name;
  const char* what;
};

inline constexpr std::array<ConditionText, 8> condition_texts = {{
    {"sft", "the warm start: supervised training only; every other condition begins here"},
    {"sft_more", "continued supervised training on the same mixture, at the cost of a GRPO arm"},
    {"sft_clean", "the same continuation on clean responses only"},
    {"format", "GRPO, rewarded for the form of the response alone"},
    {"accuracy", "GRPO, rewarded for a right answer (and for form)"},
    {"rubric", "GRPO, rewarded by five weighted terms of a written solution"},
    {"attention", "GRPO, rewarded for looking at the picture while writing"},
    {"hybrid", "GRPO, accuracy with a guarded attention term"},
}};

/// Known conditions first, in the order above; others after them, by name.
std::vector<std::string> ordered_conditions(const std::set<std::string>& names);

/// The style class that carries a condition's colour: "c0" to "c7"; unknown ones share "cx".
std::string condition_class(const std::string& name);

}  // namespace gaze::phyx::report
