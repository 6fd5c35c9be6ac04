// SPDX-License-Identifier: MIT
// Figures of GRPO: the advantages of groups, and the clipped objective with its gradient.
#pragma once
#include <algorithm>

#include "docs/book/figures/svg.hpp"
#include "gaze/gaze.hpp"
#include "gaze/rl/advantage.hpp"
#include "gaze/rl/policy_loss.hpp"

namespace figures {

/// Bars of values from a middle line up and down; `scale` is pixels per unit.
inline void bars(Svg& svg, Point at, const std::vector<double>& values, double scale,
                 const char* fill, int digits) {
  constexpr double step = 36;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double x = at.x + step * static_cast<double>(i), h = std::abs(values[i]) * scale;
    svg.box({x, values[i] < 0 ? at.y : at.y - h}, step - 8, std::max(h, 0.5), fill);
    svg.text({x + step / 2 - 4, values[i] < 0 ? at.y + h + 13 : at.y - h - 4},
             number(values[i], digits), Svg::Align::middle, ink, 11);
  }
  svg.line({{at.x - 4, at.y}, {at.x + step * static_cast<double>(values.size()), at.y}}, grey);
}

/// Chapter 9: three groups: their rewards, and the advantages with and without the division by the
/// group's standard deviation.
inline Svg advantages() {
  struct Group {
    const char* title;
    std::vector<double> rewards;
  };
  const Group groups[] = {{"some right", {1, 0, 0, 1, 0, 1, 0, 0}},
                          {"one right", {0, 0, 0, 0, 0, 1, 0, 0}},
                          {"all right, a bonus of 0.02", {1, 1, 1.02, 1, 1.02, 1, 1, 1}}};
  Svg svg(1110, 350);
  const char* labels[] = {"reward", "reward - mean", "(reward - mean) / std"};
  constexpr double lines[] = {104, 190, 300}, scales[] = {44, 40, 26};
  for (int i = 0; i < 3; ++i) svg.text({20, lines[i] + 4}, labels[i], Svg::Align::start, ink, 12);
  for (int g = 0; g < 3; ++g) {
    const double x = 160 + 320.0 * g;
    svg.text({x + 142, 26}, groups[g].title, Svg::Align::middle, ink, 14, true);
    const auto& rewards = groups[g].rewards;
    gaze::rl::AdvantageSettings settings;
    const auto scaled = gaze::rl::advantages(rewards, 8, settings).values;
    settings.spread = gaze::rl::Spread::none;
    bars(svg, {x, lines[0]}, rewards, scales[0], grey, 2);
    bars(svg, {x, lines[1]}, gaze::rl::advantages(rewards, 8, settings).values, scales[1], blue, 2);
    bars(svg, {x, lines[2]}, scaled, scales[2], orange, 2);
  }
  return svg;
}

/// The objective of one token (-loss) and its gradient with respect to the log-probability.
struct Clipped {
  double objective, gradient;
};
inline Clipped clipped(double ratio, double advantage, const gaze::rl::LossSettings& settings) {
  auto logp = gaze::Tensor<double>::from({1}, {std::log(ratio)});
  logp.requires_grad();
  gaze::rl::LossInputs in;
  in.lengths = {1};
  in.advantages = {advantage};
  in.old = {0};
  const auto loss = policy_loss(logp, in, settings, loss_totals(in, settings));
  backward(loss);
  return {-loss.item(), -logp.grad().to_vector()[0]};
}

/// Chapter 9: PPO's clipped objective for a good and a bad completion, and its gradient.
inline Svg clip_curves() {
  gaze::rl::LossSettings settings;
  settings.clip_low = 0.2;
  settings.clip_high = 0.28;
  Svg svg(760, 352);
  for (int panel = 0; panel < 2; ++panel) {
    const double left = 50 + 370.0 * panel, zero = 170, scale_y = 62;
    const auto place = [&](double ratio, double y) {
      return Point{left + (ratio - 0.4) * 220, zero - y * scale_y};
    };
    svg.text({left, 26}, panel ? "gradient by log-probability" : "objective min(r A, clip(r) A)",
             Svg::Align::start, ink, 14, true);
    svg.line({place(0.4, 0), place(1.8, 0)}, grey, 1);
    for (const double r : {1 - settings.clip_low, 1.0, 1 + settings.clip_high}) {
      svg.line({place(r, 2), place(r, -2)}, grey, 1, true);
      svg.text({place(r, -2).x, zero + 2 * scale_y + 16}, number(r, 2), Svg::Align::middle, grey,
               12);
    }
    for (const int y : {-1, 1})
      svg.text({left - 8, place(0.4, y).y + 4}, std::to_string(y), Svg::Align::end, grey, 12);
    for (const double advantage : {1.0, -1.0}) {
      std::vector<Point> curve;
      for (int i = 0; i <= 280; ++i) {
        const double ratio = 0.4 + 0.005 * i + 1e-9;
        const Clipped c = clipped(ratio, advantage, settings);
        curve.push_back(place(ratio, panel ? c.gradient : c.objective));
      }
      svg.line(curve, advantage > 0 ? blue : orange, 2);
    }
    svg.text({place(0.42, 0).x, place(0, 1.75).y}, "A = 1", Svg::Align::start, blue, 13, true);
    svg.text({place(0.42, 0).x, place(0, -1.75).y}, "A = -1", Svg::Align::start, orange, 13, true);
  }
  svg.text(
      {50, 338},
      "Across: ratio r of the token's probability now and at the rollout. Clipped to [0.8, 1.28].",
      Svg::Align::start, grey, 12);
  return svg;
}

}  // namespace figures
