// SPDX-License-Identifier: MIT
// Same bits: a row's forward never depends on batch, threads or cache, so the log-probabilities of
// a rollout equal those of the update.
#include "tests/policy_bits.hpp"

namespace test_same_bits {
namespace {

using namespace gaze;
using namespace gaze::test;

struct Words : BareDecoder<Cpu> {
  using BareDecoder::BareDecoder;

  Tensor<float> alone(const Tokens& tokens) const {
    TokenLayout layout;
    layout.add_sequence(static_cast<Index>(tokens.size()));
    layout.end_group();
    return logits(tokens, layout);
  }

  /// Bits of the rows of tokens at `place` among `batch` sequences.
  Bits in_company(const Tokens& tokens, Index batch, Index place) const {
    TokenLayout layout;
    Tokens all;
    Segment mine;
    for (Index i = 0; i < batch; ++i) {
      const Tokens other = random_tokens(static_cast<std::uint64_t>(i) + 1, 1 + i * 7 % 19);
      const Tokens& t = i == place ? tokens : other;
      const Segment s = layout.add_sequence(static_cast<Index>(t.size()));
      layout.end_group();
      if (i == place) mine = s;
      all.insert(all.end(), t.begin(), t.end());
    }
    return rows(logits(all, layout), mine.row, mine.length);
  }

  /// The same with the first `prefix` tokens shared with `siblings` other continuations.
  Bits with_prefix(const Tokens& tokens, Index prefix, Index siblings) const {
    TokenLayout layout;
    Tokens all(tokens.begin(), tokens.begin() + prefix);
    const Segment shared = layout.add_sequence(prefix);
    Segment mine;
    for (Index i = 0; i <= siblings; ++i) {
      const Tokens other = random_tokens(static_cast<std::uint64_t>(i) + 90, 3 + i * 5);
      const Tokens rest(tokens.begin() + prefix, tokens.end());
      const Tokens& t = i == siblings / 2 ? rest : other;
      const Segment s = layout.add_continuation(shared, static_cast<Index>(t.size()));
      if (i == siblings / 2) mine = s;
      all.insert(all.end(), t.begin(), t.end());
    }
    layout.end_group();
    const auto y = logits(all, layout);
    Bits out = rows(y, 0, prefix);
    const Bits rest = rows(y, mine.row, mine.length);
    out.insert(out.end(), rest.begin(), rest.end());
    return out;
  }

  /// The same with the first `prefix` tokens in a cache and the others decoded one by one, next to
  /// another sequence.
  Bits with_cache(const Tokens& tokens, Index prefix) const {
    const Tokens other = random_tokens(70, static_cast<Index>(tokens.size()));
    TokenLayout layout;
    const Segment s = layout.add_sequence(prefix);
    const Index length = static_cast<Index>(tokens.size()) - prefix;
    const Index other_slot = layout.reserve(length, prefix), slot = layout.reserve(length, prefix);
    std::deque<KeyValueStore<float, Cpu>> cache;
    for (Index i = 0; i < c.layers; ++i)
      cache.emplace_back(AttentionSizes{c.heads, c.kv_heads, c.head_size, 1}, layout.slots);
    Bits out = rows(logits({tokens.begin(), tokens.begin() + prefix}, layout, &cache), 0, prefix);
    for (Index i = 0; i < length; ++i) {
      TokenLayout step;
      step.add_step(s.slot, prefix, other_slot, i);
      step.add_step(s.slot, prefix, slot, i);
      const auto at = static_cast<std::size_t>(prefix + i);
      const Bits row = rows(logits({other[at], tokens[at]}, step, &cache), 1, 1);
      out.insert(out.end(), row.begin(), row.end());
    }
    return out;
  }

 private:
  static Bits rows(const Tensor<float>& x, Index first, Index count) {
    return bits(x.data() + first * x.size(1), count * x.size(1));
  }
};

SamplingSettings sampling(double temperature, Index max_tokens = 9) {
  SamplingSettings s;
  s.temperature = temperature;
  s.max_tokens = max_tokens;
  return s;
}

/// Does logprobs() of the completions reproduce the rollout's values exactly?
void check_ratio_is_one(const Policy& model, const std::vector<models::Prompt>& prompts,
                        Index group, const std::vector<SampledTokens>& completions,
                        float temperature) {
  std::vector<models::Group> groups;
  std::vector<float> rolled;
  for (std::size_t p = 0; p < prompts.size(); ++p) {
    groups.push_back({&prompts[p], {}});
    for (std::size_t g = 0; g < static_cast<std::size_t>(group); ++g) {
      const SampledTokens& c = completions[p * static_cast<std::size_t>(group) + g];
      groups.back().completions.emplace_back(c.tokens);
      rolled.insert(rolled.end(), c.logp.begin(), c.logp.end());
    }
  }
  CHECK(bits(model.logprobs(groups, temperature).logp) == bits(rolled));
}

}  // namespace

TEST_CASE("a row's logits have the same bits alone, in a batch, after a prefix and with a cache",
          "[bits]") {
  for_each_model([](const Sized& model) {
    const Words words(model.config);
    const Tokens tokens = random_tokens(42, 75);  // past a block of the softmax
    set_threads(1);
    const auto logits = words.alone(tokens);
    CHECK(logits.needs_grad());  // as in training
    const Bits alone = bits(logits);
    at_thread_counts([&] {
      CHECK(bits(words.alone(tokens)) == alone);
      for (const Index batch : {2, 7})
        for (const Index place : {Index{0}, batch / 2, batch - 1})
          CHECK(words.in_company(tokens, batch, place) == alone);
      for (const Index place : {0, 63}) CHECK(words.in_company(tokens, 64, place) == alone);
      for (const Index prefix : {1, 16, 50, 64, 65})
        CHECK(words.with_prefix(tokens, prefix, 3) == alone);
      CHECK(words.with_cache(tokens, 60) == alone);
    });
    CHECK(words.with_cache(tokens, 1) == alone);
  });
}

TEST_CASE("a row's bits do not depend on batch size or place, for 2 to 64 sequences", "[bits]") {
  at_each_isa([] {
    const Words words(with_head_size(32));
    const Tokens tokens = random_tokens(43, 21);
    set_threads(2);
    const Bits alone = bits(words.alone(tokens));
    for (Index batch = 2; batch <= 64; ++batch) {
      INFO("a batch of " << batch);
      CHECK(words.in_company(tokens, batch, batch * batch / 7 % batch) == alone);
      CHECK(words.in_company(tokens, batch, batch * 11 / 16) == alone);
    }
    for (Index place = 0; place < 64; ++place) {
      INFO("place " << place << " of 64");
      CHECK(words.in_company(tokens, 64, place) == alone);
    }
  });
}

TEST_CASE("prefill of a prompt has the same bits alone and in a batch of 64", "[bits]") {
  for_each_model([](const Sized& sized) {
    if (sized.name == "tiny") return;  // the same head size as nano, and four times the work
    const Policy model(sized.config, image_token, 7);
    const auto prompts = some_prompts(sized.config, 64);
    const auto all = pointers(prompts);
    set_threads(2);
    const auto together = model.prefill(std::span(all), 1, 4, Watch::marks).first;
    const Index width = static_cast<Index>(together.seen.size()) / 64;
    for (const Index i : {0, 1, 2, 31, 62, 63}) {
      const std::vector<const models::Prompt*> one{all[static_cast<std::size_t>(i)]};
      const auto alone = model.prefill(std::span(one), 3, 9, Watch::marks).first;
      CHECK(bits(alone.logits) == bits(together.logits.data() + i * vocabulary, vocabulary));
      CHECK(bits(alone.seen) == bits(together.seen.data() + i * width, width));
      CHECK(bits(model.prefill(std::span(one), 1, 1, Watch::nothing).first.logits) ==
            bits(alone.logits));
    }
  });
}

TEST_CASE("log-probabilities do not depend on what else is in the batch", "[bits]") {
  for_each_model([](const Sized& sized) {
    const Policy model(sized.config, image_token, 7);
    const Batch batch(sized.config, sized.name == "tiny" ? 3 : 7, 3);
    at_thread_counts([&] {
      const auto all = model.logprobs(batch.groups);
      CHECK(all.logp.needs_grad());  // a forward of training, with shared prefixes
      const NoGrad no_grad;
      Index at = 0;
      for (const auto& group : batch.groups)
        for (const auto& completion : group.completions) {
          const models::Group one{group.prompt, {completion}};
          const auto y = model.logprobs(std::span(&one, 1));
          const Index n = static_cast<Index>(completion.size());
          CHECK(bits(y.logp) == bits(all.logp.data() + at, n));
          CHECK(bits(y.entropy) == bits(all.entropy.data() + at, n));
          at += n;
        }
      CHECK(at == all.logp.numel());
    });
  });
}

TEST_CASE("a rollout's log-probabilities equal those of the update, so the ratio is 1", "[bits]") {
  for_each_model([](const Sized& sized) {
    const Policy model(sized.config, image_token, 7);
    const auto prompts = some_prompts(sized.config, 3);
    const auto all = pointers(prompts);
    for (const double temperature : {1.0, 0.7}) {
      INFO("temperature " << temperature);
      std::vector<SampledTokens> first;
      at_thread_counts([&] {
        const auto out = sample(model, all, 4, sampling(temperature), {3, 1, 8});
        if (first.empty()) first = out;
        for (std::size_t i = 0; i < out.size(); ++i) {
          CHECK(out[i].tokens == first[i].tokens);
          CHECK(bits(out[i].logp) == bits(first[i].logp));
        }
        check_ratio_is_one(model, prompts, 4, out, static_cast<float>(temperature));
      });
    }
  });
}

TEST_CASE("many temperatures round equally in rollout and update", "[bits]") {
  const auto c = config("nano");
  const Policy model(c, image_token, 7);
  const auto prompts = some_prompts(c, 2);
  for (int i = 1; i <= 30; ++i) {
    const double t = i * 0.0671;
    const auto out = sample(model, pointers(prompts), 1, sampling(t, 4), {0, 1});
    INFO("temperature " << t);
    check_ratio_is_one(model, prompts, 1, out, static_cast<float>(t));
  }
}

TEST_CASE("completions that end do not affect the others", "[bits]") {
  const auto c = config("nano");
  const Policy model(c, image_token, 7);
  const auto prompts = some_prompts(c, 3);
  const auto all = pointers(prompts);
  at_each_isa([&] {
    const auto never = sample(model, all, 8, sampling(1, 12), {0, 1, 2}, -1);
    const std::int32_t end = never[5].tokens[3];  // a token that occurs
    const auto out = sample(model, all, 8, sampling(1, 12), {0, 1, 2}, end, Watch::marks);
    std::size_t ended = 0;
    for (std::size_t i = 0; i < out.size(); ++i) {
      const auto& [tokens, logp, seen, done] = out[i];
      const std::size_t n = tokens.size();
      CHECK(tokens ==
            Tokens(never[i].tokens.begin(), never[i].tokens.begin() + static_cast<long>(n)));
      CHECK(bits(logp) == bits(never[i].logp.data(), static_cast<Index>(n)));
      CHECK(done == (tokens.back() == end));
      CHECK((done || n == 12));
      CHECK_FALSE(never[i].ended);
      ended += done;
    }
    CHECK(ended > 0);
    CHECK(ended < out.size());
  });
}

}  // namespace test_same_bits
