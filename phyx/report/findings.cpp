// SPDX-License-Identifier: MIT
// The claims, and their decision by intervals.
#include "phyx/report/findings.hpp"

#include <cmath>
#include <string>
#include <tuple>
#include <vector>

#include "phyx/problem.hpp"
#include "phyx/report/number_text.hpp"
#include "phyx/results/csv.hpp"

namespace gaze::phyx {

namespace {

enum class Expect { more, less, no_more, no_less, same };

/// One difference of a claim.
struct Test {
  const char* label;  // in the text
  const char* condition;
  const char* metric;  // "<metric>_vs_<reference>"
  const char* format;
  const char* kind;
  const char* slice;
  Expect expect;
};

struct Claim {
  const char* text;
  const char* source;
  bool own;
  std::vector<Test> tests;  // all must hold
};

constexpr const char* spatial = "Spatial Relation Reasoning";

const std::vector<Claim>& study_claims() {
  static const std::vector<Claim> claims = {
      {"GRPO with accuracy rewards beats supervised fine-tuning, in both formats.",
       "abstract",
       false,
       {{"MC", "accuracy", "accuracy_sampled_vs_sft", "MC", "overall", "all", Expect::more},
        {"OE", "accuracy", "accuracy_sampled_vs_sft", "OE", "overall", "all", Expect::more}}},
      {"Accuracy rewards score higher than the rubric on multiple choice (0.462 against 0.440).",
       "a third party's note",
       false,
       {{"rubric − accuracy, MC", "rubric", "accuracy_sampled_vs_accuracy", "MC", "overall", "all",
         Expect::less}}},
      {"The rubric improves structured reasoning …",
       "abstract",
       false,
       {{"principle, rubric − sft", "rubric", "principle_vs_sft", "all", "overall", "all",
         Expect::more},
        {"unit, rubric − sft", "rubric", "unit_vs_sft", "all", "overall", "all", Expect::more}}},
      {"… without a consistent gain in accuracy over the accuracy reward.",
       "abstract",
       false,
       {{"rubric − accuracy", "rubric", "accuracy_sampled_vs_accuracy", "all", "overall", "all",
         Expect::no_more}}},
      {"The attention reward lifts spatial reasoning (0.27 to 0.50).",
       "abstract; the baseline of 0.27 could not be verified",
       false,
       {{"spatial, attention − sft", "attention", "accuracy_sampled_vs_sft", "all", "reasoning",
         spatial, Expect::more}}},
      {"On spatial reasoning the attention reward is better than the accuracy reward.",
       "implied by the abstract",
       false,
       {{"spatial, attention − accuracy", "attention", "accuracy_sampled_vs_accuracy", "all",
         "reasoning", spatial, Expect::more}}},
      {"The attention reward degrades symbolic domains.",
       "abstract; here: problems answerable from the text alone, and numerical reasoning",
       false,
       {{"text only, attention − sft", "attention", "accuracy_sampled_vs_sft", "all", "needs_image",
         "no", Expect::less},
        {"numerical, attention − sft", "attention", "accuracy_sampled_vs_sft", "all", "reasoning",
         "Numerical Reasoning", Expect::less}}},
  };
  return claims;
}

const std::vector<Claim>& own_claims() {
  static const std::vector<Claim> claims = {
      {"Does the accuracy reward beat continued supervised training with the same compute?",
       "this project",
       true,
       {{"accuracy − sft_more, sampled", "accuracy", "accuracy_sampled_vs_sft_more", "all",
         "overall", "all", Expect::more},
        {"accuracy − sft_more, greedy", "accuracy", "accuracy_greedy_vs_sft_more", "all", "overall",
         "all", Expect::more}}},
      {"Does it beat the same supervised training on clean responses only?",
       "this project",
       true,
       {{"accuracy − sft_clean, sampled", "accuracy", "accuracy_sampled_vs_sft_clean", "all",
         "overall", "all", Expect::more},
        {"accuracy − sft_clean, greedy", "accuracy", "accuracy_greedy_vs_sft_clean", "all",
         "overall", "all", Expect::more}}},
      {"Does the hybrid reward beat the accuracy reward on spatial problems without loss on "
       "symbolic ones?",
       "this project",
       true,
       {{"spatial, hybrid − accuracy", "hybrid", "accuracy_sampled_vs_accuracy", "all", "reasoning",
         spatial, Expect::more},
        {"text only, hybrid − accuracy", "hybrid", "accuracy_sampled_vs_accuracy", "all",
         "needs_image", "no", Expect::no_less}}},
      {"Does rewarding format alone leave accuracy unchanged?",
       "this project",
       true,
       {{"format − sft", "format", "accuracy_sampled_vs_sft", "all", "overall", "all",
         Expect::same}}},
  };
  return claims;
}

Agreement decide_difference(const ResultRow& r, Expect expect) {
  const double low = r.low, high = r.high, margin = negligible_difference;
  switch (expect) {
    case Expect::more:
      return low > 0 ? Agreement::agree : high < 0 ? Agreement::no : Agreement::undecided;
    case Expect::less:
      return high < 0 ? Agreement::agree : low > 0 ? Agreement::no : Agreement::undecided;
    case Expect::no_more:
      return high < margin ? Agreement::agree : low > 0 ? Agreement::no : Agreement::undecided;
    case Expect::no_less:
      return low > -margin ? Agreement::agree : high < 0 ? Agreement::no : Agreement::undecided;
    case Expect::same:
      return low > -margin && high < margin ? Agreement::agree
             : low > 0 || high < 0          ? Agreement::no
                                            : Agreement::undecided;
  }
  return Agreement::undecided;
}

/// All must hold: one "no" refutes the claim, one "undecided" leaves it open.
Agreement both(Agreement a, Agreement b) {
  if (a == Agreement::no || b == Agreement::no) return Agreement::no;
  return a == Agreement::agree && b == Agreement::agree ? Agreement::agree : Agreement::undecided;
}

std::string difference_text(const char* label, const ResultRow* r) {
  if (!r) return std::string(label) + ": not measured";
  return std::string(label) + ": " + signed_points(r->value) + " " + points_interval(*r) +
         " points";
}

Finding decide_claim(const Claim& claim, const ResultIndex& results, const std::string& split) {
  Finding f{claim.text, claim.source, "", Agreement::agree, claim.own};
  for (const auto& t : claim.tests) {
    const ResultRow* r = results.find(t.condition, t.metric, split, t.format, t.kind, t.slice);
    f.here += (f.here.empty() ? "" : "; ") + difference_text(t.label, r);
    f.verdict = both(f.verdict, r ? decide_difference(*r, t.expect) : Agreement::undecided);
  }
  f.here += ".";
  return f;
}

/// Gains on most domains: more than half of the intervals lie above 0. Refuted if half or more lie
/// below the negligible difference.
Finding decide_domains(const ResultIndex& results, const std::string& split) {
  Finding f{"The accuracy reward gains on most domains; gains vary by domain.", "abstract", "",
            Agreement::undecided, false};
  int up = 0, flat = 0, measured = 0;
  for (const char* domain : domains) {
    const auto* r =
        results.find("accuracy", "accuracy_sampled_vs_sft", split, "all", "domain", domain);
    if (!r) continue;
    ++measured;
    up += r->low > 0;
    flat += r->high < negligible_difference;
    f.here += (f.here.empty() ? "" : "; ") + std::string(domain) + " " + signed_points(r->value) +
              (r->low > 0    ? ""
               : r->high < 0 ? " (below 0)"
                             : " (includes 0)");
  }
  if (measured == 0) {
    f.here = "Not measured.";
    return f;
  }
  f.here = "Above sft on " + std::to_string(up) + " of " + std::to_string(measured) +
           " domains: " + f.here + ".";
  if (2 * up > measured) f.verdict = Agreement::agree;
  if (2 * flat >= measured) f.verdict = Agreement::no;
  return f;
}

/// A sampled gain alone may only mean that the better of the model's existing modes is sampled more
/// often. A greedy gain indicates new ability.
Finding decide_ability(const ResultIndex& results, const std::string& split) {
  Finding f{
      "Is the gain of the accuracy reward new ability (greedy answers improve too), or only a "
      "better choice among existing modes (only sampled answers improve)?",
      "this project", "", Agreement::undecided, true};
  const auto* sampled = results.find("accuracy", "accuracy_sampled_vs_sft", split);
  const auto* greedy = results.find("accuracy", "accuracy_greedy_vs_sft", split);
  f.here = difference_text("sampled", sampled) + "; " + difference_text("greedy", greedy) + ". ";
  if (!sampled || !greedy) return f;
  if (sampled->low <= 0) {
    f.here += "Sampled answers show no clear gain.";
  } else if (greedy->low > 0) {
    f.verdict = Agreement::agree;
    f.here += "Greedy answers improve too: more than a choice of modes.";
  } else if (greedy->high < negligible_difference) {
    f.verdict = Agreement::no;
    f.here += "Greedy answers do not improve: a better choice of modes, not new ability.";
  } else {
    f.here += "The greedy interval includes 0: both explanations remain open.";
  }
  return f;
}

}  // namespace

std::string verdict_text(const Finding& f) {
  if (f.verdict == Agreement::undecided) return "undecided";
  if (f.own) return f.verdict == Agreement::agree ? "yes" : "no";
  return f.verdict == Agreement::agree ? "agrees" : "does not agree";
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
      index_.emplace(std::tie(r.condition, r.split, r.format, r.slice_kind, r.slice, r.metric), &r);
}

const ResultRow* ResultIndex::find(const std::string& condition, const std::string& metric,
                                   const std::string& split, const std::string& format,
                                   const std::string& kind, const std::string& slice) const {
  const auto found = index_.find({condition, split, format, kind, slice, metric});
  return found == index_.end() ? nullptr : found->second;
}

std::vector<Finding> decide_findings(const std::vector<ResultRow>& rows) {
  const ResultIndex results(rows);
  bool known = false;
  for (const auto& r : rows) known = known || r.split == "known";
  const std::string split = known ? "known" : "all";
  std::vector<Finding> out;
  for (const auto& claim : study_claims()) {
    out.push_back(decide_claim(claim, results, split));
    if (out.size() == 1) out.push_back(decide_domains(results, split));
  }
  out.push_back(decide_ability(results, split));
  for (const auto& claim : own_claims()) out.push_back(decide_claim(claim, results, split));
  return out;
}

}  // namespace gaze::phyx
