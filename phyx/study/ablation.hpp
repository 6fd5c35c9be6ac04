// SPDX-License-Identifier: MIT
// One run of a study: one warm start per seed, then every condition from it, evaluated on the same
// problems with the same random numbers. Each (condition, seed) has its own folder; finished ones
// are skipped and unfinished ones resume from their checkpoint. The problems are files in data/,
// created if missing; config.json has their digests.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "gaze/io/folder_lock.hpp"
#include "phyx/listener.hpp"
#include "phyx/study/arm_evaluation.hpp"
#include "phyx/study/arm_training.hpp"
#include "phyx/study/conditions.hpp"
#include "phyx/study/run_data.hpp"
#include "phyx/study/run_paths.hpp"
#include "phyx/study/run_record.hpp"
#include "phyx/study/settings.hpp"

namespace gaze::phyx {

template <class Device = Cpu>
class Ablation {
 public:
  /// Applies settle() and checks one's own data; throws Error for invalid settings or rows.
  Ablation(AblationSettings settings, RunPaths paths, Listener listener);
  Ablation(AblationSettings settings, std::string out, Listener listener)
      : Ablation(std::move(settings), RunPaths{std::move(out)}, std::move(listener)) {}
  Ablation(const Ablation&) = delete;  // its members refer to each other
  Ablation& operator=(const Ablation&) = delete;

  /// Locks the output folder until run() ends. Throws Error if it contains a run other than this
  /// one to be resumed, or unrelated files that would be overwritten.
  void prepare(bool resume, const std::string& command);

  /// Runs everything: data, warm starts, conditions, evaluation, results.csv, report.html.
  void run();

 private:
  void say(const std::string& what) const;
  void write_config() const;
  void load_data();
  void forecast_memory();
  void run_condition(const Condition& c, std::int64_t seed) const;
  void finish() const;

  AblationSettings s_;
  Listener listener_;
  RunPaths paths_;
  RunData data_;
  RunRecord record_;
  ArmTraining<Device> training_;
  ArmEvaluation<Device> evaluation_;
  std::optional<io::FolderLock> lock_;
};

extern template class Ablation<Cpu>;

}  // namespace gaze::phyx
