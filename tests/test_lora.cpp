// SPDX-License-Identifier: MIT
// LoRA: nothing changes before the first step, only the adapters learn, they can be disabled and
// merged, and their gradients agree with finite differences.
#include <array>
#include <cstring>

#include "gaze/gaze.hpp"
#include "tests/gradcheck.hpp"

namespace test_lora {
namespace {

using namespace gaze;
using namespace gaze::test;
using Catch::Contains;

template <class U, class T>
Tensor<U> converted(const Tensor<T>& x) {
  Tensor<U> y(x.shape());
  std::transform(x.data(), x.data() + x.numel(), y.data(),
                 [](T v) { return static_cast<U>(static_cast<float>(v)); });
  return y;
}

template <class T>
struct Net {
  Parameters<T, Cpu> all;
  Linear<T, Cpu> up{all, "up", "base", 6, 5, true};

  /// The third of the five rows has no adapter.
  Net() {
    add_lora(all, {{"up.weight", 2, 4, {{2}, {1, false}, {2}}}});
    all.allocate(3);
  }
  Tensor<T> operator()(const Tensor<T>& x) const { return up(x); }
  Tensor<T>& value(const std::string& name) { return all.find(name)->value; }

  void randomise() {
    for (const char* name : ups) {
      auto& b = value(name);
      const auto random = random_tensor<T>(b.shape(), name[std::strlen(name) - 1]);
      std::copy_n(random.data(), b.numel(), b.data());
    }
  }

  static constexpr const char* down = "up.weight.lora_a";
  static constexpr std::array<const char*, 2> ups = {"up.weight.lora_b.0", "up.weight.lora_b.2"};
  static constexpr std::array<const char*, 3> adapters = {down, ups[0], ups[1]};
};

}  // namespace

TEST_CASE("a new adapter changes nothing, and only it is trained", "[lora]") {
  Net<float> net;
  const auto x = random_tensor<float>({4, 6}, 1);
  const auto adapted = net(x).to_vector();
  enable_lora(net.all, false);
  CHECK(adapted == net(x).to_vector());
  enable_lora(net.all, true);
  net.all.train_only({lora_part});
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
  CHECK_FALSE(net.value("up.weight").grad().defined());
}

TEST_CASE("an adapter adds factor B A to its rows of the weight, and merged it is part of them",
          "[lora]") {
  Net<double> net;
  net.randomise();
  const auto x = random_tensor<double>({4, 6}, 1);
  const NoGrad no_grad;
  const auto with = net(x).to_vector();
  enable_lora(net.all, false);
  const auto without = net(x).to_vector();
  const auto a = net.value(Net<double>::down).to_vector();
  for (std::size_t n = 0; n < 4; ++n)
    for (std::size_t o = 0; o < 5; ++o) {
      double sum = 0;
      const std::size_t part = o / 3;  // rows 0, 1 | 3, 4
      if (o != 2) {
        const auto b = net.value(Net<double>::ups[part]).to_vector();
        for (std::size_t r = 0; r < 2; ++r)
          for (std::size_t c = 0; c < 6; ++c)
            sum += 4 * b[(o - 3 * part) * 2 + r] * a[(2 * part + r) * 6 + c] * x.data()[n * 6 + c];
      }
      CHECK(apart(with[n * 5 + o], without[n * 5 + o] + sum) < 1e-12);
    }
  enable_lora(net.all, true);
  merge_lora(net.all);
  CHECK_FALSE(net.all.find("up.weight")->adapted());
  CHECK(distance(net(x), Tensor<double>::from({4, 5}, with)) < 1e-12);
}

TEST_CASE("the optimiser names an adapter that is trained while disabled", "[lora]") {
  Net<float> net;
  net.all.train_only({lora_part});
  AdamW<float> optimiser(net.all, {});
  enable_lora(net.all, false);
  CHECK_THROWS_WITH(optimiser.step(0.1), Contains("no gradient reached") &&
                                             Contains("up.weight.lora_b.0 up.weight.lora_b.2"));
}

TEST_CASE("an adapter's gradients agree with finite differences", "[lora]") {
  Net<double> net;
  net.randomise();
  const auto x = random_tensor<double>({4, 6}, 1);
  net.all.train_only({lora_part});
  backward(sum(square(net(x))));
  for (const char* name : Net<double>::adapters) {
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
  net.randomise();
  net.all.train_only({lora_part});
  auto x = random_tensor<double>({4, 6}, 1);
  x.requires_grad();
  const auto block = [&net](const Tensor<double>& in) { return tanh(net(in)); };
  const auto gradients = [&](bool again) {
    net.all.clear_gradients();
    x.node()->clear();
    backward(sum(square(again ? checkpoint(block, x) : block(x))));
    net.all.check_reached();
    std::vector<std::vector<double>> out;
    out.push_back(x.grad().to_vector());
    for (const char* name : Net<double>::adapters)
      out.push_back(net.value(name).grad().to_vector());
    return out;
  };
  CHECK(gradients(true) == gradients(false));
  CHECK_FALSE(net.value("up.weight").grad().defined());  // frozen, inside as outside
}

TEST_CASE("frozen weights in bf16 alone have trained adapters in float, and merge to bf16",
          "[lora]") {
  Parameters<float> all;
  const Linear<float, Cpu> layer(all, "up", "base", 6, 5, false);
  all.multiply_in_bf16();
  add_lora(all, {{"up.weight", 2, 0.5}});
  all.allocate_for_file(false);
  all.initialise(lora_part, 1);
  const auto w = random_tensor<float>({5, 6}, 2);
  all.find("up.weight")->hold([&]<class U>(std::type_identity<U>) { return converted<U>(w); });
  auto& b = all.find("up.weight.lora_b.0")->value;
  const auto random = random_tensor<float>({5, 2}, 3);
  std::copy_n(random.data(), b.numel(), b.data());
  all.train_only({lora_part});
  const auto x = random_tensor<float>({4, 6}, 1);
  backward(sum(square(layer(x))));
  all.check_reached();
  CHECK_FALSE(all.find("up.weight")->value.defined());
  const NoGrad no_grad;
  const auto& a = all.find("up.weight.lora_a")->value;
  const auto merged = add(converted<float>(converted<bf16>(w)), scale(matmul(b, a), 0.5f));
  const auto with = layer(x);
  merge_lora(all);
  const auto held = converted<float>(all.find("up.weight")->rounded());
  CHECK(held.to_vector() == converted<float>(converted<bf16>(merged)).to_vector());
  CHECK(distance(with, layer(x)) < 0.05);
}

TEST_CASE("adapters that do not fit are refused", "[lora]") {
  Parameters<float> all;
  const Linear<float, Cpu> layer(all, "x", "base", 4, 4, true);
  const auto refused = [&](const LoraWeight& w, const char* what) {
    CHECK_THROWS_WITH(add_lora(all, {w}), Contains("[gaze::add_lora] ") && Contains(what));
  };
  refused({"y.weight", 2}, "y.weight");
  refused({"x.bias", 2}, "x.bias");
  refused({"x.weight", 0}, "the rank must be above 0");
  refused({"x.weight", 2, 1, {{3}}}, "3 rows in parts");
  Parameters<float> table;
  auto& words = table.add("words", {4, 4}, Init::normal(1), "base");
  add_lora(table, {{"words", 2}});
  table.allocate(1);
  CHECK_THROWS_WITH(gather_rows(words.weight(), Indices<Cpu>::from({1}, {1})),
                    Contains("has adapters"));
}

}  // namespace test_lora
