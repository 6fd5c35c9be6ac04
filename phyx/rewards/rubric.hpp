// SPDX-License-Identifier: MIT
// The rubric reward: five weighted terms against the reference solution. The study names answer,
// principle and unit; the two other terms and all weights are this project's own choice.
//
// A term that the problem cannot have (a unit for a word, steps for real data without a solution)
// is left out and the other weights are scaled up, so that the range stays 0 to 1.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "phyx/answer/arithmetic.hpp"
#include "phyx/answer/response.hpp"
#include "phyx/answer/strict_rule.hpp"
#include "phyx/rewards/reward.hpp"

namespace gaze::phyx {

struct RubricConfig {
  double answer = .40, principle = .20, unit = .15, numbers = .15, steps = .10;
  std::vector<std::string> principles;  // all known ones: naming another beside the right one fails
  JudgeConfig judge;
};

/// Each term in 0 to 1, or nothing where it does not apply.
struct RubricTerms {
  std::optional<double> answer, principle, unit, numbers, steps;
};

namespace rubric_detail {

using arithmetic_detail::NumberSet;

// Longer texts have no principle to find. A search for a phrase takes, at worst, the product of
// both lengths.
inline constexpr std::size_t longest_think = 16384, longest_principle = 256;

// `s` with a bar for every `phrase` in it.
inline std::string without_phrase(std::string_view s, std::string_view phrase) {
  std::string out;
  std::size_t from = 0;
  for (auto at = strings::find_phrase(s, phrase); at != s.npos;
       at = strings::find_phrase(s, phrase, from)) {
    out.append(s.substr(from, at - from)) += '|';
    from = at + phrase.size();
  }
  return out.append(s.substr(from));
}

// The right principle and no other. The clause "principle …" counts where there is one; free prose
// may name it anywhere, but only if the list of all principles is there to rule lists out.
inline bool names_principle(std::string_view think, const std::string& gold,
                            const std::vector<std::string>& all) {
  if (think.size() > longest_think || gold.size() > longest_principle) return false;
  const std::string said = strings::lower(strings::squeeze(think));
  const std::string want = strings::lower(strings::squeeze(gold));
  const auto named = split_think(said).principles;
  if (named.size() > 1 || (named.size() == 1 && named[0] != want)) return false;
  if (named.empty() && (all.empty() || strings::find_phrase(said, want) == said.npos)) return false;
  const std::string rest = without_phrase(said, want);
  return std::none_of(all.begin(), all.end(), [&](const std::string& p) {
    const std::string other = strings::lower(strings::squeeze(p));
    return other.size() <= longest_principle && other != want &&
           strings::find_phrase(rest, other) != rest.npos;
  });
}

// The question without the printed options: numbers may be taken from the one, not the other.
inline std::string bare_question(const Problem& p) {
  std::string out = p.question;
  for (const auto& option : p.options) {
    if (option.empty() || option.size() > answer_detail::longest_answer) continue;
    if (const auto at = out.rfind(option); at != out.npos) out.replace(at, option.size(), " ");
  }
  return out;
}

/// Where the numbers of a calculation may come from, and which it cannot do without.
struct Sources {
  NumberSet allowed;
  std::vector<double> needed;
};

inline Sources sources_of(const Problem& p, const std::vector<Equation>& gold) {
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

inline StepScores score_steps(const Problem& p, std::string_view think,
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
    if (!grounded || !e.holds) continue;  // a wrong result is no source for the next step
    known.add(std::abs(e.right));
    one_true = one_true || !e.trivial || in_gold.contains(e.operands);
  }
  const bool complete = std::all_of(sources.needed.begin(), sources.needed.end(),
                                    [&](double v) { return used.contains(v); });
  return {!steps.empty() && all_grounded && complete ? 1.0 : 0.0, one_true ? 1.0 : 0.0};
}

inline std::vector<std::string> phrases(const std::vector<std::string>& clauses) {
  std::vector<std::string> out;
  for (const auto& clause : clauses) {
    std::string phrase;
    for (const auto& word : strings::split_words(strings::lower(clause) + " ,")) {
      if (word != grammar.comma) {
        phrase += (phrase.empty() ? "" : " ") + word;
      } else if (!phrase.empty()) {
        out.push_back(std::exchange(phrase, {}));
      }
    }
  }
  return out;
}

// For word answers, the share of reference phrases said; saying more than there are dilutes it.
inline double score_phrases(const Solution& s, const ThinkSections& think) {
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

inline std::vector<Equation> gold_equations(const Solution& s) {
  std::vector<Equation> out;
  for (const auto& step : s.steps)
    for (auto& e : find_equations(step)) out.push_back(std::move(e));
  return out;
}

}  // namespace rubric_detail

/// The five terms. A response that is not well-formed has no text to mark: every term is 0.
inline RubricTerms rubric_terms(const RewardInput& in, const RubricConfig& config = {}) {
  namespace detail = rubric_detail;
  const Solution& s = in.problem.solution;
  const ParsedResponse parsed = parse_response(in.completion.text);
  const Verdict verdict = judge_answer(in.problem, parsed.answer, parsed.think, config.judge);
  const auto gold = detail::gold_equations(s);
  RubricTerms out;
  out.answer = verdict.correct;
  if (!s.principle.empty())
    out.principle = detail::names_principle(parsed.think, s.principle, config.principles);
  if (answer_detail::truth_of(in.problem).quantity) out.unit = verdict.unit_consistent;
  if (!gold.empty()) {
    const auto scores = detail::score_steps(in.problem, parsed.think, gold);
    out.numbers = scores.numbers;
    out.steps = scores.steps;
  } else if (!s.look.empty() || !s.steps.empty()) {
    out.steps = detail::score_phrases(s, split_think(parsed.think));
  }
  return out;
}

/// The weighted mean over the terms that apply.
inline double rubric_total(const RubricTerms& t, const RubricConfig& c = {}) {
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

inline Reward make_rubric_reward(RubricConfig config = {}, std::string name = "rubric") {
  return {std::move(name),
          "Five terms against the reference solution: answer right, the principle named (and no "
          "other), a number with a consistent unit, the needed numbers used and no invented ones, "
          "at least one true step (for words: what the picture shows).",
          "sum of w_i * term_i / sum of w_i over the terms that apply; w = .40 .20 .15 .15 .10",
          "Up to .6 without a right answer, so a small model may polish the form of wrong answers. "
          "Steps may be true and beside the point. Principles are matched by phrase.",
          0,
          1,
          [config = std::move(config)](const RewardInput& in) {
            return std::optional(rubric_total(rubric_terms(in, config), config));
          }};
}

}  // namespace gaze::phyx
