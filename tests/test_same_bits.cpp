// SPDX-License-Identifier: MIT
// Same bits: a row's forward never depends on batch, threads or cache, so the log-probabilities of
// a rollout equal those of the update; gradients of a batch repeat at any thread count, and so does
// training.
#include <optional>
#include <thread>

#include "gaze/ops/reduce.hpp"
#include "gaze/optim/adamw.hpp"
#include "tests/small_model.hpp"

namespace test_same_bits {
namespace {

using namespace gaze;
using namespace gaze::test;
using Policy = models::Vlm<float>;
using Bits = std::vector<std::uint32_t>;

/// The models under test: two presets (head size 32), one with bf16 products, and the smallest with
/// larger heads.
struct Sized {
  std::string name;
  models::VlmConfig config;
};
const std::vector<Sized>& sized_models() {
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
float make_gradients(Policy& model, const Batch& batch) {
  const auto y = model.logprobs(batch.groups, 0.9f);
  const auto loss = add(neg(mean(y.logp)), scale(mean(y.entropy), -0.01f));
  backward(loss);
  return loss.item();
}

Bits gradient_bits(Policy& model) {
  Bits all;
  for (const auto& pack : model.parameters().packs()) {
    const Bits b = bits(pack.gradients);
    all.insert(all.end(), b.begin(), b.end());
  }
  return all;
}

Bits weight_bits(Policy& model) {
  Bits all;
  for (const auto& pack : model.parameters().packs()) {
    const Bits b = bits(pack.values);
    all.insert(all.end(), b.begin(), b.end());
  }
  return all;
}

SamplingSettings sampling(double temperature, Index max_tokens = 9) {
  SamplingSettings s;
  s.temperature = temperature;
  s.max_tokens = max_tokens;
  return s;
}

/// Does logprobs() of the completions reproduce the rollout's values exactly?
void check_ratio_is_one(const Policy& model, const std::vector<models::Prompt>& prompts,
                        Index group, const std::vector<Completion>& completions,
                        float temperature) {
  std::vector<models::Group> groups;
  std::vector<float> rolled;
  for (std::size_t p = 0; p < prompts.size(); ++p) {
    groups.push_back({&prompts[p], {}});
    for (std::size_t g = 0; g < static_cast<std::size_t>(group); ++g) {
      const Completion& c = completions[p * static_cast<std::size_t>(group) + g];
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
      std::vector<Completion> first;
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

TEST_CASE("gradients of a batch have the same bits at any thread count", "[bits]") {
  for_each_model([](const Sized& sized) {
    Policy model(sized.config, image_token, 7);
    const Batch batch(sized.config, sized.name == "tiny" ? 3 : 6, 4);
    Bits first;
    at_thread_counts([&] {
      for (int again = 0; again < 2; ++again) {
        model.parameters().clear_gradients();
        make_gradients(model, batch);
        model.parameters().check_reached();
        const Bits now = gradient_bits(model);
        if (first.empty()) first = now;
        CHECK(now == first);
      }
    });
  });
}

TEST_CASE("an executor instead of the threads gives the same bits", "[bits]") {
  struct LastFirst : Executor {
    int threads() const override { return 3; }
    void run(int pieces, const std::function<void(int)>& piece) override {
      for (int i = pieces - 1; i >= 0; --i) piece(i);
    }
  };
  const auto c = config("nano");
  const Batch batch(c, 6, 4);
  const auto gradients = [&] {
    Policy model(c, image_token, 7);
    make_gradients(model, batch);
    return gradient_bits(model);
  };
  at_each_isa([&] {
    const Bits own = gradients();
    LastFirst executor;
    use_executor(&executor);
    const Bits other = gradients();
    use_executor(nullptr);
    CHECK(own == other);
  });
}

TEST_CASE("several threads can train separate models at once", "[bits]") {
  const auto c = config("nano");
  const Batch batch(c, 4, 3);
  const auto weights = [&] {
    Policy model(c, image_token, 7);
    AdamW<float> optimiser(model.parameters(), {});
    for (int step = 0; step < 2; ++step) {
      make_gradients(model, batch);
      optimiser.step(1e-2);
    }
    return weight_bits(model);
  };
  const Bits alone = weights();
  std::array<Bits, 3> together;
  std::vector<std::thread> threads;
  for (Bits& to : together) threads.emplace_back([&] { to = weights(); });
  for (auto& t : threads) t.join();
  for (const Bits& of : together) CHECK(of == alone);
}

TEST_CASE("training repeats bit for bit at any thread count", "[bits]") {
  const auto c = config("nano");
  const Batch batch(c, 4, 3);
  at_each_isa([&] {
    Bits first;
    at_thread_counts([&] {
      Policy model(c, image_token, 7);
      AdamW<float> optimiser(model.parameters(), {});
      const Bits start = weight_bits(model);
      for (int step = 0; step < 3; ++step) {
        make_gradients(model, batch);
        optimiser.step(1e-2);
      }
      const Bits weights = weight_bits(model);
      CHECK(weights != start);
      if (first.empty()) first = weights;
      CHECK(weights == first);
    });
  });
}

}  // namespace test_same_bits
