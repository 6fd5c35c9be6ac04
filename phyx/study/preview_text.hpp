// SPDX-License-Identifier: MIT
// The lines of a study's preview, and a folder for its measurements.
#pragma once
#include <string>

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

/// The study's conditions: name, method, steps, rewards.
std::string study_text(const Study& study);

/// One run: memory, and time of all its seeds.
std::string run_text(const StudyRun& run, const Forecast& memory, const TimeForecast& time);

}  // namespace gaze::phyx
