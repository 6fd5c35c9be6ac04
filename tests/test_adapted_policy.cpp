// SPDX-License-Identifier: MIT
// GRPO on LoRA adapters of tiny published checkpoints of each family, with pictures of several
// tiles: ratios of the first update, the base model as reference, frozen weights, and activation
// checkpointing.
#include <map>
#include <string>
#include <vector>

#include "gaze/cpu/kernels.hpp"
#include "gaze/io/safetensors.hpp"
#include "gaze/ops/elementwise.hpp"
#include "gaze/ops/reduce.hpp"
#include "gaze/optim/adamw.hpp"
#include "gaze/rl/grpo.hpp"
#include "gaze/rl/variants.hpp"
#include "phyx/eval/logits.inl"
#include "tests/adapted_checkpoint.hpp"
#include "tests/test.hpp"

namespace test_adapted_policy {
namespace {

using namespace gaze;
using namespace gaze::test;
using Vlm = models::Vlm<float>;
using models::Watch;

/// The rows of the checkpoint's golden inputs, some with pictures of several tiles.
std::vector<models::Prompt> golden_prompts(const GoldenAdapter& g,
                                           const models::hf::Checkpoint& checkpoint) {
  const io::SafetensorsFile inputs(g.checkpoint() + "/golden.safetensors");
  phyx::detail::TokenRows rows(inputs, checkpoint.model.vocabulary);
  rows.add_tiles(inputs, checkpoint);
  return rows.prompts;
}

rl::Task<Vlm> even_tokens(const std::vector<models::Prompt>& prompts) {
  return {[&](Index, Index, Index count) {
            std::vector<rl::TaskPrompt<Vlm>> out;
            for (Index i = 0; i < count; ++i)
              out.push_back({&prompts[static_cast<std::size_t>(i)], static_cast<std::uint64_t>(i),
                             static_cast<std::size_t>(i)});
            return out;
          },
          [](Index, std::span<const rl::TaskPrompt<Vlm>>,
             std::span<const SampledTokens> completions, Metrics&) {
            std::vector<double> out;
            for (const auto& c : completions)
              out.push_back(static_cast<double>(std::count_if(
                  c.tokens.begin(), c.tokens.end(), [](auto token) { return token % 2 == 0; })));
            return out;
          }};
}

/// All values that are not an adapter's.
std::map<std::string, std::vector<float>> frozen_values(Parameters<float>& all) {
  std::map<std::string, std::vector<float>> out;
  for (const auto& p : all.all()) {
    if (p.name.find(".lora_") != p.name.npos) continue;
    auto& values = out[p.name];
    if (p.value.defined())
      values = p.value.to_vector();
    else
      for (const bf16 x : p.rounded().to_vector()) values.push_back(static_cast<float>(x));
  }
  return out;
}

double metric(const Metrics& metrics, const std::string& name) {
  for (const auto& [key, value] : metrics)
    if (key == name) return value;
  FAIL("no metric " << name);
  return 0;
}

const std::vector<std::int32_t> first{4, 9, 4, 17}, second{8};

/// Two completions of each prompt.
std::vector<models::Group> groups_of(const std::vector<models::Prompt>& prompts) {
  std::vector<models::Group> out;
  for (const auto& prompt : prompts) out.push_back({&prompt, {first, second}});
  return out;
}

}  // namespace

TEST_CASE("a GRPO step trains adapters alone, from ratios of exactly 1") {
  for (const bool bf16 : {false, true})
    for (const GoldenAdapter& g : golden_adapters) {
      INFO(g.name << (bf16 ? ", bf16" : ""));
      AdaptedModel a(g, bf16);
      const auto prompts = golden_prompts(g, a.checkpoint);
      const auto before = frozen_values(a.parameters());
      a.parameters().train_only({lora_part});
      AdamW<float> optimiser(a.parameters(), {});
      rl::GrpoSettings s;
      s.apply(rl::variant("grpo"));
      s.prompts = static_cast<Index>(prompts.size());
      s.group = 4;
      s.sampling.max_tokens = 6;
      s.loss.kl = 0.1;
      const rl::Reference<Vlm> reference(&a.model, a.model.adapters());
      std::vector<std::vector<float>> start, after;
      for (const auto& p : a.parameters().all())
        if (!before.contains(p.name)) start.push_back(p.value.to_vector());
      const auto metrics =
          rl::grpo_step<Vlm>(a.model, reference, s, even_tokens(prompts), a.checkpoint.ends[0], 0,
                             Watch::nothing, [&] { optimiser.step(1e-2); });
      CHECK(metric(metrics, "first_ratio_min") == 1);
      CHECK(metric(metrics, "first_ratio_max") == 1);
      CHECK(metric(metrics, "kl") > 1e-6);  // from the checkpoint without adapters
      for (const auto& p : a.parameters().all())
        if (!before.contains(p.name)) {
          INFO(p.name);
          const std::size_t i = after.size();
          after.push_back(p.value.to_vector());
          CHECK(after[i] != start[i]);
        } else {
          CHECK_FALSE(p.value.grad().defined());
        }
      CHECK((frozen_values(a.parameters()) == before));
    }
}

TEST_CASE("with adapters off, a policy has the log-probabilities of its base model") {
  for (const bool bf16 : {false, true})
    for (const GoldenAdapter& g : golden_adapters) {
      INFO(g.name << (bf16 ? ", bf16" : ""));
      AdaptedModel a(g, bf16);
      const auto& c = a.checkpoint;
      auto base = Vlm::for_file(c.model, c.image_token, false, false);
      models::hf::load_weights(io::WeightFiles(g.checkpoint()), c.weights, base.parameters());
      const auto prompts = golden_prompts(g, c);
      const NoGrad no_grad;
      const auto groups = groups_of(prompts);
      const auto adapted = a.model.logprobs(groups).logp.to_vector();
      std::vector<float> off;
      const auto switched = a.model.adapters();
      {
        const rl::AdaptersOff without(switched);
        off = a.model.logprobs(groups).logp.to_vector();
      }
      const auto expected = base.logprobs(groups).logp.to_vector();
      CHECK(off == expected);
      CHECK(adapted != expected);
      CHECK(a.model.logprobs(groups).logp.to_vector() == adapted);
    }
}

TEST_CASE("blocks computed again in backward give the same bits, with observed attention too") {
  for (const GoldenAdapter& g : golden_adapters)
    for (const Watch watch : {Watch::nothing, Watch::marks}) {
      INFO(g.name << (watch == Watch::marks ? ", marks" : ""));
      AdaptedModel a(g);
      a.parameters().train_only({lora_part});
      const auto prompts = golden_prompts(g, a.checkpoint);
      const auto groups = groups_of(prompts);
      const auto run = [&](bool again) {
        a.model.checkpoint_blocks(again);
        a.parameters().clear_gradients();
        const auto y = a.model.logprobs(groups, 1, watch);
        auto loss = sum(y.logp);
        std::vector<std::vector<float>> out;
        for (const auto& layer : y.seen) {
          loss = add(loss, sum(square(layer)));
          out.push_back(layer.to_vector());
        }
        CHECK(y.seen.size() == (watch == Watch::marks ? 2u : 0u));
        out.push_back(y.logp.to_vector());
        backward(loss);
        a.parameters().check_reached();
        for (const auto& p : a.parameters().all())
          if (p.name.find(".lora_") != p.name.npos) out.push_back(p.value.grad().to_vector());
        return out;
      };
      const auto kept = run(false);
      CHECK((run(true) == kept));
      CHECK((run(false) == kept));
    }
}

TEST_CASE("blocks computed again in backward need less memory") {
  const GoldenAdapter& g = golden_adapters[0];
  AdaptedModel a(g);
  a.parameters().train_only({lora_part});
  const models::Prompt prompt{std::vector<std::int32_t>(400, 7), nullptr, {}};
  const std::vector<models::Group> groups{{&prompt, {first}}};
  const auto peak = [&](bool again) {
    a.model.checkpoint_blocks(again);
    const std::size_t before = Allocator<Cpu>::in_use();
    Allocator<Cpu>::reset_peak();
    backward(sum(a.model.logprobs(groups).logp));
    return Allocator<Cpu>::peak() - before;
  };
  peak(false);  // allocates what stays
  const auto kept = peak(false);
  CHECK(peak(true) < 0.8 * static_cast<double>(kept));
}

}  // namespace test_adapted_policy
