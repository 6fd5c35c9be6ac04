// SPDX-License-Identifier: MIT
// Scoring completions by every rule.
#include "phyx/eval/attempt.hpp"

#include <cstddef>
#include <limits>
#include <optional>

#include "phyx/answer/strict_rule.hpp"
#include "phyx/rewards/attention.hpp"
#include "phyx/rewards/look_facts.hpp"
#include "phyx/rewards/rubric.hpp"
#include "phyx/scoring/official.hpp"

namespace gaze::phyx {

float image_mass(const AttentionTrace& a) {
  if (a.mass.empty()) return std::numeric_limits<float>::quiet_NaN();
  double total = 0;
  for (std::size_t i = 0; i < a.mass.size(); i += a.marks.size()) total += a.mass[i];
  return static_cast<float>(total * static_cast<double>(a.marks.size()) /
                            static_cast<double>(a.mass.size()));
}

namespace {

float number(std::optional<double> x) {
  return x ? static_cast<float>(*x) : std::numeric_limits<float>::quiet_NaN();
}

}  // namespace

Attempt score_attempt(const Problem& problem, const phyx::Completion& c) {
  const RewardInput input(problem, c);
  const Grade verdict = grade_completion(problem, c.text, input.response);
  Attempt a;
  a.correct = verdict.correct;
  a.parsed = verdict.parsed;
  a.well_formed = input.response.well_formed && c.ended;
  a.official = score_official(problem.form, problem.answer, c.text).match;
  a.principle = rubric_terms(input).principle > 0;
  a.unit = verdict.unit_consistent;
  a.truncated = !c.ended;
  a.length = c.length;
  a.attention = image_mass(c.attention);
  a.look_score = number(look_score(c));
  const LookFacts facts = look_facts(problem, input.response);
  a.look_facts = facts.gold;
  a.look_right = facts.right;
  return a;
}

Outcome unanswered_outcome(const Problem& p) {
  Outcome o;
  o.index = full_index(p);
  o.scene = p.picture_id;
  o.form = p.form;
  o.split = p.split == "test_new" ? "new" : "known";
  o.domain = p.category;
  o.subfield = p.subfield;
  o.reasoning = p.reasoning;
  o.template_id = p.template_id;
  o.needs_image = p.needs_image;
  o.layout_only = p.layout_only;
  return o;
}

}  // namespace gaze::phyx
