// SPDX-License-Identifier: MIT
// Concatenating logs in the order of seeds and conditions, summarising outcomes.
#include "phyx/study/run_results.hpp"

#include <filesystem>
#include <string>
#include <utility>

#include "gaze/io/atomic_file.hpp"
#include "phyx/results/outcome.hpp"
#include "phyx/results/summary.hpp"
#include "phyx/study/conditions.hpp"

namespace gaze::phyx {

namespace {

void copy_lines(const std::string& from, io::AtomicFile& to) {
  if (std::filesystem::exists(from)) to.write(io::read_file(from));
}

}  // namespace

void collect_results(const RunPaths& at, const AblationSettings& s) {
  Outcomes all;
  io::AtomicFile metrics(at.out + "/metrics.jsonl"), completions(at.out + "/completions.jsonl"),
      differing(at.out + "/differing.jsonl");
  for (const std::int64_t seed : s.seeds) {
    copy_lines(at.warm(seed) + "/metrics.jsonl", metrics);
    for (const Condition& c : s.conditions) {
      const std::string folder = at.arm(c, seed);
      if (!std::filesystem::exists(folder + "/outcomes.jsonl")) continue;
      for (const std::string& path : at.outcomes(c, seed)) {
        OutcomeSet set = read_outcomes(path);
        all[{set.condition, seed}] = std::move(set.outcomes);
      }
      copy_lines(folder + "/metrics.jsonl", metrics);
      copy_lines(folder + "/shown.jsonl", completions);
      copy_lines(folder + "/completions.jsonl", completions);
      copy_lines(folder + "/differing.jsonl", differing);
    }
  }
  metrics.commit();
  completions.commit();
  differing.commit();
  SummaryOptions options;
  options.claims = s.claims;
  options.pass_at = s.pass_at;
  write_results(at.out + "/results.csv", summarise(all, options));
}

}  // namespace gaze::phyx
