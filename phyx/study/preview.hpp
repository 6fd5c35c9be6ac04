// SPDX-License-Identifier: MIT
// What a study would run, with forecasts of memory and time, without running it.
#pragma once
#include <string>

#include "phyx/listener.hpp"
#include "phyx/study/study_file.hpp"

namespace gaze::phyx {

/// Seconds of the parts of a run with one model on this machine, measured on a few steps with an
/// untrained model whose answers are as long as gold responses.
struct Speeds {
  double letters = 0, vision = 0, caption = 0, response = 0;  // per lesson
  double completion = 0;                                      // of GRPO: sampled and trained on
  double answer = 0;                                          // of the evaluation
};

/// Seconds of one seed of a run.
struct TimeForecast {
  double warm_start = 0, conditions = 0, evaluation = 0;

  double total() const { return warm_start + conditions + evaluation; }
};

/// The forecast for all wanted conditions of one seed with `problems` test problems. Supervised
/// conditions with the arithmetic of a GRPO condition count as long as that one.
TimeForecast forecast_time(const AblationSettings& s, const Speeds& speeds);

/// "45 s", "12 min", "3.4 h".
std::string time_length(double seconds);

/// The text for `gaze ablate --check`: runs, conditions, memory and time.
template <class Device = Cpu>
std::string preview(const Study& study, const Listener& listener);

extern template std::string preview<Cpu>(const Study&, const Listener&);

}  // namespace gaze::phyx
