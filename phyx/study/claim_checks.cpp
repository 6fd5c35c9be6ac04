// SPDX-License-Identifier: MIT
// Metrics and slices of claims, by name.
#include "phyx/study/claim_checks.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/core/printable.hpp"
#include "phyx/problem.hpp"
#include "phyx/results/metrics.hpp"
#include "phyx/results/run_name.hpp"
#include "phyx/rewards/registry.hpp"
#include "phyx/study/run_paths.hpp"
#include "phyx/synth/suite.hpp"

namespace gaze::phyx {

namespace {

using Names = std::vector<std::string>;

bool among(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void check_among(const std::string& where, const Names& names, const std::string& name) {
  std::string known;
  for (const auto& n : names) known += (known.empty() ? "" : ", ") + n;
  GAZE_CHECK(among(names, name), "study", where, ": '", printable(name, kShownBytes),
             "' is not one of ", known);
}

/// The rewards that test answers are scored by: the registered ones, and CONDITION.LABEL for those
/// of a condition.
Names scored_rewards(const AblationSettings& s) {
  Names out = reward_names();
  for (const Condition& c : s.conditions)
    for (const RewardUse& use : c.rewards) out.push_back(c.name + "." + use.name);
  return out;
}

/// The fewest samples per problem of any condition: the limit of pass@k.
Index fewest_samples(const AblationSettings& s) {
  Index out = pass_samples(s.evaluation);
  for (const Condition& c : s.conditions)
    out = std::min(out, pass_samples(settings_of(s, c).evaluation));
  return out;
}

void check_pass_at(const AblationSettings& s, const std::string& where, std::string_view digits) {
  Index k = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), k);
  GAZE_CHECK(error == std::errc() && end == digits.data() + digits.size() && k >= 1, "study", where,
             ": pass@", printable(std::string(digits), kShownBytes),
             " is not pass@k with a whole number k");
  const Index samples = fewest_samples(s);
  GAZE_CHECK(k <= samples, "study", where, ": pass@", k, " needs at least ", k,
             " samples per test problem; there are ", samples);
  const bool power = (k & (k - 1)) == 0;
  const bool measured =
      k == 1 || (s.pass_at.empty() ? power || k == samples
                                   : std::count(s.pass_at.begin(), s.pass_at.end(), k) > 0);
  GAZE_CHECK(measured, "study", where, ": pass@", k, " is not measured; evaluation.k has other k");
}

bool ends_with(const std::string& text, std::string_view end) {
  return text.size() > end.size() && std::string_view(text).substr(text.size() - end.size()) == end;
}

/// Throws Error for an unknown metric; returns which slices have it.
Reach reach_of(const AblationSettings& s, const std::string& where, const std::string& metric) {
  static const MetricTable fixed({}, false, {});
  if (const Metric* m = fixed.find(metric)) return m->reach;
  if (metric.starts_with("pass@")) {
    check_pass_at(s, where, std::string_view(metric).substr(5));
    return Reach::coarse;
  }
  if (metric.starts_with("reward_")) {
    std::string name = metric.substr(7);
    for (const std::string_view end : {"_correctness", "_ungated"})
      if (ends_with(name, end)) name.resize(name.size() - end.size());
    check_among(where + ": rewards", scored_rewards(s), name);
    return Reach::whole;
  }
  std::string known;
  for (const auto& m : fixed.metrics()) known += m.name + ", ";
  GAZE_FAIL("study", where, ": no metric named '", printable(metric, kShownBytes), "'; there are ",
            known, "pass@k and reward_NAME");
}

/// The names of the slices of a kind; empty if they are unknown before the run.
Names slice_names(const AblationSettings& s, const std::string& kind) {
  Names out;
  if (kind == "overall") return {"all"};
  if (kind == "needs_image") return {"yes", "no"};
  if (kind == "reasoning") return Names(reasoning_types.begin(), reasoning_types.end());
  if (kind == "subfield" || s.own.used()) return {};
  if (kind == "domain") return Names(domains.begin(), domains.end());
  if (kind == "layout_only") out.push_back("all");
  for (const auto& t : synth::templates()) out.emplace_back(t.id);
  return out;
}

/// The evaluation of a tested name measures the metric.
void check_measured(const AblationSettings& s, const std::string& where, const std::string& name,
                    const std::string& metric) {
  const bool tempered = !tempered_from(name).empty();
  const std::string own = tempered ? tempered_from(name) : name;
  const auto c = std::find_if(s.conditions.begin(), s.conditions.end(),
                              [&](const Condition& x) { return x.name == own; });
  const EvaluationSettings e = settings_of(s, *c).evaluation;
  const bool pictures = metric.starts_with("accuracy_blank") ||
                        metric.starts_with("accuracy_swapped") ||
                        metric.starts_with("accuracy_own_minus");
  const bool gold = metric.starts_with("accuracy_gold_look");
  const bool many = metric.starts_with("pass@") && e.many > 0;
  GAZE_CHECK(!tempered || !(pictures || gold || many || metric.starts_with("reward_")), "study",
             where, ": ", metric, " is not measured at further temperatures, but for ", name);
  GAZE_CHECK(!gold || e.gold_look, "study", where, ": ", metric,
             " needs evaluation.gold_look = true for ", name);
}

}  // namespace

void check_claim(const AblationSettings& s, const Claim& c) {
  const std::string where = "claim." + c.id;
  Names tested;  // NAME@T is NAME at a further temperature
  for (const Condition& x : s.conditions) {
    tested.push_back(x.name);
    for (const double t : x.temperatures) tested.push_back(x.name + "@" + RunPaths::number_text(t));
  }
  for (const auto* name : {&c.condition, &c.reference})
    GAZE_CHECK(among(tested, *name), "study", where, ": no condition named '", *name, "'");
  GAZE_CHECK(c.condition != c.reference, "study", where, ": condition and reference are both ",
             c.condition);
  const ClaimSlice& slice = c.slice;
  check_among(where + ", slice.split", {"all", "known", "new"}, slice.split);
  check_among(where + ", slice.format", {"all", "MC", "OE"}, slice.format);
  check_among(
      where + ", slice.kind",
      {"overall", "needs_image", "domain", "reasoning", "subfield", "template", "layout_only"},
      slice.kind);
  const Names names = slice_names(s, slice.kind), parts = names_of_slice(slice.name);
  if (slice.name != "*" && !names.empty())
    for (const auto& part : parts) check_among(where + ", slice.name", names, part);
  const bool fine = slice.kind == "subfield" || slice.kind == "template";
  const bool crossed = !fine || parts.size() > 1;
  GAZE_CHECK(crossed || slice.split == "all", "study", where, ", slice.split: slices of kind ",
             slice.kind, " are not divided further; must be all");
  GAZE_CHECK(reaches(reach_of(s, where, c.metric), fine && crossed ? "domain" : slice.kind),
             "study", where, ": the metric ", c.metric, " is not measured on slices of kind ",
             slice.kind);
  for (const auto* name : {&c.condition, &c.reference}) check_measured(s, where, *name, c.metric);
}

}  // namespace gaze::phyx
