// SPDX-License-Identifier: MIT
// For commands with an output folder: the time, a comparison of configurations, and a check that
// the folder belongs to the command.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "gaze/io/json.hpp"

namespace gaze::phyx {

/// Now, in UTC: "2026-11-23T10:20:30Z".
std::string time_text();

/// The name of an entry that differs between two configurations ("grpo.kl"), and its two values as
/// JSON.
struct Difference {
  std::string name, before, asked;
};

/// The first entry that differs; a missing one counts as null. Names and values may come from
/// files, so both are returned short and in ASCII.
std::optional<Difference> first_difference(const std::string& name, const io::Json& before,
                                           const io::Json& asked);

/// Throws an Error with the first entry that differs from the run configured in `path`.
void check_same_config(const std::string& path, const std::string& name, const io::Json& before,
                       const io::Json& asked);

/// Throws an Error if `folder` contains one of the files to be written but not `mark`, the file
/// that every output folder of this command has.
void check_own_folder(const char* command, const std::string& folder, const std::string& mark,
                      const std::vector<std::string>& written);

}  // namespace gaze::phyx
