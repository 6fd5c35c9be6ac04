// SPDX-License-Identifier: MIT
// Deciding all comparisons of all claims at once, and the text of each row.
#include "phyx/report/findings.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "phyx/report/number_text.hpp"

namespace gaze::phyx {

namespace {

/// The rows that measure a claim: one, or one for each slice of a kind.
std::vector<const ResultRow*> rows_of(const Claim& claim, const ResultIndex& results,
                                      bool has_known) {
  const auto& s = claim.slice;
  const std::string split = s.split == "known" && !has_known ? "all" : s.split;
  const std::string metric = difference_metric(claim);
  if (s.name == "*") return results.find_all(claim.condition, metric, split, s.format, s.kind);
  const auto* row = results.find(claim.condition, metric, split, s.format, s.kind, s.name);
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
  return signed_points(r.value) + " " + points_interval(r) + " points: " + verdict_text(d, margin) +
         caution(r) + ".";
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
            " " + points_interval(*rows[i]) + " (" + std::string(verdict_name(v)) + ")";
  }
  f.here = std::string(verdict_name(claim.expected)) + " in " + std::to_string(expected) + " of " +
           std::to_string(rows.size()) + ", margin " + report::fixed(claim.margin * 100, 0) +
           " points: " + each + caution(*rows.front()) + ".";
  f.agreement = 2 * expected > rows.size() ? Agreement::agree
                : 2 * other >= rows.size() ? Agreement::no
                                           : Agreement::undecided;
}

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

ResultIndex::ResultIndex(const std::vector<ResultRow>& rows) {
  for (const auto& r : rows)
    if (r.seed == "all")
      index_.emplace(Key{r.condition, r.metric, r.split, r.format, r.slice_kind, r.slice}, &r);
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
  std::vector<std::vector<const ResultRow*>> measured;
  std::vector<Comparison> family;
  for (const auto& claim : claims) {
    measured.push_back(rows_of(claim, results, has_known));
    for (const auto* r : measured.back()) family.push_back({interval_of(*r), claim.margin});
  }
  const auto decisions = holm(std::span<const Comparison>(family));
  std::vector<Finding> out;
  auto next = decisions.begin();
  for (std::size_t i = 0; i < claims.size(); ++i) {
    const Claim& claim = claims[i];
    const std::vector<Decision> mine(next, next + std::ptrdiff_t(measured[i].size()));
    next += std::ptrdiff_t(mine.size());
    Finding& f = out.emplace_back(Finding{claim.id, claim.text, claim.source, "Not measured.",
                                          Agreement::undecided, claim.source.empty(), false});
    if (mine.empty()) continue;
    f.one_seed = std::any_of(measured[i].begin(), measured[i].end(),
                             [](const ResultRow* r) { return r->seeds == 1; });
    if (claim.slice.name == "*") {
      decide_most(claim, measured[i], mine, f);
    } else {
      f.here = claim.condition + " − " + claim.reference + ": " +
               single_text(*measured[i][0], mine[0], claim.margin);
      f.agreement = agreement(mine[0].verdict, claim.expected);
    }
  }
  return out;
}

}  // namespace gaze::phyx
