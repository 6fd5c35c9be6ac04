// SPDX-License-Identifier: MIT
// config.json of an ablation: its settings, by which a resumed run is checked, and what is known of
// the run: its command, when, on what, how long, how much memory.
#pragma once
#include <cstddef>
#include <string>
#include <utility>

#include "gaze/core/index.hpp"
#include "phyx/study/run_data.hpp"
#include "phyx/study/settings.hpp"

namespace gaze::phyx {

/// What config.json keeps of a command line, in bytes.
inline constexpr std::size_t longest_command = std::size_t{64} << 10;

class RunRecord {
 public:
  /// The settings must outlive it. `device` is a device's name, which decides the bits.
  RunRecord(const AblationSettings& settings, std::string path, std::string device)
      : s_(settings), path_(std::move(path)), device_(std::move(device)) {}

  /// Begins a run, or goes on with the one whose config.json is there: refuses that unless it is to
  /// be resumed and has the same settings, but for conditions and seeds. `data` is told which files
  /// that run has.
  void begin(bool resume, const std::string& command, RunData& data);

  /// Writes config.json. `instruction_set` is the name of the kernels in use.
  void write(const RunData& data, const std::string& instruction_set) const;

  Index parameters = 0, forecast = 0;  // of an arm's model; bytes. 0: not known yet

 private:
  const AblationSettings& s_;
  std::string path_, device_, command_, started_;
  double begin_ = 0, seconds_before_ = 0;
};

}  // namespace gaze::phyx
