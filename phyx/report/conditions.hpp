// SPDX-License-Identifier: MIT
// The eight conditions of the ablation: their order, what they are, and their colour in every
// chart.
#pragma once
#include <algorithm>
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
inline std::vector<std::string> ordered_conditions(const std::set<std::string>& names) {
  std::vector<std::string> out;
  for (const auto& c : condition_texts)
    if (names.count(c.name)) out.push_back(c.name);
  for (const auto& n : names)
    if (std::find(out.begin(), out.end(), n) == out.end()) out.push_back(n);
  return out;
}

/// The style class that carries a condition's colour: "c0" to "c7"; unknown ones share "cx".
inline std::string condition_class(const std::string& name) {
  for (std::size_t i = 0; i < condition_texts.size(); ++i)
    if (name == condition_texts[i].name) return "c" + std::to_string(i);
  return "cx";
}

}  // namespace gaze::phyx::report
