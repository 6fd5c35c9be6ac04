// SPDX-License-Identifier: MIT
// Templates of problems, for six domains. A template first draws the values that determine its
// answer (their hash assigns the split), then builds the problem with random layout, colours and
// phrasing.
#pragma once
#include <string>
#include <vector>

namespace gaze::phyx::synth {

/// The integers that determine a problem's answer.
using Values = std::vector<int>;

class Draft;
class Rng;

/// A family of problems with one law and one kind of picture.
struct Template {
  std::string id;
  std::string domain, subfield;
  std::vector<std::string> reasoning;
  bool needs_image = true;
  bool is_new = false;             // only in the split test_new
  Values (*draw)(Rng&) = nullptr;  // draws the values that determine the answer
  void (*build)(const Values&, Draft&) = nullptr;
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
