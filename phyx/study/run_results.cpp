// SPDX-License-Identifier: MIT
// Concatenating logs in the order of seeds and conditions, summarising outcomes.
#include "phyx/study/run_results.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "gaze/io/atomic_file.hpp"
#include "phyx/results/outcome.hpp"
#include "phyx/results/summary.hpp"
#include "phyx/study/conditions.hpp"

namespace gaze::phyx {

namespace {

namespace fs = std::filesystem;

void copy_lines(const std::string& from, io::AtomicFile& to) {
  if (fs::exists(from)) to.write(io::read_file(from));
}

/// The number of a folder "seed3", or nothing.
std::optional<std::int64_t> seed_of(const fs::path& folder) {
  const std::string name = folder.filename().string(), prefix = "seed";
  if (name.rfind(prefix, 0) != 0) return std::nullopt;
  std::int64_t seed = 0;
  const char *begin = name.data() + prefix.size(), *end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(begin, end, seed);
  if (error != std::errc() || stop != end) return std::nullopt;
  return seed;
}

/// The folders in a folder, by name.
std::vector<fs::path> folders_in(const std::string& path) {
  std::vector<fs::path> out;
  std::error_code error;
  for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error))
    if (it->is_directory(error)) out.push_back(it->path());
  std::sort(out.begin(), out.end());
  return out;
}

/// Finished arms, and the conditions in their order: those of the study, then others.
struct Finished {
  std::vector<std::string> conditions;
  std::set<std::int64_t> seeds;  // of the run too

  Finished(const RunPaths& at, const AblationSettings& s) : seeds(s.seeds.begin(), s.seeds.end()) {
    for (const Condition& c : s.conditions) conditions.push_back(c.name);
    for (const fs::path& condition : folders_in(at.out + "/arms")) {
      const std::string name = condition.filename().string();
      if (std::find(conditions.begin(), conditions.end(), name) == conditions.end())
        conditions.push_back(name);
      for (const fs::path& folder : folders_in(condition.string()))
        if (const auto seed = seed_of(folder); seed && fs::exists(folder / "outcomes.jsonl"))
          seeds.insert(*seed);
    }
  }
};

/// The outcomes of an arm: those of the study's temperatures or, for a condition that the study no
/// longer has, all in its folder.
std::vector<std::string> outcomes_of(const RunPaths& at, const AblationSettings& s,
                                     const std::string& name, std::int64_t seed) {
  for (const Condition& c : s.conditions)
    if (c.name == name) return at.outcomes(c, seed);
  std::vector<std::string> out;
  for (const auto& file : fs::directory_iterator(at.arm(name, seed))) {
    const std::string found = file.path().filename().string();
    if (found.rfind("outcomes", 0) == 0 && found.ends_with(".jsonl"))
      out.push_back(file.path().string());
  }
  return out;
}

}  // namespace

void collect_results(const RunPaths& at, const AblationSettings& s) {
  Outcomes all;
  io::AtomicFile metrics(at.out + "/metrics.jsonl"), completions(at.out + "/completions.jsonl"),
      differing(at.out + "/differing.jsonl");
  const Finished finished(at, s);
  for (const std::int64_t seed : finished.seeds) {
    copy_lines(at.warm(seed) + "/metrics.jsonl", metrics);
    for (const std::string& name : finished.conditions) {
      const std::string folder = at.arm(name, seed);
      if (!fs::exists(folder + "/outcomes.jsonl")) continue;
      for (const std::string& path : outcomes_of(at, s, name, seed)) {
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
  options.start = start_name(s);
  options.claims = s.claims;
  options.pass_at = s.pass_at;
  write_results(at.out + "/results.csv", summarise(all, options));
}

}  // namespace gaze::phyx
