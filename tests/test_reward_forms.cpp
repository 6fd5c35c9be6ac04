// SPDX-License-Identifier: MIT
// Rewards of all forms: reference responses under every one, options, the controls random, avar,
// vision_sr1 and contrast, and the size of a bonus after advantages are normalised.
#include <cmath>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gaze/rl/advantage.hpp"
#include "phyx/eval/attempt.hpp"
#include "phyx/rewards/attention.hpp"
#include "phyx/rewards/look_facts.hpp"
#include "phyx/rewards/registry.hpp"
#include "phyx/synth/suite.hpp"
#include "tests/numbers.hpp"
#include "tests/reward_inputs.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_reward_forms {

using namespace gaze::phyx;
using namespace gaze::test::reward_inputs;
using gaze::test::contains;
using gaze::test::error_of;
using gaze::test::near;

namespace {

/// Attention with these masses at every token; .2 is uniform for the image, .05 for its region.
Completion attending(Completion c, float image, float region, float text) {
  AttentionTrace& t = c.attention;
  t = {static_cast<int>(c.tokens.size()), 1, 1, {"image", "region", "sink", "text"}, {}, {}, 16, 4};
  for (int i = 0; i < t.tokens; ++i) {
    t.mass.insert(t.mass.end(), {image, region, .2f, text});
    t.keys.push_back(64);
  }
  return c;
}

const std::string right_think = "mass = 5 kg . principle newton second law . 5 * 2 = 10 . so 10 N";

}  // namespace

TEST_CASE("the reference response of every template gets full marks, or those of uniform attention",
          "[rewards]") {
  const std::vector<Reward> rewards = all_rewards();
  std::size_t without_look = 0;
  for (const auto& t : synth::templates())
    for (std::uint64_t seed = 0; seed < 2; ++seed) {
      const auto sample = synth::sample(t, seed * 7919 + 1, 16);
      for (const Problem& p : {sample.mc, sample.oe}) {
        const std::string text = gold_response(p);
        INFO(t.id << ": " << text);
        without_look += p.solution.look.empty();
        const Completion c = attending(said(text), .2f, .05f, .4f);
        const Completion twin = said(respond("so 1 N", "none"));
        RewardInput in(p, c);
        in.given = {true, true, true};
        in.from_look = &c;
        in.swapped = in.twin = p.needs_image ? &twin : nullptr;
        const LookFacts facts = look_facts(p, in.response);
        CHECK(facts.right == facts.gold);
        for (const Reward& r : rewards) {
          if (r.name == "random" || r.name == "attention_raw") continue;
          INFO(r.name);
          double full = 1;
          if (r.name == "attention" || r.name == "attention_region") full = .5;
          if (r.name == "avar") full = 1 + .3 * .5 + .1;
          if (r.name == "vision_sr1") full = 3;
          if (r.name == "contrast" && p.needs_image) full = 1.5;
          CHECK_THAT(r.score(in).value(), near(full, 1e-5));
        }
      }
    }
  CHECK(without_look > 0);
}

TEST_CASE("attention: a right response without a look section is neutral, a wrong one gets nothing",
          "[rewards]") {
  const Problem p = open_problem();
  const std::string tail = "principle newton second law . 5 * 2 = 10 . so 10 N";
  for (const char* name : {"attention", "attention_region"})
    for (const float image : {.0f, .2f, .8f}) {
      INFO(name << ", " << image);
      const Reward r = make_reward(name);
      const auto at = [&](const std::string& think, const std::string& answer) {
        const Completion c = attending(said(respond(think, answer)), image, image / 4, .1f);
        return r.score({p, c}).value();
      };
      CHECK(at(tail, "10 N") == .5);
      CHECK(at(tail, "11 N") == 0);
      CHECK(at("mass . " + tail, "10 N") == .5);  // too short to be measured
      CHECK(at("mass . " + tail, "11 N") == 0);
    }
  const Completion c = attending(said(respond(tail, "10 N")), .2f, .05f, .4f);
  CHECK_FALSE(look_score(c).has_value());
  CHECK(make_reward("attention", {{"neutral", 0}}).score({p, c}) == 0);
}

TEST_CASE("attention reads the image, attention_region the annotated region", "[rewards]") {
  const Problem p = open_problem();
  const auto at = [&](const char* name, float image, float region) {
    const Completion c = attending(said(respond(right_think, "10 N")), image, region, .1f);
    return make_reward(name).score({p, c}).value();
  };
  CHECK_THAT(at("attention", .4f, .0f), near(2. / 3));
  CHECK_THAT(at("attention", .4f, .4f), near(2. / 3));
  CHECK(at("attention_region", .4f, .0f) == 0);
  CHECK_THAT(at("attention_region", .4f, .4f), near(.8));
  const Completion wrong = attending(said(respond(right_think, "11 N")), .4f, .0f, .1f);
  CHECK(make_reward("attention").score({p, wrong}) == 0);
  CHECK_THAT(make_reward("attention").ungated({p, wrong}).value(), near(2. / 3));
  const Attempt a = score_attempt(p, wrong);
  CHECK_THAT(a.look_score, near(2. / 3));
  CHECK(a.look_facts == 1);
  CHECK(a.look_right == 1);
  CHECK(std::isnan(score_attempt(p, said(respond(right_think, "10 N"))).look_score));
}

TEST_CASE("facts of the look section are compared one by one", "[rewards]") {
  Problem p = open_problem();
  p.solution.look = {"mass = 5 kg", "ball left , box right"};
  const auto right = [&](const std::string& look) {
    const auto facts = look_facts(p, parse_response(respond(look + " . so 10 N", "10 N")));
    CHECK(facts.gold == 3);
    return facts.right;
  };
  CHECK(right("mass = 5 kg , ball left , box right") == 3);
  CHECK(right("box right , mass = 5.0 kg") == 2);
  CHECK(right("mass = 6 kg , ball right") == 0);
  CHECK(right("mass = 5 kg , mass = 6 kg") == 0);  // several values state none
  CHECK(right("mass = 5 N") == 0);
  CHECK(right("so 5") == 0);
  CHECK(look_facts(p, parse_response("mass = 5 kg")).right == 0);
}

TEST_CASE("random: draws by seed, problem and sample, whatever the text", "[rewards]") {
  const Reward r = make_reward("random"), always = make_reward("random", {{"probability", 1}});
  const Problem p = open_problem(), other = choice_problem();
  const Completion good = said(respond(right_think, "10 N")), bad = said("</answer>");
  CHECK_FALSE(r.score({p, good}).has_value());
  const auto draw = [](const Reward& reward, const Problem& q, const Completion& c,
                       std::uint64_t seed, std::uint64_t sample) {
    RewardInput in(q, c);
    in.draw = {seed, sample};
    return reward.score(in).value();
  };
  double sum = 0, seeds = 0, problems = 0;
  const int n = 4000;
  for (int i = 0; i < n; ++i) {
    const auto k = static_cast<std::uint64_t>(i);
    const double x = draw(r, p, good, 3, k);
    CHECK((x == 0 || x == 1));
    CHECK(x == draw(r, p, bad, 3, k));
    CHECK(draw(always, p, bad, 3, k) == 1);
    sum += x;
    seeds += x == draw(r, p, good, 4, k);
    problems += x == draw(r, other, good, 3, k);
  }
  for (const double share : {sum / n, seeds / n, problems / n}) CHECK(std::abs(share - .5) < .04);
}

TEST_CASE("avar: the quotient is capped, and counts for right answers only", "[rewards]") {
  const Problem p = open_problem();
  const Reward r = make_reward("avar");
  const auto at = [&](const std::string& answer, float image, float text) {
    const Completion c = attending(said(respond(right_think, answer)), image, 0, text);
    return r.score({p, c}).value();
  };
  CHECK_THAT(at("10 N", .3f, .4f), near(1.1 + .3 * .75));
  CHECK_THAT(at("10 N", .3f, .0f), near(2.3));
  CHECK_THAT(at("10 N", .0f, .0f), near(1.1));
  CHECK_THAT(at("11 N", .9f, .1f), near(.1));
  CHECK_THAT(r.high, near(2.3));
  CHECK_FALSE(r.score({p, said(respond(right_think, "10 N"))}).has_value());
  Completion c = attending(said(respond(right_think, "10 N")), .3f, 0, .4f);
  CHECK_THAT(make_reward("avar", {{"exclude_sink", true}, {"format", 0}}).score({p, c}).value(),
             near(1 + .3 * 1.5));
  c.attention.marks.back() = "other";
  CHECK_FALSE(r.score({p, c}).has_value());
  c.attention.image_tokens = 0;
  CHECK_THAT(r.score({p, c}).value(), near(1.1));
}

TEST_CASE("contrast and vision_sr1 need further answers and ask for them", "[rewards]") {
  const Problem p = open_problem();
  const Completion c = said(respond(right_think, "10 N")), other = said(respond("a", "3 N"));
  CHECK(make_reward("vision_sr1").needs.answer_from_look);
  CHECK(make_reward("contrast").needs.twin_swapped);
  const Reward greedy = make_reward("contrast", {{"second", "greedy"}, {"weight", 1}});
  CHECK(greedy.needs.answer_swapped);
  CHECK_FALSE(greedy.needs.twin_swapped);
  CHECK(mix_of({{"vision_sr1", 1}, {"contrast", 1}}).needs().any());
  CHECK_FALSE(mix_of({{"avar", 1}, {"format", 1}}).needs().any());
  RewardInput in(p, c);
  CHECK_FALSE(make_reward("contrast").score(in).has_value());
  CHECK_FALSE(make_reward("vision_sr1").score(in).has_value());
  in.given.answer_swapped = true;
  CHECK(greedy.score(in) == 1);  // no picture to swap
  in.swapped = &other;
  CHECK(greedy.score(in) == 2);
  in.swapped = &c;
  CHECK(greedy.score(in) == 1);
  CHECK_FALSE(make_reward("contrast").score(in).has_value());
}

TEST_CASE("options are read, completed and refused by name", "[rewards]") {
  const Problem p = open_problem();
  const Completion c = said(respond("so 13 N", "13 N"));
  CHECK(make_reward("accuracy").score({p, c}) == 0);
  CHECK(make_reward("accuracy", {{"tolerance", .5}}).score({p, c}) == 1);
  CHECK(make_reward("accuracy").options == gaze::io::Json{{"tolerance", .02}});
  const auto refused = [](const char* name, const gaze::io::Json& options) {
    return error_of([&] { make_reward(name, options); });
  };
  CHECK(contains(refused("accuracy", {{"tolerence", 1}}),
                 "accuracy has no option 'tolerence'; it has tolerance"));
  CHECK(contains(refused("format", {{"x", 1}}), "it has none"));
  CHECK(
      contains(refused("accuracy", {{"tolerance", "a"}}), "accuracy.tolerance: \"a\" is not 0 to"));
  CHECK(contains(refused("attention", {{"cap", .5}}), "attention.cap: 0.5 is not at least 1"));
  CHECK(contains(refused("attention", {{"min_tokens", 1.5}}), "1.5 is not an integer"));
  CHECK(
      contains(refused("attention", {{"window", "end"}}), "is not look or think or answer or all"));
  CHECK_FALSE(refused("attention", {{"window", "first_n"}}).empty());
  CHECK(contains(refused("attention", {{"gate_correct", 1}}), "is not true or false"));
  CHECK(contains(refused("hybrid", {{"layers", {0, "a"}}}), "is not a list of integers"));

  RewardOptions options;
  for (const char* text :
       {"attention.cap=2", "attention.layers=[1]", "hybrid.mark=region", "hybrid.centred=false"})
    set_reward_option(options, text);
  CHECK(options.at("attention") == gaze::io::Json::parse(R"({"cap": 2, "layers": [1]})"));
  CHECK(options.at("hybrid") == gaze::io::Json::parse(R"({"mark": "region", "centred": false})"));
  for (const char* text : {"attention", "attention.cap", "cap=2", "attention.cap=", "brevity.x=1",
                           "attention.caps=2", "attention.cap=two", "attention.layers=0"}) {
    INFO(text);
    CHECK_FALSE(error_of([&] { set_reward_option(options, text); }).empty());
  }
  const std::vector<std::pair<std::string, double>> weights = {{"attention", 1}};
  CHECK(mix_of(weights, options).terms[0].reward.options.at("cap") == 2);
  for (const auto& name : reward_names())
    for (const RewardOption& o : reward_kind(name).options) {
      INFO(name << "." << o.name);
      CHECK_FALSE(o.meaning.empty());
      CHECK_FALSE(o.range_text().empty());
      if (o.default_value.is_null())
        CHECK(contains(error_of([&] { make_reward(name); }), name + " needs the option"));
      else if (reward_kind(name).has_defaults())
        CHECK_NOTHROW(make_reward(name, {{o.name, o.default_value}}));
    }
}

TEST_CASE("a batch is scored in one call, and its size is checked", "[rewards]") {
  const Problem p = open_problem();
  const Completion good = said(respond(right_think, "10 N")), bad = said("10 N");
  Reward counted = make_reward("accuracy");
  int calls = 0;
  counted.score_batch = [&](std::span<const RewardInput> inputs) {
    ++calls;
    return std::vector<std::optional<double>>(inputs.size(), 2.0);
  };
  RewardMix mix{{{counted, 0.5}, {make_reward("format"), 1}}};
  const std::vector<RewardInput> inputs = {{p, good}, {p, bad}};
  const auto scores = score(mix, inputs);
  CHECK(calls == 1);
  CHECK((scores[0].total == 2 && scores[1].total == 1));
  mix.terms[0].reward.score_batch = [](auto) { return std::vector<std::optional<double>>(5); };
  CHECK(contains(error_of([&] { score(mix, inputs); }), "5 scores for 2 completions"));
}

TEST_CASE("a reward that scores batches alone is scored one by one too", "[rewards]") {
  const Problem p = open_problem();
  const Completion good = said(respond(right_think, "10 N")), bad = said("10 N");
  Reward batches;
  batches.name = "forms_batches";
  batches.score_batch = [](std::span<const RewardInput> inputs) {
    std::vector<std::optional<double>> out;
    for (const RewardInput& in : inputs) out.push_back(in.response.well_formed ? .75 : .25);
    return out;
  };
  add_reward(batches);
  RewardKind kind;
  kind.name = "forms_kind";
  kind.make = [batches](const gaze::io::Json&) { return batches; };
  add_reward(kind);
  for (const char* name : {"forms_batches", "forms_kind"}) {
    INFO(name);
    const Reward r = make_reward(name);
    CHECK(r.score({p, good}) == .75);
    CHECK(r.score({p, bad}) == .25);
    const std::vector<RewardInput> both = {{p, good}, {p, bad}};
    CHECK(score(RewardMix{{{r, 1}}}, both)[1].total == .25);
  }
  kind.name = "forms_silent";
  kind.make = [](const gaze::io::Json&) { return Reward{}; };
  add_reward(kind);
  CHECK(contains(error_of([] { make_reward("forms_silent"); }), "forms_silent has no function"));
}

TEST_CASE("a score that is not finite is refused with the reward's name", "[rewards]") {
  const Problem p = open_problem();
  const Completion c = said("10 N");
  const std::vector<RewardInput> inputs = {{p, c}, {p, c}};
  for (const double bad : {NAN, INFINITY, -INFINITY}) {
    Reward r;
    r.name = "broken";
    r.score = [bad](const RewardInput&) { return std::optional(bad); };
    const auto refusal = [&] { return error_of([&] { score(RewardMix{{{r, 0}}}, inputs); }); };
    CHECK(contains(refusal(), "broken returned "));
    CHECK(contains(refusal(), "for completion 1 of 2"));
    r.score_batch = [bad](auto) { return std::vector<std::optional<double>>{1.0, bad}; };
    CHECK(contains(refusal(), "for completion 2 of 2"));
  }
}

TEST_CASE("rewards have plain names", "[rewards]") {
  for (const char* name : {"", "../esc", "a/b", "a b", "a.b", "\n"}) {
    INFO(name);
    Reward r = make_reward("format");
    r.name = name;
    CHECK(contains(error_of([&] { add_reward(r); }), "names consist of"));
  }
}

TEST_CASE("without the baseline of uniform attention nothing is neutral by default", "[rewards]") {
  for (const char* name : {"attention", "attention_region"}) {
    INFO(name);
    CHECK(contains(error_of([&] {
                     make_reward(name, {{"baseline", "none"}});
                   }),
                   "baseline=none needs neutral"));
    CHECK_NOTHROW(make_reward(name, {{"baseline", "none"}, {"neutral", .2}}));
  }
  CHECK(contains(error_of([] {
                   make_reward("hybrid", {{"baseline", "none"}});
                 }),
                 "baseline=none needs centred=false"));
  CHECK_NOTHROW(make_reward("hybrid", {{"baseline", "none"}, {"centred", false}}));
}

TEST_CASE("dividing by the group's deviation magnifies the hybrid's bonus", "[rewards]") {
  const Problem p = open_problem();
  const Reward hybrid = make_reward("hybrid");
  std::vector<double> rewards;  // a group of right answers, then one of which half are right
  for (int i = 0; i < 16; ++i) {
    const bool right = i < 8 || i % 2 == 0;
    const float image = .1f + .05f * static_cast<float>(i % 8);
    const Completion c =
        attending(said(respond(right_think, right ? "10 N" : "11 N")), image, .05f, .1f);
    rewards.push_back(hybrid.score({p, c}).value());
  }
  const auto mean_size = [&](gaze::rl::Spread spread, std::size_t from) {
    gaze::rl::AdvantageSettings s;
    s.spread = spread;
    const auto a = gaze::rl::advantages(rewards, 8, s).values;
    double sum = 0;
    for (std::size_t i = from; i < from + 8; ++i) sum += std::abs(a[i]) / 8;
    return sum;
  };
  using gaze::rl::Spread;
  CHECK(mean_size(Spread::group, 0) > .7);  // the bonus alone, as large as right against wrong
  CHECK(mean_size(Spread::group, 8) > .7);
  CHECK(mean_size(Spread::batch, 0) < .2);
  CHECK(mean_size(Spread::batch, 8) > .7);
  CHECK(mean_size(Spread::none, 0) < .125);  // at most half the weight
  CHECK(mean_size(Spread::none, 8) > .4);
}

}  // namespace test_reward_forms
