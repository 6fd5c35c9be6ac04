// SPDX-License-Identifier: MIT
// Figures of attention: which slots the rows of a layout see, blocks of the softmax, and where a
// trained model looks.
#pragma once
#include <functional>

#include "docs/book/figures/svg.hpp"
#include "examples/toy_scenes.hpp"
#include "gaze/gaze.hpp"

namespace figures {

using gaze::Index;

/// Chapter 7: a prompt of 6 rows and three completions of 4: the slots that each row sees.
inline Svg layout() {
  gaze::TokenLayout layout;
  const gaze::Segment prompt = layout.add_sequence(6);
  for (int g = 0; g < 3; ++g) layout.add_continuation(prompt, 4);
  constexpr double left = 190, top = 66, cell = 12;
  Svg svg(left + cell * static_cast<double>(layout.slots) + 24, top + 18 * cell + 52);
  svg.text({20, 26}, "Rows of a batch (down) and the key slots that each one sees (across)",
           Svg::Align::start, ink, 14, true);
  for (Index slot = 0; slot < layout.slots; slot += gaze::kKeyLanes)
    svg.text({left + cell * static_cast<double>(slot), top - 8}, std::to_string(slot),
             Svg::Align::start, grey, 12);
  for (Index row = 0; row < layout.rows(); ++row) {
    const double y = top + cell * static_cast<double>(row);
    const gaze::KeyRange& range = layout.keys[static_cast<std::size_t>(row)];
    if (layout.position[static_cast<std::size_t>(row)] == range.prefix_len)
      svg.text({left - 12, y + 11},
               row == 0 ? "prompt, positions 0 to 5"
                        : "completion " + std::to_string((row - 2) / 4) + ", 6 to 9",
               Svg::Align::end, ink, 12);
    svg.box({left, y}, cell * static_cast<double>(layout.slots), cell - 1.5, pale);
    for (Index p = 0; p < key_count(range); ++p)
      svg.box({left + cell * static_cast<double>(key_slot(range, p)), y}, cell - 1.5, cell - 1.5,
              p < range.prefix_len ? orange : blue);
  }
  const double y = top + cell * static_cast<double>(layout.rows()) + 16;
  svg.box({left, y}, 12, 12, orange);
  svg.text({left + 18, y + 11}, "shared prefix", Svg::Align::start, ink, 12);
  svg.box({left + 120, y}, 12, 12, blue);
  svg.text({left + 138, y + 11}, "own keys", Svg::Align::start, ink, 12);
  svg.box({left + 220, y}, 12, 12, pale);
  svg.text({left + 238, y + 11},
           "not seen, or unused: own slots start where slot mod 16 = position mod 16",
           Svg::Align::start, ink, 12);
  return svg;
}

/// Chapter 7: the blocks of 64 positions that one row's softmax is computed in, with the share of
/// attention in each, from mark columns of the same pass.
inline Svg softmax_blocks() {
  constexpr Index prompt = 100, own = 70, keys = prompt + own;
  auto layout = std::make_shared<gaze::TokenLayout>();
  layout->add_continuation(layout->add_sequence(prompt), own);
  const gaze::KeyRange& range = layout->keys.back();
  constexpr Index blocks = (keys + gaze::kSoftmaxBlock - 1) / gaze::kSoftmaxBlock;
  auto marks = gaze::Tensor<float>::zeros({layout->slots, blocks});
  for (Index p = 0; p < keys; ++p)
    marks.data()[key_slot(range, p) * blocks + p / gaze::kSoftmaxBlock] = 1;
  const gaze::AttentionSizes sizes{1, 1, 16, 0.25};
  const gaze::Philox random(1, gaze::Purpose::data);
  std::vector<float> rows;
  for (std::uint64_t i = 0; i < std::uint64_t(keys * sizes.columns()); ++i)
    rows.push_back(static_cast<float>(random.normal(i, 0)));
  const auto seen =
      attention(gaze::Tensor<float>::from({keys, sizes.columns()}, rows), sizes, layout, marks);
  const float* share = seen.marks.data() + (keys - 1) * blocks;

  constexpr double left = 24, step = 4, top = 96;
  Svg svg(2 * left + step * static_cast<double>(keys), 226);
  svg.text({left, 26}, "The keys of the last row, by position: a prompt of 100 and 70 of its own",
           Svg::Align::start, ink, 14, true);
  svg.box({left, top}, step * prompt, 34, light_orange, orange);
  svg.box({left + step * prompt, top}, step * own, 34, light_blue, blue);
  svg.text({left + step * prompt / 2, top + 22}, "shared prefix", Svg::Align::middle);
  svg.text({left + step * (prompt + own / 2.0), top + 22}, "own keys", Svg::Align::middle);
  for (Index b = 0; b < blocks; ++b) {
    const Index begin = b * gaze::kSoftmaxBlock, end = std::min(keys, begin + gaze::kSoftmaxBlock);
    const double x0 = left + step * static_cast<double>(begin);
    const double x1 = left + step * static_cast<double>(end), middle = (x0 + x1) / 2;
    svg.line({{x0 + 2, top - 12}, {x0 + 2, top - 20}, {x1 - 2, top - 20}, {x1 - 2, top - 12}}, ink);
    svg.text({middle, top - 28},
             "block " + std::to_string(b) + ": " + std::to_string(begin) + " to " +
                 std::to_string(end - 1),
             Svg::Align::middle);
    svg.text({middle, top + 58}, "share of attention " + number(static_cast<double>(share[b]), 3),
             Svg::Align::middle, orange);
    svg.text({middle, top + 78},
             "slots " + std::to_string(key_slot(range, begin)) + " to " +
                 std::to_string(key_slot(range, end - 1)),
             Svg::Align::middle, grey, 12);
  }
  svg.text({left, 212},
           "Blocks start at multiples of 64 positions, wherever the prompt ends and wherever the "
           "slots lie.",
           Svg::Align::start, grey, 12);
  return svg;
}

/// The attention of the row that answers a scene on its image tokens: the mean over layers and
/// heads.
inline std::vector<double> attention_map(const toy::Model& model, const toy::Scene& scene) {
  const gaze::models::Prompt* prompts[] = {&scene.prompt};
  const auto state = model.prefill(prompts, 1, 1, gaze::models::Watch::patches);
  constexpr std::size_t tokens = toy::grid * toy::grid;
  const auto& seen = state.first.seen;
  std::vector<double> map(tokens, 0.0);
  for (std::size_t i = 0; i < seen.size(); ++i)
    map[i % tokens] += static_cast<double>(seen[i]) * tokens / static_cast<double>(seen.size());
  return map;
}

/// Draws a scene with each cell's share of attention on it.
inline void draw_scene(Svg& svg, Point at, const toy::Scene& scene, const std::vector<double>& map,
                       const std::string& title) {
  constexpr double cell = 46;
  svg.text({at.x + 2 * cell, at.y - 12}, title, Svg::Align::middle, ink, 13, true);
  for (Index i = 0; i < toy::grid * toy::grid; ++i) {
    const Point p{at.x + cell * static_cast<double>(i % toy::grid),
                  at.y + cell * static_cast<double>(i / toy::grid)};
    const auto& rgb = toy::rgb[scene.answer - toy::first_colour];
    char fill[8] = "#ebebeb";
    if (i == scene.cell) std::snprintf(fill, sizeof fill, "#%02x%02x%02x", rgb[0], rgb[1], rgb[2]);
    svg.box(p, cell - 1, cell - 1, fill);
    svg.text({p.x + cell / 2, p.y + cell / 2 + 4}, number(map[static_cast<std::size_t>(i)], 2),
             Svg::Align::middle, i == scene.cell ? white : ink, 12);
  }
}

/// Chapter 10: where the models of example 12 look: untrained, and after each way of training.
/// `train(model, attention, pathwise)` is the example's.
inline Svg looking(const std::function<void(toy::Model&, double, double)>& train) {
  std::uint64_t seed = 1000;  // not one of the training scenes
  while (toy::scene(seed).cell != 6) ++seed;
  const toy::Scene scene = toy::scene(seed);
  Svg svg(690, 262);
  const auto panel = [&](double x, const char* title, const toy::Model& model) {
    draw_scene(svg, {x, 46}, scene, attention_map(model, scene), title);
  };
  toy::Model untrained = toy::make_model(0), accuracy = toy::make_model(0);
  toy::Model moved = toy::make_model(0);
  train(accuracy, 0, 0);
  train(moved, 1, 1);
  panel(24, "before training", untrained);
  panel(248, "accuracy alone", accuracy);
  panel(472, "with the pathwise gradient", moved);
  svg.text({24, 250},
           "Share of attention on each cell, mean over layers and heads, as the model answers.",
           Svg::Align::start, grey, 12);
  return svg;
}

}  // namespace figures
