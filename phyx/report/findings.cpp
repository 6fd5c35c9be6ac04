// SPDX-License-Identifier: MIT
// Deciding all comparisons of all claims at once, and the text of each row.
#include "phyx/report/findings.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "phyx/report/number_text.hpp"
#include "phyx/results/run_name.hpp"

namespace gaze::phyx {

namespace {

/// The rows that measure a claim at a point of a grid: one, or one for each slice of a kind.
std::vector<const ResultRow*> rows_of(const Claim& claim, const std::string& point,
                                      const ResultIndex& results, bool has_known) {
  const auto& s = claim.slice;
  const std::string split = s.split == "known" && !has_known ? "all" : s.split;
  const std::string metric = difference_metric(claim);
  const std::string condition = claim.condition + point;
  if (s.name == "*") {
    auto all = results.find_all(condition, metric, split, s.format, s.kind);
    const auto joined = [](const ResultRow* r) { return names_of_slice(r->slice).size() > 1; };
    all.erase(std::remove_if(all.begin(), all.end(), joined), all.end());
    return all;
  }
  const auto* row = results.find(condition, metric, split, s.format, s.kind, s.name);
  return row ? std::vector<const ResultRow*>{row} : std::vector<const ResultRow*>{};
}

Agreement agreement(Verdict found, Verdict expected) {
  if (found == Verdict::undecided) return Agreement::undecided;
  return found == expected ? Agreement::agree : Agreement::no;
}

std::string p_text(double p) { return p < 0.001 ? "p < 0.001" : "p = " + report::fixed(p, 3); }

std::string verdict_text(const Decision& d, double margin) {
  const std::string points = report::fixed(margin * 100, margin < 0.01 ? 1 : 0);
  switch (d.verdict) {
    case Verdict::above:
      return "above the margin of " + points + ", " + p_text(d.p);
    case Verdict::below:
      return "below the margin of −" + points + ", " + p_text(d.p);
    case Verdict::equivalent:
      return "equivalent within ±" + points + ", " + p_text(d.p);
    case Verdict::undecided:
      break;
  }
  return "undecided with a margin of " + points;
}

/// The limits of the interval that a reader must know.
std::string caution(const ResultRow& r) {
  if (r.basis == Basis::degenerate) return "; no spread, so no verdict";
  if (r.basis == Basis::unknown) return "; an interval of an earlier version, so no verdict";
  return r.seeds == 1 ? "; one seed: the interval covers scenes only" : "";
}

std::string single_text(const ResultRow& r, const Decision& d, double margin) {
  if (r.basis == Basis::degenerate)
    return signed_points(r.value) + " points: " + verdict_text(d, margin) + caution(r) + ".";
  return signed_points(r.value) + " " + points_interval(r) + " points: " + verdict_text(d, margin) +
         caution(r) + ".";
}

/// The cautions of several rows: those of all once, others after the names of their slices.
std::string cautions(const std::vector<const ResultRow*>& rows) {
  std::map<std::string, std::vector<std::string>> slices;
  for (const ResultRow* r : rows) slices[caution(*r)].push_back(r->slice);
  std::string out;
  for (const auto& [text, names] : slices) {
    if (text.empty()) continue;
    std::string list;
    for (const auto& name : names) list += (list.empty() ? "" : ", ") + name;
    out += names.size() == rows.size() ? text : "; " + list + ": " + text.substr(2);
  }
  return out;
}

/// A claim about most of several slices.
void decide_most(const Claim& claim, const std::vector<const ResultRow*>& rows,
                 const std::vector<Decision>& decisions, Finding& f) {
  std::size_t expected = 0, other = 0;
  std::string each;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Verdict v = decisions[i].verdict;
    expected += v == claim.expected;
    other += v != claim.expected && v != Verdict::undecided;
    each += (each.empty() ? "" : "; ") + rows[i]->slice + " " + signed_points(rows[i]->value) +
            " " + points_interval(*rows[i]) + " (" + std::string(verdict_name(v)) + ", " +
            p_text(decisions[i].p) + ")";
  }
  f.here = std::string(verdict_name(claim.expected)) + " in " + std::to_string(expected) + " of " +
           std::to_string(rows.size()) + ", margin " + report::fixed(claim.margin * 100, 0) +
           " points: " + each + cautions(rows) + ".";
  f.agreement = 2 * expected > rows.size() ? Agreement::agree
                : 2 * other >= rows.size() ? Agreement::no
                                           : Agreement::undecided;
}

/// A claim at a point of a grid, and the rows that measure it.
struct Declared {
  const Claim* claim;
  std::string point;
  std::vector<const ResultRow*> rows;
};

}  // namespace

std::string agreement_text(const Finding& f) {
  if (f.agreement == Agreement::undecided) return "undecided";
  const bool agrees = f.agreement == Agreement::agree;
  const std::string answer = f.own ? (agrees ? "yes" : "no") : agrees ? "agrees" : "does not agree";
  return answer + (f.one_seed ? ", in this seed" : "");
}

std::string signed_points(double share) {
  const double points = std::round(share * 1000) / 10;
  return (points > 0 && std::isfinite(points) ? "+" : "") + report::fixed(points, 1);
}

std::string points_interval(const ResultRow& r) {
  const auto points = [](double share) { return report::fixed(std::round(share * 1000) / 10, 1); };
  return "[" + points(r.low) + ", " + points(r.high) + "]";
}

std::string interval_note(const ResultRow& r) {
  return r.basis == Basis::degenerate ? "no spread, so no interval"
                                      : points_interval(r) + " points";
}

ResultIndex::ResultIndex(const std::vector<ResultRow>& rows) {
  for (const auto& r : rows) {
    if (r.seed == "all")
      index_.emplace(key_of(r), &r);
    else
      seeds_[key_of(r)].push_back(r.value);
  }
}

ResultIndex::Key ResultIndex::key_of(const ResultRow& r) {
  return {r.condition, r.metric, r.split, r.format, r.slice_kind, r.slice};
}

std::vector<double> ResultIndex::seeds_of(const ResultRow& pooled) const {
  const auto found = seeds_.find(key_of(pooled));
  return found == seeds_.end() ? std::vector<double>() : found->second;
}

const ResultRow* ResultIndex::find(const std::string& condition, const std::string& metric,
                                   const std::string& split, const std::string& format,
                                   const std::string& kind, const std::string& slice) const {
  const auto found = index_.find({condition, metric, split, format, kind, slice});
  return found == index_.end() ? nullptr : found->second;
}

std::vector<const ResultRow*> ResultIndex::find_all(const std::string& condition,
                                                    const std::string& metric,
                                                    const std::string& split,
                                                    const std::string& format,
                                                    const std::string& kind) const {
  std::vector<const ResultRow*> out;
  const Key first{condition, metric, split, format, kind, ""};
  for (auto i = index_.lower_bound(first); i != index_.end(); ++i) {
    const ResultRow& r = *i->second;
    if (std::tie(r.condition, r.metric, r.split, r.format, r.slice_kind) !=
        std::tie(condition, metric, split, format, kind))
      break;
    out.push_back(&r);
  }
  return out;
}

std::vector<Finding> decide_findings(const std::vector<ResultRow>& rows,
                                     const std::vector<Claim>& claims) {
  const ResultIndex results(rows);
  const bool has_known =
      std::any_of(rows.begin(), rows.end(), [](const auto& r) { return r.split == "known"; });
  std::set<std::string> points;
  for (const auto& r : rows) points.insert(grid_point(r.condition));
  if (points.empty()) points.insert("");
  std::vector<Declared> declared;
  std::vector<Comparison> family;
  for (const auto& claim : claims)
    for (const auto& point : points) {
      declared.push_back({&claim, point, rows_of(claim, point, results, has_known)});
      for (const auto* r : declared.back().rows) family.push_back({interval_of(*r), claim.margin});
      if (declared.back().rows.empty()) family.push_back({Interval{}, claim.margin});
    }
  const auto decisions = holm(std::span<const Comparison>(family));
  std::vector<Finding> out;
  auto next = decisions.begin();
  for (const Declared& d : declared) {
    const Claim& claim = *d.claim;
    const std::vector<Decision> mine(
        next, next + std::ptrdiff_t(std::max<std::size_t>(1, d.rows.size())));
    next += std::ptrdiff_t(mine.size());
    Finding& f = out.emplace_back(Finding{claim.id, claim.text, claim.source,
                                          d.point.substr(std::min<std::size_t>(2, d.point.size())),
                                          "Not measured.", Agreement::undecided,
                                          claim.source.empty(), false, claim.margin});
    for (std::size_t i = 0; i < d.rows.size(); ++i) f.measured.push_back({d.rows[i], mine[i]});
    if (d.rows.empty()) continue;
    f.one_seed =
        std::any_of(d.rows.begin(), d.rows.end(), [](const ResultRow* r) { return r->seeds == 1; });
    if (claim.slice.name == "*") {
      decide_most(claim, d.rows, mine, f);
    } else {
      f.here = claim.condition + " − " + claim.reference + ": " +
               single_text(*d.rows[0], mine[0], claim.margin);
      f.agreement = agreement(mine[0].verdict, claim.expected);
    }
  }
  return out;
}

}  // namespace gaze::phyx
