// SPDX-License-Identifier: MIT
// What commands with an output folder share: the time, the comparison of configurations, and the
// check that the folder is theirs.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "gaze/io/json.hpp"

namespace gaze::phyx {

/// Now, in UTC: "2026-11-23T10:20:30Z".
std::string time_text();

/// An entry of two configurations that differs, "grpo.kl", and its values as JSON.
struct Difference {
  std::string name, before, asked;
};

/// The first entry that is not the same in both; one that is missing is null. Both may come from
/// files, so what is told of them is short and ASCII.
std::optional<Difference> first_difference(const std::string& name, const io::Json& before,
                                           const io::Json& asked);

/// Refuses to resume the run configured in `path` with other settings: an Error names the first
/// entry that differs.
void check_same_config(const std::string& path, const std::string& name, const io::Json& before,
                       const io::Json& asked);

/// Refuses an output folder in which a file that would be written is there already, but not `mark`,
/// by which this command knows a folder of its own.
void check_own_folder(const char* command, const std::string& folder, const std::string& mark,
                      const std::vector<std::string>& written);

}  // namespace gaze::phyx
