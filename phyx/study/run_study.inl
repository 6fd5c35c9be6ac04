// SPDX-License-Identifier: MIT
// The runs of a study, on any device.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "gaze/io/folder_lock.hpp"
#include "phyx/study/ablation.inl"
#include "phyx/study/grid_report.hpp"
#include "phyx/study/run_study.hpp"

namespace gaze::phyx {

template <class Device>
void run_study(const Study& study, const StudyRunOptions& options) {
  const auto run = [&](const AblationSettings& settings, const RunPaths& paths) {
    Ablation<Device> ablation(settings, paths, options.listener);
    ablation.prepare(options.resume, options.command);
    ablation.run();
  };
  if (study.grid.empty()) return run(study.settings, {options.out});
  const io::FolderLock lock(options.out);
  prepare_grid_folder(study, options.out, options.resume);
  std::map<std::string, std::string> bases;  // folder of data and warm starts, by their settings
  std::vector<std::string> folders;
  for (const StudyRun& point : study.runs) {
    folders.push_back(options.out + "/" + point.label);
    const std::string base =
        bases.emplace(warm_start_key(point.settings), folders.back()).first->second;
    if (options.listener.begin) options.listener.begin(point.label);
    run(point.settings, {folders.back(), base});
  }
  report_grid(folders, options.out);
}

}  // namespace gaze::phyx
