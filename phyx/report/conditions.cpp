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

std::vector<std::string> ordered_conditions(const std::set<std::string>& names) {
  std::vector<std::string> out;
  for (const auto& c : condition_texts)
    if (names.count(c.name)) out.push_back(c.name);
  for (const auto& n : names)
    if (std::find(out.begin(), out.end(), n) == out.end()) out.push_back(n);
  return out;
}

std::string condition_class(const std::string& name) {
  for (std::size_t i = 0; i < condition_texts.size(); ++i)
    if (name == condition_texts[i].name) return "c" + std::to_string(i);
  return "cx";
}

}  // namespace gaze::phyx::report
