// SPDX-License-Identifier: MIT
// Every operation of the op table on Cuda: values and gradients of the CPU's test cases, against
// the CPU's float64.
#include <set>

#include "tests/cuda/device.hpp"
#include "tests/op_cases.hpp"
#include "tests/op_rows.hpp"

namespace test_cuda_ops {
namespace {

using namespace gaze;
using namespace gaze::test;
using Catch::Contains;

template <class T>
using C = Tensor<T, Cuda>;

/// The largest distance of values and of gradients from the CPU's float64.
struct Distances {
  double value = 0, gradient = 0;
};

template <class T>
Distances distances(const OpCase& c, const Function<T, Cuda>& f) {
  const auto want = evaluate<double>(c.wide, random_inputs<double>(c.shapes, c.low, c.high));
  const auto got = evaluate<T, Cuda>(f, random_inputs<T>(c.shapes, c.low, c.high));
  Distances d{distance(want.value, got.value)};
  for (std::size_t i = 0; i < want.gradients.size(); ++i) {
    CHECK(want.gradients[i].defined() == got.gradients[i].defined());
    if (want.gradients[i].defined() && got.gradients[i].defined())
      d.gradient = std::max(d.gradient, distance(want.gradients[i], got.gradients[i]));
  }
  return d;
}

template <class T>
bool same_bits(const Evaluated<T, Cuda>& a, const Evaluated<T, Cuda>& b) {
  const auto same = [](const C<T>& x, const C<T>& y) {
    const auto left = x.to_vector();
    const auto right = y.to_vector();
    return left.size() == right.size() &&
           (left.empty() || std::memcmp(left.data(), right.data(), left.size() * sizeof(T)) == 0);
  };
  bool all = same(a.value, b.value);
  for (std::size_t i = 0; i < a.gradients.size(); ++i)
    all = all && a.gradients[i].defined() == b.gradients[i].defined() &&
          (!a.gradients[i].defined() || same(a.gradients[i], b.gradients[i]));
  return all;
}

Indices<Cuda> ids(const std::vector<std::int32_t>& values) {
  return Indices<Cuda>::from({static_cast<Index>(values.size())}, values);
}

/// The error at synchronisation after f, which must not synchronise.
template <class F>
std::string late_error(F f) {
  f();
  return error_of([] { cuda::synchronize(); });
}

}  // namespace

TEST_CASE("the table rows that list Cuda are those with cases", "[cuda][ops]") {
  std::set<std::string> tested;
  for (const OpCases* cases : {&op_cases(), &value_cases()})
    for (const OpCase& c : *cases) tested.insert(c.op);
  for (const OpRow& row : op_table) {
    INFO("row " << row.name);
    CHECK(((row.devices & on_cuda) != 0) == ((row.checks & cpu_to_cuda) != 0));
  }
  CHECK(unmatched(cpu_to_cuda, " with cpu_to_cuda", "the cases", tested) == "");
}

TEST_CASE("operations on Cuda agree with the CPU's float64", "[cuda][ops]") {
  GAZE_NEEDS_DEVICE();
  for (const OpCase& c : op_cases()) {
    INFO(c.name());
    const Distances wide = distances<double>(c, c.cuda_wide);
    CHECK(wide.value < 1e-12);
    CHECK(wide.gradient < 1e-11);
    const Distances narrow = distances<float>(c, c.cuda_narrow);
    CHECK(narrow.value < 2e-5);
    CHECK(narrow.gradient < 2e-4);
  }
}

TEST_CASE("operations without a derivative are exact on Cuda and refuse gradients", "[cuda][ops]") {
  GAZE_NEEDS_DEVICE();
  for (const OpCase& c : value_cases()) {
    INFO(c.name());
    const auto on_host = random_inputs<float>(c.shapes, c.low, c.high);
    Inputs<float, Cuda> inputs;
    for (const auto& x : on_host) inputs.push_back(beside(Inputs<float, Cuda>(), x));
    CHECK(distance(c.narrow(on_host), c.cuda_narrow(inputs)) == 0);
    for (auto& x : inputs) x.requires_grad();
    CHECK_THAT(error_of([&] { c.cuda_narrow(inputs); }), Contains("has no derivative"));
  }
}

TEST_CASE("operations on Cuda repeat bit for bit", "[cuda][ops]") {
  GAZE_NEEDS_DEVICE();
  for (const OpCase& c : op_cases()) {
    const auto inputs = random_inputs<float>(c.shapes, c.low, c.high);
    const auto once = evaluate<float, Cuda>(c.cuda_narrow, inputs);
#ifdef GAZE_CUDA_EMULATED
    cuda::emulator::set_order(2);  // exposes races
#endif
    const auto again = evaluate<float, Cuda>(c.cuda_narrow, inputs);
#ifdef GAZE_CUDA_EMULATED
    cuda::emulator::set_order(0);
#endif
    INFO(c.name());
    CHECK(same_bits(once, again));
  }
}

TEST_CASE("index and cast errors on Cuda are reported when the host synchronises", "[cuda][ops]") {
  GAZE_NEEDS_DEVICE();
  const auto a = C<double>::zeros({2, 3});
  CHECK(late_error([&] {
          gather_rows(a, ids({0, 2}));
        }) == "[gaze::gather_rows] index 2 at 1 is outside the 2 rows");
  CHECK_THAT(late_error([&] { gather_rows(a, ids({-2})); }), Contains("index -2 at 0"));
  CHECK_THAT(late_error([&] { embedding(a, ids({7})); }), Contains("[gaze::gather_rows] index 7"));
  CHECK_THAT(late_error([&] { scatter_add_rows(a, ids({0, 5}), 3); }), Contains("index 5 at 1"));
  const auto columns = reshape(ids({0, 3}), {2, 1});
  CHECK_THAT(late_error([&] { gather(a, 1, columns); }), Contains("[gaze::gather] index 3 at 1"));
  CHECK_THAT(late_error([&] { scatter_add(slice(a, 1, 0, 1), 1, columns, 3); }),
             Contains("[gaze::scatter_add] index 3 at 1"));
  CHECK_THAT(late_error([&] {
               linear_logprob(a, C<double>::zeros({4, 3}), ids({0, 4}));
             }),
             Contains("[gaze::linear_logprob] index 4 at 1"));
  CHECK_THAT(error_of([&] { cross_entropy(a, ids({0, 3})); }), Contains("index 3 at 1"));
  CHECK_THAT(error_of([&] { cross_entropy(a, ids({-1, -1})); }), Contains("no row"));
  std::vector<std::int32_t> many(5000, 1);
  many[4321] = many[4999] = 7;  // found by two threads
  CHECK_THAT(late_error([&] { gather_rows(a, ids(many)); }), Contains("index 7 at 4321"));
  const auto big = C<double>::from({3}, {1, 3e9, std::nan("")});
  CHECK_THAT(late_error([&] { cast<std::int32_t>(big); }), Contains("[gaze::cast]"));
  CHECK_THAT(late_error([&] { cast<std::int32_t>(slice(big, 0, 2, 3)); }), Contains("nan"));
  CHECK(cast<std::int32_t>(C<float>::from({2}, {-1.9f, 2.9f})).to_vector() ==
        std::vector<std::int32_t>{-1, 2});
}

TEST_CASE("an invalid index on Cuda selects no row until the host reports it", "[cuda][ops]") {
  GAZE_NEEDS_DEVICE();
  auto table = C<float>::full({2, 3}, 1);
  table.requires_grad();
  const auto y = gather_rows(table, ids({0, 1 << 30, 1}));
  const auto other = scatter_add_rows(y, ids({0, -9, 1}), 2);
  backward(sum(other));
  CHECK_THAT(error_of([&] { table.grad().to_vector(); }),
             Contains("[gaze::gather_rows] index 1073741824 at 1"));  // the first, and only that
  CHECK(y.to_vector() == std::vector<float>{1, 1, 1, 0, 0, 0, 1, 1, 1});
  CHECK(table.grad().to_vector() == std::vector<float>(6, 1));
  const auto whole = cast<std::int32_t>(C<float>::from({2}, {7, 1e20f}));
  CHECK_THAT(error_of([&] { sum(table.detach()).item(); }), Contains("[gaze::cast]"));
  CHECK(whole.to_vector() == std::vector<std::int32_t>{7, 0});
}

TEST_CASE("indices are checked inside a graph, which cannot synchronise", "[cuda][ops]") {
  GAZE_NEEDS_DEVICE();
  const auto table = C<float>::full({2, 3}, 1);
  auto at = ids({0, 1});
  const cuda::Graph graph([&] { gather_rows(table, at); });
  graph.launch();
  cuda::synchronize();
  Kernels<Cuda>::fill<std::int32_t>(1, 2, at.data());
  graph.launch();
  CHECK(error_of([] { cuda::synchronize(); }) ==
        "[gaze::gather_rows] index 2 at 0 is outside the 2 rows");
  cuda::synchronize();
}

TEST_CASE("integers on Cuda are joined and sliced", "[cuda][ops]") {
  GAZE_NEEDS_DEVICE();
  const auto joined = concatenate<std::int32_t, Cuda>({ids({3, -1}), ids({7})}, 0);
  CHECK(joined.to_vector() == std::vector<std::int32_t>{3, -1, 7});
  CHECK(contiguous(expand(slice(joined, 0, 1, 3), {2, 2})).to_vector() ==
        std::vector<std::int32_t>{-1, 7, -1, 7});
}

TEST_CASE("NaN, infinities and ties behave on Cuda as on the CPU", "[cuda][ops]") {
  GAZE_NEEDS_DEVICE();
  const double nan = std::nan(""), inf = INFINITY;
  const std::vector<double> values{1, nan, 3,    nan,  3,    -inf, 0,  3,
                                   3, 1,   -inf, -inf, -inf, -inf, inf};
  const auto x = Tensor<double>::from({3, 5}, values);
  const auto y = C<double>::from({3, 5}, values);
  CHECK(argmax(x, 1).to_vector() == argmax(y, 1).to_vector());
  CHECK(argmin(x, 1).to_vector() == argmin(y, 1).to_vector());
  for (const bool descending : {false, true})
    CHECK(sort(x, 1, descending).indices.to_vector() == sort(y, 1, descending).indices.to_vector());
  const auto text = [](const std::vector<double>& v) {  // NaNs are equal here
    std::string all;
    for (const double d : v) all += std::isnan(d) ? "nan " : std::to_string(d) + " ";
    return all;
  };
  CHECK(text(logsumexp(x, {1}).to_vector()) == text(logsumexp(y, {1}).to_vector()));
  const auto lowest = Tensor<double>::full({1, 3}, -inf);
  CHECK(logsumexp(C<double>::full({1, 3}, -inf), {1}).item() == logsumexp(lowest, {1}).item());
  CHECK(text(softmax(y, 1).to_vector()) == text(softmax(x, 1).to_vector()));
}

TEST_CASE("rows longer than a block are right on Cuda, and sorted in many runs", "[cuda][ops]") {
  GAZE_NEEDS_DEVICE();
  for (const Index n : {255, 256, 257, 1000}) {
    auto x = random_tensor<double>({3, n}, 5);
    for (Index i = 0; i < n; i += 7) x.data()[n + i] = 0.5;  // ties
    const auto y = C<double>::from({3, n}, x.to_vector());
    INFO(n);
    CHECK(distance(softmax(x, 1), softmax(y, 1)) < 1e-13);
    CHECK(distance(logsumexp(x, {1}), logsumexp(y, {1})) < 1e-13);
    CHECK(distance(variance(x, {1}), variance(y, {1})) < 1e-13);
    CHECK(distance(cumsum(x, 1), cumsum(y, 1)) < 1e-12);
    CHECK(argmax(x, 1).to_vector() == argmax(y, 1).to_vector());
    for (const bool descending : {false, true}) {
      CHECK(sort(x, 1, descending).indices.to_vector() ==
            sort(y, 1, descending).indices.to_vector());
    }
    CHECK(topk(x, 9, 1).indices.to_vector() == topk(y, 9, 1).indices.to_vector());
    CHECK(distance(sum(x), sum(y)) < 1e-12);
  }
}

TEST_CASE("new tensors on Cuda have the CPU's values", "[cuda][ops]") {
  GAZE_NEEDS_DEVICE();
  const Philox random(3, Purpose::test);
  CHECK(arange<float, Cuda>(1, 2, 0.25f).to_vector() == arange<float>(1, 2, 0.25f).to_vector());
  CHECK(linspace<double, Cuda>(-1, 1, 7).to_vector() == linspace<double>(-1, 1, 7).to_vector());
  CHECK(eye<float, Cuda>(3).to_vector() == eye<float>(3).to_vector());
  CHECK(uniform<float, Cuda>({50}, random, 1).to_vector() ==
        uniform<float>({50}, random, 1).to_vector());
  CHECK(normal<double, Cuda>({50}, random, 1).to_vector() ==
        normal<double>({50}, random, 1).to_vector());
  CHECK(ones_like(C<float>::zeros({2})).to_vector() == std::vector<float>{1, 1});
}

TEST_CASE("the policy loss and its gradient on Cuda agree with the CPU", "[cuda][ops]") {
  GAZE_NEEDS_DEVICE();
  rl::LossInputs in;
  in.lengths = {3, 2};
  in.advantages = {0.7, -1.2};
  in.old = {-1, -0.5, -2, -0.1, -3};
  const std::vector<float> logp{-0.8f, -0.6f, -1.2f, -0.3f, -3.1f};
  const auto evaluated = [&](auto x) {
    x.requires_grad();
    const auto totals = rl::loss_totals(in, {});
    const auto loss =
        add(rl::policy_loss(x, in, {}, totals), rl::entropy_bonus(x, in, {}, totals, 0.1));
    backward(loss);
    auto all = x.grad().to_vector();
    all.push_back(loss.item());
    return all;
  };
  CHECK(evaluated(C<float>::from({5}, logp)) == evaluated(Tensor<float>::from({5}, logp)));
  CHECK(rl::ratios(C<float>::from({5}, logp), in, {}) ==
        rl::ratios(Tensor<float>::from({5}, logp), in, {}));
}

}  // namespace test_cuda_ops
