// SPDX-License-Identifier: MIT
// LoRA: nothing changes before the first step, only the adapter learns, it can be disabled and
// merged, and its gradients agree with finite differences.
#include "gaze/gaze.hpp"
#include "tests/gradcheck.hpp"

namespace test_lora {
namespace {

using namespace gaze;
using namespace gaze::test;
using Catch::Contains;

template <class T>
struct Net {
  Parameters<T, Cpu> all;
  Linear<T, Cpu> base{all, "up", "base", 6, 5, true};
  Lora<T, Cpu> adapter{all, "up", "lora", 6, 5, 2, 8};

  Net() { all.allocate(3); }
  Tensor<T> operator()(const Tensor<T>& x) const { return adapter(x, base(x)); }
  Tensor<T>& value(const std::string& name) { return all.find(name)->value; }
};

}  // namespace

TEST_CASE("a new adapter changes nothing, and only it is trained", "[lora]") {
  Net<float> net;
  const auto x = random_tensor<float>({4, 6}, 1);
  CHECK(net(x).to_vector() == net.base(x).to_vector());
  net.all.train_only({"lora"});
  AdamW<float> optimiser(net.all, {});
  const auto before = net.value("up.weight").to_vector();
  double first = 0, last = 0;
  for (int step = 0; step < 40; ++step) {
    const auto loss = mean(square(add(net(x), Tensor<float>::scalar(-1))));
    last = static_cast<double>(loss.item());
    if (step == 0) first = last;
    backward(loss);
    optimiser.step(0.05);
  }
  CHECK(last < first / 2);
  CHECK(net.value("up.weight").to_vector() == before);
  CHECK(net.value("up.weight").grad().defined() == false);
}

TEST_CASE("a disabled adapter has no effect, and a merged one is part of the weight", "[lora]") {
  Net<double> net;
  const auto b = random_tensor<double>({5, 2}, 9);
  std::copy_n(b.data(), b.numel(), net.value("up.lora_b").data());
  const auto x = random_tensor<double>({4, 6}, 1);
  const NoGrad no_grad;
  const auto with = net(x);
  CHECK(distance(with, net.base(x)) > 0.1);
  net.adapter.enable(false);
  CHECK_FALSE(net.adapter.enabled());
  CHECK(net(x).to_vector() == net.base(x).to_vector());
  auto& w = net.value("up.weight");
  const auto merged = add(w, net.adapter.delta());
  std::copy_n(merged.data(), merged.numel(), w.data());
  CHECK(distance(with, net(x)) < 1e-12);
}

TEST_CASE("the optimiser names an adapter that is trained while disabled", "[lora]") {
  Net<float> net;
  net.all.train_only({"lora"});
  AdamW<float> optimiser(net.all, {});
  net.adapter.enable(false);
  CHECK_THROWS_WITH(optimiser.step(0.1),
                    Contains("no gradient reached") && Contains("up.lora_a up.lora_b"));
}

TEST_CASE("an adapter's gradients agree with finite differences", "[lora]") {
  const Function<double> f = [](const Inputs<double>& x) {
    const auto y = linear(x[0], x[1]);  // Lora as a function of its parameters
    return linear(scale(linear(x[0], x[2]), 4.0), x[3], {}, y);
  };
  gradcheck("lora", f, random_inputs<double>({{4, 6}, {5, 6}, {2, 6}, {5, 2}}));
  Net<double> net;
  const auto b = random_tensor<double>({5, 2}, 9);
  std::copy_n(b.data(), b.numel(), net.value("up.lora_b").data());
  const auto x = random_tensor<double>({4, 6}, 1);
  net.all.train_only({"lora"});
  backward(sum(square(net(x))));
  for (const char* name : {"up.lora_a", "up.lora_b"}) {
    INFO(name);
    auto& w = net.value(name);
    const auto gradient = w.grad().to_vector();
    const NoGrad no_grad;
    for (Index i = 0; i < w.numel(); ++i) {
      const double kept = w.data()[i], h = 1e-5;
      w.data()[i] = kept + h;
      const double up = sum(square(net(x))).item();
      w.data()[i] = kept - h;
      const double down = sum(square(net(x))).item();
      w.data()[i] = kept;
      CHECK(apart(gradient[static_cast<std::size_t>(i)], (up - down) / (2 * h)) < 1e-6);
    }
  }
}

TEST_CASE("adapters within a checkpoint get the gradients that they get without one", "[lora]") {
  Net<double> net;
  const auto b = random_tensor<double>({5, 2}, 9);
  std::copy_n(b.data(), b.numel(), net.value("up.lora_b").data());
  net.all.train_only({"lora"});
  auto x = random_tensor<double>({4, 6}, 1);
  x.requires_grad();
  const auto block = [&net](const Tensor<double>& in) { return tanh(net(in)); };
  const auto gradients = [&](bool again) {
    net.all.clear_gradients();
    x.node()->clear();
    backward(sum(square(again ? checkpoint(block, x) : block(x))));
    net.all.check_reached();
    return std::vector{x.grad().to_vector(), net.value("up.lora_a").grad().to_vector(),
                       net.value("up.lora_b").grad().to_vector()};
  };
  CHECK(gradients(true) == gradients(false));
  CHECK_FALSE(net.value("up.weight").grad().defined());  // frozen, inside as outside
}

TEST_CASE("a rank below 1 is refused", "[lora]") {
  Parameters<float> all;
  CHECK_THROWS_WITH((Lora<float, Cpu>(all, "x", "lora", 4, 4, 0, 8)), Contains("[gaze::Lora]"));
}

}  // namespace test_lora
