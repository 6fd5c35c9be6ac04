// SPDX-License-Identifier: MIT
// Templates of problems, for six domains. A template first draws its values (the hash of those that
// decide the answer assigns the split), then builds the problem with random layout, colours and
// phrasing.
#pragma once
#include <algorithm>
#include <string>
#include <vector>

namespace gaze::phyx::synth {

/// The integers that a problem is built from: first those that decide the answer, then, in some
/// templates, some of the layout (a mirrored picture, the colour of a wave).
using Values = std::vector<int>;

/// The first `count` values.
template <int count>
Values first_values(const Values& v) {
  return {v.begin(), v.begin() + count};
}

/// The first `count` values in ascending order: for quantities whose exchange gives the same
/// numbers in the text, or the mirrored picture.
template <int count>
Values unordered(const Values& v) {
  Values out = first_values<count>(v);
  std::sort(out.begin(), out.end());
  return out;
}

class Draft;
class Rng;

/// A family of problems with one law and one kind of picture.
struct Template {
  std::string id;
  std::string domain, subfield;
  std::vector<std::string> reasoning;
  bool needs_image = true;
  bool is_new = false;             // by default only in the split test_new
  Values (*draw)(Rng&) = nullptr;  // draws the values
  void (*build)(const Values&, Draft&) = nullptr;
  /// The values that decide the answer, equal for problems that differ in layout alone; null: all.
  /// A split holds out combinations of these.
  Values (*deciding)(const Values&) = nullptr;
  /// There are too few combinations of deciding values to hold some out (8 or 16), so a split holds
  /// out layouts. At most three templates; the report shows them apart.
  bool layout_only = false;
};

// Short names of PhyX's reasoning types for the template tables.
inline constexpr const char* grounding = "Physical Model Grounding Reasoning";
inline constexpr const char* spatial = "Spatial Relation Reasoning";
inline constexpr const char* multi_formula = "Multi-Formula Reasoning";
inline constexpr const char* implicit_condition = "Implicit Condition Reasoning";
inline constexpr const char* numerical = "Numerical Reasoning";
inline constexpr const char* predictive = "Predictive Reasoning";

/// The templates of each domain, in the order of the suite.
std::vector<Template> mechanics_templates();
std::vector<Template> electromagnetism_templates();
std::vector<Template> thermodynamics_templates();
std::vector<Template> wave_templates();
std::vector<Template> optics_templates();
std::vector<Template> modern_templates();

}  // namespace gaze::phyx::synth
