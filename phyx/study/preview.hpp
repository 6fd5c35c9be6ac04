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
  double sampled = 0, trained = 0;  // per completion of GRPO: its rollout, and its share of updates
  double answer = 0;                // of the evaluation
  double single = 0;                // a greedy answer to a prompt of its own
};

/// Seconds of one seed of a run.
struct TimeForecast {
  double warm_start = 0, conditions = 0, evaluation = 0;

  double total() const { return warm_start + conditions + evaluation; }
};

/// The forecast for all wanted conditions of one seed. GRPO conditions include the further answers
/// that their rewards need, all rounds that may replace groups, and the second pass of PAPO's
/// terms. Supervised conditions with the arithmetic of a GRPO condition count as long as that one.
TimeForecast forecast_time(const AblationSettings& s, const Speeds& speeds);

/// "45 s", "12 min", "3.4 h".
std::string time_length(double seconds);

/// The text for `gaze ablate --check`: runs, conditions, memory and time.
template <class Device = Cpu>
std::string preview(const Study& study, const Listener& listener);

extern template std::string preview<Cpu>(const Study&, const Listener&);

}  // namespace gaze::phyx
