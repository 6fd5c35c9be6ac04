// SPDX-License-Identifier: MIT
// Parameters in packs, the trained parts of a stage, and AdamW over packs.
#include <limits>

#include "gaze/nn/layers.hpp"
#include "gaze/ops/reduce.hpp"
#include "gaze/optim/adamw.hpp"
#include "gaze/optim/schedule.hpp"
#include "tests/gradcheck.hpp"

namespace test_parameters {
namespace {

using namespace gaze;
using namespace gaze::test;
using Catch::Contains;
using D = Tensor<double>;
using Values = std::vector<double>;

/// Two parts with decayed and undecayed parameters each.
struct Net {
  Parameters<double> all;
  Linear<double, Cpu> up, down;

  explicit Net(std::uint64_t seed = 1)
      : up(all, "up", "eye", 3, 5, true), down(all, "down", "mouth", 5, 2, true) {
    all.allocate(seed);
  }
  D operator()(const D& x) const { return down(tanh(up(x))); }
  void make_gradients(double factor = 1) const {
    backward(scale(sum(square((*this)(random_tensor<double>({4, 3}, 8)))), factor));
  }
  Values values() const {
    Values out;
    for (const auto& p : all.all()) {
      const auto v = p.value.to_vector();
      out.insert(out.end(), v.begin(), v.end());
    }
    return out;
  }
};

}  // namespace

TEST_CASE("parameters lie in packs by part and decay, each on a cache line", "[parameters]") {
  Net net;
  auto& packs = net.all.packs();
  REQUIRE(packs.size() == 4);
  CHECK(packs[0].name() == "eye");
  CHECK(packs[1].name() == "eye.undecayed");
  CHECK(packs[3].name() == "mouth.undecayed");
  CHECK(packs[0].decayed);
  CHECK_FALSE(packs[1].decayed);
  CHECK(packs[0].size == 16);
  CHECK(net.all.count() == 3 * 5 + 5 + 5 * 2 + 2);
  for (const auto& pack : packs)
    for (const auto* p : pack.members) {
      CHECK(p->value.data() >= pack.values.data());
      CHECK(p->value.data() + p->value.numel() <= pack.values.data() + pack.size);
      CHECK((p->value.data() - pack.values.data()) % 16 == 0);
    }
  CHECK(net.all.find("up.weight")->shape == Shape({5, 3}));
  CHECK(net.all.find("nothing") == nullptr);
  CHECK_THROWS_WITH(net.all.add("late", {1}, Init::zeros(), "eye"), Contains("after allocate()"));
  Parameters<double> twice;
  twice.add("a", {1}, Init::zeros(), "eye");
  CHECK_THROWS_WITH(twice.add("a", {1}, Init::zeros(), "eye"), Contains("two parameters named a"));
}

TEST_CASE("the same seed and name give the same weights", "[parameters]") {
  CHECK(Net(1).values() == Net(1).values());
  CHECK(Net(1).values() != Net(2).values());
  Parameters<double> other;  // another order, another neighbour
  auto& first = other.add("first", {100, 100}, Init::normal(0.5), "x");
  auto& same = other.add("up.weight", {5, 3}, Init::normal(1 / std::sqrt(3.0)), "y");
  auto& ones = other.add("ones", {4}, Init::ones(), "y");
  other.allocate(1);
  Net net;
  CHECK(same.value.to_vector() == net.all.find("up.weight")->value.to_vector());
  CHECK(ones.value.to_vector() == Values(4, 1.0));
  double squares = 0, total = 0;
  for (const double v : first.value.to_vector()) {
    total += v;
    squares += v * v;
  }
  CHECK(std::abs(total / 1e4) < 0.02);
  CHECK(std::sqrt(squares / 1e4) == Catch::Approx(0.5).epsilon(0.03));
}

TEST_CASE("gradients go straight into the packs", "[parameters]") {
  Net net;
  net.make_gradients();
  double squares = 0;
  for (const auto& p : net.all.all()) {
    for (const double g : p.value.grad().to_vector()) squares += g * g;
    CHECK(p.value.grad().storage() == p.node->slot.storage());
  }
  for (const auto& pack : net.all.packs())
    CHECK(pack.members[0]->value.grad().storage() == pack.gradients.storage());
  CHECK(net.all.gradient_norm() == Catch::Approx(std::sqrt(squares)));
  const auto once = net.all.find("up.weight")->value.grad().to_vector();
  net.make_gradients();  // accumulates
  CHECK(net.all.find("up.weight")->value.grad().to_vector()[0] == Catch::Approx(2 * once[0]));
  net.all.clear_gradients();
  CHECK_FALSE(net.all.find("up.weight")->value.grad().defined());
  net.make_gradients();
  CHECK(net.all.find("up.weight")->value.grad().to_vector() == once);
}

TEST_CASE("train_only trains these parts and no others", "[parameters]") {
  Net net;
  net.all.train_only({"mouth"});
  const Values before = net.values();
  AdamW<double> optimiser(net.all, {});
  net.make_gradients();
  CHECK_FALSE(net.all.find("up.weight")->value.needs_grad());
  optimiser.step(0.1);
  const Values after = net.values();
  for (std::size_t i = 0; i < before.size(); ++i) CHECK((before[i] == after[i]) == (i < 20));
  CHECK_THROWS_WITH(net.all.train_only({"mouth", "ear"}), Contains("no part named ear"));
  net.all.train_all();
  net.make_gradients();
  CHECK_THROWS_WITH(optimiser.step(0.1), Contains("eye was not trained when"));
}

TEST_CASE("parameters that no gradient reached are reported by name", "[parameters]") {
  Net net;
  AdamW<double> optimiser(net.all, {});
  const Values before = net.values();
  CHECK_THROWS_WITH(optimiser.step(0.1), Contains("up.weight") && Contains("down.bias"));
  backward(sum(net.up(random_tensor<double>({4, 3}, 8))));
  CHECK_THROWS_WITH(optimiser.step(0.1),
                    Contains("no gradient reached down.weight down.bias") && !Contains(" up."));
  CHECK(net.values() == before);
  CHECK(optimiser.steps() == 0);
  net.all.clear_gradients();
  net.all.find("down.weight")->optional = net.all.find("down.bias")->optional = true;
  backward(sum(net.up(random_tensor<double>({4, 3}, 8))));
  CHECK_NOTHROW(optimiser.step(0.1));
  CHECK(optimiser.steps() == 1);
}

TEST_CASE("an optional parameter's old gradient counts as zero", "[parameters]") {
  Net net;
  for (auto& p : net.all.all()) p.optional = true;
  net.make_gradients(1e6);
  net.all.clear_gradients();
  backward(sum(net.up(random_tensor<double>({4, 3}, 8))));
  net.all.check_reached();
  CHECK(net.all.gradient_norm() < 100);
}

TEST_CASE("AdamW on packs follows the formula", "[parameters]") {
  Net net;
  AdamWSettings s;
  s.clip = 0;
  s.weight_decay = 0.1;
  AdamW<double> optimiser(net.all, s);
  std::vector<Values> w, m, v;
  for (const auto& p : net.all.all()) {
    w.push_back(p.value.to_vector());
    m.emplace_back(w.back().size(), 0.0);
    v.push_back(m.back());
  }
  for (int t = 1; t <= 3; ++t) {
    const double lr = 0.01 * t;
    net.make_gradients();
    std::size_t k = 0;
    for (const auto& p : net.all.all()) {
      const Values g = p.value.grad().to_vector();
      const double decay = p.shape.rank() > 1 ? s.weight_decay : 0;
      for (std::size_t i = 0; i < g.size(); ++i) {
        m[k][i] = s.beta1 * m[k][i] + (1 - s.beta1) * g[i];
        v[k][i] = s.beta2 * v[k][i] + (1 - s.beta2) * g[i] * g[i];
        const double mean = m[k][i] / (1 - std::pow(s.beta1, t));
        const double root = std::sqrt(v[k][i] / (1 - std::pow(s.beta2, t)));
        w[k][i] -= lr * (mean / (root + s.eps) + decay * w[k][i]);
      }
      ++k;
    }
    const double norm = net.all.gradient_norm();
    CHECK(optimiser.step(lr) == Catch::Approx(norm));
    k = 0;
    for (const auto& p : net.all.all()) {
      const Values now = p.value.to_vector();
      for (std::size_t i = 0; i < now.size(); ++i) CHECK(apart(now[i], w[k][i]) < 1e-12);
      CHECK_FALSE(p.value.grad().defined());  // cleared for the next step
      ++k;
    }
  }
}

TEST_CASE("clipping scales the gradient to its bound, and only down", "[parameters]") {
  // With an eps far above every gradient a step is proportional to the gradient.
  const auto moved = [](double factor, double clip) {
    Net net;
    AdamWSettings s;
    s.clip = clip;
    s.eps = 1e6;
    s.weight_decay = 0;
    AdamW<double> optimiser(net.all, s);
    const Values before = net.values();
    net.make_gradients(factor);
    const double norm = optimiser.step(1e4);
    const Values after = net.values();
    double squares = 0;
    for (std::size_t i = 0; i < before.size(); ++i)
      squares += (after[i] - before[i]) * (after[i] - before[i]);
    return std::pair(norm, std::sqrt(squares) * 100);  // lr / eps = 1/100
  };
  const auto [norm, step] = moved(1, 0);
  CHECK(step == Catch::Approx(norm).epsilon(1e-3));
  CHECK(moved(1, norm / 4).second == Catch::Approx(norm / 4).epsilon(1e-3));
  CHECK(moved(1, norm / 4).first == Catch::Approx(norm));
  CHECK(moved(1, norm * 4).second == Catch::Approx(norm).epsilon(1e-3));
  CHECK(moved(10, norm).second == Catch::Approx(norm).epsilon(1e-3));
}

TEST_CASE("a non-finite gradient throws and changes nothing", "[parameters]") {
  Net net;
  AdamW<double> optimiser(net.all, {});
  net.make_gradients();
  optimiser.step(0.1);
  const Values before = net.values();
  const auto first = optimiser.moments()[0].first.to_vector();
  const auto second = optimiser.moments()[0].second.to_vector();
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), HUGE_VAL}) {
    net.all.clear_gradients();
    net.make_gradients(bad);
    CHECK_THROWS_WITH(optimiser.step(0.1), Contains("[gaze::AdamW] the gradient's norm is"));
    CHECK(net.values() == before);
    CHECK(optimiser.moments()[0].first.to_vector() == first);
    CHECK(optimiser.moments()[0].second.to_vector() == second);
    CHECK(optimiser.steps() == 1);
  }
  net.all.clear_gradients();
  net.make_gradients();
  CHECK_NOTHROW(optimiser.step(0.1));
}

TEST_CASE("a step invalidates values that backward saved, and backward reports it",
          "[parameters]") {
  Net net;
  AdamW<double> optimiser(net.all, {});
  net.make_gradients();
  const D loss = sum(square(net(random_tensor<double>({4, 3}, 8))));
  optimiser.step(0.1);
  CHECK_THROWS_WITH(backward(loss), Contains("changed in place"));
}

TEST_CASE("layers agree with their formulas", "[parameters]") {
  Parameters<double> all;
  const Linear<double, Cpu> plain(all, "plain", "p", 3, 3, false);
  const Linear<double, Cpu> biased(all, "biased", "p", 3, 3, true);
  const RmsNorm<double, Cpu> rms(all, "rms", "p", 3, 1e-5);
  const LayerNorm<double, Cpu> layer(all, "layer", "p", 3, 1e-5);
  all.allocate(4);
  const D x = random_tensor<double>({2, 3}, 1), r = random_tensor<double>({2, 3}, 2);
  const D w = all.find("plain.weight")->value;
  const D b = D::from({3}, {1, 2, 3});
  all.find("biased.bias")->value.data()[0] = 1;
  all.find("biased.bias")->value.data()[1] = 2;
  all.find("biased.bias")->value.data()[2] = 3;
  const D bw = all.find("biased.weight")->value;
  CHECK(distance(plain(x, r), add(matmul(x, w, false, true), r)) < 1e-12);
  CHECK(distance(biased(x, r), add(add(matmul(x, bw, false, true), b), r)) < 1e-12);
  const auto y = rms(x).to_vector(), z = layer(x).to_vector();
  for (std::size_t row = 0; row < 2; ++row) {
    double squares = 0, total = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      squares += y[row * 3 + j] * y[row * 3 + j];
      total += z[row * 3 + j];
    }
    CHECK(squares == Catch::Approx(3).epsilon(1e-3));
    CHECK(std::abs(total) < 1e-12);
  }
}

TEST_CASE("the learning rate warms up and decays along a cosine", "[parameters]") {
  const CosineSchedule rate{2e-3, 10, 110, 0.1};
  CHECK(rate(0) == Catch::Approx(2e-4));
  CHECK(rate(9) == Catch::Approx(2e-3));
  CHECK(rate(10) == Catch::Approx(2e-3));
  CHECK(rate(60) == Catch::Approx(2e-3 * 0.55));
  CHECK(rate(110) == Catch::Approx(2e-4));
  CHECK(rate(1000) == Catch::Approx(2e-4));
  for (Index i = 10; i < 110; ++i) CHECK(rate(i + 1) <= rate(i));
}

}  // namespace test_parameters
