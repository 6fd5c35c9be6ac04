// SPDX-License-Identifier: MIT
// Cheating answers, each with a fair reader's scores, or those that a documented cheat earns: form,
// accuracy and, for some, the rubric's term for principles and other rewards, given attention
// masses and further answers.

#include "gaze/text/strings.hpp"
#include "phyx/answer/response.hpp"
#include "phyx/rewards/registry.hpp"
#include "phyx/rewards/rubric.hpp"
#include "tests/data.hpp"
#include "tests/numbers.hpp"
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

using Json = nlohmann::json;

Completion said(const std::string& text, const Json& one) {
  Completion c;
  c.text = text;
  c.ended = one.value("ended", true);
  c.tokens = gaze::text::split_words(text);
  c.length = static_cast<int>(c.tokens.size());
  return c;
}

/// Gives every token the masses "image", "region" and "prompt" of a case, next to .2 on the sink.
void add_attention(Completion& c, const Json& one) {
  AttentionTrace& t = c.attention;
  t = {c.length, 1, 1, {"image", "region", "sink", "text"}, {}, {}, 16, 4};
  for (int i = 0; i < c.length; ++i) {
    for (const char* mark : {"image", "region"}) t.mass.push_back(one.at(mark).get<float>());
    t.mass.insert(t.mass.end(), {.2f, one.at("prompt").get<float>()});
    t.keys.push_back(64);
  }
}

void check_rewards(const Problem& p, Completion c, const Json& one) {
  if (one.contains("image")) add_attention(c, one);
  const Completion from_look = said(one.value("from_look", ""), one);
  const Completion twin = said(one.value("twin", ""), one);
  RewardInput in(p, c);
  in.given = {one.contains("from_look"), false, one.contains("twin")};
  if (in.given.answer_from_look) in.from_look = &from_look;
  if (in.given.twin_swapped) in.twin = &twin;
  for (const auto& [name, want] : one.at("rewards").items()) {
    INFO(name);
    CHECK_THAT(make_reward(name).score(in).value(), gaze::test::near(want.get<double>(), 1e-5));
  }
}

}  // namespace

TEST_CASE("cheating answers get a fair reader's score", "[rewards]") {
  std::size_t cases = 0;
  for (const auto& one : json_lines(data_path("adversarial_rewards.jsonl"))) {
    INFO(one.dump());
    const Problem p = problem(one.at("problem").get<std::string>());
    const Completion c = said(one.at("text").get<std::string>(), one);
    CHECK(make_reward("format").score({p, c}) == one.at("format").get<double>());
    CHECK(make_reward("accuracy").score({p, c}) == one.at("accuracy").get<double>());
    if (one.contains("principle"))
      CHECK(rubric_terms({p, c}).principle == one.at("principle").get<double>());
    if (one.contains("rewards")) check_rewards(p, c, one);
    ++cases;
  }
  CHECK(cases == 96);
}

}  // namespace test_adversarial
