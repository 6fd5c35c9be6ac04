// SPDX-License-Identifier: MIT
// Tensors without values (from Tensor(), or a missing gradient) and parameters before allocate():
// every function that gets one reports it by the function's name.
#include <set>

#include "gaze/gaze.hpp"
#include "gaze/train/checkpoint.hpp"
#include "tests/op_cases.hpp"
#include "tests/op_rows.hpp"

namespace test_undefined {
namespace {

using namespace gaze;
using namespace gaze::test;
using F = Tensor<float>;

/// The bias and the residual of operations that end in linear().
bool may_be_left_out(const std::string& op, std::size_t input) {
  return input >= 2 && (op == "linear" || op == "conv2d" || op == "checkpoint");
}

}  // namespace

TEST_CASE("every operation refuses an undefined input by its name", "[ops]") {
  std::set<std::string> tested;
  for (const OpCases* cases : {&op_cases(), &value_cases()})
    for (const OpCase& c : *cases)
      for (std::size_t i = 0; i < c.shapes.size(); ++i) {
        auto inputs = random_inputs<float>(c.shapes, c.low, c.high);
        inputs[i] = F();
        INFO(c.name() << ", input " << i);
        const bool refused = !error_of([&] { c.narrow(inputs); }).empty();
        CHECK((refused || may_be_left_out(c.op, i)));
        tested.insert(c.op);
      }
  CHECK(unmatched(~0u, "", "the cases", tested) == "");
}

TEST_CASE("the error names the operation and what is undefined", "[ops]") {
  const F none, x = F::zeros({2, 2}), v = F::zeros({2});
  const Indices<Cpu> no_index, index = indices({0, 1});
  const auto refused = [](const std::string& op, auto f) {
    INFO(op);
    const std::string error = error_of(f);
    INFO(error);
    CHECK((contains(error, "[gaze::" + op + "]") && contains(error, "is undefined")));
  };
  refused("add", [&] { add(x, none); });
  refused("sub", [&] { sub(none, x); });
  refused("mul", [&] { mul(none, none); });
  refused("div", [&] { div(x, none); });
  refused("minimum", [&] { minimum(x, none); });
  refused("maximum", [&] { maximum(none, x); });
  refused("clamp", [&] { clamp(none, 0.0f, 1.0f); });
  refused("scale", [&] { scale(none, 2.0f); });
  refused("exp", [&] { exp(none); });
  refused("relu", [&] { relu(none); });
  refused("gelu_tanh", [&] { gelu_tanh(none); });
  refused("abs", [&] { abs(none); });
  refused("pow", [&] { pow(none, 2.0f); });
  refused("pow", [&] { pow(x, none); });
  refused("less", [&] { less(x, none); });
  refused("where", [&] { where(Mask<Cpu>(), x, x); });
  refused("where", [&] { where(less(x, x), x, none); });
  refused("masked_fill", [&] { masked_fill(none, less(x, x), 0); });
  refused("contiguous", [&] { contiguous(none); });
  refused("reshape", [&] { reshape(none, {1}); });
  refused("permute", [&] { permute(none, {}); });
  refused("slice", [&] { slice(none, 0, 0, 1); });
  refused("expand", [&] { expand(none, {2}); });
  refused("concatenate", [&] { concatenate(std::vector{x, none}, 0); });
  refused("stack", [&] { stack(std::vector{none}, 0); });
  refused("repeat", [&] { repeat(none, {2}); });
  refused("pad", [&] { pad(none, {}, {}); });
  refused("cast", [&] { cast<double>(none); });
  refused("sum", [&] { sum(none); });
  refused("sum", [&] { sum(none, 0); });
  refused("mean", [&] { mean(none); });
  refused("variance", [&] { variance(none, {0}); });
  refused("max", [&] { max(none); });
  refused("min", [&] { min(none, {0}); });
  refused("argmax", [&] { argmax(none, 0); });
  refused("logsumexp", [&] { logsumexp(none, {0}); });
  refused("softmax", [&] { softmax(none, 0); });
  refused("log_softmax", [&] { log_softmax(none, 0); });
  refused("cumsum", [&] { cumsum(none, 0); });
  refused("sort", [&] { sort(none, 0); });
  refused("topk", [&] { topk(none, 1, 0); });
  refused("gather", [&] { gather(v, 0, no_index); });
  refused("scatter_add", [&] { scatter_add(none, 0, index, 2); });
  refused("matmul", [&] { matmul(x, none); });
  refused("linear", [&] { linear(x, none); });
  refused("gelu_mlp", [&] { gelu_mlp(x, x, v, x, none); });
  refused("einsum", [&] { einsum("ij,jk->ik", std::vector{x, none}); });
  refused("unfold", [&] { unfold(none, {1, 1}); });
  refused("conv2d", [&] { conv2d(F::zeros({1, 1, 2, 2}), none, none, {1, 1}); });
  refused("rms_norm", [&] { rms_norm(x, none, 1e-5f); });
  refused("layer_norm", [&] { layer_norm(x, v, none, 1e-5f); });
  refused("gather_rows", [&] { gather_rows(x, no_index); });
  refused("scatter_add_rows", [&] { scatter_add_rows(none, index, 2); });
  refused("embedding", [&] { embedding(none, index); });
  refused("rotary", [&] { rotary(x, 1, 2, 10.0f, no_index); });
  refused("swiglu", [&] { swiglu(none); });
  refused("linear_logprob", [&] { linear_logprob(x, x, no_index); });
  refused("cross_entropy", [&] { cross_entropy(none, index); });
  refused("attention", [&] { attention(none, {1, 1, 2, 1.0}, nullptr); });
  refused("checkpoint", [&] { checkpoint([](const F& y) { return exp(y); }, none); });
  refused("zeros_like", [&] { zeros_like(none); });
  refused("ones_like", [&] { ones_like(none); });
  CHECK(contains(error_of([&] {
                   attention(F::zeros({1, 6}), {1, 1, 2, 1.0}, nullptr);
                 }),
                 "[gaze::attention] no layout"));
}

TEST_CASE("accessing an undefined tensor's values is an error", "[tensor]") {
  F none;
  const auto refused = [](const std::string& op, auto f) {
    CHECK(contains(error_of(f), "[gaze::" + op + "] the tensor is undefined"));
  };
  refused("item", [&] { none.item(); });
  refused("to_vector", [&] { none.to_vector(); });
  refused("to_vector", [&] { none.to<Cpu>(); });
  refused("data", [&] { none.data(); });
  refused("version", [&] { none.version(); });
  refused("changed", [&] { none.changed(); });
  refused("view", [&] { none.view(0, {1}, {1}); });
  CHECK(contains(error_of([&] { none.requires_grad(); }), "[gaze::requires_grad]"));
  CHECK_FALSE(none.grad().defined());
  CHECK_FALSE(none.detach().defined());
  CHECK_FALSE(none.host().defined());
}

TEST_CASE("a missing gradient can be queried, but not read", "[autograd]") {
  F x = F::zeros({2}), unused = F::zeros({2});
  x.requires_grad();
  unused.requires_grad();
  backward(sum(x));
  CHECK(x.grad().to_vector() == std::vector<float>{1, 1});
  CHECK_FALSE(unused.grad().defined());
  CHECK(contains(error_of([&] { unused.grad().to_vector(); }), "never computed"));
  CHECK(contains(error_of([&] { add(x, unused.grad()); }), "[gaze::add] the second input"));
}

TEST_CASE("backward refuses an undefined result or seed", "[autograd]") {
  F x = F::zeros({});
  x.requires_grad();
  CHECK(contains(error_of([&] { backward(F()); }), "[gaze::backward]"));
  CHECK(contains(error_of([&] { backward(scale(x, 2.0f), F()); }),
                 "[gaze::backward] the second input is undefined"));
  CHECK_FALSE(x.grad().defined());
}

TEST_CASE("parameters before allocate() are refused by step, norm and files", "[nn]") {
  Parameters<float> all;
  Linear<float, Cpu> layer(all, "layer", "part", 2, 3, true);
  const auto refused = [](const std::string& op, auto f) {
    const std::string error = error_of(f);
    INFO(error);
    CHECK((contains(error, "[gaze::" + op + "]") && contains(error, "allocate()")));
  };
  refused("AdamW", [&] { AdamW<float>(all, {}); });
  refused("step", [&] { all.check_reached(); });
  refused("gradient_norm", [&] { all.gradient_norm(); });
  refused("train_only", [&] { all.train_only({"part"}); });
  refused("train_only", [&] { all.train_all(); });
  refused("load", [&] { load_weights("not_there.safetensors", all); });
  refused("save", [&] { save_weights("never_written.safetensors", all, {}); });
  CHECK(contains(error_of([&] {
                   layer(F::zeros({1, 2}));
                 }),
                 "[gaze::linear] the second input is undefined"));
  all.allocate(1);
  CHECK(layer(F::zeros({1, 2})).shape() == Shape({1, 3}));
  CHECK(contains(error_of([&] { all.allocate(1); }), "allocate() was already called"));
}

TEST_CASE("saving checks values, including those of views", "[io]") {
  TensorsToWrite tensors;
  CHECK(contains(error_of([&] { tensors.add("w", F()); }), "[gaze::save] w: has no values"));
  CHECK(contains(error_of([&] {
                   tensors.add("w", permute(F::zeros({2, 3}), {1, 0}));
                 }),
                 "[gaze::save] w: shape [3,2] is not contiguous"));
}

}  // namespace test_undefined
