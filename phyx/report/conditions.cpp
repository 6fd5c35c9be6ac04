// SPDX-License-Identifier: MIT
// Order and style classes of the conditions.
#include "phyx/report/conditions.hpp"

#include <algorithm>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace gaze::phyx::report {

std::vector<std::pair<std::string, std::string>> declared_conditions(
    const std::vector<io::Json>& configs) {
  std::map<std::string, std::string> meanings;
  std::set<std::string> names;
  for (const io::Json& config : configs) {
    const auto found = config.find("condition");
    if (found == config.end() || !found->is_object()) continue;
    for (const auto& [name, value] : found->items()) {
      names.insert(name);
      if (value.is_object()) meanings[name] = io::json_text(value, "meaning", name, "");
    }
  }
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& name : ordered_conditions(names)) out.emplace_back(name, meanings[name]);
  if (out.empty())
    for (const auto& c : condition_texts) out.emplace_back(c.name, c.what);
  return out;
}

std::vector<UsedReward> used_rewards(const std::vector<io::Json>& configs) {
  std::vector<UsedReward> out;
  std::set<std::pair<std::string, std::string>> seen;
  for (const auto& declared : declared_conditions(configs))
    for (const io::Json& config : configs) {
      const io::Json::json_pointer path(io::Json::json_pointer() / "condition" / declared.first /
                                        "rewards");
      if (!config.contains(path) || !config.at(path).is_object()) continue;
      for (const auto& [label, use] : config.at(path).items()) {
        if (!use.is_object() || !seen.insert({declared.first, label}).second) continue;
        const bool named = use.contains("reward"), program = use.contains("exec") && !named;
        const std::string kind =
            program ? "exec" : io::json_text(use, "reward", "config.json", label);
        const std::size_t options = use.size() - use.count("weight") - use.count("reward");
        out.push_back(
            {declared.first, label, kind, options == 0 ? kind : declared.first + "." + label});
      }
    }
  return out;
}

std::vector<std::string> ordered_conditions(const std::set<std::string>& names) {
  std::vector<std::string> out;
  for (const auto& c : condition_texts)
    if (names.count(c.name)) out.push_back(c.name);
  for (const auto& n : names)
    if (std::find(out.begin(), out.end(), n) == out.end()) out.push_back(n);
  return out;
}

std::map<std::string, std::string> condition_classes(const std::vector<std::string>& names) {
  constexpr std::size_t colours = 14;  // of style_sheet
  const auto known = [](const std::string& name) {
    const auto found = std::find_if(condition_texts.begin(), condition_texts.end(),
                                    [&](const ConditionText& c) { return name == c.name; });
    return static_cast<std::size_t>(found - condition_texts.begin());
  };
  std::map<std::string, std::string> out;
  std::set<std::size_t> left;
  for (std::size_t i = 0; i < colours; ++i) left.insert(i);
  const auto assign = [&](const std::string& name, std::size_t i) {
    out[name] = "c" + std::to_string(i);
    left.erase(i);
  };
  for (const auto& name : names)
    if (const std::size_t i = known(name); i < condition_texts.size()) assign(name, i);
  std::size_t shared = 0;
  for (const auto& name : names)
    if (!out.contains(name)) assign(name, left.empty() ? shared++ % colours : *left.begin());
  return out;
}

}  // namespace gaze::phyx::report
