// SPDX-License-Identifier: MIT
// A value that is changed in place after the forward pass: backward of every operation either
// throws, when it needs the value, or gives the gradients that it would have given.
#include <map>

#include "tests/op_cases.hpp"

namespace {

using namespace gaze;
using namespace gaze::test;
using Catch::Contains;
using D = Tensor<double>;

/// Raises every element of a tensor, wherever it lies, and says so.
void spoil(D x) {
  for (Index i = 0; i < x.numel(); ++i) {
    Index rest = i, at = 0;
    for (int d = x.rank() - 1; d >= 0; rest /= x.size(d--)) at += rest % x.size(d) * x.strides()[d];
    x.data()[at] += 0.375;
  }
  x.changed();
}

enum class Outcome { refused, same, wrong };

/// Runs a case forward, changes one thing (input `which`, or the result), runs it backward.
Outcome outcome(const Case& c, const std::vector<D>& expected, std::size_t which) {
  Inputs<double> leaves = random_inputs<double>(c.shapes, c.low, c.high);
  for (auto& x : leaves) x.requires_grad();
  const D y = c.wide(leaves);
  const auto cotangent = random_tensor<double>(y.shape(), 77, -1, 1);
  if (which < leaves.size())
    spoil(leaves[which]);
  else
    spoil(y);
  try {
    backward(y, cotangent);
  } catch (const Error& e) {
    CHECK_THAT(e.what(), Contains("changed in place"));
    return Outcome::refused;
  }
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    const D g = leaves[i].grad();
    if (g.defined() != expected[i].defined()) return Outcome::wrong;
    if (g.defined() && g.to_vector() != expected[i].to_vector()) return Outcome::wrong;
  }
  return Outcome::same;
}

/// d sum(f(x)) / dx after `change`, where f captured something that change() alters.
template <class F, class Change>
void check_noticed(const std::string& op, F f, Change change) {
  INFO(op);
  D x = random_tensor<double>({3, 4}, 1, 0.5, 1.5);
  x.requires_grad();
  const D y = sum(f(x));
  change();
  CHECK_THROWS_WITH(backward(y), Contains("[gaze::" + op + "]") && Contains("changed in place"));
}

}  // namespace

TEST_CASE("an input or a result that is changed in place never spoils a gradient in silence",
          "[autograd]") {
  std::map<std::string, int> refused;
  for (const Case& c : op_cases()) {
    const auto inputs = random_inputs<double>(c.shapes, c.low, c.high);
    const auto expected = evaluate<double>(c.wide, inputs).gradients;
    for (std::size_t which = 0; which <= inputs.size(); ++which) {
      INFO(c.name() << (which < inputs.size() ? ": an input" : ": the result"));
      const Outcome now = outcome(c, expected, which);
      CHECK(now != Outcome::wrong);
      refused[c.op] += now == Outcome::refused;
    }
  }
  // Whose derivative has values in it that a caller can reach.
  for (const char* op : {"mul",           "div",        "minimum",     "maximum",
                         "exp",           "log",        "sqrt",        "tanh",
                         "sigmoid",       "silu",       "gelu",        "relu",
                         "square",        "gelu_tanh",  "gelu_exact",  "rsqrt",
                         "abs",           "erf",        "pow",         "variance",
                         "logsumexp",     "softmax",    "log_softmax", "matmul",
                         "linear",        "einsum",     "conv2d",      "rms_norm",
                         "layer_norm",    "swiglu",     "attention",   "linear_logprob",
                         "cross_entropy", "checkpoint", "gelu_mlp"}) {
    INFO(op);
    CHECK(refused[op] > 0);
  }
}

TEST_CASE("indices, masks and marks that backward needs are guarded in every operation",
          "[autograd]") {
  const auto rows = indices({2, 0, 1});
  const auto touch = [](const auto& x) { return [&x] { x.changed(); }; };
  check_noticed(
      "gather_rows", [&](const D& x) { return gather_rows(x, rows); }, touch(rows));
  check_noticed(
      "gather_rows", [&](const D& x) { return embedding(x, rows); }, touch(rows));
  check_noticed(
      "scatter_add_rows", [&](const D& x) { return scatter_add_rows(x, rows, 4); }, touch(rows));
  check_noticed(
      "linear_logprob", [&](const D& x) { return linear_logprob(x, x.detach(), rows).logp; },
      touch(rows));
  check_noticed(
      "cross_entropy", [&](const D& x) { return cross_entropy(x, rows); }, touch(rows));
  check_noticed(
      "rotary", [&](const D& x) { return rotary(fresh(x), 1, 4, 100.0, rows); }, touch(rows));
  const auto places = reshape(indices({0, 3, 1, 2, 2, 0}), {3, 2});
  check_noticed(
      "gather", [&](const D& x) { return gather(x, 1, places); }, touch(places));
  const auto targets = reshape(indices({0, 3, 1, 2, 2, 0, 1, 1, 0, 0, 3, 2}), {3, 4});
  check_noticed(
      "scatter_add", [&](const D& x) { return scatter_add(x, 1, targets, 4); }, touch(targets));
  const auto mask = thirds({3, 4});
  check_noticed(
      "where", [&](const D& x) { return where(mask, x, D::scalar(1)); }, touch(mask));
  check_noticed(
      "masked_fill", [&](const D& x) { return masked_fill(x, mask, 1); }, touch(mask));
  const auto layout = make_layout("causal");
  const auto marks = make_marks(*layout, 2);
  const auto attended = [&](const D& x) {
    const auto wide = matmul(permute(x, {1, 0}), random_tensor<double>({3, 12}, 3));
    const auto eight = concatenate(std::vector{wide, wide}, 0);
    return attention(eight, {1, 1, 4, 0.5}, layout, marks).marks;
  };
  check_noticed("attention", attended, touch(marks));
}

TEST_CASE("a checkpoint notices that what it captured was changed, or that it is not the same",
          "[autograd]") {
  D x = random_tensor<double>({3, 4}, 1), w = random_tensor<double>({4, 4}, 2);
  x.requires_grad();
  const auto f = [w](const D& in) { return tanh(matmul(in, w)); };
  const D y = sum(checkpoint(f, x));
  spoil(w);
  CHECK_THROWS_WITH(backward(y), Contains("[gaze::checkpoint] the function gave other values"));
  int calls = 0;
  const auto moody = [&calls](const D& in) { return scale(in, ++calls == 1 ? 1.0 : 2.0); };
  CHECK_THROWS_WITH(backward(sum(checkpoint(moody, x))), Contains("not deterministic"));
  const auto turned = [](const D& in) { return permute(square(in), {1, 0}); };  // result: a view
  CHECK_NOTHROW(backward(sum(checkpoint(turned, x))));
}
