// SPDX-License-Identifier: MIT
// Fuzz targets: files of a run that a later command reads: outcomes.jsonl, results.csv, the samples
// of a condition rft, the answers of reward programs and of judges, the log of an evaluation.
#include <string>
#include <string_view>

#include "gaze/io/json.hpp"
#include "phyx/eval/evaluation_folder.hpp"
#include "phyx/results/csv.hpp"
#include "phyx/results/outcome.hpp"
#include "phyx/results/summary.hpp"
#include "phyx/rewards/exec_reward.hpp"
#include "phyx/scoring/llm_judge.hpp"
#include "phyx/study/own_samples.hpp"
#include "tests/fuzz/target.hpp"

namespace fuzz_run_files {

using namespace gaze::phyx;
using gaze::fuzz::Folder;
using gaze::fuzz::require;

void outcomes(std::string_view input) {
  static const Folder folder;
  const OutcomeSet set = read_outcomes(folder.put("outcomes.jsonl", input));
  for (const Outcome& o : set.outcomes) {
    const auto json = outcome_to_json(o);
    require(outcome_to_json(outcome_from_json(json, "again")) == json, "another outcome");
  }
  summarise({{{set.condition, set.seed}, set.outcomes}});
}

void results(std::string_view input) {
  const std::string csv = results_to_csv(results_from_csv(input, "results.csv"));
  require(results_to_csv(results_from_csv(csv, "again")) == csv, "other results");
}

void samples(std::string_view input) {
  static const Folder folder;
  const OwnSamples read = read_own_samples(folder.put("samples.jsonl", input), 8, 100);
  for (const OwnSample& s : read.kept) {
    require(s.example < 8 && !s.tokens.empty(), "a sample of no problem");
    for (const auto token : s.tokens) require(token >= 0 && token < 100, "no such token");
  }
}

/// An appended log reads back with one more answer.
template <class Cache>
void reopened(const std::string& path, void (*add)(Cache&)) {
  std::size_t before = 0, after = 0;
  {
    Cache cache(path);
    before = cache.size();
    add(cache);
    after = cache.size();
  }
  require(after <= before + 1 && Cache(path).size() == after, "an answer is lost");
}

void answers(std::string_view input) {
  static const Folder folder;
  reopened<AnswerCache>(folder.put("answers.jsonl", input), [](AnswerCache& cache) {
    if (!cache.find("new")) cache.add("new", 0.5);
  });
}

void replies(std::string_view input) {
  static const Folder folder;
  reopened<JudgeCache>(folder.put("judge.jsonl", input), [](JudgeCache& cache) {
    cache.wrap("model", [](const std::string&, double) { return "1"; })("prompt", 0);
  });
}

void evaluation(std::string_view input) {
  static const Folder folder;
  EvalSettings settings;
  settings.out = folder.path();
  settings.data = {"own.jsonl"};
  settings.reading.own = true;
  folder.put("predictions.jsonl", input);
  EvaluationFolder(settings).finish();
}

const gaze::fuzz::Target targets[] = {{"outcomes", outcomes},     {"results", results},
                                      {"own_samples", samples},   {"program_answers", answers},
                                      {"judge_replies", replies}, {"evaluation_log", evaluation}};

}  // namespace fuzz_run_files
