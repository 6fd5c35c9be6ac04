// SPDX-License-Identifier: MIT
// A physics problem, from PhyX's tables, a JSONL file, the synthetic suite or one's own data.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace gaze::phyx {

/// Multiple choice (the answer is a letter) or open-ended (the answer is a value's text).
enum class Form { mc, oe };

/// A region of interest in the image, in fractions of its width and height (0 to 1).
struct Region {
  std::string name;
  float x0 = 0, y0 = 0, x1 = 1, y1 = 1;
};

/// The reference solution, for supervised responses and for the rubric.
struct Solution {
  std::vector<std::string> look;   // facts read off the picture: "mass = 5 kg"
  std::string principle;           // "newton second law"; one of the suite's fixed phrases
  std::vector<std::string> steps;  // the calculation: "5 * 2 = 10"
  std::string value;               // the answer without its unit: "10", "left"
  std::string unit;                // "N"; empty when the answer has none
};

/// Labels of a picture, for the vision and caption stages. Empty for real PhyX rows.
struct Scene {
  std::string caption;             // a structured description, words separated by spaces
  std::vector<std::string> slots;  // fixed-order labels, one word each: {"incline","30","5","none"}
  std::vector<Region> regions;     // the parts needed for the answer
  std::vector<Region> labels = {};  // every text in the picture, with its place
};

/// One problem. Strings are UTF-8. `question` is the complete prompt, as in PhyX's TSV files.
struct Problem {
  std::string index;  // the row's index, as text
  Form form = Form::oe;
  std::string question;                  // the complete prompt text
  std::array<std::string, 4> options{};  // MC: texts of A..D; OE: empty
  std::string answer;                    // MC: "A".."D"; OE: the value's text
  std::vector<std::uint8_t> image;       // the encoded picture: PNG or JPEG bytes; empty: none
  std::string category;                  // one of the six domains, in PhyX's data spelling
  std::string subfield;
  std::vector<std::string> reasoning;  // PhyX's reasoning types, exact strings

  // Extra columns of the synthetic suite; empty for real PhyX rows.
  std::string split;        // train, val, test_known, test_new
  std::string template_id;  // "push_acceleration"
  bool needs_image = true;  // false: answerable from the text alone
  /// Its template has so few combinations of deciding values that training has seen them all: what
  /// is held out is the layout alone. Reported apart and excluded from headline numbers.
  bool layout_only = false;
  Solution solution;
  Scene scene;

  // One's own data (phyx/data/own_data.hpp).
  std::string response;    // to be imitated; empty: none
  std::string picture_id;  // equal for problems with the same picture; empty: unknown
};

/// The index with its split: unique over the splits of a suite.
inline std::string full_index(const Problem& p) {
  return p.split.empty() ? p.index : p.split + "/" + p.index;
}

/// PhyX's six domains, in the data's spelling.
inline constexpr std::array<const char*, 6> domains = {"Mechanics",      "Electromagnetism",
                                                       "Thermodynamics", "Waves/Acoustics",
                                                       "Optics",         "Modern Physics"};

/// PhyX's six reasoning types, exact strings; a problem has one or more of them.
inline constexpr std::array<const char*, 6> reasoning_types = {
    "Physical Model Grounding Reasoning", "Spatial Relation Reasoning", "Multi-Formula Reasoning",
    "Implicit Condition Reasoning",       "Numerical Reasoning",        "Predictive Reasoning"};

}  // namespace gaze::phyx
