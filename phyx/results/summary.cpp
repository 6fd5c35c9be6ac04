// SPDX-License-Identifier: MIT
// Metrics and comparisons are tables below. All conditions share the draws of problems, so
// differences need no second pass.
#include "phyx/results/summary.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <set>
#include <string_view>

#include "gaze/core/error.hpp"
#include "phyx/results/statistics.hpp"

namespace gaze::phyx {

namespace {

/// Sums per problem. Every metric is a ratio of two of them.
enum Column : int {
  kOne,
  kSamples,
  kAny,  // samples, or the greedy answer if nothing was sampled
  kGreedyCorrect,
  kSampledCorrect,
  kGreedyParsed,
  kSampledParsed,
  kGreedyParsedCorrect,
  kSampledParsedCorrect,
  kGreedyOfficial,
  kSampledOfficial,
  kGreedyDiffers,  // the strict and the official rule
  kSampledDiffers,
  kGreedyForm,
  kSampledForm,
  kPrinciple,
  kUnit,
  kAttention,
  kAttentionKnown,
  kLength,
  kTruncated,
  kBlank,
  kBlankKnown,
  kSwapped,
  kSwappedKnown,
  kBlankGreedy,
  kBlankGreedyKnown,
  kSwappedGreedy,
  kSwappedGreedyKnown,
  kSampledProblem,  // 1 if the problem was sampled
  kPassFirst        // pass@2, pass@4, ... follow
};

struct Metric {
  std::string name;
  int numerator, denominator;
  bool proportion;  // in [0, 1], so Wilson's interval applies
  bool everywhere;  // also per subfield and template
};

std::vector<Metric> metric_table(const std::vector<int>& pass_ks) {
  std::vector<Metric> out = {
      {"accuracy_greedy", kGreedyCorrect, kOne, true, true},
      {"accuracy_sampled", kSampledCorrect, kSamples, true, true},
      {"accuracy_parsed_greedy", kGreedyParsedCorrect, kGreedyParsed, true, false},
      {"accuracy_parsed_sampled", kSampledParsedCorrect, kSampledParsed, true, false},
      {"official_greedy", kGreedyOfficial, kOne, true, false},
      {"official_sampled", kSampledOfficial, kSamples, true, false},
      {"rules_differ_greedy", kGreedyDiffers, kOne, true, false},
      {"rules_differ_sampled", kSampledDiffers, kSamples, true, false},
      {"format_greedy", kGreedyForm, kOne, true, false},
      {"format_sampled", kSampledForm, kSamples, true, false},
      {"principle", kPrinciple, kAny, true, true},
      {"unit", kUnit, kAny, true, true},
      {"attention_image", kAttention, kAttentionKnown, false, false},
      {"length", kLength, kAny, false, false},
      {"truncated", kTruncated, kAny, true, false},
      {"accuracy_blank", kBlank, kBlankKnown, true, false},
      {"accuracy_swapped", kSwapped, kSwappedKnown, true, false},
      {"accuracy_blank_greedy", kBlankGreedy, kBlankGreedyKnown, true, false},
      {"accuracy_swapped_greedy", kSwappedGreedy, kSwappedGreedyKnown, true, false},
      {"pass@1", kSampledCorrect, kSamples, true, false}};
  for (std::size_t i = 0; i < pass_ks.size(); ++i)
    out.push_back(
        {"pass@" + std::to_string(pass_ks[i]), kPassFirst + int(i), kSampledProblem, true, false});
  return out;
}

/// Paired differences: metric `<name>_vs_<reference>`.
struct Comparison {
  const char* metric;
  const char* reference;
};
constexpr std::array<Comparison, 14> comparisons = {{
    {"accuracy_greedy", "sft"},
    {"accuracy_sampled", "sft"},
    {"format_sampled", "sft"},
    {"principle", "sft"},
    {"unit", "sft"},
    {"attention_image", "sft"},
    {"accuracy_greedy", "accuracy"},
    {"accuracy_sampled", "accuracy"},
    {"principle", "accuracy"},
    {"unit", "accuracy"},
    {"accuracy_greedy", "sft_more"},
    {"accuracy_sampled", "sft_more"},
    {"accuracy_greedy", "sft_clean"},
    {"accuracy_sampled", "sft_clean"},
}};

struct Slice {
  std::string split, format, kind, name;
  std::vector<std::uint32_t> problems;
  bool fine() const { return kind == "subfield" || kind == "template"; }
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

/// All slices of the test set in a fixed order. Subfields and templates are not crossed with the
/// split (a template has only one): the cells would be too small.
std::vector<Slice> make_slices(const Universe& u) {
  std::map<std::array<std::string, 4>, std::vector<std::uint32_t>> cells;
  for (std::uint32_t i = 0; i < u.problem.size(); ++i) {
    const Outcome& o = *u.problem[i];
    std::vector<std::pair<std::string, std::string>> labels = {
        {"overall", "all"}, {"needs_image", o.needs_image ? "yes" : "no"}};
    if (!o.domain.empty()) labels.push_back({"domain", o.domain});
    if (!o.subfield.empty()) labels.push_back({"subfield", o.subfield});
    if (!o.template_id.empty()) labels.push_back({"template", o.template_id});
    for (const auto& r : std::set<std::string>(o.reasoning.begin(), o.reasoning.end()))
      labels.push_back({"reasoning", r});
    const std::string form = o.form == Form::mc ? "MC" : "OE";
    for (const auto& [kind, name] : labels)
      for (const std::string& split : {std::string("all"), o.split})
        for (const std::string& format : {std::string("all"), form}) {
          const bool fine = kind == "subfield" || kind == "template";
          if (!fine || split == "all") cells[{split, format, kind, name}].push_back(i);
        }
  }
  std::vector<Slice> out;
  for (auto& [k, problems] : cells) out.push_back({k[0], k[1], k[2], k[3], std::move(problems)});
  return out;
}

/// 2, 4, 8, ... and the number of samples (the minimum over runs, so that they are comparable).
std::vector<int> pass_ks(const Outcomes& outcomes) {
  int samples = 0;
  for (const auto& [run, list] : outcomes)
    for (const auto& o : list) {
      const int k = int(o.sampled.size());
      if (k > 0) samples = samples == 0 ? k : std::min(samples, k);
    }
  std::vector<int> out;
  for (int k = 2; k < samples; k *= 2) out.push_back(k);
  if (samples > 1) out.push_back(samples);
  return out;
}

/// A run's sums per problem: table [problems, width]; zero rows for problems that it lacks.
struct RunTable {
  std::string condition;
  std::int64_t seed = 0;
  std::size_t width = 0;
  std::vector<float> table;
};

void add_attempt(float* row, const Attempt& a) {
  row[kAny] += 1;
  row[kPrinciple] += a.principle;
  row[kUnit] += a.unit;
  row[kLength] += float(a.length);
  row[kTruncated] += a.truncated;
  if (std::isfinite(a.attention)) {
    row[kAttention] += a.attention;
    row[kAttentionKnown] += 1;
  }
}

void add_perturbed(float* row, const Perturbed& p, int sampled, int greedy) {
  for (bool correct : p.sampled) row[sampled] += correct;
  row[sampled + 1] += float(p.sampled.size());
  if (!p.greedy) return;
  row[greedy] += *p.greedy;
  row[greedy + 1] += 1;
}

void fill_row(float* row, const Outcome& o, const std::vector<int>& ks) {
  row[kOne] = 1;
  row[kSamples] = float(o.sampled.size());
  row[kGreedyCorrect] = o.greedy.correct;
  row[kGreedyParsed] = o.greedy.parsed;
  row[kGreedyParsedCorrect] = o.greedy.parsed && o.greedy.correct;
  row[kGreedyOfficial] = o.greedy.official;
  row[kGreedyDiffers] = o.greedy.correct != o.greedy.official;
  row[kGreedyForm] = o.greedy.well_formed;
  for (const auto& a : o.sampled) {
    row[kSampledCorrect] += a.correct;
    row[kSampledParsed] += a.parsed;
    row[kSampledParsedCorrect] += a.parsed && a.correct;
    row[kSampledOfficial] += a.official;
    row[kSampledDiffers] += a.correct != a.official;
    row[kSampledForm] += a.well_formed;
    add_attempt(row, a);
  }
  if (o.sampled.empty()) add_attempt(row, o.greedy);
  add_perturbed(row, o.blank, kBlank, kBlankGreedy);
  add_perturbed(row, o.swapped, kSwapped, kSwappedGreedy);
  if (o.sampled.empty()) return;
  row[kSampledProblem] = 1;
  for (std::size_t i = 0; i < ks.size(); ++i)
    row[kPassFirst + i] = float(pass_at_k(int(o.sampled.size()), int(row[kSampledCorrect]), ks[i]));
}

RunTable make_table(const Universe& u, const std::string& condition, std::int64_t seed,
                    const std::vector<Outcome>& list, const std::vector<int>& ks) {
  RunTable t{condition, seed, std::size_t(kPassFirst) + ks.size(), {}};
  t.table.assign(u.problem.size() * t.width, 0.f);
  for (const auto& o : list) fill_row(&t.table[u.position.at({o.index, o.form}) * t.width], o, ks);
  return t;
}

/// One run on one slice: totals, and the sum of every column in every resample.
struct RunSums {
  std::vector<double> total;                  // [width]
  std::vector<std::int64_t> problems;         // [width]: problems where the column is not zero
  std::vector<std::vector<float>> resampled;  // [width][resamples]
};

/// Only varying columns need the product; a constant one sums to n times its value.
RunSums sum_run(const RunTable& run, const Slice& slice, const Resamples& draws) {
  const std::size_t n = slice.problems.size(), width = run.width;
  RunSums out{std::vector<double>(width), std::vector<std::int64_t>(width), {}};
  out.resampled.resize(width);
  std::vector<std::size_t> varying;
  for (std::size_t c = 0; c < width; ++c) {
    const float first = run.table[slice.problems[0] * width + c];
    bool constant = true;
    for (std::uint32_t p : slice.problems) {
      const float v = run.table[p * width + c];
      out.total[c] += v;
      out.problems[c] += v != 0;
      constant = constant && v == first;
    }
    if (constant)
      out.resampled[c].assign(std::size_t(draws.count()), first * float(n));
    else
      varying.push_back(c);
  }
  const std::size_t columns = (varying.size() + 7) / 8 * 8;
  std::vector<float> values(n * columns, 0.f), sums(std::size_t(draws.count()) * columns);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t c = 0; c < varying.size(); ++c)
      values[i * columns + c] = run.table[slice.problems[i] * width + varying[c]];
  resampled_sums(draws, values.data(), columns, sums.data());
  for (std::size_t c = 0; c < varying.size(); ++c) {
    auto& column = out.resampled[varying[c]];
    column.resize(std::size_t(draws.count()));
    for (std::size_t b = 0; b < column.size(); ++b) column[b] = sums[b * columns + c];
  }
  return out;
}

/// The pooled value of a metric over runs, with its replicates.
struct Estimate {
  double value = 0;
  double n = 0;  // number of problems, averaged over the seeds
  std::vector<double> replicates;
};

Estimate estimate(const std::vector<const RunSums*>& runs, const Metric& m, std::uint64_t key) {
  Estimate out;
  SeedSums sums;
  double numerator = 0, denominator = 0;
  for (const RunSums* r : runs) {
    numerator += r->total[std::size_t(m.numerator)];
    denominator += r->total[std::size_t(m.denominator)];
    out.n += double(r->problems[std::size_t(m.denominator)]) / double(runs.size());
    sums.numerator.push_back(r->resampled[std::size_t(m.numerator)]);
    sums.denominator.push_back(r->resampled[std::size_t(m.denominator)]);
  }
  if (denominator <= 0) return out;
  out.value = numerator / denominator;
  out.replicates = pooled_replicates(sums, key);
  return out;
}

/// The bootstrap interval of a metric, or Wilson's where the bootstrap is degenerate (few problems,
/// none or all right). Wilson's counts problems, not samples, so it is conservative.
Interval metric_interval(Estimate& e, const Metric& m, int small) {
  Interval out = percentile_interval(e.value, e.replicates);
  const bool flat = out.low == out.high && (e.value == 0 || e.value == 1);
  if (m.proportion && (e.n < small || flat)) {
    const Interval w = wilson(std::min(e.value, 1.0) * e.n, e.n);
    out.low = w.low;
    out.high = w.high;
  }
  return out;
}

/// Writes the rows of one slice.
class SliceSummary {
 public:
  SliceSummary(const Slice& slice, const std::vector<RunTable>& runs,
               const std::vector<Metric>& metrics, const SummaryOptions& options,
               std::vector<ResultRow>& rows)
      : slice_(slice), metrics_(metrics), options_(options), rows_(rows) {
    key_ = options.seed ^
           text_key(slice.split + '\n' + slice.format + '\n' + slice.kind + '\n' + slice.name);
    const Resamples draws(slice.problems.size(), options.resamples, key_);
    for (const auto& run : runs)
      sums_[run.condition].emplace_back(run.seed, sum_run(run, slice, draws));
  }

  void write() {
    for (const auto& [condition, seeds] : sums_) {
      std::vector<const RunSums*> all;
      for (const auto& [seed, sums] : seeds) {
        all.push_back(&sums);
        if (slice_.fine()) continue;  // one seed on one template is too little data
        write_metrics(condition, std::to_string(seed), {&sums});
        write_differences(condition, std::to_string(seed), {seed});
      }
      write_metrics(condition, "all", all);
      std::vector<std::int64_t> names;
      for (const auto& s : seeds) names.push_back(s.first);
      write_differences(condition, "all", names);
    }
  }

 private:
  void push(const std::string& condition, const std::string& seed, const std::string& metric,
            double n, const Interval& i) {
    if (!std::isfinite(i.value) || !std::isfinite(i.low) || !std::isfinite(i.high)) return;
    rows_.push_back({condition, seed, slice_.split, slice_.format, slice_.kind, slice_.name, metric,
                     std::int64_t(std::lround(n)), i.value, i.low, i.high});
  }

  void write_metrics(const std::string& condition, const std::string& seed,
                     const std::vector<const RunSums*>& runs) {
    for (const auto& m : metrics_) {
      if (slice_.fine() && !m.everywhere) continue;
      Estimate e = estimate(runs, m, key_);
      if (e.replicates.empty()) continue;
      push(condition, seed, m.name, e.n, metric_interval(e, m, options_.small));
    }
  }

  /// The reference's run with the same seed, or its only run.
  const RunSums* partner(const std::string& reference, std::int64_t seed) const {
    const auto found = sums_.find(reference);
    if (found == sums_.end()) return nullptr;
    for (const auto& [s, sums] : found->second)
      if (s == seed) return &sums;
    return found->second.size() == 1 ? &found->second[0].second : nullptr;
  }

  void write_differences(const std::string& condition, const std::string& seed,
                         const std::vector<std::int64_t>& seeds) {
    for (const auto& c : comparisons) {
      if (condition == c.reference) continue;
      if (seed != "all" && std::string_view(c.reference) != "sft") continue;
      std::vector<const RunSums*> mine, theirs;
      for (std::int64_t s : seeds)
        if (const RunSums* other = partner(c.reference, s)) {
          theirs.push_back(other);
          mine.push_back(partner(condition, s));
        }
      if (mine.empty()) continue;
      for (const auto& m : metrics_) {
        if (m.name != c.metric || (slice_.fine() && !m.everywhere)) continue;
        write_difference(condition, seed, m.name + "_vs_" + c.reference, estimate(mine, m, key_),
                         estimate(theirs, m, key_));
      }
    }
  }

  void write_difference(const std::string& condition, const std::string& seed,
                        const std::string& name, Estimate a, const Estimate& b) {
    if (a.replicates.empty() || b.replicates.empty()) return;
    for (std::size_t i = 0; i < a.replicates.size(); ++i) a.replicates[i] -= b.replicates[i];
    push(condition, seed, name, std::min(a.n, b.n),
         percentile_interval(a.value - b.value, a.replicates));
  }

  const Slice& slice_;
  const std::vector<Metric>& metrics_;
  const SummaryOptions& options_;
  std::vector<ResultRow>& rows_;
  std::uint64_t key_ = 0;
  std::map<std::string, std::vector<std::pair<std::int64_t, RunSums>>> sums_;
};

}  // namespace

std::vector<ResultRow> summarise(const Outcomes& outcomes, const SummaryOptions& options) {
  const Universe universe = collect_problems(outcomes);
  const std::vector<int> ks = pass_ks(outcomes);
  const std::vector<Metric> metrics = metric_table(ks);
  std::vector<RunTable> runs;
  for (const auto& [run, list] : outcomes)
    if (!list.empty()) runs.push_back(make_table(universe, run.first, run.second, list, ks));
  std::vector<ResultRow> rows;
  for (const auto& slice : make_slices(universe))
    SliceSummary(slice, runs, metrics, options, rows).write();
  return rows;
}

}  // namespace gaze::phyx
