// SPDX-License-Identifier: MIT
// Slices and comparisons are tables; intervals come from sums by seed and scene.
#include "phyx/results/summary.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <optional>
#include <set>
#include <string_view>

#include "gaze/core/error.hpp"
#include "phyx/results/metrics.hpp"
#include "phyx/results/run_name.hpp"
#include "phyx/results/statistics.hpp"

namespace gaze::phyx {

namespace {

struct Slice {
  std::string split, format, kind, name;
  std::vector<std::uint32_t> problems;
  std::vector<std::uint32_t> scene = {};  // of each problem, numbered within the slice
  std::size_t scenes = 0;
  bool fine() const { return is_fine(kind, name); }
  /// Unions of templates have enough problems for all metrics.
  static bool is_fine(const std::string& kind, const std::string& name) {
    return (kind == "subfield" || kind == "template") && name.find('+') == name.npos;
  }
  bool has(const Metric& m) const {
    const bool joined = !fine() && (kind == "subfield" || kind == "template");
    return joined ? m.reach != Reach::whole : reaches(m.reach, kind);
  }
  /// Whether single seeds have rows. Elsewhere they are too little data.
  bool by_seed() const { return !fine() || (kind == "template" && format == "all"); }
};

/// Identifies a problem across runs.
using ProblemKey = std::pair<std::string, Form>;

struct Universe {
  std::map<ProblemKey, std::uint32_t> position;
  std::vector<const Outcome*> problem;  // one record per problem, for its labels
};

Universe collect_problems(const Outcomes& outcomes) {
  Universe u;
  for (const auto& [run, list] : outcomes) {
    std::set<ProblemKey> seen;
    for (const auto& o : list) {
      GAZE_CHECK(seen.insert({o.index, o.form}).second, "summarise", run.first, " seed ",
                 run.second, ": problem ", o.index, " occurs twice in one form");
      GAZE_CHECK(o.split == "known" || o.split == "new", "summarise", run.first, " seed ",
                 run.second, ", problem ", o.index, ": split ", o.split, " is not known or new");
      if (u.position.try_emplace({o.index, o.form}, u.problem.size()).second)
        u.problem.push_back(&o);
    }
  }
  return u;
}

/// The slices of a problem: kind and name. Layout-only templates are in no headline slice.
std::vector<std::pair<std::string, std::string>> labels_of(const Outcome& o) {
  std::vector<std::pair<std::string, std::string>> out;
  if (!o.template_id.empty()) out.push_back({"template", o.template_id});
  if (o.layout_only) {
    out.push_back({"layout_only", "all"});
    if (!o.template_id.empty()) out.push_back({"layout_only", o.template_id});
    return out;
  }
  out.push_back({"overall", "all"});
  out.push_back({"needs_image", o.needs_image ? "yes" : "no"});
  if (!o.domain.empty()) out.push_back({"domain", o.domain});
  if (!o.subfield.empty()) out.push_back({"subfield", o.subfield});
  for (const auto& r : std::set<std::string>(o.reasoning.begin(), o.reasoning.end()))
    out.push_back({"reasoning", r});
  return out;
}

/// Adds the unions of slices, "a+b", that contain one of the labels.
void add_unions(const std::set<std::pair<std::string, std::string>>& unions,
                std::vector<std::pair<std::string, std::string>>& labels) {
  std::vector<std::pair<std::string, std::string>> found;
  for (const auto& [kind, joined] : unions)
    for (const auto& name : names_of_slice(joined))
      if (std::find(labels.begin(), labels.end(), std::pair(kind, name)) != labels.end()) {
        found.emplace_back(kind, joined);
        break;
      }
  labels.insert(labels.end(), found.begin(), found.end());
}

/// Numbers the scenes of a slice.
void number_scenes(const Universe& u, Slice& slice) {
  std::map<std::string_view, std::uint32_t> numbers;
  for (const std::uint32_t p : slice.problems) {
    const Outcome& o = *u.problem[p];
    const std::string& scene = o.scene.empty() ? o.index : o.scene;
    slice.scene.push_back(numbers.try_emplace(scene, std::uint32_t(numbers.size())).first->second);
  }
  slice.scenes = numbers.size();
}

/// All slices of the test set, and the unions that claims name, in a fixed order. Subfields and
/// templates are not crossed with the split (a template has only one): the cells would be too
/// small.
std::vector<Slice> make_slices(const Universe& u, const std::vector<Claim>& claims) {
  std::set<std::pair<std::string, std::string>> unions;
  for (const Claim& c : claims)
    if (names_of_slice(c.slice.name).size() > 1) unions.insert({c.slice.kind, c.slice.name});
  std::map<std::array<std::string, 4>, std::vector<std::uint32_t>> cells;
  for (std::uint32_t i = 0; i < u.problem.size(); ++i) {
    const Outcome& o = *u.problem[i];
    const std::string form = o.form == Form::mc ? "MC" : "OE";
    auto labels = labels_of(o);
    add_unions(unions, labels);
    for (const auto& [kind, name] : labels)
      for (const std::string& split : {std::string("all"), o.split})
        for (const std::string& format : {std::string("all"), form}) {
          if (!Slice::is_fine(kind, name) || split == "all")
            cells[{split, format, kind, name}].push_back(i);
        }
  }
  std::vector<Slice> out;
  for (auto& [k, problems] : cells) {
    out.push_back({k[0], k[1], k[2], k[3], std::move(problems)});
    number_scenes(u, out.back());
  }
  return out;
}

/// The number of samples for pass@k: of Outcome::many if any problem has it, else of all samples;
/// the minimum over problems and runs, so that they are comparable.
int pass_samples(const Outcomes& outcomes, bool many) {
  int samples = 0;
  for (const auto& [run, list] : outcomes)
    for (const auto& o : list) {
      const int n = int(many ? o.many.size() : o.sampled.size());
      if (n > 0) samples = samples == 0 ? n : std::min(samples, n);
    }
  return samples;
}

bool has_many(const Outcomes& outcomes) {
  for (const auto& [run, list] : outcomes)
    for (const auto& o : list)
      if (!o.many.empty()) return true;
  return false;
}

/// The requested k up to the number of samples, or 2, 4, 8, ... and that number.
std::vector<int> pass_ks(int samples, const std::vector<int>& asked) {
  std::vector<int> out;
  for (const int k : std::set<int>(asked.begin(), asked.end()))
    if (k > 1 && k <= samples) out.push_back(k);  // pass@1 is always there
  if (!asked.empty()) return out;
  for (int k = 2; k < samples; k *= 2) out.push_back(k);
  if (samples > 1) out.push_back(samples);
  return out;
}

/// The names of all rewards of sampled or greedy answers, sorted.
std::vector<std::string> reward_names_in(const Outcomes& outcomes) {
  std::set<std::string> names;
  for (const auto& [run, list] : outcomes)
    for (const auto& o : list) {
      for (const auto& r : o.greedy.rewards) names.insert(r.first);
      for (const auto& a : o.sampled)
        for (const auto& r : a.rewards) names.insert(r.first);
    }
  return {names.begin(), names.end()};
}

/// A run's sums: columns[column][problem]; zero for problems that it lacks.
struct RunColumns {
  std::string condition;
  std::int64_t seed = 0;
  std::vector<std::vector<double>> columns;
  bool has(std::uint32_t problem) const { return columns[0][problem] > 0; }
};

RunColumns make_columns(const Universe& u, const std::string& condition, std::int64_t seed,
                        const std::vector<Outcome>& list, const MetricTable& table) {
  RunColumns run{condition, seed, {}};
  run.columns.assign(table.width(), std::vector<double>(u.problem.size(), 0.0));
  std::vector<double> row(table.width());
  for (const auto& o : list) {
    std::fill(row.begin(), row.end(), 0.0);
    table.add(row.data(), o);
    const std::uint32_t p = u.position.at({o.index, o.form});
    for (std::size_t c = 0; c < row.size(); ++c) run.columns[c][p] = row[c];
  }
  return run;
}

using Runs = std::vector<const RunColumns*>;

/// A metric's ratios by seed and scene, and its number of problems averaged over the seeds.
struct MetricSums {
  RatioTable table;
  double n = 0;
};

/// The sums of runs over a slice; with `partners`, only of problems that both runs of a pair have.
MetricSums sum_metric(const Slice& slice, const Metric& m, const Runs& runs,
                      const Runs* partners = nullptr) {
  MetricSums out;
  for (std::size_t s = 0; s < runs.size(); ++s) {
    auto& scenes = out.table.emplace_back(slice.scenes);
    const auto& numerator = runs[s]->columns[m.numerator];
    const auto& denominator = runs[s]->columns[m.denominator];
    std::size_t counted = 0;
    for (std::size_t i = 0; i < slice.problems.size(); ++i) {
      const std::uint32_t p = slice.problems[i];
      if (partners && !(runs[s]->has(p) && (*partners)[s]->has(p))) continue;
      scenes[slice.scene[i]] += {numerator[p], denominator[p]};
      counted += denominator[p] != 0;
    }
    out.n += double(counted) / double(runs.size());
  }
  return out;
}

/// Writes the rows of one slice.
class SliceSummary {
 public:
  SliceSummary(const Slice& slice, const std::vector<RunColumns>& runs, const MetricTable& metrics,
               const std::vector<PairedMetric>& pairs, const SummaryOptions& options,
               std::vector<ResultRow>& rows)
      : slice_(slice), metrics_(metrics), pairs_(pairs), options_(options), rows_(rows) {
    for (const auto& run : runs) runs_[run.condition].push_back(&run);
  }

  void write() {
    for (const auto& [condition, seeds] : runs_) {
      for (const RunColumns* run : seeds) {
        if (!slice_.by_seed()) break;
        write_metrics(condition, std::to_string(run->seed), {run});
        write_differences(condition, std::to_string(run->seed), {run});
      }
      write_metrics(condition, "all", seeds);
      write_differences(condition, "all", seeds);
    }
  }

 private:
  void push(const std::string& condition, const std::string& seed, const std::string& metric,
            double n, const Interval& i) {
    for (const double v : {i.value, i.low, i.high, i.error, i.df})
      if (!std::isfinite(v)) return;
    rows_.push_back({condition, seed, slice_.split, slice_.format, slice_.kind, slice_.name, metric,
                     std::int64_t(std::lround(n)), i.value, i.low, i.high, i.scenes, i.seeds,
                     i.error, i.df, i.basis});
  }

  void write_metrics(const std::string& condition, const std::string& seed, const Runs& runs) {
    for (const auto& m : metrics_.metrics()) {
      if (!slice_.has(m)) continue;
      const MetricSums sums = sum_metric(slice_, m, runs);
      const auto interval = ratio_interval(sums.table);
      if (!interval) continue;
      push(condition, seed, m.name, sums.n,
           m.proportion ? share_interval(*interval, options_.small) : *interval);
    }
  }

  /// The reference's run with the same seed, or null.
  const RunColumns* partner(const std::string& reference, std::int64_t seed) const {
    const auto found = runs_.find(reference);
    if (found == runs_.end()) return nullptr;
    for (const RunColumns* run : found->second)
      if (run->seed == seed) return run;
    return nullptr;
  }

  void write_differences(const std::string& condition, const std::string& seed, const Runs& runs) {
    for (const auto& pair : pairs_) {
      if (without_point(condition) == pair.reference) continue;
      if (seed != "all" && pair.reference != options_.start && !declared(pair)) continue;
      const Metric* m = metrics_.find(pair.metric);
      if (!m || !slice_.has(*m)) continue;
      const std::string reference = pair.reference + grid_point(condition);
      Runs mine, theirs;
      for (const RunColumns* run : runs)
        if (const RunColumns* other = partner(reference, run->seed)) {
          mine.push_back(run);
          theirs.push_back(other);
        }
      if (!mine.empty()) write_difference(condition, seed, pair, *m, mine, theirs);
    }
  }

  bool declared(const PairedMetric& pair) const {
    return std::any_of(options_.claims.begin(), options_.claims.end(), [&](const Claim& c) {
      return c.metric == pair.metric && c.reference == pair.reference;
    });
  }

  void write_difference(const std::string& condition, const std::string& seed,
                        const PairedMetric& pair, const Metric& m, const Runs& mine,
                        const Runs& theirs) {
    const MetricSums a = sum_metric(slice_, m, mine, &theirs),
                     b = sum_metric(slice_, m, theirs, &mine);
    if (const auto interval = difference_interval(a.table, b.table, m.proportion))
      push(condition, seed, pair.metric + "_vs_" + pair.reference, std::min(a.n, b.n), *interval);
  }

  const Slice& slice_;
  const MetricTable& metrics_;
  const std::vector<PairedMetric>& pairs_;
  const SummaryOptions& options_;
  std::vector<ResultRow>& rows_;
  std::map<std::string, Runs> runs_;
};

std::vector<PairedMetric> all_pairs(const SummaryOptions& options,
                                    const std::vector<std::string>& rewards) {
  std::vector<PairedMetric> out = default_pairs(options.start);
  for (const auto& name : rewards) out.push_back({"reward_" + name, options.start});
  for (const auto& c : options.claims) {
    const PairedMetric pair{c.metric, c.reference};
    if (std::find(out.begin(), out.end(), pair) == out.end()) out.push_back(pair);
  }
  return out;
}

}  // namespace

std::vector<PairedMetric> default_pairs(const std::string& start) {
  return {
      {"accuracy_greedy", start},
      {"accuracy_sampled", start},
      {"format_sampled", start},
      {"principle", start},
      {"principle_well_formed", start},
      {"unit", start},
      {"unit_well_formed", start},
      {"attention_image", start},
      {"look_score", start},
      {"look_measured", start},
      {"look_right", start},
      {"accuracy_own_minus_swapped", start},
      {"accuracy_greedy", "accuracy"},
      {"accuracy_sampled", "accuracy"},
      {"principle", "accuracy"},
      {"unit", "accuracy"},
      {"look_score", "accuracy"},
      {"accuracy_own_minus_swapped", "accuracy"},
      {"accuracy_greedy", "sft_more"},
      {"accuracy_sampled", "sft_more"},
      {"accuracy_greedy", "sft_clean"},
      {"accuracy_sampled", "sft_clean"},
      {"accuracy_greedy", "format"},
      {"accuracy_sampled", "format"},
  };
}

std::vector<ResultRow> summarise(const Outcomes& outcomes, const SummaryOptions& options) {
  const Universe universe = collect_problems(outcomes);
  const auto rewards = reward_names_in(outcomes);
  const bool many = has_many(outcomes);
  const MetricTable metrics(pass_ks(pass_samples(outcomes, many), options.pass_at), many, rewards);
  const auto pairs = all_pairs(options, rewards);
  std::vector<RunColumns> runs;
  for (const auto& [run, list] : outcomes)
    if (!list.empty()) runs.push_back(make_columns(universe, run.first, run.second, list, metrics));
  std::vector<ResultRow> rows;
  for (const auto& slice : make_slices(universe, options.claims))
    SliceSummary(slice, runs, metrics, pairs, options, rows).write();
  return rows;
}

}  // namespace gaze::phyx
