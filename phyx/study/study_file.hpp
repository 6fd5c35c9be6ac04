// SPDX-License-Identifier: MIT
// A study as a TOML file: model, data, warm start, conditions, evaluation, comparisons, claims,
// presets and a grid. docs/studies.md describes the format.
//
//   const Study study = read_study("my.toml", {.preset = "smoke"});
//   for (const StudyRun& run : study.runs) ...     // one, or one per point of the grid
//   study_toml(study);                             // the settled study as a file
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "phyx/study/settings.hpp"

namespace gaze::phyx {

/// A setting from outside the file, by its path: {"grpo.kl", 0.1, "--kl"}.
struct StudyChange {
  std::string path;
  io::Json value;
  std::string from;
};

/// Choices of a reader of the file.
struct StudyRequest {
  std::string preset = {};                // "": `quick` if the file has it, else none
  std::vector<StudyChange> changes = {};  // applied after the preset
};

/// One run of a study.
struct StudyRun {
  std::string label;  // "grpo.rate=0.0003": its subfolder; "": the study has no grid
  AblationSettings settings;
};

struct Study {
  std::string name;                                                 // the file
  AblationSettings settings;                                        // without the grid
  std::vector<std::pair<std::string, std::vector<io::Json>>> grid;  // values by path
  std::vector<StudyRun> runs;
};

/// Reads a study file, or a built-in study by its name. Throws Error "FILE:LINE: ..." for malformed
/// TOML, unknown keys, wrong types, values out of range and settings that exclude each other, in
/// presets that are not requested too, and for a grid with equal runs.
Study read_study(const std::string& file, const StudyRequest& request = {});

/// The same from a text; `name` names it in errors.
Study parse_study(const std::string& text, const std::string& name,
                  const StudyRequest& request = {});

/// The settled study as TOML, which parse_study reads back to the same settings. Settings of GRPO
/// that come from the variant or a default are comments.
std::string study_toml(const Study& study);

/// Names of the built-in studies, and the text of one. Throws Error for an unknown name.
std::vector<std::string> built_in_studies();
const std::string& built_in_study(const std::string& name);

}  // namespace gaze::phyx
