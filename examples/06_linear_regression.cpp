// SPDX-License-Identifier: MIT
// Training at a small scale: Parameters, a Linear layer, AdamW and a learning-rate schedule.
//
// 256 points of y = 3 a - 2 b + 1 plus noise; the layer has to find 3, -2 and 1.
#include <cstdio>

#include "gaze/gaze.hpp"

using namespace gaze;

int main() {
  constexpr Index points = 256;
  const Philox random(7, Purpose::data);  // keyed: the same key always gives the same number
  std::vector<float> inputs, targets;
  for (std::uint64_t i = 0; i < points; ++i) {
    const double a = random.normal(i, 0), b = random.normal(i, 1), noise = random.normal(i, 2);
    inputs.push_back(static_cast<float>(a));
    inputs.push_back(static_cast<float>(b));
    targets.push_back(static_cast<float>(3 * a - 2 * b + 1 + 0.1 * noise));
  }
  const auto x = Tensor<float>::from({points, 2}, inputs);
  const auto y = Tensor<float>::from({points, 1}, targets);

  // A model declares named parameters, then allocate() lays them out in packs: values that share an
  // optimiser step are contiguous, and so are their gradients.
  Parameters<float> parameters;
  const Linear<float, Cpu> layer(parameters, "layer", "model", 2, 1, true);
  parameters.allocate(0);
  for (const auto& pack : parameters.packs())
    std::printf("pack %-16s %lld numbers, weight decay %s\n", pack.name().c_str(),
                static_cast<long long>(pack.size), pack.decayed ? "yes" : "no");

  AdamW<float> optimiser(parameters, {.weight_decay = 0.0});
  const CosineSchedule rate{.peak = 0.2, .warmup = 10, .steps = 200};
  std::printf("\n%6s %10s %10s %12s\n", "step", "rate", "loss", "|gradient|");
  for (Index step = 0; step < rate.steps; ++step) {
    const auto loss = mean(square(sub(layer(x), y)));
    backward(loss);
    const double norm = optimiser.step(rate(step));  // clips, updates, clears the gradients
    if (step % 25 == 0 || step + 1 == rate.steps)
      std::printf("%6lld %10.4f %10.5f %12.5f\n", static_cast<long long>(step), rate(step),
                  static_cast<double>(loss.item()), norm);
  }
  const auto w = parameters.find("layer.weight")->value;
  const auto bias = parameters.find("layer.bias")->value;
  std::printf("\ny = %.3f a %+.3f b %+.3f   (noise has variance 0.01)\n",
              static_cast<double>(w.data()[0]), static_cast<double>(w.data()[1]),
              static_cast<double>(bias.data()[0]));

  // A parameter that no gradient reached is an error with its name, never a silent zero.
  try {
    optimiser.step(0.1);
  } catch (const Error& e) {
    std::printf("a step without backward():  %s\n", e.what());
  }
}
