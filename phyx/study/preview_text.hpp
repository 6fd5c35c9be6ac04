// SPDX-License-Identifier: MIT
// The lines of a study's preview, and a folder for its measurements.
#pragma once
#include <string>
#include <vector>

#include "phyx/study/forecast.hpp"
#include "phyx/study/preview.hpp"

namespace gaze::phyx {

/// A temporary folder that exists as long as its object.
struct ScratchFolder {
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  std::string path;
};

/// The study: runs, model, seeds, number of claims; templates and cues, if set; and its conditions:
/// name, method, steps, rewards, further temperatures.
std::string study_text(const Study& study);

/// One run: memory, and time of all its seeds.
std::string run_text(const StudyRun& run, const Forecast& memory, const TimeForecast& time);

/// All runs of a grid with these forecasts, by run: time, with shared warm starts counted once.
std::string grid_text(const Study& study, const std::vector<TimeForecast>& times);

}  // namespace gaze::phyx
