// SPDX-License-Identifier: MIT
// Text cues: clauses such as "the hotter block is usually on the left ." that state a fact of the
// picture and are true with a chosen probability. They give a model a reason to read the text
// instead of the picture (changing priors, as in VQA-CP: Agrawal et al. 2018).
#pragma once
#include <string>
#include <string_view>

#include "phyx/synth/domains.hpp"

namespace gaze::phyx::synth {

/// The cue of one template, about a fact of its picture that decides the answer.
struct Cue {
  const char* template_id;
  int count;                   // values of the fact, 0 to count - 1; chance is 1 / count
  int (*fact)(const Values&);  // its value in a problem
  std::string (*clause)(int value, const Values&);  // without the final stop
};

/// The cue of a template; null if it has none.
const Cue* find_cue(std::string_view template_id);

/// The share of agreement that a strength in [0, 1] stands for: at least chance. Throws Error for a
/// strength outside [0, 1].
double cue_agreement(const Cue& cue, double strength);

/// A clause that names the fact with probability `agreement`, otherwise one of the other values,
/// each with the same probability. Ends with " .".
std::string draw_cue(const Cue& cue, const Values& values, double agreement, Rng& rng);

}  // namespace gaze::phyx::synth
