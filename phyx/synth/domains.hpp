// SPDX-License-Identifier: MIT
// What a template is, and the templates of the six domains. A template first draws the values that
// decide its answer (these are hashed into the splits), then builds the problem from them with free
// layout, colours and phrasing.
#pragma once
#include <string>
#include <vector>

namespace gaze::phyx::synth {

/// The whole numbers that decide a problem's answer.
using Values = std::vector<int>;

class Draft;
class Rng;

/// A family of problems with one law and one kind of picture.
struct Template {
  std::string id;
  std::string domain, subfield;
  std::vector<std::string> reasoning;
  bool needs_image = true;
  bool is_new = false;             // held out: only in the split test_new
  Values (*draw)(Rng&) = nullptr;  // the values that decide the answer
  void (*build)(const Values&, Draft&) = nullptr;
};

// PhyX's reasoning types, short for the template tables.
inline constexpr const char* grounding = "Physical Model Grounding Reasoning";
inline constexpr const char* spatial = "Spatial Relation Reasoning";
inline constexpr const char* multi_formula = "Multi-Formula Reasoning";
inline constexpr const char* implicit_condition = "Implicit Condition Reasoning";
inline constexpr const char* numerical = "Numerical Reasoning";
inline constexpr const char* predictive = "Predictive Reasoning";

/// The templates of each domain, in the order in which the suite deals them out.
std::vector<Template> mechanics_templates();
std::vector<Template> electromagnetism_templates();
std::vector<Template> thermodynamics_templates();
std::vector<Template> wave_templates();
std::vector<Template> optics_templates();
std::vector<Template> modern_templates();

}  // namespace gaze::phyx::synth
