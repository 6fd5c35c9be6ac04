// SPDX-License-Identifier: MIT
// Hits per category as the one-line CSV of the official code.
#include "phyx/scoring/official_table.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <unordered_map>

#include "gaze/core/error.hpp"
#include "phyx/data/pandas_columns.hpp"

namespace gaze::phyx {

namespace {

struct OfficialTally {
  std::string category;
  std::size_t hits = 0, count = 0;
};

/// Hits per category in order of first appearance; items without a category count only overall.
std::vector<OfficialTally> official_tallies(const std::vector<OfficialItem>& items) {
  std::vector<OfficialTally> tallies;
  std::unordered_map<std::string_view, std::size_t> places;
  for (const OfficialItem& item : items) {
    if (item.category.empty()) continue;
    const auto [place, fresh] = places.try_emplace(item.category, tallies.size());
    if (fresh) tallies.push_back({item.category, 0, 0});
    OfficialTally& tally = tallies[place->second];
    tally.hits += item.match;
    ++tally.count;
  }
  return tallies;
}

/// Unrounded fractions, all fields quoted.
std::string official_table(const std::vector<OfficialTally>& tallies) {
  std::string names, values;
  for (const auto& [category, hits, count] : tallies) {
    const char* separator = names.empty() ? "\"" : ",\"";
    names += separator;
    for (const char c : category) names.append(c == '"' ? 2 : 1, c);
    names += '"';
    values += separator;
    values += python_float_text(static_cast<double>(hits) / static_cast<double>(count)) + "\"";
  }
  return names + "\n" + values + "\n";
}

OfficialTally official_overall(const std::vector<OfficialItem>& items, std::string_view name) {
  const auto hits =
      std::count_if(items.begin(), items.end(), [](const auto& i) { return i.match; });
  return {std::string(name), static_cast<std::size_t>(hits), items.size()};
}

}  // namespace

std::string official_csv(const std::vector<OfficialItem>& items) {
  GAZE_CHECK(!items.empty(), "official_csv", "no items");
  auto tallies = official_tallies(items);
  std::sort(tallies.begin(), tallies.end(),  // byte order of UTF-8 is the order of code points
            [](const auto& a, const auto& b) { return a.category < b.category; });
  tallies.insert(tallies.begin(), official_overall(items, "Overall"));
  return official_table(tallies);
}

std::string official_judge_csv(const std::vector<OfficialItem>& items) {
  GAZE_CHECK(!items.empty(), "official_judge_csv", "no items");
  auto tallies = official_tallies(items);
  tallies.insert(tallies.begin(), official_overall(items, "Overall Acc"));
  return official_table(tallies);
}

}  // namespace gaze::phyx
