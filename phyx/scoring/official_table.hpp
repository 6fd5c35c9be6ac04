// SPDX-License-Identifier: MIT
// The official tables: the mean over all problems and one mean per category, as `_acc.csv`.
//
//   official_csv(items)         rule scoring: "Overall", then the categories sorted by code point
//   official_judge_csv(items)   judge scoring: "Overall Acc", then in order of first appearance
#pragma once
#include <string>
#include <vector>

namespace gaze::phyx {

/// One scored problem, for the official table.
struct OfficialItem {
  std::string category;
  bool match = false;
};

/// The table of the rule scoring. Throws Error if there are no items.
std::string official_csv(const std::vector<OfficialItem>& items);

/// The table of the judge's scoring. Throws Error if there are no items.
std::string official_judge_csv(const std::vector<OfficialItem>& items);

}  // namespace gaze::phyx
