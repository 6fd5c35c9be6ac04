// SPDX-License-Identifier: MIT
// Cheating answers, each with a fair reader's scores: form, accuracy and, for some, the rubric's
// term for principles.

#include "gaze/text/strings.hpp"
#include "phyx/answer/response.hpp"
#include "phyx/rewards/registry.hpp"
#include "phyx/rewards/rubric.hpp"
#include "tests/data.hpp"
#include "tests/test.hpp"

namespace test_adversarial {

using namespace gaze::phyx;
using gaze::test::data_path;
using gaze::test::json_lines;

namespace {

/// "open": 10 N; "choice": the same with four options; "word": left.
Problem problem(const std::string& kind) {
  Problem p;
  if (kind == "word") {
    p.question = "On which side of the box is the ball?";
    p.answer = "left";
    p.solution = {{"ball left"}, "position", {}, "left", ""};
    return p;
  }
  p.question = "A block is pushed with acceleration 2 m/s^2. Find the force.";
  p.answer = "10 N";
  p.solution = {{"mass = 5 kg"}, "newton second law", {"5 * 2 = 10"}, "10", "N"};
  if (kind == "open") return p;
  REQUIRE(kind == "choice");
  p.form = Form::mc;
  p.options = {"5 N", "10 N", "20 N", "2 N"};
  p.answer = "B";
  p.question += " OPTION: A: 5 N B: 10 N C: 20 N D: 2 N";
  return p;
}

}  // namespace

TEST_CASE("cheating answers get a fair reader's score", "[rewards]") {
  std::size_t cases = 0;
  for (const auto& one : json_lines(data_path("adversarial_rewards.jsonl"))) {
    INFO(one.dump());
    const Problem p = problem(one.at("problem").get<std::string>());
    Completion c;
    c.text = one.at("text").get<std::string>();
    c.ended = one.value("ended", true);
    c.tokens = gaze::text::split_words(c.text);
    c.length = static_cast<int>(c.tokens.size());
    CHECK(make_reward("format").score({p, c}) == one.at("format").get<double>());
    CHECK(make_reward("accuracy").score({p, c}) == one.at("accuracy").get<double>());
    if (one.contains("principle"))
      CHECK(rubric_terms({p, c}).principle == one.at("principle").get<double>());
    ++cases;
  }
  CHECK(cases >= 60);
}

}  // namespace test_adversarial
