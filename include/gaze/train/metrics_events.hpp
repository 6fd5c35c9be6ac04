// SPDX-License-Identifier: MIT
// The metrics of a run as an event file for TensorBoard.
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/core/index.hpp"
#include "gaze/io/append_log.hpp"
#include "gaze/io/json.hpp"
#include "gaze/io/tensorboard.hpp"

namespace gaze {

/// The values that a step reports, in the order of the log line.
using Metrics = std::vector<std::pair<std::string, double>>;

/// Mirrors metrics.jsonl: each line is one event, and a metric of stage "grpo" has the tag
/// "grpo/NAME". A value that is not finite (null in the log) is NaN. A resumed run repeats steps
/// with records of the same sizes, so a TensorBoard that is watching keeps its place in the file.
class MetricsEvents {
 public:
  /// Opens the event file in `folder` and brings it in step with the log: events of removed lines
  /// are removed, missing ones are written with the present as their time. `tags`: the keys of
  /// every line that are no metrics, besides stage and step. Throws Error for a damaged file.
  MetricsEvents(const std::string& folder, io::AppendLog& log, const io::OrderedJson& tags)
      : file_(folder + "/" + io::event_file_name) {
    std::size_t lines = 0;
    log.read_whole_lines([&](const std::string& line, std::size_t number) {
      lines = number;
      if (number <= file_.size()) return;
      add_line(line, log.path() + " line " + std::to_string(number), tags);
    });
    file_.truncate_to(lines);
  }

  /// Appends the metrics of one step.
  void add(const std::string& stage, Index step, const Metrics& metrics) {
    io::Scalars scalars;
    for (const auto& [name, value] : metrics) scalars.push_back(scalar(stage, name, value));
    file_.add(io::wall_time_now(), step, scalars);
  }

 private:
  static std::pair<std::string, double> scalar(const std::string& stage, const std::string& name,
                                               double value) {
    constexpr double undefined = std::numeric_limits<double>::quiet_NaN();
    return {stage + "/" + name, std::isfinite(value) ? value : undefined};
  }

  void add_line(const std::string& line, const std::string& where, const io::OrderedJson& tags) {
    const io::Json j = io::parse_json(line, where);
    const io::Json &stage = io::json_at(j, "stage", where), &step = io::json_at(j, "step", where);
    GAZE_CHECK(stage.is_string() && step.is_number_integer(), "metrics_events", where,
               ": stage is not a text or step not a whole number");
    Metrics metrics;
    for (const auto& [name, value] : j.items()) {
      if (name == "stage" || name == "step" || tags.contains(name)) continue;
      GAZE_CHECK(value.is_number() || value.is_null(), "metrics_events", where, ", ", name,
                 ": not a number");
      metrics.emplace_back(name, value.is_null() ? HUGE_VAL : value.get<double>());
    }
    add(stage.get<std::string>(), step.get<Index>(), metrics);
  }

  io::EventFile file_;
};

}  // namespace gaze
