// SPDX-License-Identifier: MIT
// Small models, prompts and completions for tests, all from counted random numbers.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstring>
#include <deque>
#include <optional>
#include <vector>

#include "gaze/core/philox.hpp"
#include "gaze/cpu/kernels.hpp"
#include "gaze/generate/rollout.hpp"
#include "gaze/train/loop.hpp"
#include "models/vlm.hpp"
#include "tests/restore.hpp"
#include "tests/test.hpp"

namespace gaze::test {

using Tokens = std::vector<std::int32_t>;
using models::Watch;

inline constexpr std::int32_t end_token = 1, image_token = 5;
inline constexpr Index vocabulary = 97;

inline models::VlmConfig config(const std::string& preset) {
  auto c = models::preset(preset);
  c.vocabulary = vocabulary;
  return c;
}

/// The smallest model with this head size in the decoder and the ViT.
inline models::VlmConfig with_head_size(Index d) {
  return {{32, 8, 2 * d, 1, 2, 32, 1e-5}, 2, {32, 2, 2, 1, d, 48, 10000, 1e-5}, vocabulary};
}

/// The same with bf16 operands in products with weights.
inline models::VlmConfig in_bf16(models::VlmConfig c) {
  c.bf16 = true;
  return c;
}

/// Few enough numbers that the CUDA emulator computes and trains it in seconds.
inline models::VlmConfig emulator_config() {
  auto c = config("nano");
  c.vit = {16, 4, 16, 1, 2, 24, 1e-5};
  c.decoder = {16, 2, 2, 1, 8, 24, 10000, 1e-5};
  return c;
}

/// Tokens that are neither the end nor an image.
inline Tokens random_tokens(std::uint64_t seed, Index count) {
  const Philox random(seed, Purpose::test);
  Tokens tokens;
  for (Index i = 0; i < count; ++i)
    tokens.push_back(static_cast<std::int32_t>(
        10 + random.below(static_cast<std::uint64_t>(vocabulary - 10), 1, tokens.size())));
  return tokens;
}

inline std::shared_ptr<std::vector<std::uint8_t>> random_image(const models::VlmConfig& c,
                                                               std::uint64_t seed) {
  const Philox random(seed, Purpose::test);
  const auto size = static_cast<std::size_t>(3 * c.vit.image * c.vit.image);
  auto rgb = std::make_shared<std::vector<std::uint8_t>>(size);
  for (std::size_t i = 0; i < size; ++i)
    (*rgb)[i] = static_cast<std::uint8_t>(random.below(256, 2, i));
  return rgb;
}

/// Two words, an image, `words` more.
inline models::Prompt image_prompt(const models::VlmConfig& c, std::uint64_t seed, Index words) {
  models::Prompt prompt;
  prompt.tokens = random_tokens(seed, 2);
  prompt.tokens.insert(prompt.tokens.end(), static_cast<std::size_t>(c.image_tokens()),
                       image_token);
  const Tokens rest = random_tokens(seed + 1000, words);
  prompt.tokens.insert(prompt.tokens.end(), rest.begin(), rest.end());
  prompt.rgb = random_image(c, seed);
  return prompt;
}

inline models::Prompt text_prompt(std::uint64_t seed, Index words) {
  return {random_tokens(seed, words), nullptr, {}};
}

/// Image and text prompts in turn, of various lengths.
inline std::vector<models::Prompt> some_prompts(const models::VlmConfig& c, Index count) {
  std::vector<models::Prompt> prompts;
  for (Index i = 0; i < count; ++i) {
    const auto seed = static_cast<std::uint64_t>(50 + i);
    prompts.push_back(i % 3 == 2 ? text_prompt(seed, 1 + i)
                                 : image_prompt(c, seed, 1 + i * 5 % 13));
  }
  return prompts;
}

inline std::vector<const models::Prompt*> pointers(const std::vector<models::Prompt>& prompts) {
  std::vector<const models::Prompt*> out;
  for (const auto& p : prompts) out.push_back(&p);
  return out;
}

/// Rollouts of all prompts, prompt i with sample id ids[i].
template <class T, class Device>
std::vector<SampledTokens> sample(const models::Vlm<T, Device>& model,
                                  const std::vector<const models::Prompt*>& prompts, Index group,
                                  const SamplingSettings& settings,
                                  const std::vector<std::uint64_t>& ids,
                                  std::int32_t end = end_token, Watch watch = Watch::nothing) {
  return rollout(model, std::span(prompts), group, settings, end, Philox(11, Purpose::sampling),
                 std::span(ids), watch);
}

/// A decoder without a tower, whose logits are visible for every row.
template <class Device>
struct BareDecoder {
  using Cache = std::deque<KeyValueStore<float, Device>>;

  Parameters<float, Device> parameters;
  models::DecoderConfig c;
  models::Decoder<float, Device> decoder;

  explicit BareDecoder(const models::VlmConfig& config)
      : c(config.decoder), decoder(parameters, c, vocabulary) {
    parameters.allocate(3);
    if (config.bf16) parameters.multiply_in_bf16();
  }

  /// Logits [rows, V] of flat rows under a layout: recorded as in training, or with a cache.
  Tensor<float, Device> logits(const Tokens& tokens, TokenLayout layout,
                               Cache* cache = nullptr) const {
    std::optional<NoGrad> no_grad;
    if (cache) no_grad.emplace();
    if (cache) layout.slots = cache->front().slots();
    const Index n = layout.rows();
    models::DecoderContext<float, Device> context{std::make_shared<TokenLayout>(layout),
                                                  Indices<Device>::from({n}, layout.position)};
    context.cache = cache;
    const auto hidden = decoder(decoder.embed(Indices<Device>::from({n}, tokens)), context);
    const auto& w = decoder.vocabulary();
    return linear(hidden, w.weight());
  }
};

/// The value of a metric, which must be there.
inline double metric(const Metrics& metrics, const std::string& name) {
  for (const auto& [key, value] : metrics)
    if (key == name) return value;
  FAIL("no metric " << name);
  return 0;
}

/// The bits of floats, for comparisons that distinguish -0 and NaN.
inline std::vector<std::uint32_t> bits(const float* values, Index count) {
  std::vector<std::uint32_t> out(static_cast<std::size_t>(count));
  if (count > 0) std::memcpy(out.data(), values, out.size() * sizeof(float));
  return out;
}
inline std::vector<std::uint32_t> bits(const std::vector<float>& v) {
  return bits(v.data(), static_cast<Index>(v.size()));
}
inline std::vector<std::uint32_t> bits(const Tensor<float>& x) { return bits(x.to_vector()); }

/// Every element of `g` differs from that of `whole` by at most `part` of the largest of `whole`.
inline void check_near_largest(const std::vector<float>& g, const std::vector<float>& whole,
                               float part) {
  REQUIRE(g.size() == whole.size());
  float largest = 0, worst = 0;
  for (std::size_t i = 0; i < g.size(); ++i) {
    largest = std::max(largest, std::abs(whole[i]));
    worst = std::max(worst, std::abs(g[i] - whole[i]));
  }
  CHECK(largest > 0);
  CHECK(worst <= part * largest);
}

/// The gradients of all packs, one after the other.
template <class Model>
std::vector<float> all_gradients(Model& model) {
  std::vector<float> out;
  for (const auto& pack : model.parameters().packs()) {
    const auto g = pack.gradients.to_vector();
    out.insert(out.end(), g.begin(), g.end());
  }
  return out;
}

}  // namespace gaze::test
