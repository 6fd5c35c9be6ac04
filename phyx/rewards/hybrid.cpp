// SPDX-License-Identifier: MIT
// Detecting claims, and adding the centred bonus to accuracy.
#include "phyx/rewards/hybrid.hpp"

#include <algorithm>
#include <cstddef>
#include <set>
#include <utility>

#include "gaze/text/strings.hpp"
#include "phyx/answer/arithmetic.hpp"
#include "phyx/rewards/accuracy.hpp"
#include "phyx/rewards/rubric.hpp"

namespace gaze::phyx {

namespace {

/// Bytes; longer words are not values read off a picture.
constexpr std::size_t longest_value = 64;

bool number_claim(const Problem& p, const ThinkSections& think) {
  NumberSet printed, used;
  for (double v : numbers_in(bare_question(p))) printed.add(v);
  for (const auto& step : think.steps)
    for (const auto& e : find_equations(step))
      for (double v : e.operands) used.add(v);
  const auto seen = numbers_in(think.look);
  return std::any_of(seen.begin(), seen.end(),
                     [&](double v) { return !printed.contains(v) && used.contains(v); });
}

// The conclusion repeats a word of the look, or the look states a value ("field = out") that the
// question does not print.
bool word_claim(const Problem& p, const ThinkSections& think, const std::string& answer) {
  const std::string said = think.conclusion.empty() ? answer : think.conclusion;
  if (!numbers_in(said).empty())
    return false;  // a unit's name may recur without being read off the picture
  if (think.look.size() > longest_think) return false;
  const auto look = text::split_words(text::lower(think.look));
  const auto said_words = text::split_words(text::lower(said));
  const std::set<std::string> words(said_words.begin(), said_words.end());
  const std::string printed = text::lower(bare_question(p));
  for (std::size_t i = 0; i < look.size(); ++i) {
    if (!text::has_word(look[i])) continue;
    if (look[i].size() > 1 && words.contains(look[i])) return true;
    const bool value = i > 0 && look[i - 1] == "=" && look[i].size() <= longest_value;
    if (value && text::find_phrase(printed, look[i]) == printed.npos) return true;
  }
  return false;
}

}  // namespace

bool claims_to_see(const Problem& problem, const ParsedResponse& response) {
  const ThinkSections think = split_think(response.think);
  if (!response.well_formed || !find_equations(think.look).empty()) return false;
  return number_claim(problem, think) || word_claim(problem, think, response.answer);
}

std::optional<double> hybrid_score(const RewardInput& in, const HybridConfig& config) {
  if (in.completion.attention.tokens <= 0) return std::nullopt;
  const double right = accuracy_score(in, config.attention.rule);
  if (right == 0) return 0.0;
  if (config.require_claim && !claims_to_see(in.problem, in.response)) return right;
  const auto look = look_score(in.completion, config.attention);
  if (!look) return right;
  const double uniform = config.centred ? .5 : 0;  // r / (1 + r) at r = 1
  return right * (1 + config.weight * (*look - uniform));
}

Reward make_hybrid_reward(HybridConfig config, std::string name) {
  const double low = 0, high = 1 + config.weight;
  return {
      std::move(name),
      "Accuracy with a small bonus or penalty for attention, if the look section makes a claim "
      "that the answer then uses.",
      "1[right] * (1 + .25 * (look - .5) * 1[claim])",
      "A right response can add a true but useless step with a number from the picture to get the "
      "bonus. The gain is bounded by an eighth of the accuracy term.",
      low,
      high,
      [config = std::move(config)](const RewardInput& in) { return hybrid_score(in, config); }};
}

}  // namespace gaze::phyx
