// SPDX-License-Identifier: MIT
// Sampling tokens: greedy, temperature, top-k, top-p, and randomness by sample id.
#include "gaze/generate/sampling.hpp"

#include <limits>

#include "tests/small_model.hpp"

namespace test_sampling {
namespace {

using namespace gaze;
using namespace gaze::test;
using Catch::Contains;
using Floats = std::vector<float>;

std::int32_t drawn(Floats p, double u, const SamplingSettings& s = {}) { return draw(p, u, s); }

SamplingSettings cut(int top_k, double top_p) {
  SamplingSettings s;
  s.top_k = top_k;
  s.top_p = top_p;
  return s;
}

/// How often each token is drawn from p in n draws.
std::vector<double> frequencies(const Floats& p, const SamplingSettings& s, int n) {
  const Philox random(21, Purpose::test);
  std::vector<double> count(p.size(), 0.0);
  for (int i = 0; i < n; ++i)
    count[static_cast<std::size_t>(
        drawn(p, random.uniform(1, static_cast<std::uint64_t>(i)), s))]++;
  return count;
}

/// Pearson's chi-square of counts against probabilities; tokens of probability 0 must not occur.
double chi_square(const std::vector<double>& count, const std::vector<double>& p, int n) {
  double total = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (p[i] == 0) CHECK(count[i] == 0);
    if (p[i] > 0) total += (count[i] - n * p[i]) * (count[i] - n * p[i]) / (n * p[i]);
  }
  return total;
}

/// Tokens that remain after top-k and top-p.
std::vector<std::int32_t> kept(const Floats& p, const SamplingSettings& s) {
  std::vector<std::int32_t> out;
  for (int i = 0; i < 1000; ++i) {
    const std::int32_t t = drawn(p, i / 1000.0, s);
    if (std::find(out.begin(), out.end(), t) == out.end()) out.push_back(t);
  }
  std::sort(out.begin(), out.end());
  return out;
}

struct Sampled {
  models::VlmConfig c = config("nano");
  models::Vlm<float> model{c, image_token, 7};
  std::vector<models::Prompt> prompts = some_prompts(c, 4);

  std::vector<SampledTokens> run(std::vector<std::size_t> which, std::vector<std::uint64_t> ids,
                                 const SamplingSettings& s, Index group = 2) const {
    std::vector<const models::Prompt*> chosen;
    for (const std::size_t i : which) chosen.push_back(&prompts[i]);
    return sample(model, chosen, group, s, ids);
  }
};

}  // namespace

TEST_CASE("a draw inverts the cumulative distribution", "[sampling]") {
  const Floats p{0.5f, 0.0f, 0.25f, 0.25f};
  CHECK(drawn(p, 0) == 0);
  CHECK(drawn(p, 0.4999) == 0);
  CHECK(drawn(p, 0.5) == 2);
  CHECK(drawn(p, 0.7499) == 2);
  CHECK(drawn(p, 0.75) == 3);
  CHECK(drawn(p, 1 - 0x1p-53) == 3);
  CHECK(drawn({0.0f, 1.0f, 0.0f}, 1 - 0x1p-53) == 1);  // never one without probability
  CHECK(drawn({1.0f}, 0.3) == 0);
  CHECK(drawn({0.2f, 0.2f}, 0.9) == 1);  // the sum need not be 1
}

TEST_CASE("draws occur with their probabilities", "[sampling]") {
  const Floats p{0.4f, 0.05f, 0.0f, 0.3f, 0.15f, 0.1f};
  const int n = 50000;
  CHECK(chi_square(frequencies(p, {}, n), {0.4, 0.05, 0, 0.3, 0.15, 0.1}, n) <
        18.5);  // 4 dof, 0.1%
  const double k = 0.85;
  CHECK(chi_square(frequencies(p, cut(3, 1), n), {0.4 / k, 0, 0, 0.3 / k, 0.15 / k, 0}, n) < 13.8);
  CHECK(chi_square(frequencies(p, cut(0, 0.6), n), {0.4 / 0.7, 0, 0, 0.3 / 0.7, 0, 0}, n) < 10.8);
}

TEST_CASE("top-k keeps the k likeliest tokens, top-p the smallest sufficient set", "[sampling]") {
  const Floats p{0.1f, 0.4f, 0.2f, 0.3f};
  using Ids = std::vector<std::int32_t>;
  CHECK(kept(p, cut(0, 1)) == Ids{0, 1, 2, 3});
  CHECK(kept(p, cut(1, 1)) == Ids{1});
  CHECK(kept(p, cut(2, 1)) == Ids{1, 3});
  CHECK(kept(p, cut(9, 1)) == Ids{0, 1, 2, 3});
  CHECK(kept(p, cut(0, 0.3)) == Ids{1});
  CHECK(kept(p, cut(0, 0.65)) == Ids{1, 3});
  CHECK(kept(p, cut(0, 0.8)) == Ids{1, 2, 3});
  CHECK(kept(p, cut(2, 0.8)) == Ids{1, 3});
  CHECK(kept(p, cut(3, 0.1)) == Ids{1});
  CHECK(kept(p, cut(0, 1e-9)) == Ids{1});                             // always at least one
  CHECK(kept({0.25f, 0.25f, 0.25f, 0.25f}, cut(2, 1)) == Ids{0, 1});  // ties: ascending index
}

TEST_CASE("min-p keeps tokens near the likeliest, after top-k and top-p", "[sampling]") {
  const Floats p{0.1f, 0.4f, 0.2f, 0.3f};
  using Ids = std::vector<std::int32_t>;
  SamplingSettings s;
  s.min_p = 0.45;
  CHECK(kept(p, s) == Ids{1, 2, 3});
  s.min_p = 1;
  CHECK(kept(p, s) == Ids{1});
  s.min_p = 0.01;
  s.top_k = 2;
  CHECK(kept(p, s) == Ids{1, 3});
}

TEST_CASE("a repetition penalty makes tokens of prompt and answer less likely", "[sampling]") {
  const Sampled w;
  SamplingSettings s;
  s.max_tokens = 12;
  const auto repeats = [&](double penalty) {
    s.repetition_penalty = penalty;
    std::size_t count = 0;
    for (const SampledTokens& c : w.run({0, 1, 2, 3}, {0, 1, 2, 3}, s, 16))
      for (std::size_t i = 0; i < c.tokens.size(); ++i)
        count += std::count(c.tokens.begin(), c.tokens.begin() + static_cast<std::ptrdiff_t>(i),
                            c.tokens[i]) > 0;
    return count;
  };
  const std::size_t free = repeats(1);
  CHECK(free > 0);
  CHECK(repeats(1e6) < free);
}

TEST_CASE("invalid sampling settings are refused", "[sampling]") {
  const auto with = [](auto change) {
    SamplingSettings s;
    change(s);
    s.check();
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_NOTHROW(with([](auto&) {}));
  CHECK_THROWS_WITH(with([](auto& s) { s.temperature = 0; }), Contains("temperature"));
  CHECK_THROWS_WITH(with([&](auto& s) { s.temperature = nan; }), Contains("temperature"));
  CHECK_THROWS_WITH(with([](auto& s) { s.top_k = -1; }), Contains("top_k"));
  CHECK_THROWS_WITH(with([](auto& s) { s.top_p = 0; }), Contains("top_p"));
  CHECK_THROWS_WITH(with([](auto& s) { s.top_p = 1.1; }), Contains("top_p"));
  CHECK_THROWS_WITH(with([](auto& s) { s.max_tokens = 0; }), Contains("max_tokens"));
}

TEST_CASE("greedy sampling picks the likeliest token at every step", "[sampling]") {
  const Sampled s;
  SamplingSettings greedy;
  greedy.greedy = true;
  greedy.max_tokens = 5;
  const auto out = s.run({0, 2}, {0, 1}, greedy, 2);
  CHECK(out[0].tokens == out[1].tokens);  // nothing random
  CHECK(out[2].tokens == out[3].tokens);
  const NoGrad no_grad;
  for (const std::size_t i : {0u, 2u}) {
    const Tokens& tokens = out[i].tokens;
    Tokens other = tokens;
    const models::Prompt& prompt = s.prompts[i];
    for (std::size_t t = 0; t < tokens.size(); ++t)
      for (std::int32_t candidate = 0; candidate < vocabulary; candidate += 7) {
        other = Tokens(tokens.begin(), tokens.begin() + static_cast<long>(t));
        other.push_back(candidate);
        const models::Group group{&prompt, {other}};
        const auto logp = s.model.logprobs(std::span(&group, 1)).logp.to_vector();
        CHECK(logp[t] <= out[i].logp[t]);  // at temperature 1
      }
  }
}

TEST_CASE("a tiny temperature samples greedily, a huge one uniformly", "[sampling]") {
  const Sampled s;
  SamplingSettings settings;
  settings.max_tokens = 4;
  settings.greedy = true;
  const auto greedy = s.run({0}, {0}, settings, 1);
  settings.greedy = false;
  settings.temperature = 1e-4;
  for (const auto& c : s.run({0}, {4}, settings, 8)) CHECK(c.tokens == greedy[0].tokens);
  settings.temperature = 1e6;
  std::vector<std::int32_t> seen;
  for (const auto& c : s.run({0}, {4}, settings, 64)) {
    CHECK(c.logp[0] == Catch::Approx(-std::log(vocabulary)).epsilon(1e-3));
    if (std::find(seen.begin(), seen.end(), c.tokens[0]) == seen.end()) seen.push_back(c.tokens[0]);
  }
  CHECK(seen.size() > 30);
}

TEST_CASE("a completion depends on its sample id, not on the batch", "[sampling]") {
  const Sampled s;
  SamplingSettings settings;
  settings.max_tokens = 8;
  settings.top_k = 20;
  settings.top_p = 0.9;
  const auto all = s.run({0, 1, 2, 3}, {10, 11, 12, 13}, settings);
  const auto again = s.run({0, 1, 2, 3}, {10, 11, 12, 13}, settings);
  const auto turned = s.run({3, 1, 0}, {13, 11, 10}, settings);
  const auto alone = s.run({2}, {12}, settings);
  const auto other = s.run({2}, {99}, settings);
  const auto same = [](const SampledTokens& a, const SampledTokens& b) {
    return a.tokens == b.tokens && bits(a.logp) == bits(b.logp) && a.ended == b.ended;
  };
  for (std::size_t i = 0; i < 8; ++i) CHECK(same(all[i], again[i]));
  for (std::size_t g : {0u, 1u}) {
    CHECK(same(turned[g], all[6 + g]));
    CHECK(same(turned[2 + g], all[2 + g]));
    CHECK(same(turned[4 + g], all[g]));
    CHECK(same(alone[g], all[4 + g]));
    CHECK_FALSE(same(other[g], all[4 + g]));
  }
  CHECK_FALSE(same(all[0], all[1]));  // one group, two completions
}

TEST_CASE("log-probabilities refer to the full distribution, whatever top-k and top-p",
          "[sampling]") {
  const Sampled s;
  SamplingSettings settings;
  settings.max_tokens = 1;
  settings.top_k = 1;
  const auto cut_off = s.run({0}, {0}, settings, 4);
  settings.top_k = 0;
  settings.greedy = true;
  const auto greedy = s.run({0}, {0}, settings, 1);
  for (const auto& c : cut_off) {
    CHECK(c.tokens == greedy[0].tokens);
    CHECK(c.logp == greedy[0].logp);
    CHECK(c.logp[0] < -1e-3);
  }
}

TEST_CASE("a rollout's first tokens have the model's frequencies", "[sampling]") {
  const Sampled s;
  SamplingSettings settings;
  settings.max_tokens = 1;
  settings.temperature = 0.5;
  const Index n = 4000;
  const auto out = s.run({0}, {5}, settings, n);
  std::vector<double> count(static_cast<std::size_t>(vocabulary), 0.0), p(count);
  const NoGrad no_grad;
  for (std::int32_t t = 0; t < vocabulary; ++t) {
    const Tokens one{t};
    const models::Group group{&s.prompts[0], {one}};
    p[static_cast<std::size_t>(t)] =
        std::exp(s.model.logprobs(std::span(&group, 1), 0.5f).logp.item());
  }
  for (const auto& c : out) count[static_cast<std::size_t>(c.tokens[0])]++;
  CHECK(chi_square(count, p, static_cast<int>(n)) < 149);  // 96 degrees of freedom, 0.04 %
}

TEST_CASE("a rollout needs one sample id per prompt", "[sampling]") {
  const Sampled s;
  CHECK_THROWS_WITH(s.run({0, 1}, {0}, {}), Contains("2 prompts, 1 sample ids"));
  CHECK_THROWS_WITH(s.run({0}, {0}, {}, 0), Contains("[gaze::rollout]"));
  CHECK(s.run({}, {}, {}).empty());
}

TEST_CASE("a temperature too small for float32 is refused", "[sampling]") {
  const Sampled s;
  SamplingSettings settings;
  settings.max_tokens = 2;
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double t : {0.99e-5, 1e-8, 1e-30, 1e-45, 1e-300, infinity, -1.0}) {
    INFO(t);
    settings.temperature = t;
    for (const double penalty : {1.0, 1.5}) {
      settings.repetition_penalty = penalty;
      CHECK_THROWS_WITH(s.run({0}, {0}, settings),
                        Contains("temperature must be finite and at least 1e-05"));
    }
  }
  // The smallest allowed temperature is practically greedy: token 0, <|pad|>, is not drawn.
  settings.repetition_penalty = 1;
  settings.temperature = min_temperature;
  SamplingSettings greedy = settings;
  greedy.greedy = true;
  CHECK(s.run({0}, {3}, settings)[0].tokens == s.run({0}, {3}, greedy)[0].tokens);
}

TEST_CASE("probabilities that are all zero or not finite are refused", "[sampling]") {
  const float nan = std::numeric_limits<float>::quiet_NaN(),
              infinity = std::numeric_limits<float>::infinity();
  SamplingSettings all, few, many, likely;
  few.top_k = 2;
  many.top_p = 0.9;
  likely.min_p = 0.1;
  for (const auto& settings : {all, few, many, likely}) {
    for (const Floats& p : {Floats(5, 0.0f), Floats{0.5f, nan, 0.5f}, Floats{0, infinity, 0},
                            Floats(300, nan), Floats{nan}})
      CHECK_THROWS_WITH(drawn(p, 0.5, settings), Contains("the probabilities sum to "));
    CHECK(drawn({0, 0, 1e-30f, 0}, 0.5, settings) == 2);
  }
  const double wide_nan = nan;
  for (const std::vector<double>& logits :
       {std::vector<double>{1, wide_nan, 2}, std::vector<double>(4, -double(infinity)),
        std::vector<double>{1, infinity}})
    CHECK_THROWS_WITH(filtered_probabilities(logits, all), Contains("the probabilities sum to "));
}

TEST_CASE("a model with non-finite logits is an error, not a token", "[sampling]") {
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    Sampled s;
    auto& value = s.model.parameters().find("decoder.embedding")->value;
    std::fill_n(value.data(), value.numel(), bad);
    value.changed();
    SamplingSettings settings;
    settings.max_tokens = 2;
    for (const bool greedy : {true, false}) {
      settings.greedy = greedy;
      CHECK_THROWS_WITH(s.run({0}, {0}, settings), Contains("the logits are not finite"));
    }
  }
}

}  // namespace test_sampling
