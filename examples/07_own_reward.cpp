// SPDX-License-Identifier: MIT
// A custom reward: a named function of a problem and a completion. Once registered, it works
// wherever a reward is named, and can be mixed with the built-in ones.
#include <cstdio>

#include "gaze/core/error.hpp"
#include "gaze/text/strings.hpp"
#include "phyx/answer/response.hpp"
#include "phyx/rewards/accuracy.hpp"
#include "phyx/rewards/registry.hpp"
#include "phyx/synth/suite.hpp"

using namespace gaze::phyx;

namespace {

// Rewards short correct answers: 1 up to 12 words, then less.
Reward make_brevity_reward() {
  return {"brevity",
          "A right answer in few words.",
          "accuracy * min(1, 12 / words)",
          "Leaves out the thinking as soon as a guess does as well.",
          0,
          1,
          [](const RewardInput& in) {
            const double words =
                static_cast<double>(gaze::text::split_words(in.completion.text).size());
            return std::optional(accuracy_score(in) * std::min(1.0, 12 / words));
          }};
}

void print_scores(const RewardMix& mix, const RewardInput& input) {
  const MixScore result = score(mix, input);
  std::printf("%s\n", input.completion.text.c_str());
  for (std::size_t i = 0; i < mix.terms.size(); ++i)
    std::printf("  %-10s %.3f  x %.1f\n", mix.terms[i].reward.name.c_str(),
                result.parts[i].value_or(0), mix.terms[i].weight);
  std::printf("  total      %.3f\n\n", result.total);
}

}  // namespace

int main() {
  add_reward(make_brevity_reward());

  const auto& family = synth::find_template("push_acceleration");
  const Problem problem = synth::sample(family, 4).oe;
  std::printf("Q: %s\n\n", problem.question.c_str());

  Completion full, curt;
  full.text = gold_response(problem);
  curt.text = "<think> guess </think> <answer> " + problem.answer + " </answer>";

  const RewardMix mix = mix_of({{"brevity", 1.0}, {"rubric", 1.0}, {"format", 0.5}});
  print_scores(mix, {problem, full});
  print_scores(mix, {problem, curt});

  // A name can be registered once, so results identify their reward.
  try {
    add_reward(make_brevity_reward());
  } catch (const gaze::Error& e) {
    std::printf("%s\n", e.what());
  }
}
