// SPDX-License-Identifier: MIT
// The response grammar: gold and caption texts, the strict parser, and corrupted responses.
#include "phyx/answer/response.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include "gaze/core/error.hpp"
#include "tests/numbers.hpp"
#include "tests/test.hpp"

namespace test_response {

using namespace gaze::phyx;
using gaze::test::near;

namespace {

Problem open_problem() {
  Problem p;
  p.index = "7";
  p.form = Form::oe;
  p.question = "Find the force. Please answer the question with step by step reasoning.";
  p.answer = "10";
  p.template_id = "force";
  p.solution = {
      {"mass = 5 kg", "acceleration = 2 m/s^2"}, "newton second law", {"5 * 2 = 10"}, "10", "N"};
  p.scene.caption = "a  block ,  mass 5";
  return p;
}

Problem choice_problem() {
  Problem p = open_problem();
  p.form = Form::mc;
  p.options = {"5 N", "10 N", "20 N", "2 N"};
  p.answer = "B";
  return p;
}

}  // namespace

TEST_CASE("gold responses follow the grammar", "[response]") {
  CHECK(gold_response(open_problem()) ==
        "<think> mass = 5 kg , acceleration = 2 m/s^2 . principle newton second law . 5 * 2 = 10 "
        ". so 10 N </think> <answer> 10 N </answer>");
  CHECK(gold_response(choice_problem()) ==
        "<think> mass = 5 kg , acceleration = 2 m/s^2 . principle newton second law . 5 * 2 = 10 "
        ". so 10 N : B </think> <answer> B </answer>");
  CHECK(caption_response(open_problem()) == "a block , mass 5");
}

TEST_CASE("empty sections are left out with their stop", "[response]") {
  Problem p = open_problem();
  p.solution.look.clear();
  p.solution.steps.clear();
  CHECK(gold_response(p) ==
        "<think> principle newton second law . so 10 N </think> <answer> 10 N </answer>");
  p.solution = {};
  CHECK(gold_response(p) == "<think> so 10 </think> <answer> 10 </answer>");
}

TEST_CASE("problems that cannot be written are errors", "[response]") {
  Problem p = choice_problem();
  p.answer = "E";
  CHECK_THROWS_AS(gold_response(p), gaze::Error);
  p = open_problem();
  p.solution.value.clear();
  p.answer.clear();
  CHECK_THROWS_AS(gold_response(p), gaze::Error);
  p.scene.caption = "  ";
  CHECK_THROWS_AS(caption_response(p), gaze::Error);
}

TEST_CASE("the strict parser accepts one shape only", "[response]") {
  const auto good = parse_response(" <think> a </think>\n<answer> 12 N </answer> \n");
  CHECK(good.well_formed);
  CHECK(good.think == "a");
  CHECK(good.answer == "12 N");
  CHECK(good.answer_text == "12 N");

  const std::vector<std::string> bad = {
      "",
      "12 N",
      "<answer> 12 N </answer>",
      "<think> a </think>",
      "<think> a </think> 12 N",
      "<think></think><answer> 12 N </answer>",
      "<think>   </think><answer> 12 N </answer>",
      "<think> a </think><answer>  </answer>",
      "<think> a <answer> 12 N </answer>",
      "a </think> <answer> 12 N </answer>",
      "<think> a </think> <answer> 12 N",
      "<think> a </think> 12 N </answer>",
      "<answer> 12 N </answer> <think> a </think>",
      "<think> a <answer> 12 N </answer> </think>",
      "<answer> <think> a </think> 12 N </answer>",
      "<think> <think> a </think> </think> <answer> 12 N </answer>",
      "<think> a </think> <think> b </think> <answer> 12 N </answer>",
      "<think> a </think> <answer> 12 N </answer> <answer> 13 N </answer>",
      "<think> a </think> <answer> 12 N </answer> done",
      "sure <think> a </think> <answer> 12 N </answer>",
      "<think> a </think> so <answer> 12 N </answer>",
      "</think> a <think> <answer> 12 N </answer>",
      "<think> a </think> </answer> 12 N <answer>",
      "<THINK> a </THINK> <ANSWER> 12 N </ANSWER>",
  };
  for (const auto& text : bad) {
    INFO(text);
    CHECK_FALSE(parse_response(text).well_formed);
    CHECK(parse_response(text).answer.empty());
  }
}

TEST_CASE("the lenient answer text needs a single closed element", "[response]") {
  CHECK(parse_response("<answer> 12 N </answer>").answer_text == "12 N");
  CHECK(parse_response("<think> a <answer> B </answer>").answer_text == "B");
  CHECK(parse_response("<answer> 1 </answer> <answer> 2 </answer>").answer_text.empty());
  CHECK(parse_response("<answer> 12 N").answer_text.empty());
  CHECK(parse_response("</answer> 12 N <answer>").answer_text.empty());
  CHECK(parse_response("<answer> 1 </answer> <answer> 2 </answer>").answers == 2);
  CHECK_FALSE(parse_response("12 N").has_tags);
}

TEST_CASE("think texts split into their sections", "[response]") {
  const auto t =
      split_think("mass = 5 kg . principle newton second law . 5 * 2 = 10 . so 10 N : B");
  CHECK(t.look == "mass = 5 kg");
  CHECK(t.principles == std::vector<std::string>{"newton second law"});
  CHECK(t.steps == std::vector<std::string>{"5 * 2 = 10"});
  CHECK(t.conclusion == "10 N : B");
  CHECK(split_think("principle snell law . so 2").look.empty());
  CHECK(split_think("principle a principle b").principles.size() == 2);
  CHECK(split_think("9.8 * 2 = 19.6 .").look == "9.8 * 2 = 19.6");
}

TEST_CASE("corrupted responses have the requested shares", "[response]") {
  const Problem p = open_problem();
  Problem other = p;
  other.solution.principle = "energy conservation";
  other.solution.unit = "J";
  other.solution.value = "30";
  const std::vector<Problem> all = {p, other};
  const Lexicon lexicon = Lexicon::from(all);
  REQUIRE(lexicon.principles.size() == 2);
  REQUIRE(lexicon.values.at("force").size() == 2);

  const CorruptionMix mix;
  const int n = 20000;
  int changed = 0, lazy = 0, format = 0, principle = 0, unit = 0;
  for (int i = 0; i < n; ++i) {
    const auto key = static_cast<std::uint64_t>(i) * 0x100000001B3u;
    const std::string text = corrupted_response(p, lexicon, mix, key);
    changed += text != gold_response(p);
    lazy += text.find("5 * 2") == text.npos && text.find("<think>") != text.npos;
    format += !parse_response(text).well_formed;
    principle += text.find("energy conservation") != text.npos;
    const bool newton = text.find("10 N") != text.npos || text.find("30 N") != text.npos;
    unit += !newton;
    CHECK(text == corrupted_response(p, lexicon, mix, key));
  }
  const auto share = [&](int count) { return count / double(n); };
  CHECK_THAT(share(format), near(.5 * .30, .01));
  CHECK_THAT(share(unit), near(.5 * .30, .01));
  // One malformed way of six drops the think text, which hides its principle; another its tag.
  CHECK_THAT(share(principle), near(.5 * .30 * (1 - .30 / 6), .01));
  CHECK_THAT(share(lazy), near(.5 * .25 * (1 - .30 * 2 / 6), .01));
  CHECK_THAT(share(changed), near(.5 * (1 - .75 * .7 * .7 * .7), .01));
}

TEST_CASE("a share of zero or one is kept exactly", "[response]") {
  const Problem p = choice_problem();
  const std::vector<Problem> all = {p};
  const Lexicon lexicon = Lexicon::from(all);
  for (std::uint64_t key = 0; key < 200; ++key) {
    CHECK(corrupted_response(p, lexicon, {0, 1, 1, 1, 1}, key) == gold_response(p));
    CHECK_FALSE(parse_response(corrupted_response(p, lexicon, {1, 0, 1, 0, 0}, key)).well_formed);
    const auto lazy = parse_response(corrupted_response(p, lexicon, {1, 1, 0, 0, 0}, key));
    REQUIRE(lazy.well_formed);
    const auto think = split_think(lazy.think);
    CHECK(think.look.empty());
    CHECK(think.steps.empty());
    const auto letter = static_cast<std::size_t>(lazy.answer.at(0) - 'A');
    CHECK(think.conclusion == p.options.at(letter) + " : " + lazy.answer);
    // The only principle and unit of the lexicon are the right ones, so the wrong ones are none.
    const auto bare = parse_response(corrupted_response(p, lexicon, {1, 0, 0, 1, 1}, key));
    CHECK(split_think(bare.think).principles.empty());
    CHECK(split_think(bare.think).conclusion == "10 : B");
  }
}

}  // namespace test_response
