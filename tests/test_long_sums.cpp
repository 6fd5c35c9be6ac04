// SPDX-License-Identifier: MIT
// Long sums in float32 against the same in float64: the error does not grow with the length, at
// every instruction set, and the bits are the same at any number of threads.
#include "gaze/gaze.hpp"
#include "tests/gradcheck.hpp"
#include "tests/numbers.hpp"
#include "tests/restore.hpp"

namespace test_long_sums {
namespace {

using namespace gaze;
using namespace gaze::test;
using F = Tensor<float>;

constexpr Index many = 10'000'000;

/// Positive numbers, so that no sum cancels.
F positive(const Shape& shape) {
  const Philox random(5, Purpose::test);
  return uniform<float>(shape, random, 1, 0.05, 0.15);
}

std::vector<double> wide(const F& x) { return converted<double>(x.to_vector()); }

/// f at every instruction set, and with 1 and 3 threads: error of each, and the same bits.
template <class Make>
void check_everywhere(const char* what, Make make, const std::vector<double>& want,
                      double tolerance = 2e-6) {
  const Restore restore;
  for (const Isa isa : every_isa) {
    if (!supported(isa)) continue;
    set_isa(isa);
    INFO(what << ", " << name(isa));
    set_threads(3);
    const std::vector<float> got = make();
    CHECK(relative_error(got, want) < tolerance);
    set_threads(1);
    CHECK(make() == got);
  }
}

/// Sums of the columns of x [n, c], in double.
std::vector<double> column_sums(const std::vector<double>& x, std::size_t c) {
  std::vector<double> out(c);
  for (std::size_t i = 0; i < x.size(); ++i) out[i % c] += x[i];
  return out;
}

}  // namespace

TEST_CASE("a sum of ten million elements is accurate to a few roundings", "[ops]") {
  for (const float value : {0.1f, 0.3f}) {
    const F x = F::full({many, 1}, value);
    const double want = static_cast<double>(value) * static_cast<double>(many);
    check_everywhere(
        "equal numbers", [&] { return sum(x, 0).to_vector(); }, {want}, 1e-6);
  }
  const F x = positive({many, 1});
  const auto want = column_sums(wide(x), 1);
  check_everywhere(
      "sum of an axis", [&] { return sum(x, 0).to_vector(); }, want, 1e-6);
  check_everywhere(
      "sum of all", [&] { return sum(x).to_vector(); }, want, 1e-6);
  check_everywhere(
      "mean", [&] { return mean(x, {0}).to_vector(); }, {want[0] / static_cast<double>(many)},
      1e-6);
  check_everywhere(
      "sum of rows",
      [&] {
        return sum(reshape(x, {1, many}), 1).to_vector();
      },
      want, 1e-6);
}

TEST_CASE("sums over many rows are accurate, forward and backward", "[ops]") {
  const Index n = 200'000, c = 5;
  const F x = positive({n, c});
  const auto want = column_sums(wide(x), 5);
  check_everywhere(
      "sum", [&] { return sum(x, 0).to_vector(); }, want);
  check_everywhere(
      "gradient of a bias",
      [&] {
        F w = F::zeros({c, 1}), bias = F::zeros({c});
        bias.requires_grad();
        backward(linear(F::zeros({n, 1}), w, bias), x);
        return bias.grad().to_vector();
      },
      want);
  check_everywhere(
      "gradient of what was stretched",
      [&] {
        F row = F::zeros({c});
        row.requires_grad();
        backward(expand(row, {n, c}), x);
        return row.grad().to_vector();
      },
      want);
  check_everywhere(
      "gradient of a broadcast operand",
      [&] {
        F row = F::full({1, c}, 1.0f);
        row.requires_grad();
        backward(mul(F::full({n, c}, 1.0f), row), x);
        return row.grad().to_vector();
      },
      want);
  check_everywhere(
      "gradients of a norm",
      [&] {
        F weight = F::full({c}, 1.0f), bias = F::zeros({c});
        bias.requires_grad();
        backward(layer_norm(F::zeros({n, c}), weight, bias, 1.0f), x);
        return bias.grad().to_vector();
      },
      want);
}

TEST_CASE("norms and softmax of long rows are accurate", "[ops]") {
  const Index n = 2'000'000;
  const F x = positive({1, n}), w = F::full({n}, 1.0f);
  const auto values = wide(x);
  double squares = 0, total = 0, centred = 0, exps = 0, weighted = 0;
  for (const double v : values) squares += v * v, total += v;
  const double mean = total / static_cast<double>(n);
  for (const double v : values) {
    centred += (v - mean) * (v - mean);
    exps += std::exp(v);
    weighted += v * std::exp(v);
  }
  std::vector<double> rms, normed;
  for (const double v : values) {
    rms.push_back(v / std::sqrt(squares / static_cast<double>(n)));
    normed.push_back((v - mean) / std::sqrt(centred / static_cast<double>(n)));
  }
  check_everywhere(
      "rms_norm", [&] { return rms_norm(x, w, 0.0f).to_vector(); }, rms);
  check_everywhere(
      "layer_norm", [&] { return layer_norm(x, w, F::zeros({n}), 0.0f).to_vector(); }, normed,
      1e-5);
  const double lse = std::log(exps);
  const auto target = Indices<Cpu>::full({1}, 7);
  check_everywhere("cross_entropy", [&] { return cross_entropy(x, target).to_vector(); },
                   {lse - values[7]});
  const F one = F::full({1, 1}, 1.0f), vocabulary = reshape(x, {n, 1});
  check_everywhere("entropy",
                   [&] { return linear_logprob(one, vocabulary, target).entropy.to_vector(); },
                   {lse - weighted / exps});
}

TEST_CASE("short sums keep their order of addition", "[ops]") {
  // Reference bits: one chain of 64-row blocks, or of vectors along a row.
  const Index n = 4096, c = 3;
  const F x = positive({n, c});
  const auto values = x.to_vector();
  std::vector<float> want(3, 0.0f);
  for (std::size_t block = 0; block < 4096; block += 64) {
    std::vector<float> part(3, 0.0f);
    for (std::size_t r = block; r < block + 64; ++r)
      for (std::size_t j = 0; j < 3; ++j) part[j] += values[r * 3 + j];
    for (std::size_t j = 0; j < 3; ++j) want[j] += part[j];
  }
  CHECK(sum(x, 0).to_vector() == want);
  F row = F::zeros({c});
  row.requires_grad();
  backward(expand(row, {1024, c}), slice(x, 0, 0, 1024));
  std::vector<float> chain(3, 0.0f);
  for (std::size_t i = 0; i < 1024 * 3; ++i) chain[i % 3] += values[i];
  CHECK(row.grad().to_vector() == chain);
}

}  // namespace test_long_sums
