// SPDX-License-Identifier: MIT
// The outcome of one condition and seed on one test problem: the data of every table and chart.
//
// A run's outcomes are one file, `outcomes.jsonl`: a first line {"condition": .., "seed": ..}, then
// one line per problem. Attempts are stored by column ("correct":[1,0,1,...]); a thousand problems
// with eight samples each take less than a megabyte. Columns of what was not measured are left out.
#pragma once
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gaze/io/json.hpp"
#include "phyx/problem.hpp"

namespace gaze::phyx {

/// One scored answer of the model.
struct Attempt {
  bool correct = false;      // by the strict rule
  bool parsed = false;       // the strict rule could read an answer
  bool well_formed = false;  // one think and one answer element, in order
  bool official = false;     // right by PhyX's official rule
  bool principle = false;    // the gold principle is named
  bool unit = false;         // the unit is consistent with the gold unit
  bool truncated = false;    // cut off at the length limit
  float attention =
      std::numeric_limits<float>::quiet_NaN();  // mean mass on the image; NaN if unknown
  int length = 0;                               // generated tokens
  float look_score =
      std::numeric_limits<float>::quiet_NaN();  // ungated attention score; NaN if unknown
  int look_facts = 0;                           // facts of the gold look section; 0 if unknown
  int look_right = 0;                           // those that the answer's look section states
  std::map<std::string, float> rewards;         // by name; a missing one is unknown
};

/// Correctness with a changed image. Empty: not measured.
struct Perturbed {
  std::optional<bool> greedy;
  std::vector<bool> sampled;
};

struct Outcome {
  std::string index;  // the problem's index; unique together with the form
  std::string scene;  // the cluster of all intervals; empty: the index, which both forms of a scene
                      // of the suite have
  Form form = Form::oe;
  std::string split;  // "known" or "new": templates seen in training or not
  std::string domain, subfield;
  std::vector<std::string> reasoning;
  std::string template_id;
  bool needs_image = true;
  bool layout_only =
      false;  // of a template whose held-out scenes differ from training in layout only
  Attempt greedy;
  std::vector<Attempt> sampled;
  std::vector<bool> many;  // correctness of many samples, for pass@k; empty: not measured
  Perturbed blank;         // with an empty image
  Perturbed swapped;       // with the image of another problem of the same template
  Perturbed gold_look;     // after the gold look section
};

/// All outcomes of one condition and seed.
struct OutcomeSet {
  std::string condition;
  std::int64_t seed = 0;
  std::vector<Outcome> outcomes;
};

/// One outcome as a JSON object (one line of the file).
io::Json outcome_to_json(const Outcome& o);

/// The inverse of outcome_to_json. Errors start with `where` ("file line 3").
Outcome outcome_from_json(const io::Json& value, const std::string& where);

/// Writes `outcomes.jsonl` atomically.
void write_outcomes(const std::string& path, const OutcomeSet& set);

/// Reads `outcomes.jsonl`; errors name file, line and field.
OutcomeSet read_outcomes(const std::string& path);

}  // namespace gaze::phyx
