// SPDX-License-Identifier: MIT
// Every operation of the op table: gradients against finite differences, float against double,
// values and gradients against PyTorch (golden file), errors that name the operation.
#include <nlohmann/json.hpp>
#include <set>

#include "gaze/cpu/isa.hpp"
#include "tests/data.hpp"
#include "tests/op_cases.hpp"
#include "tests/op_rows.hpp"

namespace test_ops {
namespace {

using namespace gaze;
using namespace gaze::test;

nlohmann::json golden() { return golden_json("engine_golden.json")["cases"]; }

const OpCase& find_case(std::string_view name) {
  for (const OpCases* cases : {&op_cases(), &value_cases()})
    for (const OpCase& c : *cases)
      if (c.name() == name) return c;
  FAIL("the golden file names " << name << ", which is no case");
  throw 0;
}

Tensor<double> read(const nlohmann::json& array) {
  Shape shape = Shape::filled(static_cast<int>(array["shape"].size()), 0);
  for (int i = 0; i < shape.rank(); ++i) shape[i] = array["shape"][static_cast<std::size_t>(i)];
  return Tensor<double>::from(shape, array["values"].get<std::vector<double>>());
}

Tensor<double> zeros(const Shape& shape) { return Tensor<double>::zeros(shape); }

}  // namespace

TEST_CASE("every table row has cases, and every case has a row and a unique name", "[ops]") {
  std::set<std::string> names, differentiable, plain;
  for (const OpCase& c : op_cases()) {
    differentiable.insert(c.op);
    CHECK(names.insert(c.name()).second);
  }
  for (const OpCase& c : value_cases()) {
    plain.insert(c.op);
    CHECK(names.insert(c.name()).second);
  }
  std::set<std::string> listed;
  for (const OpRow& row : op_table) {
    INFO("row " << row.name);
    CHECK(listed.emplace(row.name).second);
    CHECK(((row.checks & finite_differences) != 0) != ((row.checks & refusal) != 0));
    CHECK((row.checks & float_to_double) != 0);
    CHECK((row.types & (float32 | float64)) == (float32 | float64));
  }
  CHECK(unmatched(finite_differences, " with a derivative", "op_cases()", differentiable) == "");
  CHECK(unmatched(refusal, " without a derivative", "value_cases()", plain) == "");
  CHECK(find_op("attention")->header == "ops/attention.hpp");
  CHECK(find_op("no such operation") == nullptr);
}

TEST_CASE("table rows that list a golden file have one", "[ops]") {
  std::set<std::string> tested;
  for (const auto& c : golden())
    tested.insert(find_case(c["name"].get_ref<const std::string&>()).op);
  CHECK(unmatched(golden_file, " with golden_file", "engine_golden.json", tested) == "");
}

TEST_CASE("operations that autograd records are in the table", "[ops]") {
  for (const OpCase& c : op_cases()) {
    auto inputs = random_inputs<double>(c.shapes, c.low, c.high);
    for (auto& x : inputs) x.requires_grad();
    const auto y = c.wide(inputs);
    for (const auto& node : detail::reachable(y.node())) {
      INFO("gaze/ops/table.hpp has no row " << node->op << ", which " << c.name() << " records");
      CHECK((find_op(node->op) || std::string(node->op) == "leaf"));
    }
  }
}

TEST_CASE("gradients agree with finite differences", "[ops]") {
  for (const OpCase& c : op_cases())
    gradcheck(c.name(), c.wide, random_inputs<double>(c.shapes, c.low, c.high));
}

TEST_CASE("operations without a derivative refuse inputs that require gradients", "[ops]") {
  for (const OpCase& c : value_cases()) {
    auto inputs = random_inputs<double>(c.shapes, c.low, c.high);
    const auto y = c.wide(inputs);
    CHECK_FALSE(y.needs_grad());
    for (auto& x : inputs) x.requires_grad();
    const std::string who = c.what == "whole numbers" ? "cast" : c.op;
    INFO(c.name());
    CHECK_THAT(error_of([&] { c.wide(inputs); }),
               Catch::Contains("[gaze::" + who + "] has no derivative"));
    const auto wide = c.wide(random_inputs<double>(c.shapes, c.low, c.high));
    CHECK(distance(wide, c.narrow(random_inputs<float>(c.shapes, c.low, c.high))) == 0);
  }
}

TEST_CASE("float agrees with double at every instruction set", "[ops]") {
  const Isa before = isa();
  for (const Isa set : every_isa) {
    if (!supported(set)) continue;
    set_isa(set);
    for (const OpCase& c : op_cases()) {
      const auto wide = evaluate<double>(c.wide, random_inputs<double>(c.shapes, c.low, c.high));
      const auto narrow = evaluate<float>(c.narrow, random_inputs<float>(c.shapes, c.low, c.high));
      INFO(c.name() << " with " << name(set));
      CHECK(distance(wide.value, narrow.value) < 2e-5);
      for (std::size_t i = 0; i < wide.gradients.size(); ++i) {
        REQUIRE(wide.gradients[i].defined() == narrow.gradients[i].defined());
        if (wide.gradients[i].defined())
          CHECK(distance(wide.gradients[i], narrow.gradients[i]) < 2e-4);
      }
    }
  }
  set_isa(before);
}

TEST_CASE("gelu_mlp equals linear, gelu and linear bit for bit", "[ops]") {
  const auto parts = [](const auto& x) {
    return linear(gelu(linear(x[0], x[1], x[2])), x[3], x[4]);
  };
  for (const OpCase& c : op_cases()) {
    if (c.op != "gelu_mlp" || c.shapes.size() != 5 || c.what == "views") continue;
    INFO(c.name());
    const auto inputs = random_inputs<float>(c.shapes, c.low, c.high);
    const auto want = evaluate<float>(Function<float>(parts), inputs);
    const auto got = evaluate<float>(c.narrow, inputs);
    CHECK(got.value.to_vector() == want.value.to_vector());
    for (std::size_t i = 0; i < inputs.size(); ++i)
      CHECK(got.gradients[i].to_vector() == want.gradients[i].to_vector());
  }
}

TEST_CASE("values and gradients agree with PyTorch", "[ops][golden]") {
  const auto all = golden();
  CHECK(all.size() >= 300);
  for (const auto& g : all) {
    const OpCase& c = find_case(g["name"].get_ref<const std::string&>());
    INFO(c.name());
    Inputs<double> inputs;
    for (const auto& x : g["inputs"]) inputs.push_back(read(x));
    REQUIRE(inputs.size() == c.shapes.size());
    if (!g.contains("gradients")) {
      CHECK(distance(c.wide(inputs), read(g["value"])) == 0);
      continue;
    }
    const auto got = evaluate<double>(c.wide, inputs, read(g["cotangent"]));
    CHECK(distance(got.value, read(g["value"])) < 1e-9);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const auto expected = read(g["gradients"][i]);
      const auto& gradient = got.gradients[i];
      CHECK(distance(gradient.defined() ? gradient : zeros(expected.shape()), expected) < 1e-9);
    }
  }
}

TEST_CASE("views and sums agree with plain loops", "[ops]") {
  const auto x = random_tensor<double>({2, 3, 4}, 1);
  const auto at = [&](Index i, Index j, Index k) { return x.data()[(i * 3 + j) * 4 + k]; };
  const auto p = permute(x, {2, 0, 1}).to_vector();
  const auto s = slice(x, 1, 1, 3).to_vector();
  const auto e = expand(slice(x, 1, 0, 1), {2, 5, 4}).to_vector();
  const auto middle = sum(x, 1).to_vector();
  double total = 0;
  for (Index i = 0; i < 2; ++i)
    for (Index k = 0; k < 4; ++k) {
      double column = 0;
      for (Index j = 0; j < 3; ++j) {
        column += at(i, j, k);
        CHECK(p[static_cast<std::size_t>((k * 2 + i) * 3 + j)] == at(i, j, k));
        if (j > 0) CHECK(s[static_cast<std::size_t>((i * 2 + j - 1) * 4 + k)] == at(i, j, k));
      }
      for (Index j = 0; j < 5; ++j)
        CHECK(e[static_cast<std::size_t>((i * 5 + j) * 4 + k)] == at(i, 0, k));
      CHECK(middle[static_cast<std::size_t>(i * 4 + k)] == Catch::Approx(column));
      total += column;
    }
  CHECK(sum(x).item() == Catch::Approx(total));
  CHECK(mean(x).item() == Catch::Approx(total / 24));
  CHECK(sum(x, -2).shape() == Shape({2, 1, 4}));
  CHECK(reshape(x, {4, -1}).shape() == Shape({4, 6}));
}

TEST_CASE("in minimum, maximum and clamp, ties go to the first and no gradient passes a bound",
          "[ops]") {
  auto a = Tensor<double>::from({3}, {1, 2, 3}), b = Tensor<double>::from({3}, {1, 3, 2});
  a.requires_grad();
  b.requires_grad();
  CHECK(minimum(a, b).to_vector() == std::vector<double>{1, 2, 2});
  CHECK(maximum(a, b).to_vector() == std::vector<double>{1, 3, 3});
  backward(sum(add(minimum(a, b), scale(maximum(a, b), 10.0))));
  CHECK(a.grad().to_vector() == std::vector<double>{11, 1, 10});
  CHECK(b.grad().to_vector() == std::vector<double>{0, 10, 1});
  auto x = Tensor<double>::from({5}, {-3, -1, 0, 1, 3});
  x.requires_grad();
  const auto y = clamp(x, -1.0, 1.0);
  CHECK(y.to_vector() == std::vector<double>{-1, -1, 0, 1, 1});
  backward(sum(y));
  CHECK(x.grad().to_vector() == std::vector<double>{0, 1, 1, 1, 0});
}

TEST_CASE("attention rows are averages of the values and marks that they see", "[ops]") {
  const auto layout = make_layout("prefix");
  const auto marks = make_marks(*layout, 2);
  const auto qkv = random_tensor<double>({13, 12}, 3);  // H = 1, D = 4
  const auto y = attention(qkv, {1, 1, 4, 0.5}, layout, marks);
  std::vector<std::vector<Index>> seen(13);  // rows that each row sees, by hand
  for (Index r = 0; r < 5; ++r)
    for (Index k = 0; k <= r; ++k) seen[static_cast<std::size_t>(r)].push_back(k);
  for (Index r = 5; r < 8; ++r) {
    seen[static_cast<std::size_t>(r)] = seen[4];
    for (Index k = 5; k <= r; ++k) seen[static_cast<std::size_t>(r)].push_back(k);
  }
  seen[8] = seen[4];
  seen[8].push_back(8);
  for (Index r = 9; r < 13; ++r)
    for (Index k = 9; k <= r; ++k) seen[static_cast<std::size_t>(r)].push_back(k);
  for (Index r = 0; r < 13; ++r) {
    std::vector<double> weights;
    double total = 0;
    for (const Index k : seen[static_cast<std::size_t>(r)]) {
      double dot = 0;
      for (Index d = 0; d < 4; ++d) dot += qkv.data()[r * 12 + d] * qkv.data()[k * 12 + 4 + d];
      weights.push_back(std::exp(0.5 * dot));
      total += weights.back();
    }
    std::vector<double> out(4, 0.0), mark(2, 0.0);
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const Index k = seen[static_cast<std::size_t>(r)][i];
      for (Index d = 0; d < 4; ++d)
        out[static_cast<std::size_t>(d)] += weights[i] / total * qkv.data()[k * 12 + 8 + d];
      for (Index m = 0; m < 2; ++m)
        mark[static_cast<std::size_t>(m)] +=
            weights[i] / total * marks.data()[layout->slot[static_cast<std::size_t>(k)] * 2 + m];
    }
    for (Index d = 0; d < 4; ++d)
      CHECK(y.out.data()[r * 4 + d] == Catch::Approx(out[static_cast<std::size_t>(d)]));
    for (Index m = 0; m < 2; ++m)
      CHECK(y.marks.data()[r * 2 + m] == Catch::Approx(mark[static_cast<std::size_t>(m)]));
  }
}

TEST_CASE("log-probabilities sum to one and entropy is their mean", "[ops]") {
  const auto x = random_tensor<double>({1, 3}, 1), w = random_tensor<double>({6, 3}, 2);
  double total = 0, entropy = 0;
  for (std::int32_t t = 0; t < 6; ++t) {
    const double logp = linear_logprob(x, w, indices({t}), 0.7).logp.item();
    total += std::exp(logp);
    entropy -= std::exp(logp) * logp;
  }
  CHECK(total == Catch::Approx(1));
  CHECK(linear_logprob(x, w, indices({-1}), 0.7).entropy.item() == Catch::Approx(entropy));
  CHECK(linear_logprob(x, w, indices({-1}), 0.7).logp.item() == 0);
}

TEST_CASE("invalid shapes and indices are refused by name", "[ops]") {
  using Catch::Contains;
  const auto a = zeros({2, 3}), b = zeros({4, 5});
  CHECK(error_of([&] { matmul(a, b); }) == "[gaze::matmul] inner sizes differ: [2,3] x [4,5]");
  CHECK_THAT(error_of([&] { matmul(zeros({3}), b); }), Contains("[gaze::matmul] needs matrices"));
  CHECK_THAT(error_of([&] { add(a, b); }), Contains("[gaze::add] shapes do not broadcast"));
  CHECK_THAT(error_of([&] { linear(a, b); }), Contains("[gaze::linear] inner sizes differ"));
  CHECK_THAT(error_of([&] { linear(a, zeros({4, 3}), zeros({3})); }), Contains("[gaze::linear]"));
  CHECK_THAT(error_of([&] { linear(a, zeros({4, 3}), {}, zeros({2, 3})); }), Contains("residual"));
  CHECK_THAT(error_of([&] {
               linear(a, zeros({4, 3}), zeros({4}), zeros({2, 4}));
             }),
             Contains("bias and residual"));
  CHECK_THAT(error_of([&] { reshape(a, {4, 2}); }), Contains("[gaze::reshape]"));
  CHECK_THAT(error_of([&] { reshape(a, {-1, -1}); }), Contains("more than one -1"));
  CHECK_THAT(error_of([&] { reshape(a, {4, -1}); }), Contains("[gaze::reshape]"));
  CHECK_THAT(error_of([&] { permute(a, {0, 0}); }), Contains("[gaze::permute]"));
  CHECK_THAT(error_of([&] { slice(a, 1, 2, 4); }), Contains("[gaze::slice]"));
  CHECK_THAT(error_of([&] { slice(a, 2, 0, 1); }), Contains("[gaze::slice]"));
  CHECK_THAT(error_of([&] { expand(a, {3, 3}); }), Contains("[gaze::expand]"));
  CHECK_THAT(error_of([&] { expand(a, {3}); }), Contains("[gaze::expand]"));
  CHECK_THAT(error_of([&] { concatenate(std::vector{a, b}, 0); }), Contains("[gaze::concatenate]"));
  CHECK_THAT(error_of([&] { concatenate(Inputs<double>{}, 0); }), Contains("[gaze::concatenate]"));
  CHECK_THAT(error_of([&] { sum(a, 2); }), Contains("[gaze::sum]"));
  CHECK_THAT(error_of([&] { mean(zeros({0})); }), Contains("[gaze::mean]"));
  CHECK_THAT(error_of([&] { rms_norm(a, zeros({2}), 1e-5); }), Contains("[gaze::rms_norm]"));
  CHECK_THAT(error_of([&] { layer_norm(a, zeros({3}), zeros({2}), 1e-5); }),
             Contains("[gaze::layer_norm]"));
  CHECK_THAT(error_of([&] { gather_rows(a, indices({2})); }), Contains("index 2 at 0"));
  CHECK_THAT(error_of([&] { gather_rows(a, indices({-2})); }), Contains("[gaze::gather_rows]"));
  CHECK_THAT(error_of([&] { scatter_add_rows(a, indices({0, 5}), 3); }), Contains("index 5 at 1"));
  CHECK_THAT(error_of([&] { scatter_add_rows(a, indices({0}), 3); }),
             Contains("[gaze::scatter_add_rows]"));
  CHECK_THAT(error_of([&] { swiglu(a); }), Contains("[gaze::swiglu]"));
  CHECK_THAT(error_of([&] {
               rotary(zeros({2, 6}), 2, 3, 10.0, indices({0, 0}));
             }),
             Contains("even"));
  CHECK_THAT(error_of([&] {
               rotary(zeros({2, 6}), 2, 4, 10.0, indices({0, 0}));
             }),
             Contains("[gaze::rotary]"));
  CHECK_THAT(error_of([&] {
               linear_logprob(a, b, indices({0, 0}));
             }),
             Contains("[gaze::linear_logprob]"));
  CHECK_THAT(error_of([&] {
               linear_logprob(a, zeros({4, 3}), indices({0, 4}));
             }),
             Contains("index 4 at 1"));
  CHECK_THAT(error_of([&] {
               linear_logprob(a, zeros({4, 3}), indices({0, 1}), 0.0);
             }),
             Contains("temperature"));
  const auto layout = make_layout("causal");
  CHECK_THAT(error_of([&] {
               attention(zeros({8, 11}), {1, 1, 4, 0.5}, layout);
             }),
             Contains("[gaze::attention]"));
  CHECK_THAT(error_of([&] {
               attention(zeros({8, 28}), {3, 2, 4, 0.5}, layout);
             }),
             Contains("do not share"));
  CHECK_THAT(error_of([&] {
               attention(zeros({7, 12}), {1, 1, 4, 0.5}, layout);
             }),
             Contains("layout of 8 rows"));
  CHECK_THAT(error_of([&] {
               attention(zeros({8, 12}), {1, 1, 4, 0.5}, layout, Tensor<float>::zeros({3, 1}));
             }),
             Contains("marks"));
}

}  // namespace test_ops
