// SPDX-License-Identifier: MIT
// The preview's sums and text, and its measurements on the CPU.
#include "phyx/study/preview.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <utility>

#include "gaze/core/error.hpp"
#include "gaze/cpu/kernels.hpp"
#include "phyx/study/grid_report.hpp"
#include "phyx/study/preview.inl"
#include "phyx/study/preview_text.hpp"

namespace gaze::phyx {

namespace {

double number(Index x) { return static_cast<double>(x); }

/// Seconds of a completion of a GRPO condition.
double completion_seconds(const AblationSettings& own, const Condition& c, const Speeds& speeds) {
  const RewardNeeds needs = mix_of(c, own.reward_options).needs();
  double sampled = speeds.sampled;
  if (needs.twin_swapped) sampled += speeds.sampled;
  if (needs.answer_from_look) sampled += speeds.single;
  if (needs.answer_swapped) sampled += speeds.single / number(own.grpo.group);
  const double passes = own.grpo.loss.papo.needs_masked() ? 2 : 1;
  return sampled * number(1 + own.grpo.resample) + speeds.trained * passes;
}

/// Seconds of all validations of a GRPO condition.
double validation_seconds(const AblationSettings& own, const Speeds& speeds) {
  if (own.validate_every == 0) return 0;
  const Index after = own.grpo_steps - 1, every = own.validate_every;
  const Index times = 1 + (after + every - 1) / every;  // from the first step to the last
  const Index problems = static_cast<Index>(own.validate_scenes) * (own.suite == "words" ? 1 : 2);
  return number(times * problems) * (speeds.single + number(own.validate_samples) * speeds.answer);
}

/// Seconds of training a condition.
double training_seconds(const AblationSettings& s, const Condition& c, const Speeds& speeds) {
  if (c.method == Method::none) return 0;
  const AblationSettings own = settings_of(s, c);
  if (c.method != Method::grpo && own.sft.steps > 0)
    return number(own.sft.steps * own.warm.batch) * speeds.response;
  const Condition& like = c.method == Method::grpo ? c : matched_condition(s, c);
  const AblationSettings its = settings_of(s, like);
  return number(its.grpo_steps * its.grpo.prompts * its.grpo.group) *
             completion_seconds(its, like, speeds) +
         (c.method == Method::grpo ? validation_seconds(its, speeds) : 0);
}

std::string padded(const std::string& text, std::size_t width) {
  return text.size() < width ? text + std::string(width - text.size(), ' ') : text + " ";
}

std::string list_text(const std::vector<std::string>& items) {
  std::string out;
  for (const auto& item : items) out += (out.empty() ? "" : ", ") + item;
  return out;
}

/// "0.9", or the values of the study's grid: "0.9, 1".
std::string cue_strengths(const Study& study) {
  std::vector<std::string> out;
  for (const auto& [path, values] : study.grid)
    if (path == "data.cue_strength")
      for (const io::Json& value : values) out.push_back(concat(value.get<double>()));
  return out.empty() ? concat(study.settings.cue_strength) : list_text(out);
}

/// The data's templates and cues, where they are not the default.
std::string data_text(const Study& study) {
  const AblationSettings& s = study.settings;
  std::string out;
  if (!s.sft_templates.empty())
    out += "templates of supervised training: " + list_text(s.sft_templates) + "\n";
  if (!s.rl_templates.empty())
    out += "templates of rft and grpo: " + list_text(s.rl_templates) + "\n";
  if (s.cues)
    out += "text cues: a share of " + cue_strengths(study) +
           " right in supervised training, by chance elsewhere\n";
  return out;
}

std::string steps_text(const AblationSettings& own, const Condition& c, const AblationSettings& s) {
  if (c.method == Method::none) return "-";
  if (c.method == Method::grpo) return std::to_string(own.grpo_steps);
  if (own.sft.steps > 0) return std::to_string(own.sft.steps);
  return "as " + matched_condition(s, c).name;
}

}  // namespace

ScratchFolder::ScratchFolder() {
  path = (std::filesystem::temp_directory_path() / "gaze-XXXXXX").string();
  GAZE_CHECK(::mkdtemp(path.data()), "study", path, ": cannot create a temporary folder");
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

std::string time_length(double seconds) {
  char text[32];
  if (seconds < 100)
    std::snprintf(text, sizeof text, "%.0f s", seconds);
  else if (seconds < 6000)
    std::snprintf(text, sizeof text, "%.0f min", seconds / 60);
  else
    std::snprintf(text, sizeof text, "%.1f h", seconds / 3600);
  return text;
}

bool trains_on_responses(const AblationSettings& s) {
  return s.warm.clean_steps + s.warm.mixed_steps > 0 ||
         std::any_of(s.conditions.begin(), s.conditions.end(), [&](const Condition& c) {
           return wanted(s, c) && (c.method == Method::sft || c.method == Method::rft);
         });
}

TimeForecast forecast_time(const AblationSettings& s, const Speeds& speeds, Index problems) {
  const WarmStartSettings& w = s.warm;
  TimeForecast out;
  out.warm_start = number(w.batch) * (number(w.letter_steps) * speeds.letters +
                                      number(w.vision_steps) * speeds.vision +
                                      number(w.caption_steps) * speeds.caption +
                                      number(w.clean_steps + w.mixed_steps) * speeds.response);
  for (const Condition& c : s.conditions) {
    if (!wanted(s, c)) continue;
    out.conditions += training_seconds(s, c, speeds);
    const EvaluationSettings e = settings_of(s, c).evaluation;
    out.evaluation +=
        number(problems) * speeds.answer * answers_per_problem(e, c.temperatures.size());
  }
  return out;
}

std::string study_text(const Study& study) {
  const AblationSettings& s = study.settings;
  std::string out = "study " + study.name + (s.preset.empty() ? "" : ", preset " + s.preset) +
                    ": " + std::to_string(study.runs.size()) + " run" +
                    (study.runs.size() == 1 ? "" : "s") + ", model " + s.model + ", " +
                    s.precision + ", seeds";
  for (const auto seed : s.seeds) out += " " + std::to_string(seed);
  out += concat(", ", s.claims.size(), " claim", s.claims.size() == 1 ? "" : "s", "\n") +
         data_text(study);
  out += padded("condition", 20) + padded("method", 8) + padded("steps", 14) + "rewards\n";
  for (const Condition& c : s.conditions) {
    if (!wanted(s, c)) continue;
    out += padded(c.name, 20) + padded(method_names[static_cast<std::size_t>(c.method)], 8) +
           padded(steps_text(settings_of(s, c), c, s), 14);
    std::string mix;
    for (const RewardUse& use : c.rewards)
      mix += concat(mix.empty() ? "" : " + ", use.weight, " ", use.name);
    out += mix.empty() ? "-" : mix;
    for (const double t : c.temperatures)
      out += concat(t == c.temperatures.front() ? "; also at temperature " : ", ", t);
    out += "\n";
  }
  return out;
}

std::string grid_text(const Study& study, const std::vector<TimeForecast>& times) {
  std::set<std::pair<std::string, std::int64_t>> trained;  // warm starts, by settings and seed
  TimeForecast all;
  for (std::size_t i = 0; i < study.runs.size(); ++i) {
    const AblationSettings& s = study.runs[i].settings;
    for (const std::int64_t seed : s.seeds) {
      if (trained.emplace(warm_start_key(s), seed).second) all.warm_start += times[i].warm_start;
      all.conditions += times[i].conditions;
      all.evaluation += times[i].evaluation;
    }
  }
  return concat("all ", study.runs.size(), " runs with ", trained.size(), " warm start",
                trained.size() == 1 ? "" : "s", ": about ", time_length(all.total()),
                " (warm starts ", time_length(all.warm_start), ", conditions ",
                time_length(all.conditions), ", evaluation ", time_length(all.evaluation), ")\n");
}

std::string run_text(const StudyRun& run, const Forecast& memory, const TimeForecast& time) {
  const double seeds = static_cast<double>(run.settings.seeds.size());
  return (run.label.empty() ? "" : run.label + "\n") + memory.text() + "\n" + "time: about " +
         time_length(seeds * time.total()) + " (warm start " +
         time_length(seeds * time.warm_start) + ", conditions " +
         time_length(seeds * time.conditions) + ", evaluation " +
         time_length(seeds * time.evaluation) + ")\n";
}

template std::string preview<Cpu>(const Study&, const Listener&);

}  // namespace gaze::phyx
