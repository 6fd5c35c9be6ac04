// SPDX-License-Identifier: MIT
// Small models and batches for tests that compare bits, and the bits of their gradients.
#pragma once
#include "gaze/ops/reduce.hpp"
#include "tests/small_model.hpp"

namespace gaze::test {

using Policy = models::Vlm<float>;
using Bits = std::vector<std::uint32_t>;

/// The models under test: two presets (head size 32), one with bf16 products, and the smallest with
/// larger heads.
struct Sized {
  std::string name;
  models::VlmConfig config;
};
inline const std::vector<Sized>& sized_models() {
  static const std::vector<Sized> all{{"nano", config("nano")},
                                      {"tiny", config("tiny")},
                                      {"nano in bf16", in_bf16(config("nano"))},
                                      {"head size 64", with_head_size(64)},
                                      {"head size 72", with_head_size(72)},
                                      {"head size 128", with_head_size(128)}};
  return all;
}

/// Calls body(model) for each of them, at every instruction set.
template <class Body>
void for_each_model(Body body) {
  for (const Sized& model : sized_models()) {
    INFO(model.name);
    at_each_isa([&] { body(model); });
  }
}

/// Prompts with completions of various lengths.
struct Batch {
  std::vector<models::Prompt> prompts;
  std::vector<Tokens> completions;
  std::vector<models::Group> groups;

  Batch(const models::VlmConfig& c, Index count, Index group) : prompts(some_prompts(c, count)) {
    for (Index i = 0; i < count * group; ++i)
      completions.push_back(random_tokens(static_cast<std::uint64_t>(500 + i), 1 + i * 3 % 8));
    completions.front().back() = image_token;  // an ordinary token there
    for (Index i = 0; i < count; ++i) {
      groups.push_back({&prompts[static_cast<std::size_t>(i)], {}});
      for (Index g = 0; g < group; ++g)
        groups.back().completions.emplace_back(
            completions[static_cast<std::size_t>(i * group + g)]);
    }
  }
};

/// Computes the gradients of a policy-like loss.
inline float make_gradients(Policy& model, const Batch& batch) {
  const auto y = model.logprobs(batch.groups, 0.9f);
  const auto loss = add(neg(mean(y.logp)), scale(mean(y.entropy), -0.01f));
  backward(loss);
  return loss.item();
}

inline Bits gradient_bits(Policy& model) {
  Bits all;
  for (const auto& pack : model.parameters().packs()) {
    const Bits b = bits(pack.gradients);
    all.insert(all.end(), b.begin(), b.end());
  }
  return all;
}

}  // namespace gaze::test
