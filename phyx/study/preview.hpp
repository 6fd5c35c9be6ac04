// SPDX-License-Identifier: MIT
// What a study would run, with forecasts of memory and time, without running it.
#pragma once
#include <string>

#include "phyx/listener.hpp"
#include "phyx/study/study_file.hpp"

namespace gaze::phyx {

/// Seconds of the parts of a run with one model on this machine, measured on a few steps: with an
/// untrained model of our own, whose answers are as long as the problems' responses; or with the
/// published checkpoint and its own answers.
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

/// The forecast for all wanted conditions of one seed, with `problems` of the test. GRPO conditions
/// include the further answers that their rewards need, all rounds that may replace groups, the
/// second pass of PAPO's terms, and validation. Supervised conditions with the arithmetic of a GRPO
/// condition count as long as that one.
TimeForecast forecast_time(const AblationSettings& s, const Speeds& speeds, Index problems);

/// Whether a wanted condition, or the warm start, is trained on responses.
bool trains_on_responses(const AblationSettings& s);

/// "45 s", "12 min", "3.4 h".
std::string time_length(double seconds);

/// The text for `gaze ablate --check`: runs, conditions, memory and time.
template <class Device = Cpu>
std::string preview(const Study& study, const Listener& listener);

extern template std::string preview<Cpu>(const Study&, const Listener&);

}  // namespace gaze::phyx
