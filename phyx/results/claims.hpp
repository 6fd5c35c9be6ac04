// SPDX-License-Identifier: MIT
// The comparisons and claims that a study declares before it runs: data, with their margins and
// decision rules, in config.json.
#pragma once
#include <string>
#include <vector>

#include "phyx/field.hpp"

namespace gaze::phyx {

/// The difference condition - against of a metric on a slice of the test problems (the columns of
/// results.csv), and the margin below which a difference counts as none.
struct Comparison {
  std::string name;
  std::string condition, against = "sft", metric = "accuracy_sampled";
  std::string split = "known", format = "all", slice_kind = "overall", slice = "all";
  double margin = 0.03;
  std::string rule = "above";  // what a claim says of it; unused by a plain comparison
};

/// A claim holds if the rule of each of its tests does.
struct Claim {
  std::string name, text, source = "this study";
  std::vector<Comparison> tests;
};

/// The rules: above the margin, below minus the margin, within it, not above it, not below minus
/// it.
inline const std::vector<std::string> claim_rules = {"above", "below", "equivalent", "not_above",
                                                     "not_below"};

/// The settings of a comparison; `with_rule`: of one that tests a claim.
Fields<Comparison> comparison_fields(bool with_rule);

/// The settings of a claim besides its tests.
Fields<Claim> claim_fields();

/// The comparisons and claims in config.json: {"NAME": {"condition": .., "against": .., ..}} and
/// {"NAME": {"text": .., "source": .., "tests": [..]}}.
io::OrderedJson comparisons_json(const std::vector<Comparison>& all);
io::OrderedJson claims_json(const std::vector<Claim>& all);

/// The inverse; `source` names the file in errors.
std::vector<Comparison> comparisons_from_json(const io::Json& all, const std::string& source);
std::vector<Claim> claims_from_json(const io::Json& all, const std::string& source);

}  // namespace gaze::phyx
