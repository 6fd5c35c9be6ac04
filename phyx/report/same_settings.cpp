// SPDX-License-Identifier: MIT
// Comparing configurations entry by entry.
#include "phyx/report/same_settings.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/io/json.hpp"
#include "phyx/run_config.hpp"

namespace gaze::phyx::report {

namespace {

/// Entries in which runs may differ: the part of a study, and where and when it was computed.
/// (Other devices and instruction sets differ only in rounding.) All other entries affect results.
constexpr std::array<std::string_view, 11> entries_that_may_differ = {
    "preset",  "only",    "seeds",      "command",      "device", "instruction_set",
    "threads", "started", "parameters", "memory_bytes", "seconds"};

/// A configuration file without these entries.
io::Json settings_of(const std::string& path) {
  io::Json config = io::read_json_object(path, largest_config);
  for (const auto name : entries_that_may_differ) config.erase(std::string(name));
  return config;
}

}  // namespace

void check_same_settings(const std::vector<std::string>& folders,
                         const std::vector<std::vector<std::string>>& configs) {
  std::string first;
  for (const auto& paths : configs)
    if (first.empty() && !paths.empty()) first = paths.front();
  if (first.empty()) return;
  const io::Json settings = settings_of(first);
  for (std::size_t i = 0; i < folders.size(); ++i) {
    GAZE_CHECK(!configs[i].empty(), "report", folders[i],
               ": has no config.json, so its settings cannot be compared with those of ", first);
    for (const auto& path : configs[i]) {
      const auto d = first_difference("", settings, settings_of(path));
      GAZE_CHECK(!d, "report", "cannot pool runs with different settings: ", d->name, " is ",
                 d->before, " in ", first, " and ", d->asked, " in ", path);
    }
  }
}

}  // namespace gaze::phyx::report
