// SPDX-License-Identifier: MIT
// Claims as data: the differences that a study declares before its run, each with the verdict that
// it expects and a margin.
#pragma once
#include <string>
#include <vector>

#include "gaze/io/json.hpp"
#include "phyx/results/decision.hpp"

namespace gaze::phyx {

/// A part of the test problems, by the columns of results.csv.
struct ClaimSlice {
  std::string split = "known";  // "all" is used if a run has no problems of known templates
  std::string format = "all";
  std::string kind = "overall";
  /// "*": every slice of the kind, the claim is about most of them; "a+b": the union of slices.
  std::string name = "all";
};

/// The names of a union: "a+b" is a and b, any other name itself.
std::vector<std::string> names_of_slice(const std::string& name);

/// `condition` minus `reference`, measured by `metric` on `slice`, is expected to be `expected`
/// with `margin` (shares: 0.03 is three points). A study can declare any conditions and any metric
/// of docs/results.md.
struct Claim {
  std::string id;    // unique within a study
  std::string text;  // a sentence, or a question where `source` is empty
  std::string condition, reference, metric;
  ClaimSlice slice = {};
  Verdict expected = Verdict::above;
  double margin = 0.03;
  std::string source = {};  // whose claim it is; empty: a question of the study itself
};

/// A claim's metric in results.csv: "<metric>_vs_<reference>".
std::string difference_metric(const Claim& claim);

/// Claims as a JSON list with the names of the fields above.
io::Json claims_to_json(const std::vector<Claim>& claims);

/// The inverse of claims_to_json. Fields with a default may be missing. Unknown fields, wrong
/// types, a repeated id, an expected verdict of "undecided", and a negative margin are an Error
/// that starts with `where`.
std::vector<Claim> claims_from_json(const io::Json& value, const std::string& where);

}  // namespace gaze::phyx
