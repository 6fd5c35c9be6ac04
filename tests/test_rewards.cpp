// SPDX-License-Identifier: MIT
// The rewards: hostile completions with a fair reader's score, the rubric term by term, and which
// changes affect the attention rewards.
#include <cstdint>
#include <string>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/text/strings.hpp"
#include "phyx/answer/arithmetic.hpp"
#include "phyx/answer/response.hpp"
#include "phyx/answer/strict_rule.hpp"
#include "phyx/answer/subfields.hpp"
#include "phyx/rewards/accuracy.hpp"
#include "phyx/rewards/attention.hpp"
#include "phyx/rewards/hybrid.hpp"
#include "phyx/rewards/registry.hpp"
#include "phyx/rewards/rubric.hpp"
#include "phyx/synth/suite.hpp"
#include "tests/numbers.hpp"
#include "tests/reward_inputs.hpp"
#include "tests/test.hpp"

namespace test_rewards {

using namespace gaze::phyx;
using gaze::test::near;
using namespace gaze::test::reward_inputs;

namespace {

/// The rewards before any test adds its own.
const std::vector<std::string> built_in = reward_names();

double value(const std::string& name, const Problem& p, const Completion& c) {
  return make_reward(name).score({p, c}).value();
}

}  // namespace

TEST_CASE("format: hostile cases get the right reward", "[rewards]") {
  const Problem p = open_problem();
  CHECK(value("format", p, said(gold_response(p))) == 1);
  CHECK(value("format", p, said(gold_response(p), false)) == 0);  // cut off
  for (const std::string bad :
       {"<think></think>A", "<think></think><answer>A</answer>",
        "<think> . , </think><answer>A</answer>", "<think> a </think> <answer> . </answer>",
        "<answer> 10 N </answer> <think> a </think>", "<think> <answer> 10 N </answer> </think>",
        "<think> a </think> <answer> 10 N", "10 N", "",
        "<think> a </think> <answer> 10 N </answer> <answer> 10 N </answer>", "</answer>",
        "<think> a </think> <answer> 10 N </answer> and so on"}) {
    INFO(bad);
    CHECK(value("format", p, said(bad)) == 0);
  }
}

TEST_CASE("accuracy: hostile cases get the right reward", "[rewards]") {
  const Problem p = open_problem(), m = choice_problem();
  CHECK(value("accuracy", p, said(gold_response(p))) == 1);
  CHECK(value("accuracy", m, said(gold_response(m))) == 1);
  CHECK(value("accuracy", p, said(respond("so 9 N", "10 N"))) == 1);  // the answer is what counts
  struct Case {
    const Problem* problem;
    std::string text;
  };
  const std::vector<Case> wrong = {
      {&p, "<answer> 10 N </answer>"},                     // no think element
      {&p, "<think> so 10 N <answer> 10 N </answer>"},     // left open
      {&p, respond("so 10 N", "9 N 10 N 11 N")},           // several answers
      {&p, respond("so 10 N", "10 J")},                    // another dimension
      {&p, respond("so 10 N", "N")},                       // a unit without a number
      {&p, respond("so 10 N", p.question)},                // the question repeated
      {&p, respond("so 10 N", "5 * 2 N")},                 // not evaluated
      {&p, "<think> </think> <answer> 10 N </answer>"},    // empty think
      {&p, respond("a", "10 N </answer> <answer> 10 N")},  // two elements
      {&m, respond("so 10 N : B", "A B C D")},             // every letter
      {&m, respond("so 10 N : B", "A: 5 N B: 10 N C: 20 N D: 2 N")},
      {&m, respond("so 10 N : B", m.question)},
      {&m, respond("so 10 N : B", "A")},
      {&m, respond("so 10 N : B", "5 N : B")},  // text and letter disagree
      {&m, respond("so 10 N : B", "B is wrong")},
      {&m, respond("so 10 N : B", "Block B moves")},  // the letter as a name
  };
  for (const auto& c : wrong) {
    INFO(c.text);
    CHECK(value("accuracy", *c.problem, said(c.text)) == 0);
  }
}

TEST_CASE("gold responses earn full marks", "[rewards]") {
  for (const Problem& p : {open_problem(), choice_problem(), word_problem()}) {
    INFO(gold_response(p));
    for (const char* name : {"format", "accuracy", "rubric"})
      CHECK_THAT(value(name, p, said(gold_response(p))), near(1));
  }
}

TEST_CASE("all reference responses of the synthetic suite earn full marks", "[rewards]") {
  for (const auto& t : synth::templates())
    for (std::uint64_t seed = 0; seed < 3; ++seed) {
      const auto sample = synth::sample(t, seed * 7919 + 1, 16);
      for (const Problem& p : {sample.mc, sample.oe}) {
        const std::string text = gold_response(p);
        INFO(t.id << ": " << text);
        for (const char* name : {"format", "accuracy", "rubric"})
          CHECK_THAT(value(name, p, said(text)), near(1));
        CHECK(grade_completion(p, text).unit_consistent);
        // An option may happen to print the number that was read from the picture.
        const bool claims = claims_to_see(p, parse_response(text));
        CHECK((p.form == Form::mc ? p.needs_image || !claims : claims == p.needs_image));
      }
    }
}

TEST_CASE("rubric: each term is scored separately", "[rewards]") {
  const Problem p = open_problem();
  const auto terms = [&](const std::string& think, const std::string& answer) {
    const Completion c = said(respond(think, answer));
    return rubric_terms({p, c});
  };
  const std::string look = "mass = 5 kg . ", law = "principle newton second law . ";
  const std::string step = "5 * 2 = 10 . ", so = "so 10 N";

  CHECK(*terms(look + law + step + so, "9 N").answer == 0);
  CHECK(*terms(look + law + step + so, "10").unit == 0);
  CHECK(*terms(look + law + step + so, "10").answer == 1);
  CHECK(*terms(look + law + step + so, "N").unit == 0);
  CHECK(*terms(look + law + step + so, "9 N").unit == 1);

  CHECK(*terms(look + step + so, "10 N").principle == 0);
  CHECK(*terms(look + "principle ohm law . " + step + so, "10 N").principle == 0);
  CHECK(*terms(look + "principle newton second law , ohm law . " + step + so, "10 N").principle ==
        0);
  CHECK(*terms(look + "principle ohm law . " + law + step + so, "10 N").principle == 0);
  CHECK(*terms(look + "principle newton . " + step + so, "10 N").principle == 0);
  CHECK(*terms("ohm law , newton second law", "10 N").principle == 0);

  const auto calc = [&](const std::string& s) {
    return terms(look + law + s + " . " + so, "10 N");
  };
  CHECK(*calc("5 * 2 = 10").numbers == 1);
  CHECK(*calc("5 * 2 = 11").numbers == 1);  // the right numbers, the wrong result
  CHECK(*calc("5 * 2 = 11").steps == 0);
  CHECK(*calc("7 * 2 = 14").numbers == 0);  // 7 comes from nowhere
  CHECK(*calc("7 * 2 = 14").steps == 0);
  CHECK(*calc("2 + 2 = 4").numbers == 0);  // the mass is not used
  CHECK(*calc("2 + 2 = 4").steps == 1);
  CHECK(*calc("5 * 2 = 10 , 10 * 2 = 20").numbers == 1);  // an earlier result may be used
  CHECK(*calc("5 * 2 = 11 , 11 * 2 = 22").numbers == 0);  // unless it is wrong
  CHECK(*calc("10").numbers == 0);
  CHECK(*calc("10").steps == 0);
  CHECK(*calc("F = 5 kg * 2 m/s^2 = 10 N").numbers == 1);
  CHECK(*calc("F = 5 kg * 2 m/s^2 = 10 N").steps == 1);
}

TEST_CASE("rubric: options, identities and inapplicable terms are handled", "[rewards]") {
  const Problem m = choice_problem();
  const auto terms = [&](const std::string& think) {
    const Completion c = said(respond(think, "B"));
    return rubric_terms({m, c});
  };
  CHECK(*terms("20 - 5 = 15 . so 10 N : B").numbers == 0);  // 20 is only an option
  CHECK(*terms("5 - 0 = 5 . so 10 N : B").steps == 0);
  CHECK(*terms("so 10 N : B").unit == 1);
  CHECK(*terms("so 10 J : B").unit == 0);
  CHECK(*terms("so N : B").unit == 0);

  const Problem w = word_problem();
  const auto word = [&](const std::string& think) {
    const Completion c = said(respond(think, "left"));
    return rubric_terms({w, c});
  };
  const auto full = word("ball left , box right . principle position . so left");
  CHECK(*full.steps == 1);
  CHECK_FALSE(full.unit.has_value());
  CHECK_FALSE(full.numbers.has_value());
  CHECK_THAT(*word("ball left . principle position . so left").steps, near(.5));
  CHECK_THAT(*word("ball left , ball right , box left , box right . so left").steps, near(.5));
  CHECK(*word("so left").steps == 0);

  Problem real;
  real.form = Form::oe;
  real.answer = "12 N";
  const Completion c = said(respond("f = m a", "12 N"));
  CHECK_THAT(rubric_total(rubric_terms({real, c})), near(1));
}

TEST_CASE("rubric: a problem of PhyX names its subfield's principles, and any true step counts",
          "[rewards]") {
  Problem p;
  p.form = Form::oe;
  p.answer = "12 N";
  p.subfield = "Dynamics";
  const auto terms = [&](const std::string& think) {
    const Completion c = said(respond(think, "12 N"));
    return rubric_terms({p, c});
  };
  CHECK(*terms("By Newton's Second  Law, 3 * 4 = 12").principle == 1);
  CHECK(*terms("By Newton's Second Law, 3 * 4 = 12").steps == 1);
  CHECK(*terms("dynamics . 3 * 4 = 13").principle == 0);  // the subfield's name is no principle
  CHECK(*terms("dynamics . 3 * 4 = 13").steps == 0);
  CHECK(*terms("snell's law").principle == 0);
  CHECK(*terms("the net forces").principle == 0);  // whole words
  CHECK(*terms("the net force . 12 * 1 = 12").steps == 0);
  CHECK_FALSE(terms("the net force").numbers.has_value());
  for (const char* unknown : {"", "Alchemy"}) {
    p.subfield = unknown;
    CHECK_FALSE(terms("the net force . 3 * 4 = 12").principle.has_value());
  }
  for (const char* known : {"Optical Instruments", "Electromagnetic Waves", "Rotational Motion",
                            "Resonance and Harmonics", "Sound"})
    CHECK(is_known_subfield(known));
}

TEST_CASE("rubric: weights, malformed text and free prose are handled", "[rewards]") {
  const Problem p = open_problem();
  const std::string look = "mass = 5 kg . ", law = "principle newton second law . ";
  CHECK_THAT(value("rubric", p, said(respond(look + law + "5 * 2 = 10 . so 10 N", "9 N"))),
             near(.6));
  CHECK_THAT(value("rubric", p, said(respond(look + "5 * 2 = 10 . so 10 N", "10 N"))), near(.8));
  CHECK_THAT(value("rubric", p, said(respond(look + law + "5 * 2 = 10 . so 10", "10"))), near(.85));
  CHECK_THAT(value("rubric", p, said(respond(law + "so 10 N", "10 N"))), near(.75));
  CHECK(value("rubric", p, said("<answer> 10 N </answer>")) == 0);
  CHECK(value("rubric", p, said("")) == 0);

  RubricConfig config;
  config.principles = {"newton second law", "newton third law", "law"};
  const auto named = [&](const std::string& think) {
    const Completion c = said(respond(think, "10 N"));
    return *rubric_terms({p, c}, config).principle;
  };
  CHECK(named("by Newton second law we get it") == 1);  // "law" inside the right name is no other
  CHECK(named("by newton second law and newton third law") == 0);
  CHECK(named("principle newton second law . newton third law") == 0);
  CHECK(named("force is mass times acceleration") == 0);
}

TEST_CASE("arithmetic in steps is checked up to its rounding", "[rewards]") {
  const auto is_true = [](const std::string& text) {
    const auto e = find_equations(text);
    return e.size() == 1 && e[0].holds;
  };
  for (const std::string good :
       {"5 * 2 = 10",       "10 / 3 = 3.33",     "10 / 3 = 3.3",        "( 3 + 4 ) / 2 = 3.5",
        "20 * sin 30 = 10", "20 * sin(30) = 10", "sqrt ( 9 + 16 ) = 5", "3 - 5 = -2",
        "2 ^ 3 = 8",        "5 × 2 = 10",        "1/2 * 4 = 2",         "v = 3 * 4 = 12 m/s",
        "2 * pi = 6.28",    "3 * cos 60 = 1.5",  "2 * tan 45 = 2",      "asin 0.5 = 30",
        "acos(0.5) = 60",   "atan 1 = 45",       "exp 0 = 1",           "ln 1 = 0"}) {
    INFO(good);
    CHECK(is_true(good));
  }
  for (const std::string bad : {"5 * 2 = 11", "10 / 3 = 3.9", "5 = 5", "mass = 5", "5 * = 5",
                                "1 / 0 = 0", "= 5 * 2", "0.4 * 1 = 0", "atan 1 = 0.785"}) {
    INFO(bad);
    CHECK_FALSE(is_true(bad));
  }
  CHECK(find_equations(std::string(10000, '(') + "1 + 1 = 2").empty());
  CHECK(find_equations("5 * 2 = 10 , 10 + 1 = 11 . so 11").size() == 2);
  CHECK(numbers_in("v0 = 3 m/s^2 and 4.5 kg at 30°") == std::vector<double>{3, 4.5, 30});
}

TEST_CASE("attention_region: is gated, bounded and independent of text after the look section",
          "[rewards]") {
  const Problem p = open_problem();
  const std::string tail = "principle newton second law . 5 * 2 = 10 . so 10 N";
  const std::string text = respond("mass = 5 kg . " + tail, "10 N");
  const double looking = value("attention_region", p, traced(said(text), .4f, .3f, 0));
  CHECK_THAT(looking, near(.75));  // three times uniform
  CHECK_THAT(value("attention_region", p, traced(said(text), .4f, .1f, 0)), near(.5));  // uniform
  CHECK(value("attention_region", p, traced(said(text), .4f, .0f, 0)) == 0);
  CHECK_THAT(value("attention_region", p, traced(said(text), .4f, .4f, 0)),
             near(.8));  // at the cap

  // More text after the look section, its attention, and repeated look words do not change it.
  const std::string longer = respond("mass = 5 kg . " + tail + " . so 10 N . so 10 N", "10 N");
  CHECK_THAT(value("attention_region", p, traced(said(longer), .4f, .3f, 0)), near(looking));
  CHECK_THAT(value("attention_region", p, traced(said(longer), .4f, .3f, 2)), near(looking));
  const std::string repeated =
      respond("mass = 5 kg mass = 5 kg mass = 5 kg mass = 5 kg . " + tail, "10 N");
  CHECK_THAT(value("attention_region", p, traced(said(repeated), .4f, .3f, 1)), near(looking));

  const auto zero = [&](const std::string& s, bool ended = true) {
    return value("attention_region", p, traced(said(s, ended), .4f, .3f, 1)) == 0;
  };
  CHECK(zero(respond("mass = 5 kg . " + tail, "11 N")));  // wrong
  CHECK(zero("<answer> 10 N </answer>"));                 // malformed
  CHECK(zero(text, false));                               // cut off
  CHECK(zero(respond(tail, "11 N")));                     // wrong, without a look section
}

TEST_CASE(
    "attention_region: falls back to the picture, and gives no score without picture or trace",
    "[rewards]") {
  const Problem p = open_problem();
  const std::string text = respond("mass = 5 kg . so 10 N", "10 N");
  Completion c = traced(said(text), .4f, .3f, 1);
  c.attention.region_tokens = 0;  // falls back to the image: .4 of the .8 outside the sinks
  const double lift = (.4 / .8) / (16. / 64);
  CHECK_THAT(value("attention_region", p, c), near(lift / (1 + lift)));
  c.attention.image_tokens = 0;
  CHECK_FALSE(make_reward("attention_region").score({p, c}).has_value());
  CHECK_FALSE(make_reward("attention_region").score({p, said(text)}).has_value());
  c = traced(said(text), .4f, .3f, 1);
  c.attention.mass.pop_back();
  CHECK_THROWS_AS(make_reward("attention_region").score({p, c}), gaze::Error);
  c = traced(said(text), .4f, .3f, 1);
  AttentionRewardConfig config = region_attention();
  config.layers = {5};
  CHECK_THROWS_AS(attention_score({p, c}, config), gaze::Error);
  config.layers = {1};
  config.window = AttentionWindow::answer;
  CHECK_THAT(attention_score({p, c}, config).value(), near(.75));
}

TEST_CASE("attention: the raw form rewards collapse", "[rewards]") {
  const Problem p = open_problem();
  // The first tokens see little but the image, later ones also see the text: mass falls with
  // length.
  const auto falling = [](Completion c) {
    c = traced(std::move(c), 1, .25f, 1);
    for (std::size_t i = 0; i < c.attention.mass.size(); ++i)
      if (i % 3 != 2) c.attention.mass[i] *= .8f / (1 + .1f * static_cast<float>(i / 12));
    return c;
  };
  const Completion full = falling(said(gold_response(p))), collapsed = falling(said("</answer>"));
  CHECK(value("attention_raw", p, collapsed) > 1.5 * value("attention_raw", p, full));
  CHECK(value("attention", p, collapsed) == 0);
  CHECK_THAT(value("attention_region", p, full), near(.5));
}

TEST_CASE("attention windows follow tokens that do not match words", "[rewards]") {
  const std::vector<std::string> pieces = {"<th", "ink>",   " mass",    " is", " 9",
                                           ".",   "8",      " .",       " so", " 9",
                                           "</",  "think>", "<answer>", " B",  "</answer>"};
  const auto look = window_of(pieces, AttentionWindow::look);
  CHECK(look.begin == 2);
  CHECK(look.end == 7);  // the point in 9.8 does not end the look
  const auto think = window_of(pieces, AttentionWindow::think);
  CHECK(think.end == 10);
  const auto answer = window_of(pieces, AttentionWindow::answer);
  CHECK(answer.begin == 13);
  CHECK(answer.end == 14);
  CHECK(window_of({"a", "b"}, AttentionWindow::think).size() == 0);
  CHECK(window_of({"<think>", "a"}, AttentionWindow::think).size() == 1);
}

TEST_CASE("hybrid: used claims earn a centred bonus", "[rewards]") {
  const Problem p = open_problem();
  const Reward hybrid = make_reward("hybrid", {{"mark", "region"}});
  const auto region_hybrid = [&](const Problem& q, const Completion& c) {
    return hybrid.score({q, c}).value();
  };
  const auto at = [&](const std::string& think, const std::string& answer, float region) {
    return region_hybrid(p, traced(said(respond(think, answer)), .4f, region, 1));
  };
  const std::string seen = "mass = 5 kg . 5 * 2 = 10 . so 10 N";
  CHECK_THAT(at(seen, "10 N", .1f), near(1));                   // looks no better than uniform
  CHECK_THAT(at(seen, "10 N", .3f), near(1 + .25 * .25));       // looks where it claims to
  CHECK_THAT(at(seen, "10 N", .0f), near(1 - .25 * .5));        // a claim without looking
  CHECK(at(seen, "11 N", .4f) == 0);                            // wrong
  CHECK(at("5 * 2 = 10 . so 10 N", "10 N", .4f) == 1);          // no claim: plain accuracy
  CHECK(at("mass = 5 kg . so 10 N", "10 N", .4f) == 1);         // a claim that nothing uses
  CHECK(at("big top big . so 10 N", "10 N", .4f) == 1);         // image words for their own sake
  CHECK(at("a = 2 . 2 * 5 = 10 . so 10 N", "10 N", .4f) == 1);  // the text already contains 2
  CHECK_FALSE(make_reward("hybrid").score({p, said(respond(seen, "10 N"))}).has_value());

  const Problem w = word_problem();
  const Completion c =
      traced(said(respond("ball left . principle position . so left", "left")), .4f, .3f, 1);
  CHECK_THAT(region_hybrid(w, c), near(1.0625));
  const Completion no =
      traced(said(respond("ball box . principle position . so left", "left")), .4f, .3f, 1);
  CHECK(region_hybrid(w, no) == 1);
  const Completion given =
      traced(said(respond("ball = west . principle position . so left", "left")), .4f, .3f, 1);
  CHECK_THAT(region_hybrid(w, given), near(1.0625));
}

TEST_CASE("registry: rewards are found by name, mixed and added", "[rewards]") {
  const Problem p = open_problem();
  const Completion c = said(gold_response(p));
  const auto s = score(mix_of({{"accuracy", 1}, {"format", .5}, {"attention", 2}}), {p, c});
  CHECK_THAT(s.total, near(1.5));
  REQUIRE(s.parts.size() == 3);
  CHECK(*s.parts[1] == 1);
  CHECK_FALSE(s.parts[2].has_value());

  try {
    make_reward("brevity");
    FAIL("an unknown name must throw");
  } catch (const gaze::Error& e) {
    const std::string message = e.what();
    CHECK(message.find("brevity") != message.npos);
    CHECK(
        message.find(
            "accuracy, attention, attention_raw, attention_region, avar, contrast, exec, format") !=
        message.npos);
  }
  for (const auto& name : built_in) {
    const RewardKind& r = reward_kind(name);
    CHECK_FALSE(r.doc.empty());
    CHECK_FALSE(r.formula.empty());
    CHECK_FALSE(r.cheats.empty());
    CHECK(r.low < r.high);
  }
  Reward mine = make_accuracy_reward({.tolerance = .5}, "accuracy_half");
  add_reward(mine);
  CHECK(value("accuracy_half", p, said(respond("so 13 N", "13 N"))) == 1);
  CHECK_THROWS_AS(add_reward(mine), gaze::Error);
  CHECK_THROWS_AS(add_reward(Reward{}), gaze::Error);
}

TEST_CASE("every reward reads the parsed response of its input", "[rewards]") {
  const Problem p = open_problem();
  Completion c =
      said(respond("mass = 5 kg . principle newton second law . 5 * 2 = 10 . so 10 N", "10 N"));
  c.attention.tokens = 1;
  RewardInput in(p, c);
  CHECK(in.response.answer == "10 N");
  for (const char* name : {"format", "accuracy", "rubric"}) CHECK(make_reward(name).score(in) == 1);
  in.response = parse_response("");
  for (const char* name : {"format", "accuracy", "rubric", "hybrid"})
    CHECK(make_reward(name).score(in) == 0);
}

}  // namespace test_rewards
