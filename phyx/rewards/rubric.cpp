// SPDX-License-Identifier: MIT
// The principle is matched by phrase, numbers and steps by the equations of the think text.
#include "phyx/rewards/rubric.hpp"

#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>
#include <utility>

#include "gaze/text/strings.hpp"
#include "phyx/answer/arithmetic.hpp"
#include "phyx/answer/choice.hpp"
#include "phyx/answer/response.hpp"
#include "phyx/answer/subfields.hpp"
#include "phyx/rewards/accuracy.hpp"

namespace gaze::phyx {

namespace {

constexpr std::size_t longest_principle = 256;

// Replaces every `phrase` in `s` by a bar.
std::string without_phrase(std::string_view s, std::string_view phrase) {
  std::string out;
  std::size_t from = 0;
  for (auto at = text::find_phrase(s, phrase); at != s.npos;
       at = text::find_phrase(s, phrase, from)) {
    out.append(s.substr(from, at - from)) += '|';
    from = at + phrase.size();
  }
  return out.append(s.substr(from));
}

// Whether the text names the right principle and no other. A clause "principle …" decides if there
// is one; otherwise prose may name it anywhere, if `all` is known, to exclude enumerations.
bool names_principle(std::string_view think, const std::string& gold,
                     const std::vector<std::string>& all) {
  if (think.size() > longest_think || gold.size() > longest_principle) return false;
  const std::string said = text::lower(text::squeeze(think));
  const std::string want = text::lower(text::squeeze(gold));
  const auto named = split_think(said).principles;
  if (named.size() > 1 || (named.size() == 1 && named[0] != want)) return false;
  if (named.empty() && (all.empty() || text::find_phrase(said, want) == said.npos)) return false;
  const std::string rest = without_phrase(said, want);
  return std::none_of(all.begin(), all.end(), [&](const std::string& p) {
    const std::string other = text::lower(text::squeeze(p));
    return other.size() <= longest_principle && other != want &&
           text::find_phrase(rest, other) != rest.npos;
  });
}

/// The numbers that a calculation may use, and those it must use.
struct Sources {
  NumberSet allowed;
  std::vector<double> needed;
};

Sources sources_of(const Problem& p, const std::vector<Equation>& gold) {
  Sources out;
  NumberSet given, results;
  for (double v : numbers_in(bare_question(p))) given.add(v);
  for (const auto& phrase : p.solution.look)
    for (double v : numbers_in(phrase)) given.add(v);
  out.allowed = given;
  for (const auto& e : gold) {
    for (double v : e.operands) {
      if (results.contains(v)) continue;
      if (given.contains(v))
        out.needed.push_back(v);
      else
        out.allowed.add(v);
    }
    results.add(std::abs(e.right));
  }
  return out;
}

struct StepScores {
  double numbers = 0, steps = 0;
};

StepScores score_steps(const Problem& p, std::string_view think,
                       const std::vector<Equation>& gold) {
  const Sources sources = sources_of(p, gold);
  NumberSet known = sources.allowed, used;
  std::set<std::vector<double>> in_gold;
  for (const auto& e : gold) in_gold.insert(e.operands);
  bool all_grounded = true, one_true = false;
  const auto steps = find_equations(think);
  for (const auto& e : steps) {
    const bool grounded = std::all_of(e.operands.begin(), e.operands.end(),
                                      [&](double v) { return known.contains(v); });
    all_grounded = all_grounded && grounded;
    for (double v : e.operands) used.add(v);
    if (!grounded || !e.holds) continue;  // the next step may not use a wrong result
    known.add(std::abs(e.right));
    one_true = one_true || !e.trivial || in_gold.contains(e.operands);
  }
  const bool complete = std::all_of(sources.needed.begin(), sources.needed.end(),
                                    [&](double v) { return used.contains(v); });
  return {!steps.empty() && all_grounded && complete ? 1.0 : 0.0, one_true ? 1.0 : 0.0};
}

std::vector<std::string> phrases(const std::vector<std::string>& clauses) {
  std::vector<std::string> out;
  for (const auto& clause : clauses) {
    std::string phrase;
    for (const auto& word : text::split_words(text::lower(clause) + " ,")) {
      if (word != grammar.comma) {
        phrase += (phrase.empty() ? "" : " ") + word;
      } else if (!phrase.empty()) {
        out.push_back(std::exchange(phrase, {}));
      }
    }
  }
  return out;
}

// For word answers: the share of reference phrases stated; extra phrases dilute it.
double score_phrases(const Solution& s, const ThinkSections& think) {
  std::vector<std::string> clauses = s.look;
  clauses.insert(clauses.end(), s.steps.begin(), s.steps.end());
  const auto gold = phrases(clauses);
  clauses = think.steps;
  clauses.push_back(think.look);
  const auto said = phrases(clauses);
  if (gold.empty() || said.empty()) return 0;
  const std::set<std::string> there(said.begin(), said.end());
  const auto hits = std::count_if(gold.begin(), gold.end(),
                                  [&](const std::string& g) { return there.contains(g); });
  return static_cast<double>(hits) / static_cast<double>(std::max(gold.size(), said.size()));
}

std::vector<Equation> gold_equations(const Solution& s) {
  std::vector<Equation> out;
  for (const auto& step : s.steps)
    for (auto& e : find_equations(step)) out.push_back(std::move(e));
  return out;
}

}  // namespace

std::string bare_question(const Problem& p) {
  std::string out = p.question;
  for (const auto& option : p.options) {
    if (option.empty() || option.size() > longest_answer) continue;
    if (const auto at = out.rfind(option); at != out.npos) out.replace(at, option.size(), " ");
  }
  return out;
}

RubricTerms rubric_terms(const RewardInput& in, const RubricConfig& config) {
  const Solution& s = in.problem.solution;
  const ParsedResponse& response = in.response;
  const Grade verdict = grade_answer(in.problem, response.answer, response.think, config.rule);
  const auto gold = gold_equations(s);
  RubricTerms out;
  out.answer = verdict.correct;
  if (!s.principle.empty())
    out.principle = names_principle(response.think, s.principle, config.principles);
  if (truth_of(in.problem).quantity) out.unit = verdict.unit_consistent;
  if (!gold.empty()) {
    const auto scores = score_steps(in.problem, response.think, gold);
    out.numbers = scores.numbers;
    out.steps = scores.steps;
  } else if (!s.look.empty() || !s.steps.empty()) {
    out.steps = score_phrases(s, split_think(response.think));
  } else if (s.principle.empty() && is_known_subfield(in.problem.subfield)) {
    const std::string_view think = response.think;
    const auto steps = find_equations(think);
    out.principle =
        think.size() <= longest_think && names_subfield_principle(think, in.problem.subfield);
    out.steps = std::any_of(steps.begin(), steps.end(),
                            [](const Equation& e) { return e.holds && !e.trivial; });
  }
  return out;
}

double rubric_total(const RubricTerms& t, const RubricConfig& c) {
  double sum = 0, weights = 0;
  const std::pair<double, const std::optional<double>*> terms[] = {{c.answer, &t.answer},
                                                                   {c.principle, &t.principle},
                                                                   {c.unit, &t.unit},
                                                                   {c.numbers, &t.numbers},
                                                                   {c.steps, &t.steps}};
  for (const auto& [weight, term] : terms) {
    if (!*term) continue;
    sum += weight * **term;
    weights += weight;
  }
  return weights > 0 ? sum / weights : 0;
}

Reward make_rubric_reward(RubricConfig config, std::string name) {
  return {
      std::move(name),
      "Five terms against the reference solution: right answer, the principle named (and no "
      "other), a number with a consistent unit, the required numbers used and no invented ones, "
      "at least one true step (for words: facts from the picture).",
      "sum of weight * term / sum of weights, over the terms that apply",
      "By default up to .6 without a right answer, so a small model may improve only the form of "
      "wrong answers. Steps may be true but irrelevant. Principles are matched by phrase.",
      0,
      1,
      [config = std::move(config)](const RewardInput& in) {
        return std::optional(rubric_total(rubric_terms(in, config), config));
      }};
}

RewardKind rubric_kind() {
  using C = RubricConfig;
  OptionTable<C> table;
  table.add("answer", &C::answer, "weight of a right answer", {0});
  table.add("principle", &C::principle, "weight of naming the right principle alone", {0});
  table.add("unit", &C::unit, "weight of a number with a consistent unit", {0});
  table.add("numbers", &C::numbers, "weight of using the required numbers and no invented ones",
            {0});
  table.add("steps", &C::steps, "weight of a true step, or for words of facts in the picture", {0});
  table.add("principles", &C::principles,
            "all known principles: then one may be named anywhere in free prose");
  add_tolerance(table);
  return kind_of<C>(table, [](const C& c) { return make_rubric_reward(c); });
}

}  // namespace gaze::phyx
