// SPDX-License-Identifier: MIT
// What the configuration files of runs share: the time, and the check before a run is resumed.
#pragma once
#include <ctime>
#include <string>

#include "gaze/io/json.hpp"

namespace gaze::phyx {

/// Now, in UTC: "2026-11-23T10:20:30Z".
inline std::string time_text() {
  const std::time_t now = std::time(nullptr);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&now));
  return text;
}

/// Refuses to resume the run configured in `path` with other settings: an Error names the first
/// entry that differs, "grpo.kl".
inline void check_same_config(const std::string& path, const std::string& name,
                              const io::Json& before, const io::Json& asked) {
  if (before.is_object() && asked.is_object())
    for (const auto& [key, value] : asked.items())
      check_same_config(path, name + "." + key, before.value(key, io::Json()), value);
  if (before.is_array() && asked.is_array() && before.size() == asked.size())
    for (std::size_t i = 0; i < asked.size(); ++i)
      check_same_config(path, name + "[" + std::to_string(i) + "]", before[i], asked[i]);
  GAZE_CHECK(before == asked, "resume", path, ", ", name, ": the run to be resumed has ",
             text::printable(before.dump()), ", asked for is ", text::printable(asked.dump()));
}

}  // namespace gaze::phyx
