// SPDX-License-Identifier: MIT
// Options of a split: its templates, and text cues.
#pragma once
#include <optional>
#include <string>
#include <vector>

namespace gaze::phyx {

struct SuiteOptions {
  /// Prints a text cue in the question of every template that has one (docs/suite.md). The share of
  /// `train` scenes whose cue agrees with the picture, 0 to 1; a share below chance (one by the
  /// number of values) means chance, so 0 gives cues without information. In other splits cues
  /// agree by chance. Empty: no cues.
  std::optional<double> cue;
  /// Ids of the templates to draw from, trained or new, in any order. `train`, `val` and
  /// `test_known` then share out the values of new templates too. Empty: the trained templates, or
  /// the new ones for `test_new`.
  std::vector<std::string> templates;
  /// Templates of which a share of the scenes is drawn in addition, spread evenly; the rest is of
  /// `templates`.
  std::vector<std::string> rare;
  double rare_share = 0;
};

}  // namespace gaze::phyx
