// SPDX-License-Identifier: MIT
// Detecting claims, and adding the centred bonus to accuracy.
#include "phyx/rewards/hybrid.hpp"

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/text/strings.hpp"
#include "phyx/answer/arithmetic.hpp"
#include "phyx/rewards/accuracy.hpp"
#include "phyx/rewards/rubric.hpp"

namespace gaze::phyx {

namespace {

/// Bytes; longer words are not values read off a picture.
constexpr std::size_t longest_value = 64;

/// The look score of uniform attention, r / (1 + r) at r = 1, with AttentionBaseline::uniform.
constexpr double uniform_score = .5;

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
  const double uniform = config.centred ? uniform_score : 0;
  return right * (1 + config.weight * (*look - uniform));
}

std::vector<float> hybrid_gradient(const RewardInput& in, const HybridConfig& config) {
  if (in.completion.attention.tokens <= 0 || accuracy_score(in, config.attention.rule) == 0)
    return {};
  if (config.require_claim && !claims_to_see(in.problem, in.response)) return {};
  auto out = look_gradient(in.completion, config.attention);
  for (float& x : out) x *= static_cast<float>(config.weight);
  return out;
}

Reward make_hybrid_reward(HybridConfig config, std::string name) {
  GAZE_CHECK(!config.centred || config.attention.baseline == AttentionBaseline::uniform,
             "hybrid_reward", name,
             ": baseline=none needs centred=false; the score that is "
             "subtracted is that of uniform attention with baseline=uniform");
  Reward out;
  out.name = std::move(name);
  out.doc =
      "Accuracy with a small bonus or penalty for attention on the image (with mark = region, on "
      "the annotated region), if the look section makes a claim that the answer then uses.";
  out.formula = "1[right] * (1 + weight * (look - 1/2) * 1[claim])";
  out.cheats =
      "A right response can add a true but useless step with a number from the picture to get the "
      "bonus. As a reward the bonus is at most weight / 2, but an advantage that divides by the "
      "group's deviation magnifies it in groups of right answers.";
  const double best = config.attention.baseline == AttentionBaseline::none
                          ? 1
                          : config.attention.cap / (1 + config.attention.cap);
  out.high = 1 + config.weight * (best - (config.centred ? uniform_score : 0));
  out.ungated = [look = config.attention](const RewardInput& in) {
    return look_score(in.completion, look);
  };
  out.attention_gradient = [config](const RewardInput& in) { return hybrid_gradient(in, config); };
  out.score = [config = std::move(config)](const RewardInput& in) {
    return hybrid_score(in, config);
  };
  return out;
}

RewardKind hybrid_kind() {
  using C = HybridConfig;
  using Mark = AttentionMark;
  OptionTable<C> table;
  table.add("weight", &C::weight, "weight of the bonus; 0: the accuracy reward", {0, 1});
  table.add("require_claim", &C::require_claim,
            "no bonus without a claim; false also pays symbolic problems for looking");
  table.add("centred", &C::centred,
            "subtract the score of uniform attention; false pays for making claims, and is "
            "required with baseline=none");
  table.add_choice(
      "mark", [](C & c) -> auto& { return c.attention.mark; },
      "whose attention is measured; the region needs boxes",
      std::vector<std::pair<std::string, Mark>>{{"image", Mark::image}, {"region", Mark::region}});
  add_look_options(
      table, [](C & c) -> auto& { return c.attention; });
  table.add("tolerance", [](C & c) -> auto& { return c.attention.rule.tolerance; },
            tolerance_meaning, {0, 1});
  return kind_of<C>(table, [](const C& c) { return make_hybrid_reward(c); });
}

}  // namespace gaze::phyx
