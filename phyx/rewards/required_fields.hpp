// SPDX-License-Identifier: MIT
// The fields of a problem that a reward reads beyond its answer. The synthetic suite has all of
// them; one's own data are checked for them before a run.
#pragma once
#include <array>
#include <string_view>
#include <vector>

#include "gaze/io/json.hpp"
#include "phyx/answer/subfields.hpp"
#include "phyx/problem.hpp"

namespace gaze::phyx {

/// A field, by its name in one's own data, that rewards of a kind read; with `if_options`, only
/// those with such options (all of them, as make_reward() settles them).
struct RequiredField {
  std::string_view kind, name;
  bool (*present)(const Problem&);
  bool (*if_options)(const io::Json& options) = nullptr;
};

namespace required {

inline bool picture(const Problem& p) { return !p.image.empty(); }
inline bool principle(const Problem& p) {
  return !p.solution.principle.empty() || is_known_subfield(p.subfield);
}
inline bool steps(const Problem& p) {
  return !p.solution.steps.empty() || is_known_subfield(p.subfield);
}
inline bool regions(const Problem& p) { return !p.scene.regions.empty(); }
inline bool marks_region(const io::Json& options) { return options.at("mark") == "region"; }

}  // namespace required

/// Every reward that reads a field.
inline constexpr std::array<RequiredField, 11> all_required_fields = {{
    {"attention", "image", required::picture},
    {"attention_region", "image", required::picture},
    {"attention_raw", "image", required::picture},
    {"hybrid", "image", required::picture},
    {"avar", "image", required::picture},
    {"vision_sr1", "image", required::picture},
    {"contrast", "image", required::picture},
    {"rubric", "solution.principle", required::principle},
    {"rubric", "solution.steps", required::steps},
    {"attention_region", "scene.regions", required::regions},
    {"hybrid", "scene.regions", required::regions, required::marks_region},
}};

/// The fields that a reward of this kind with these options, all of them, reads.
inline std::vector<RequiredField> required_fields(std::string_view kind, const io::Json& options) {
  std::vector<RequiredField> out;
  for (const RequiredField& f : all_required_fields)
    if (f.kind == kind && (!f.if_options || f.if_options(options))) out.push_back(f);
  return out;
}

}  // namespace gaze::phyx
