// SPDX-License-Identifier: MIT
// The derivative of the attention rewards with respect to the recorded attention, against finite
// differences.
#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "gaze/core/philox.hpp"
#include "phyx/rewards/attention.hpp"
#include "phyx/rewards/registry.hpp"
#include "tests/reward_inputs.hpp"
#include "tests/test.hpp"

namespace test_reward_gradients {

using namespace gaze::phyx;
using namespace gaze::test::reward_inputs;

namespace {

/// A right answer with a random trace; the region's mass is part of the image's.
Completion random_trace(const std::string& text, std::uint64_t seed) {
  Completion c = traced(said(text), .4f, .3f, 1);
  const gaze::Philox random(seed, gaze::Purpose::test);
  auto& mass = c.attention.mass;
  for (std::size_t i = 0; i < mass.size(); i += 3) {
    mass[i] = .1f + .5f * float(random.uniform(1, i));
    mass[i + 1] = mass[i] * (.1f + .8f * float(random.uniform(2, i)));
    mass[i + 2] = .05f + .3f * float(random.uniform(3, i));
  }
  return c;
}

/// The same with a mass on the prompt's text.
Completion with_text_mass(Completion c) {
  auto& t = c.attention;
  std::vector<float> mass;
  for (std::size_t i = 0; i < t.mass.size(); i += 3) {
    mass.insert(mass.end(), t.mass.begin() + long(i), t.mass.begin() + long(i) + 3);
    mass.push_back(.9f - t.mass[i]);
  }
  t.mass = mass;
  t.marks.push_back("text");
  return c;
}

std::vector<AttentionRewardConfig> configs() {
  std::vector<AttentionRewardConfig> out(3);
  out[1].layers = {1};
  out[1].heads = {0};
  out[1].window = AttentionWindow::think;
  out[1].max_tokens = 0;
  out[2].exclude_sink = false;
  out[2].cap = 1.7;  // some tokens are beyond it
  out.push_back(region_attention());
  out.push_back(raw_attention());
  out.push_back(raw_attention());
  out.back().exclude_sink = true;
  out.back().mark = AttentionMark::region;
  return out;
}

}  // namespace

TEST_CASE("the gradients of the attention rewards agree with finite differences", "[rewards]") {
  const Problem p = open_problem();
  for (std::uint64_t seed = 0; seed < 3; ++seed)
    for (std::size_t k = 0; k < configs().size(); ++k) {
      const AttentionRewardConfig config = configs()[k];
      Completion c = random_trace(gold_response(p), seed);
      const auto gradient = attention_gradient({p, c}, config);
      REQUIRE(gradient.size() == c.attention.mass.size());
      std::size_t moved = 0;
      for (std::size_t i = 0; i < gradient.size(); ++i) {
        constexpr float step = 1.0f / 512;
        const float before = c.attention.mass[i];
        c.attention.mass[i] = before + step;
        const double up = attention_score({p, c}, config).value();
        c.attention.mass[i] = before - step;
        const double down = attention_score({p, c}, config).value();
        c.attention.mass[i] = before;
        INFO("config " << k << ", mass " << i);
        CHECK(double(gradient[i]) == Catch::Approx((up - down) / (2 * step)).margin(3e-4));
        moved += gradient[i] != 0;
      }
      INFO("config " << k);
      CHECK(moved > 0);
    }
}

TEST_CASE("every reward with a gradient agrees with finite differences of its score", "[rewards]") {
  const Problem p = open_problem();
  for (const char* name : {"attention", "attention_region", "attention_raw", "hybrid", "avar"}) {
    const Reward reward = make_reward(name);
    INFO(name);
    REQUIRE(reward.attention_gradient);
    Completion c = with_text_mass(random_trace(gold_response(p), 5));
    const auto gradient = reward.attention_gradient({p, c});
    REQUIRE(gradient.size() == c.attention.mass.size());
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      constexpr float step = 1.0f / 256;
      const float before = c.attention.mass[i];
      c.attention.mass[i] = before + step;
      const double up = reward.score({p, c}).value();
      c.attention.mass[i] = before - step;
      const double down = reward.score({p, c}).value();
      c.attention.mass[i] = before;
      CHECK(double(gradient[i]) == Catch::Approx((up - down) / (2 * step)).margin(3e-4));
    }
    CHECK(*std::max_element(gradient.begin(), gradient.end()) > 0);
    const Completion wrong =
        with_text_mass(random_trace(respond("mass = 5 kg . so 11 N", "11 N"), 5));
    if (std::string(name) != "attention_raw") CHECK(reward.attention_gradient({p, wrong}).empty());
  }
  for (const char* name : {"accuracy", "format", "rubric", "random"})
    CHECK_FALSE(make_reward(name).attention_gradient);
}

TEST_CASE("a closed gate, a missing look section and a missing trace have no gradient",
          "[rewards]") {
  const Problem p = open_problem();
  const auto gradient = [&](const std::string& text, bool ended = true) {
    Completion c = random_trace(text, 1);
    c.ended = ended;
    return attention_gradient({p, c});
  };
  const std::string tail = "principle newton second law . so 10 N";
  CHECK_FALSE(gradient(respond("mass = 5 kg . " + tail, "10 N")).empty());
  CHECK(gradient(respond("mass = 5 kg . " + tail, "11 N")).empty());
  CHECK(gradient("<answer> 10 N </answer>").empty());
  CHECK(gradient(respond("mass = 5 kg . " + tail, "10 N"), false).empty());
  CHECK(gradient(respond(tail, "10 N")).empty());
  CHECK(attention_gradient({p, said(gold_response(p))}).empty());
}

TEST_CASE("the gradient of a mix is the weighted sum of its terms", "[rewards]") {
  const Problem p = open_problem();
  const Completion c = random_trace(gold_response(p), 2);
  const RewardMix mix = mix_of({{"attention", 2}, {"format", .5}, {"attention_region", .25}});
  CHECK(mix.has_attention_gradient());
  const auto all = attention_gradient(mix, {p, c});
  const auto image = attention_gradient({p, c}),
             region = attention_gradient({p, c}, region_attention());
  REQUIRE(all.size() == image.size());
  for (std::size_t i = 0; i < all.size(); ++i)
    CHECK(all[i] == Catch::Approx(2 * image[i] + .25f * region[i]).margin(1e-6));
  const RewardMix none = mix_of({{"accuracy", 1}, {"format", .5}});
  CHECK_FALSE(none.has_attention_gradient());
  CHECK(attention_gradient(none, {p, c}).empty());
  CHECK_FALSE(mix_of({{"attention", 0}, {"accuracy", 1}}).has_attention_gradient());
}

}  // namespace test_reward_gradients
