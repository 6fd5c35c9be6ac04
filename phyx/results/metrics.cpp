// SPDX-License-Identifier: MIT
// Columns and metrics as tables, and the sums of one problem.
#include "phyx/results/metrics.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "phyx/results/statistics.hpp"

namespace gaze::phyx {

namespace {

/// Sums per problem. Every metric is a ratio of two of them.
enum Column : std::size_t {
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
  kAnyForm,
  kPrinciple,
  kPrincipleForm,  // named in a well-formed answer
  kUnit,
  kUnitForm,
  kAttention,
  kAttentionKnown,
  kLook,
  kLookKnown,
  kLookMeasured,  // answers with a look score, of those whose attention is known
  kLookRight,
  kLookFacts,
  kLookCorrelation,  // of the look score with correctness among a problem's samples
  kLookCorrelated,   // 1 if it is defined
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
  kGoldLook,
  kGoldLookKnown,
  kGoldLookGreedy,
  kGoldLookGreedyKnown,
  kOwnSwapped,  // own minus swapped picture, in shares of right answers
  kOwnSwappedKnown,
  kOwnSwappedGreedy,
  kGroups,  // 1 if there are at least two samples
  kAllRight,
  kAllWrong,
  kPassOne,      // the share of right samples
  kPassProblem,  // 1 if the problem counts for pass@k
  kFirstOpen     // pass@2, pass@4, ..., then four columns for each reward
};

std::vector<Metric> fixed_metrics() {
  return {{"accuracy_greedy", kGreedyCorrect, kOne, true, Reach::fine},
          {"accuracy_sampled", kSampledCorrect, kSamples, true, Reach::fine},
          {"accuracy_parsed_greedy", kGreedyParsedCorrect, kGreedyParsed, true},
          {"accuracy_parsed_sampled", kSampledParsedCorrect, kSampledParsed, true},
          {"official_greedy", kGreedyOfficial, kOne, true},
          {"official_sampled", kSampledOfficial, kSamples, true},
          {"rules_differ_greedy", kGreedyDiffers, kOne, true},
          {"rules_differ_sampled", kSampledDiffers, kSamples, true},
          {"format_greedy", kGreedyForm, kOne, true},
          {"format_sampled", kSampledForm, kSamples, true},
          {"principle", kPrinciple, kAny, true, Reach::fine},
          {"principle_well_formed", kPrincipleForm, kAnyForm, true},
          {"unit", kUnit, kAny, true, Reach::fine},
          {"unit_well_formed", kUnitForm, kAnyForm, true},
          {"attention_image", kAttention, kAttentionKnown, false},
          {"look_score", kLook, kLookKnown, false},
          {"look_measured", kLookMeasured, kAttentionKnown, true},
          {"look_right", kLookRight, kLookFacts, true},
          {"look_score_correctness", kLookCorrelation, kLookCorrelated, false},
          {"length", kLength, kAny, false},
          {"truncated", kTruncated, kAny, true},
          {"accuracy_blank", kBlank, kBlankKnown, true},
          {"accuracy_swapped", kSwapped, kSwappedKnown, true},
          {"accuracy_blank_greedy", kBlankGreedy, kBlankGreedyKnown, true},
          {"accuracy_swapped_greedy", kSwappedGreedy, kSwappedGreedyKnown, true},
          {"accuracy_gold_look", kGoldLook, kGoldLookKnown, true},
          {"accuracy_gold_look_greedy", kGoldLookGreedy, kGoldLookGreedyKnown, true},
          {"accuracy_own_minus_swapped", kOwnSwapped, kOwnSwappedKnown, false},
          {"accuracy_own_minus_swapped_greedy", kOwnSwappedGreedy, kSwappedGreedyKnown, false},
          {"groups_all_right", kAllRight, kGroups, true},
          {"groups_all_wrong", kAllWrong, kGroups, true},
          {"pass@1", kPassOne, kPassProblem, true}};
}

void add_attempt(double* row, const Attempt& a) {
  row[kAny] += 1;
  row[kAnyForm] += a.well_formed;
  row[kPrinciple] += a.principle;
  row[kPrincipleForm] += a.principle && a.well_formed;
  row[kUnit] += a.unit;
  row[kUnitForm] += a.unit && a.well_formed;
  row[kLength] += a.length;
  row[kTruncated] += a.truncated;
  if (std::isfinite(a.attention)) {
    row[kAttention] += double(a.attention);
    row[kAttentionKnown] += 1;
    row[kLookMeasured] += std::isfinite(a.look_score);
  }
  if (std::isfinite(a.look_score)) {
    row[kLook] += double(a.look_score);
    row[kLookKnown] += 1;
  }
  row[kLookRight] += a.look_right;
  row[kLookFacts] += a.look_facts;
}

void add_greedy(double* row, const Attempt& a) {
  row[kGreedyCorrect] += a.correct;
  row[kGreedyParsed] += a.parsed;
  row[kGreedyParsedCorrect] += a.parsed && a.correct;
  row[kGreedyOfficial] += a.official;
  row[kGreedyDiffers] += a.correct != a.official;
  row[kGreedyForm] += a.well_formed;
}

void add_sample(double* row, const Attempt& a) {
  row[kSampledCorrect] += a.correct;
  row[kSampledParsed] += a.parsed;
  row[kSampledParsedCorrect] += a.parsed && a.correct;
  row[kSampledOfficial] += a.official;
  row[kSampledDiffers] += a.correct != a.official;
  row[kSampledForm] += a.well_formed;
  add_attempt(row, a);
}

void add_perturbed(double* row, const Perturbed& p, std::size_t sampled, std::size_t greedy) {
  for (const bool correct : p.sampled) row[sampled] += correct;
  row[sampled + 1] += double(p.sampled.size());
  if (!p.greedy) return;
  row[greedy] += *p.greedy;
  row[greedy + 1] += 1;
}

/// The problem's own accuracy minus that with the swapped picture, where both were measured.
void add_own_minus_swapped(double* row, const Outcome& o, int right) {
  if (o.swapped.greedy) row[kOwnSwappedGreedy] += double(o.greedy.correct) - *o.swapped.greedy;
  if (o.swapped.sampled.empty() || o.sampled.empty()) return;
  double swapped = 0;
  for (const bool correct : o.swapped.sampled) swapped += correct;
  row[kOwnSwapped] += right / double(o.sampled.size()) - swapped / double(o.swapped.sampled.size());
  row[kOwnSwappedKnown] += 1;
}

/// Adds the correlation of a score with correctness among the samples, where it is defined.
template <class Score>
void add_correlation(double* row, const Outcome& o, std::size_t column, Score score) {
  std::vector<double> scores, correct;
  for (const auto& a : o.sampled) {
    scores.push_back(score(a));
    correct.push_back(a.correct);
  }
  const auto r = correlation(scores, correct);
  if (!r) return;
  row[column] += *r;
  row[column + 1] += 1;
}

}  // namespace

bool reaches(Reach reach, const std::string& kind) {
  if (reach == Reach::fine || kind == "overall" || kind == "needs_image") return true;
  return reach == Reach::coarse && kind != "subfield" && kind != "template";
}

MetricTable::MetricTable(std::vector<int> pass_ks, bool many, std::vector<std::string> rewards)
    : pass_ks_(std::move(pass_ks)),
      many_(many),
      rewards_(std::move(rewards)),
      metrics_(fixed_metrics()) {
  std::size_t column = kFirstOpen;
  for (const int k : pass_ks_)
    metrics_.push_back({"pass@" + std::to_string(k), column++, kPassProblem, true});
  for (const auto& name : rewards_) {
    metrics_.push_back({"reward_" + name, column, column + 1, false, Reach::whole});
    metrics_.push_back(
        {"reward_" + name + "_correctness", column + 2, column + 3, false, Reach::whole});
    column += 4;
  }
  width_ = column;
}

const Metric* MetricTable::find(const std::string& name) const {
  for (const auto& m : metrics_)
    if (m.name == name) return &m;
  return nullptr;
}

void MetricTable::add(double* row, const Outcome& o) const {
  row[kOne] += 1;
  row[kSamples] += double(o.sampled.size());
  add_greedy(row, o.greedy);
  int right = 0;
  for (const auto& a : o.sampled) {
    right += a.correct;
    add_sample(row, a);
  }
  if (o.sampled.empty()) add_attempt(row, o.greedy);
  add_perturbed(row, o.blank, kBlank, kBlankGreedy);
  add_perturbed(row, o.swapped, kSwapped, kSwappedGreedy);
  add_perturbed(row, o.gold_look, kGoldLook, kGoldLookGreedy);
  add_own_minus_swapped(row, o, right);
  add_rewards(row, o);
  add_passes(row, o, right);
}

void MetricTable::add_passes(double* row, const Outcome& o, int right) const {
  const int samples = int(o.sampled.size());
  if (samples > 1) {
    row[kGroups] += 1;
    row[kAllRight] += right == samples;
    row[kAllWrong] += right == 0;
  }
  const int n = many_ ? int(o.many.size()) : samples;
  const int solved = many_ ? int(std::count(o.many.begin(), o.many.end(), true)) : right;
  if (n == 0) return;
  row[kPassProblem] += 1;
  row[kPassOne] += solved / double(n);
  for (std::size_t i = 0; i < pass_ks_.size(); ++i)
    row[kFirstOpen + i] += pass_at_k(n, solved, pass_ks_[i]);
}

void MetricTable::add_rewards(double* row, const Outcome& o) const {
  add_correlation(row, o, kLookCorrelation, [](const Attempt& a) { return a.look_score; });
  for (std::size_t i = 0; i < rewards_.size(); ++i) {
    const std::size_t column = kFirstOpen + pass_ks_.size() + 4 * i;
    const auto score = [&](const Attempt& a) {
      const auto found = a.rewards.find(rewards_[i]);
      return found == a.rewards.end() ? std::nan("") : double(found->second);
    };
    const auto count = [&](const Attempt& a) {
      const double v = score(a);
      if (!std::isfinite(v)) return;
      row[column] += v;
      row[column + 1] += 1;
    };
    for (const auto& a : o.sampled) count(a);
    if (o.sampled.empty()) count(o.greedy);
    add_correlation(row, o, column + 2, score);
  }
}

}  // namespace gaze::phyx
