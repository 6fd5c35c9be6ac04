// SPDX-License-Identifier: MIT
// The golden curve: 50 steps of the `tiny` model from the same weights and data as PyTorch, whose
// losses are in tests/golden/curve_golden.json (from make_curve_golden.py, which repeats the rule
// for weights and data).

#include "gaze/cpu/kernels.hpp"
#include "gaze/ops/reduce.hpp"
#include "gaze/optim/adamw.hpp"
#include "models/vlm.hpp"
#include "tests/data.hpp"
#include "tests/test.hpp"

namespace test_curve {
namespace {

using namespace gaze;
using Model = models::Vlm<float>;

constexpr std::int32_t image_token = 5;
constexpr Index vocabulary = 97, examples = 8, batch = 2;

/// The i-th 64-bit number of a name: SplitMix64 (Steele et al. 2014) from its FNV-1a hash.
std::uint64_t word(const std::string& name, std::uint64_t i) {
  std::uint64_t key = 1469598103934665603u;
  for (const char c : name) key = (key ^ static_cast<unsigned char>(c)) * 1099511628211u;
  std::uint64_t z = key + (i + 1) * 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

void set_weights(Parameters<float>& parameters) {
  for (auto& p : parameters.all()) {
    const bool norm = p.shape.rank() == 1 && p.name.ends_with(".weight");
    for (Index i = 0; i < p.shape.numel(); ++i) {
      double u = static_cast<double>(word(p.name, static_cast<std::uint64_t>(i)) >> 40) / (1 << 23);
      u -= 1;
      if (p.shape.rank() == 2)
        u /= std::sqrt(static_cast<double>(p.shape[1]));
      else
        u = norm ? 1 + 0.1 * u : 0.05 * u;
      p.value.data()[i] = static_cast<float>(u);
    }
    p.value.changed();
  }
}

struct Example {
  models::Prompt prompt;
  std::vector<std::int32_t> completion;
};

Example make_example(const models::VlmConfig& c, Index number) {
  const std::string name = std::to_string(number);
  std::vector<std::int32_t> text;
  for (std::uint64_t i = 0; i < 13; ++i)
    text.push_back(static_cast<std::int32_t>(10 + word("text " + name, i) % (vocabulary - 10)));
  Example e;
  auto& tokens = e.prompt.tokens;
  tokens.assign(text.begin(), text.begin() + 2);
  tokens.insert(tokens.end(), static_cast<std::size_t>(c.image_tokens()), image_token);
  tokens.insert(tokens.end(), text.begin() + 2, text.begin() + 7);
  e.completion.assign(text.begin() + 7, text.end());
  auto rgb = std::make_shared<std::vector<std::uint8_t>>(
      static_cast<std::size_t>(3 * c.vit.image * c.vit.image));
  for (std::size_t i = 0; i < rgb->size(); ++i)
    (*rgb)[i] = static_cast<std::uint8_t>(word("image " + name, i) % 256);
  e.prompt.rgb = std::move(rgb);
  return e;
}

}  // namespace

TEST_CASE("50 steps of the tiny model follow PyTorch's losses to 1e-4", "[curve][golden]") {
  const auto golden = gaze::test::golden_json("curve_golden.json");
  const auto expected = golden["losses"].get<std::vector<double>>();
  REQUIRE(expected.size() == 50);
  auto config = models::preset("tiny");
  config.vocabulary = vocabulary;
  Model model(config, image_token, 1);
  set_weights(model.parameters());
  AdamW<float> optimiser(model.parameters(), {0.9, 0.98, 1e-8, 0.01, 1});
  std::vector<Example> data;
  for (Index i = 0; i < examples; ++i) data.push_back(make_example(config, i));
  double worst = 0;
  for (std::size_t step = 0; step < expected.size(); ++step) {
    std::vector<models::Group> groups;
    for (std::size_t i = 0; i < batch; ++i) {
      const Example& e = data[(step * batch + i) % data.size()];
      groups.push_back({&e.prompt, {e.completion}});
    }
    const auto loss = scale(mean(model.logprobs(groups).logp), -1.0f);
    const double apart = std::abs(loss.item() - expected[step]) / expected[step];
    worst = std::max(worst, apart);
    INFO("step " << step << ": " << loss.item() << ", PyTorch " << expected[step]);
    CHECK(apart < 1e-4);
    backward(loss);
    optimiser.step(1e-3);
  }
  CHECK(expected.back() < expected.front() / 2);
  INFO("largest relative difference " << worst);
  CHECK(worst < 1e-4);
}

}  // namespace test_curve
