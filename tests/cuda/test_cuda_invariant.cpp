// SPDX-License-Identifier: MIT
// Products whose rows do not depend on the batch: values against float64, a row's bits alone and in
// any batch, and a bf16 model whose first GRPO ratio is exactly 1.
#include <optional>
#include <random>

#include "cuda/gemm/tensor_gemm.hpp"
#include "cuda/host/choice.hpp"
#include "gaze/rl/grpo.hpp"
#include "gaze/rl/variants.hpp"
#include "tests/cuda/device.hpp"
#include "tests/cuda/on_device.hpp"
#include "tests/small_model.hpp"
#ifdef GAZE_CUDA_EMULATED
#include "cuda/emulator/emulated_copies.hpp"
#endif

namespace test_cuda_invariant {
namespace {

using namespace gaze;
using namespace gaze::test;
using cuda::TensorTiles;
using K = Kernels<Cuda>;
using Bits = std::vector<std::uint32_t>;

constexpr TensorTiles kTiles[] = {TensorTiles::wide, TensorTiles::narrow, TensorTiles::flat};

/// One product; `gap` elements between rows vary their alignment.
struct Product {
  bool ta, tb;
  Index m, n, k, gap = 0;
  bool accumulate = false, biased = false;

  Index lda() const { return (ta ? m : k) + gap; }
  Index ldb() const { return (tb ? k : n) + gap; }
  Index ldc() const { return n + gap; }
  Index a_size() const { return (ta ? k : m) * lda(); }
  Index b_size() const { return (tb ? n : k) * ldb(); }

  template <class T>
  args::Gemm<T> arguments(const T* a, const T* b, GradOf<T>* c, const GradOf<T>* bias) const {
    return {.transpose_a = ta,
            .transpose_b = tb,
            .m = m,
            .n = n,
            .k = k,
            .a = a,
            .lda = lda(),
            .b = b,
            .ldb = ldb(),
            .c = c,
            .ldc = ldc(),
            .accumulate = accumulate,
            .bias = biased ? bias : nullptr};
  }
};

/// Its operands and the initial C, in the device's types.
struct Operands {
  std::vector<double> a, b, c, bias;

  Operands(const Product& p, unsigned seed) {
    std::mt19937 random(seed);
    a = numbers<bf16>(p.a_size(), random);
    b = numbers<bf16>(p.b_size(), random);
    c = numbers<float>(p.m * p.ldc(), random);
    bias = numbers<float>(p.n, random);
  }
};

std::vector<float> run(const Product& p, const Operands& x, TensorTiles tiles) {
  const OnDevice<bf16> a(rounded<bf16>(x.a)), b(rounded<bf16>(x.b));
  const OnDevice<float> c(rounded<float>(x.c)), bias(rounded<float>(x.bias));
  REQUIRE(cuda::tensor_gemm(p.arguments<bf16>(a.data(), b.data(), c.data(), bias.data()), tiles));
  return c.host();
}

std::vector<double> exact(const Product& p, const Operands& x) {
  auto c = x.c;
  Kernels<Cpu>::gemm(p.arguments(x.a.data(), x.b.data(), c.data(), x.bias.data()));
  return c;
}

/// Row `row` of op(A) as the only row of a product, with its row of C.
std::vector<float> row_alone(const Product& p, const Operands& x, Index row, TensorTiles tiles) {
  Product one = p;
  one.m = 1;
  Operands mine = x;
  mine.a.assign(static_cast<std::size_t>(one.a_size()), 0);
  for (Index i = 0; i < p.k; ++i)
    mine.a[static_cast<std::size_t>(p.ta ? i * one.lda() : i)] =
        x.a[static_cast<std::size_t>(p.ta ? i * p.lda() + row : row * p.lda() + i)];
  mine.c.assign(x.c.begin() + row * p.ldc(), x.c.begin() + (row + 1) * p.ldc());
  return run(one, mine, tiles);
}

/// The decoder, with the bits of its logits.
struct Words : BareDecoder<Cuda> {
  bool rounded;

  explicit Words(const models::VlmConfig& config) : BareDecoder(config), rounded(config.bf16) {}

  Bits logits(const Tokens& tokens, const TokenLayout& layout, Cache* cache = nullptr) const {
    const auto y = BareDecoder::logits(tokens, layout, cache);
    CHECK(y.needs_grad() == !cache);
    return bits(y.to_vector());
  }
};

Bits rows_of(const Bits& all, Index first, Index count) {
  return {all.begin() + first * vocabulary, all.begin() + (first + count) * vocabulary};
}
void append(Bits& to, const Bits& more) { to.insert(to.end(), more.begin(), more.end()); }
Tokens part(const Tokens& t, Index first, Index end) {
  return {t.begin() + first, t.begin() + end};
}
Tokens joined(std::initializer_list<Tokens> parts) {
  Tokens all;
  for (const Tokens& t : parts) all.insert(all.end(), t.begin(), t.end());
  return all;
}

/// Logits of all tokens in a recorded forward: `prefix` shared with two other continuations.
Bits trained(const Words& words, const Tokens& tokens, Index prefix) {
  const Index rest = static_cast<Index>(tokens.size()) - prefix;
  TokenLayout layout;
  const Segment prompt = layout.add_sequence(prefix);
  layout.add_continuation(prompt, 5);
  const Segment mine = layout.add_continuation(prompt, rest);
  layout.add_continuation(prompt, 2);
  layout.end_group();
  const auto all = words.logits(joined({part(tokens, 0, prefix), random_tokens(1, 5),
                                        part(tokens, prefix, prefix + rest), random_tokens(2, 2)}),
                                layout);
  Bits out = rows_of(all, 0, prefix);
  append(out, rows_of(all, mine.row, rest));
  return out;
}

/// The same by prefill of `prefix` tokens, after another prompt, and a step for each of the others,
/// decoded together with `beside` other completions.
Bits decoded(const Words& words, const Tokens& tokens, Index prefix, Index beside) {
  const Index rest = static_cast<Index>(tokens.size()) - prefix;
  TokenLayout layout;
  const Segment other = layout.add_sequence(4);
  layout.end_group();
  const Segment prompt = layout.add_sequence(prefix);
  const Index slot = layout.reserve(rest, prefix);
  std::vector<Index> others;
  for (Index i = 0; i < beside; ++i) others.push_back(layout.reserve(rest, 4));
  Words::Cache cache;
  const AttentionSizes sizes{words.c.heads, words.c.kv_heads, words.c.head_size, 1, words.rounded};
  for (Index i = 0; i < words.c.layers; ++i) cache.emplace_back(sizes, layout.slots);
  const auto first =
      words.logits(joined({random_tokens(7, 4), part(tokens, 0, prefix)}), layout, &cache);
  Bits out = rows_of(first, 4, prefix);
  for (Index i = 0; i < rest; ++i) {
    TokenLayout step;
    step.add_step(prompt.slot, prefix, slot, i);
    for (const Index s : others) step.add_step(other.slot, 4, s, i);
    const auto seed = static_cast<std::uint64_t>(20 + i);
    const auto all = words.logits(
        joined({part(tokens, prefix + i, prefix + i + 1), random_tokens(seed, beside)}), step,
        &cache);
    append(out, rows_of(all, 0, 1));
  }
  return out;
}

/// Bits of the rows of tokens at `place` among `batch` sequences.
Bits in_company(const Words& words, const Tokens& tokens, Index batch, Index place) {
  TokenLayout layout;
  Tokens all;
  Segment mine;
  for (Index i = 0; i < batch; ++i) {
    const Tokens other = random_tokens(static_cast<std::uint64_t>(i) + 1, 1 + i * 7 % 5);
    const Tokens& t = i == place ? tokens : other;
    const Segment s = layout.add_sequence(static_cast<Index>(t.size()));
    layout.end_group();
    if (i == place) mine = s;
    all = joined({all, t});
  }
  return rows_of(words.logits(all, layout), mine.row, mine.length);
}

}  // namespace

TEST_CASE("tiles are flat for few rows, and wide when there are enough for every multiprocessor",
          "[cuda]") {
  using cuda::fitting_tiles;
  CHECK(fitting_tiles(1, 32000, 132) == TensorTiles::flat);
  CHECK(fitting_tiles(16, 32000, 132) == TensorTiles::flat);
  CHECK(fitting_tiles(17, 32000, 132) == TensorTiles::wide);
  CHECK(fitting_tiles(1000, 1000, 132) == TensorTiles::narrow);
  CHECK(fitting_tiles(1024, 2048, 128) == TensorTiles::wide);
  CHECK(fitting_tiles(1024, 2048, 129) == TensorTiles::narrow);
  static_assert(cuda::fitting_tiles(0, 5, 1) == TensorTiles::flat);
}

TEST_CASE("the part of an element unit inside a row is counted", "[cuda]") {
  using cuda::elements_inside;
  for (const Index n : {0, 1, 7, 8, 9, 16})
    for (const Index at : {0, 8, 16, 24}) {
      int inside = 0;
      for (Index i = at; i < at + 8; ++i) inside += i < n;
      CHECK(elements_inside(at, n, 8) == inside);
    }
}

TEST_CASE("invariant products are right in every form, edge and tile", "[cuda]") {
  GAZE_NEEDS_DEVICE();
  for (const auto [m, n, k] : {std::array<Index, 3>{1, 1, 1},
                               {16, 33, 31},
                               {17, 8, 33},
                               {65, 70, 97},
                               {129, 130, 40},
                               {5, 9, 0},
                               {64, 32, 64},
                               {40, 128, 200}})
    for (int how = 0; how < 12; ++how) {
      // Without a gap, rows are multiples of 16 bytes if sizes are multiples of 8; with one,
      // rarely.
      Product p{(how & 1) != 0, (how & 2) != 0, m, n, k, how % 3};
      p.accumulate = how / 4 == 1;
      p.biased = how / 4 == 2;
      const Operands x(p, static_cast<unsigned>(how));
      const auto want = exact(p, x);
      const auto first = run(p, x, kTiles[0]);
      INFO(m << " x " << n << " x " << k << ", form " << how);
      CHECK(distance(first, want) < 1e-6);
      for (const TensorTiles tiles : kTiles) CHECK(same_bits(run(p, x, tiles), first));
    }
}

TEST_CASE("a row of an invariant product has the same bits alone and in batches of 2 to 64",
          "[cuda]") {
  GAZE_NEEDS_DEVICE();
  for (const bool ta : {false, true})
    for (const Index batch : {2, 3, 7, 16, 17, 31, 33, 64}) {
      const Product p{ta, true, batch, 41, 75, 0, batch % 2 == 1, batch % 2 == 0};
      const Operands x(p, static_cast<unsigned>(batch));
      const auto together = run(p, x, TensorTiles::fitting);
      for (const Index row : {Index{0}, batch / 2, batch - 1}) {
        INFO("row " << row << " of " << batch);
        const auto alone = row_alone(p, x, row, TensorTiles::fitting);
        CHECK(same_bits(
            alone, {together.begin() + row * p.ldc(), together.begin() + (row + 1) * p.ldc()}));
      }
    }
  const Product all{false, true, 64, 24, 50};  // every place in a batch
  const Operands x(all, 1);
  const auto together = run(all, x, TensorTiles::fitting);
  for (Index row = 0; row < 64; ++row)
    CHECK(same_bits(row_alone(all, x, row, TensorTiles::fitting),
                    {together.begin() + row * 24, together.begin() + (row + 1) * 24}));
}

TEST_CASE("an infinity in an invariant product stays in its row, even beyond k", "[cuda]") {
  GAZE_NEEDS_DEVICE();
  const Product p{false, false, 20, 20, 20, 4};
  Operands x(p, 5);
  for (std::size_t i = 0; i < x.a.size(); ++i)  // in the gaps, which must not be read
    if (i % 24 >= 20) x.a[i] = x.b[i] = INFINITY;
  x.a[3 * 24 + 7] = INFINITY;
  const auto y = run(p, x, TensorTiles::narrow);
  for (Index r = 0; r < 20; ++r)
    for (Index c = 0; c < 20; ++c)
      CHECK(std::isfinite(y[static_cast<std::size_t>(r * 24 + c)]) == (r != 3));
}

#ifdef GAZE_CUDA_EMULATED
TEST_CASE("invariant products do not depend on the order of threads and copies", "[cuda]") {
  for (const TensorTiles tiles : kTiles)
    for (const Index gap : {0, 1}) {
      const Product p{true, false, 40, 72, 200, gap};
      const Operands x(p, 3);
      const auto first = run(p, x, tiles);
      for (const bool late : {false, true})
        for (const std::uint64_t order : {0, 1, 17}) {
          cuda::emulator::late_copies = late;
          cuda::emulator::set_order(order);
          CHECK(same_bits(run(p, x, tiles), first));
          cuda::emulator::set_order(0);
          cuda::emulator::late_copies = false;
        }
    }
}

TEST_CASE("the settings choose the matrix product", "[cuda]") {
  const std::vector<bf16> on_host(64, bf16(1.0f));  // refused, with the kernel's name
  auto c = Tensor<float, Cuda>::zeros({8, 8});
  const Product p{false, true, 8, 8, 8};
  const auto error = [&] {
    return error_of(
        [&] { K::gemm(p.arguments<bf16>(on_host.data(), on_host.data(), c.data(), nullptr)); });
  };
  CHECK_THAT(error(), Catch::Contains(" gemm:"));
  {
    const Invariant invariant;
    CHECK_THAT(error(), Catch::Contains("tensor_gemm:"));
  }
  const Invariant plain(false);
  CHECK_THAT(error(), Catch::Contains(" gemm:"));
}
#endif

TEST_CASE("a row's bf16 logits have the same bits in any batch", "[cuda]") {
  GAZE_NEEDS_DEVICE();
  const Invariant invariant;
  const Words words(in_bf16(emulator_config()));
  const Tokens tokens = random_tokens(42, 19);
  const Bits alone = in_company(words, tokens, 1, 0);
  for (const Index batch : {2, 3, 8, 17, 40, 64})
    for (const Index place : {Index{0}, batch / 2, batch - 1}) {
      INFO("place " << place << " of " << batch);
      CHECK(in_company(words, tokens, batch, place) == alone);
    }
}

TEST_CASE("logits of prefill, cached decoding and training have the same bits", "[cuda]") {
  GAZE_NEEDS_DEVICE();
  const Invariant invariant;
  const Tokens tokens = random_tokens(42, 75);
  const auto check = [&](bool rounded, Index prefix, std::initializer_list<Index> beside) {
    auto config = in_bf16(emulator_config());
    config.bf16 = rounded;
    const Words words(config);
    const Bits want = trained(words, tokens, prefix);
    for (const Index others : beside) {
      INFO((rounded ? "bf16" : "float32") << ", a prompt of " << prefix << ", beside " << others);
      CHECK(decoded(words, tokens, prefix, others) == want);
    }
  };
  check(true, 66, {0, 1, 20});  // a prompt past a block of keys
  check(true, 3, {1});          // a completion past it
  check(false, 66, {20});
}

TEST_CASE("a run records its kernels", "[cuda]") {
  GAZE_NEEDS_DEVICE();
  const auto name = [] { return gaze::kernels_name<Cuda>(true); };
  const std::string usual = name();
  {
    const Invariant invariant;
    CHECK(name() == usual + ", invariant products");
  }
  const Invariant plain(false);
  CHECK(name() == usual + ", plain kernels");
}

TEST_CASE("the first ratio of a GRPO step in bf16 is exactly 1", "[cuda]") {
  GAZE_NEEDS_DEVICE();
  using Model = models::Vlm<float, Cuda>;
  for (const bool fast : {true, false}) {
    const Invariant invariant(fast);
    const auto c = in_bf16(emulator_config());
    Model model(c, image_token, 3);
    const auto prompts = some_prompts(c, 3);
    rl::GrpoSettings s;
    s.prompts = 3;
    s.group = 4;
    s.sampling.max_tokens = 6;
    s.apply(rl::variant("grpo"));
    const rl::Task<Model> task{[&](Index, Index, Index count) {
                                 std::vector<rl::TaskPrompt<Model>> out;
                                 for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i)
                                   out.push_back({&prompts[i], i, i});
                                 return out;
                               },
                               [](Index, std::span<const rl::TaskPrompt<Model>>,
                                  std::span<const SampledTokens> completions, Metrics&) {
                                 std::vector<double> rewards;
                                 for (const auto& one : completions)
                                   rewards.push_back(one.tokens.back() % 5);
                                 return rewards;
                               }};
    for (const Index together : {3, 1}) {
      s.groups_per_micro = together;
      const auto metrics =
          rl::grpo_step<Model>(model, nullptr, s, task, end_token, 0, Watch::marks, [] {});
      CHECK(metric(metrics, "first_ratio_min") == 1.0);
      CHECK(metric(metrics, "first_ratio_max") == 1.0);
      CHECK(metric(metrics, "reward_std") > 0);
    }
  }
}

}  // namespace test_cuda_invariant
