// SPDX-License-Identifier: MIT
// Answers made to cheat, each with what a fair reader would give it: form, accuracy, and where it
// is about principles the rubric's term for them.
#include <fstream>
#include <nlohmann/json.hpp>

#include "gaze/text/strings.hpp"
#include "phyx/answer/response.hpp"
#include "phyx/rewards/registry.hpp"
#include "phyx/rewards/rubric.hpp"
#include "tests/test.hpp"

#ifndef GAZE_TEST_DATA
#define GAZE_TEST_DATA "tests/data"
#endif

using namespace gaze::phyx;

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

TEST_CASE("answers made to cheat get what a fair reader would give", "[rewards]") {
  std::ifstream lines(std::string(GAZE_TEST_DATA) + "/adversarial_rewards.jsonl");
  std::size_t cases = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto one = nlohmann::json::parse(line);
    INFO(one.dump());
    const Problem p = problem(one.at("problem").get<std::string>());
    Completion c;
    c.text = one.at("text").get<std::string>();
    c.ended = one.value("ended", true);
    c.tokens = gaze::text::split_words(c.text);
    c.length = static_cast<int>(c.tokens.size());
    CHECK(reward("format").score({p, c}) == one.at("format").get<double>());
    CHECK(reward("accuracy").score({p, c}) == one.at("accuracy").get<double>());
    if (one.contains("principle"))
      CHECK(rubric_terms({p, c}).principle == one.at("principle").get<double>());
    ++cases;
  }
  CHECK(cases >= 60);
}
