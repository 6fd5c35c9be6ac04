// SPDX-License-Identifier: MIT
// config.json of an ablation: the settings, which a resumed run must match, and facts about the
// run: command, device, times, memory.
#pragma once
#include <cstddef>
#include <string>
#include <utility>

#include "gaze/core/index.hpp"
#include "phyx/study/run_data.hpp"
#include "phyx/study/settings.hpp"

namespace gaze::phyx {

/// Longest command line in config.json, in bytes.
inline constexpr std::size_t longest_command = std::size_t{64} << 10;

class RunRecord {
 public:
  /// The settings must outlive the record. `device`: name of the device, part of the settings.
  RunRecord(const AblationSettings& settings, std::string path, std::string device)
      : s_(settings), path_(std::move(path)), device_(std::move(device)) {}

  /// Starts a run, or continues the one in an existing config.json. Throws Error unless `resume` is
  /// set and the settings match, except for conditions and seeds. Passes the run's files to `data`.
  void begin(bool resume, const std::string& command, RunData& data);

  /// Writes config.json. `instruction_set` is the name of the kernels in use.
  void write(const RunData& data, const std::string& instruction_set) const;

  Index parameters = 0, forecast = 0;  // of an arm's model; bytes. 0: unknown

 private:
  const AblationSettings& s_;
  std::string path_, device_, command_, started_;
  double begin_ = 0, seconds_before_ = 0;
};

}  // namespace gaze::phyx
