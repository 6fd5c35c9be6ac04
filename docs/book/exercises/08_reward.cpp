// SPDX-License-Identifier: MIT
// Exercise 8: a reward for short answers that cannot be raised by being wrong. As it stands the
// empty answer is best. Pay min(1, 30 / words), but only for a right answer in a well-formed
// response.
#include "docs/book/exercises/check.hpp"
#include "gaze/text/strings.hpp"
#include "phyx/answer/response.hpp"
#include "phyx/rewards/accuracy.hpp"
#include "phyx/synth/suite.hpp"

using namespace gaze;
using namespace gaze::phyx;

namespace {

double brevity(const RewardInput& in) {
  const auto words = static_cast<double>(text::split_words(in.completion.text).size());
  // YOUR CODE: begin
  return std::min(1.0, 30 / std::max(1.0, words));
  // YOUR CODE: end
}

double score_of(const Problem& problem, const std::string& text) {
  phyx::Completion completion;
  completion.text = text;
  return brevity({problem, completion});
}

}  // namespace

int main() {
  exercise::Check check;
  const Problem p = synth::sample(synth::find_template("lever_balance"), 1, 64).mc;
  const std::string right = " <answer> " + p.answer + " </answer>";
  const std::string wrong =
      std::string(" <answer> ") + (p.answer == "A" ? "B" : "A") + " </answer>";
  std::string long_thought = "<think> so";
  for (int i = 0; i < 54; ++i) long_thought += " and";
  check.near("right and short", score_of(p, "<think> so </think>" + right), 1);
  check.near("right, 60 words", score_of(p, long_thought + " </think>" + right), 0.5);
  check.near("wrong and short", score_of(p, "<think> so </think>" + wrong), 0);
  check.near("no thought", score_of(p, right), 0);
  check.near("nothing", score_of(p, ""), 0);
  return check.verdict();
}
