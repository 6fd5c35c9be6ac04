// SPDX-License-Identifier: MIT
// Order and style classes of the conditions.
#include "phyx/report/conditions.hpp"

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <vector>

namespace gaze::phyx::report {

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
