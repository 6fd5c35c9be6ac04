// SPDX-License-Identifier: MIT
// Running a study file: every run of its grid in a folder of its own, and one report on all.
//
// A reward added with add_reward() before the file is read can be named in it;
// examples/10_own_reward.cpp is such a program.
#pragma once
#include <string>

#include "phyx/listener.hpp"
#include "phyx/study/ablation.hpp"
#include "phyx/study/study_file.hpp"

namespace gaze::phyx {

/// Whether and how a study runs.
struct StudyRunOptions {
  std::string out = "out";  // output folder
  bool resume = false;      // continue the runs in `out`
  std::string command;      // for config.json
  Listener listener;
};

/// Runs a study and writes `out`/report.html and results.csv. With a grid, every run has a
/// subfolder, and runs with the same model, data, warm start and prompts share data and warm
/// starts, which are in the first one's. Throws Interrupted when stopped; a resumed study ends with
/// the files of an uninterrupted one.
template <class Device = Cpu>
void run_study(const Study& study, const StudyRunOptions& options);

extern template void run_study<Cpu>(const Study&, const StudyRunOptions&);

}  // namespace gaze::phyx
