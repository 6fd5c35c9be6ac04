// SPDX-License-Identifier: MIT
// Products of rounded operands through the layers: values and gradients against float64, the
// weights' rounded copy, training close to float32, and the same bits in rollout and update.
#include <cmath>

#include "gaze/nn/layers.hpp"
#include "gaze/ops/cast.hpp"
#include "gaze/ops/logprob.hpp"
#include "gaze/ops/reduce.hpp"
#include "gaze/optim/adamw.hpp"
#include "tests/numbers.hpp"
#include "tests/small_model.hpp"
#include "tests/texts.hpp"

namespace test_bf16_products {
namespace {

using namespace gaze;
using namespace gaze::test;
using F = Tensor<float>;
using D = Tensor<double>;

F noise(const Shape& shape, std::uint64_t seed) {
  const Philox random(seed, Purpose::test);
  std::vector<float> v;
  for (Index i = 0; i < shape.numel(); ++i)
    v.push_back(static_cast<float>(random.normal(1, static_cast<std::uint64_t>(i))));
  return F::from(shape, v);
}

Tensor<bf16> rounded(const F& x) { return cast<bf16>(x); }

/// x rounded to bf16, in double.
D held(const F& x) {
  std::vector<double> v;
  for (const float e : x.to_vector()) v.push_back(static_cast<float>(bf16(e)));
  return D::from(x.shape(), v);
}

double distance(const F& x, const D& exact) {
  return relative_error(x.to_vector(), exact.to_vector());
}

D transposed_product(const D& a, const D& b, bool ta, bool tb) { return matmul(a, b, ta, tb); }

}  // namespace

TEST_CASE(
    "linear with a rounded weight rounds operands and sums in float32, forward and backward") {
  for (const auto [n, c, o] : {std::array<Index, 3>{1, 7, 5}, {9, 64, 33}, {130, 96, 384}}) {
    F x = noise({n, c}, 1), w = noise({o, c}, 2), bias = noise({o}, 3);
    const F up = noise({n, o}, 4);
    x.requires_grad(), w.requires_grad(), bias.requires_grad();
    const F y = linear(x, {w, rounded(w)}, bias);
    D exact = transposed_product(held(x), held(w), false, true);
    exact = add(exact, cast<double>(bias.detach()));
    CHECK(distance(y, exact) < 1e-6);
    backward(sum(mul(y, up)));
    CHECK(distance(x.grad(), matmul(held(up), held(w))) < 1e-6);
    CHECK(distance(w.grad(), matmul(held(up), held(x), true, false)) < 1e-6);
    CHECK(distance(bias.grad(), cast<double>(sum(up, {0}))) < 1e-6);
    // differs from the float32 products, which are close
    const double off = distance(y, cast<double>(linear(x.detach(), w.detach(), bias.detach())));
    CHECK(off > 1e-4);
    CHECK(off < 1e-2);
  }
}

TEST_CASE("a weight held in bf16 alone gives the products of its rounded values, and its rows") {
  const F w = noise({33, 64}, 2);
  const Weight<float, Cpu> both{w, rounded(w)}, alone{F(), rounded(w)};
  const auto ids = Indices<Cpu>::from({4}, {32, -1, 0, 7});
  const auto targets = Indices<Cpu>::from({9}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  std::vector<std::vector<float>> gradients;
  for (const auto* weight : {&both, &alone}) {
    F x = noise({9, 64}, 1);
    x.requires_grad();
    const auto y = linear(x, *weight);
    const auto p = linear_logprob(x, *weight, targets);
    backward(add(sum(mul(y, noise({9, 33}, 3))), sum(p.logp)));
    gradients.push_back(x.grad().to_vector());
    gradients.push_back(y.to_vector());
    gradients.push_back(p.logp.to_vector());
  }
  for (std::size_t i = 0; i < 3; ++i) CHECK(gradients[i] == gradients[i + 3]);
  const auto rows = gather_rows(alone, ids).to_vector();
  CHECK(rows == gather_rows(cast<float>(held(w)), ids).to_vector());
  CHECK(gather_rows(both, ids).to_vector() == gather_rows(w, ids).to_vector());
  CHECK(contains(error_of([&] { gather_rows(alone, Indices<Cpu>::from({1}, {33})); }), "33"));
  CHECK(contains(error_of([&] { linear(noise({9, 63}, 1), alone); }), "inner sizes differ"));
}

TEST_CASE("linear with a rounded weight adds a residual, and refuses mismatched shapes") {
  const F x = noise({4, 6}, 1), w = noise({3, 6}, 2), r = noise({4, 3}, 3);
  const D exact = add(matmul(held(x), held(w), false, true), cast<double>(r));
  CHECK(distance(linear(x, {w, rounded(w)}, {}, r), exact) < 1e-6);
  CHECK(contains(error_of([&] {
                   linear(x, {w, rounded(noise({2, 6}, 2))});
                 }),
                 "[gaze::linear] weight [3,6], rounded to [2,6]"));
  CHECK(contains(error_of([&] {
                   linear(cast<double>(x), {cast<double>(w), rounded(w)});
                 }),
                 "products of bf16 are for float32 values"));
}

TEST_CASE("log-probabilities from a rounded projection, in several chunks") {
  const Index n = 2 * logprob_chunk + 5, c = 24, v = 50;
  const F x = scale(noise({n, c}, 5), 0.5f).detach(), w = scale(noise({v, c}, 6), 0.5f).detach();
  std::vector<std::int32_t> target;
  for (Index i = 0; i < n; ++i) target.push_back(static_cast<std::int32_t>(i * 7 % v));
  const auto targets = Indices<Cpu>::from({n}, target);
  F xs = x, ws = w;
  xs.requires_grad(), ws.requires_grad();
  const auto got = linear_logprob(xs, {ws, rounded(w)}, targets, 0.8f);
  D dx = held(x), dw = held(w);
  dx.requires_grad(), dw.requires_grad();
  const auto exact = linear_logprob(dx, dw, targets, 0.8);
  CHECK(distance(got.logp, exact.logp) < 1e-6);
  CHECK(distance(got.entropy, exact.entropy) < 1e-6);
  backward(mean(got.logp));
  backward(mean(exact.logp));
  CHECK(distance(xs.grad(), dx.grad()) < 4e-3);  // the gradient of the logits is rounded too
  CHECK(distance(ws.grad(), dw.grad()) < 4e-3);
}

TEST_CASE("a model with bf16 products learns like the float32 model") {
  const auto losses = [](const models::VlmConfig& c) {
    models::Vlm<float> model(c, image_token, 3);
    const auto prompts = some_prompts(c, 3);
    std::vector<Tokens> completions;
    std::vector<models::Group> groups;
    for (std::uint64_t p = 0; p < 3; ++p) completions.push_back(random_tokens(20 + p, 6));
    for (std::size_t p = 0; p < 3; ++p) groups.push_back({&prompts[p], {completions[p]}});
    AdamW<float> optimiser(model.parameters(), {});
    std::vector<double> out;
    for (int step = 0; step < 30; ++step) {
      const auto loss = scale(mean(model.logprobs(groups).logp), -1.0f);
      backward(loss);
      optimiser.step(3e-3);
      out.push_back(loss.item());
    }
    return out;
  };
  const auto exact = losses(config("nano")), got = losses(in_bf16(config("nano")));
  CHECK(exact.back() < 0.3 * exact.front());
  CHECK(got != exact);
  for (std::size_t i = 0; i < got.size(); ++i) {
    INFO("step " << i << ": " << exact[i] << ", in bf16 " << got[i]);
    CHECK(std::abs(got[i] - exact[i]) < 0.02 * exact.front());
  }
}

TEST_CASE("the rounded copy of a weight follows it, and exists only on request") {
  Parameters<float> all;
  const Linear<float, Cpu> layer(all, "layer", "part", 8, 4, true);
  all.allocate(1);
  CHECK_FALSE(all.find("layer.weight")->rounded().defined());
  all.multiply_in_bf16();
  CHECK_FALSE(all.find("layer.bias")->rounded().defined());
  auto* w = all.find("layer.weight");
  const auto first = w->rounded();
  CHECK(first.storage() == w->rounded().storage());  // kept
  w->value.data()[0] = 5;
  w->value.changed();
  CHECK(static_cast<float>(w->rounded().data()[0]) == 5);
  const F x = noise({3, 8}, 1);
  CHECK(distance(layer(x), matmul(held(x), held(w->value.detach()), false, true)) < 1e-6);
}

}  // namespace test_bf16_products
