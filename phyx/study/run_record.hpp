// SPDX-License-Identifier: MIT
// config.json of an ablation: the settings, which a resumed run must match, and facts about the
// run: command, device, times, memory.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "gaze/core/index.hpp"
#include "gaze/io/json.hpp"
#include "phyx/study/run_data.hpp"
#include "phyx/study/settings.hpp"

namespace gaze::phyx {

/// Longest command line in config.json, in bytes.
inline constexpr std::size_t longest_command = std::size_t{64} << 10;

/// Throws an Error with the first setting by which the run to be resumed (`before`, its config.json
/// in `path`) and the requested one differ. Runs are parts of one study if they have other seeds,
/// and conditions that only one of them has; claims must be the same, since they are declared
/// before a run.
void check_resumable(const std::string& path, const io::Json& before, const io::Json& asked);

/// Seeds of a run and of its continuation, in ascending order.
std::vector<std::int64_t> all_seeds(std::vector<std::int64_t> before,
                                    const std::vector<std::int64_t>& now);

/// Selected conditions of a run and of its continuation; empty: all.
std::vector<std::string> all_selected(const std::vector<std::string>& before,
                                      const std::vector<std::string>& now);

class RunRecord {
 public:
  /// The settings must outlive the record. `device`: name of the device, part of the settings.
  RunRecord(const AblationSettings& settings, std::string path, std::string device)
      : s_(settings), path_(std::move(path)), device_(std::move(device)) {}

  /// Starts a run, or continues the one in an existing config.json. Throws Error unless `resume` is
  /// set and the settings match (check_resumable()). Passes the run's files to `data`.
  void begin(bool resume, const std::string& command, RunData& data);

  /// Writes config.json, with the seeds and conditions of a resumed run and its own.
  /// `instruction_set` is the name of the kernels in use.
  void write(const RunData& data, const std::string& instruction_set) const;

  Index parameters = 0, forecast = 0;  // of an arm's model; bytes. 0: unknown

 private:
  void add_earlier(io::OrderedJson& settings) const;

  const AblationSettings& s_;
  io::Json earlier_;  // config.json of the resumed run, or null
  std::string path_, device_, command_, started_;
  double begin_ = 0, seconds_before_ = 0;
};

}  // namespace gaze::phyx
