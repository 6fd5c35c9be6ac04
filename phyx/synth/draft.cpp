// SPDX-License-Identifier: MIT
// Recording steps and answers, and placing labels.
#include "phyx/synth/draft.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "gaze/core/error.hpp"
#include "phyx/synth/font.hpp"

namespace gaze::phyx::synth {

const char* direction_name(int d) {
  static constexpr const char* names[] = {"right", "up", "left", "down"};
  return names[d & 3];
}

Point direction_vector(int d) {
  static constexpr Point vectors[] = {{1, 0}, {0, -1}, {-1, 0}, {0, 1}};
  return vectors[d & 3];
}

std::vector<std::string> other_directions(int d) {
  return {direction_name(d + 1), direction_name(d + 2), direction_name(d + 3)};
}

void Draft::kind(const std::string& name) {
  scene.slots = {name};
  scene.caption = name;
}

void Draft::say(std::initializer_list<std::pair<std::string, std::string>> phrasings) {
  const auto* chosen = phrasings.begin() + rng.below(static_cast<int>(phrasings.size()));
  description = chosen->first;
  question = chosen->second;
}

int Draft::step(int a, char op, int b) {
  const int c = op == '+' ? a + b : op == '-' ? a - b : op == '*' ? a * b : a / b;
  GAZE_CHECK(op != '/' || c * b == a, "synth", a, " / ", b, " is not whole");
  solution.steps.push_back(words(a, std::string(1, op), b, "=", c));
  return c;
}

void Draft::answer(int value, const char* unit_name, std::vector<int> mistakes, int multiples_of) {
  solution.value = words(value);
  solution.unit = unit_name;
  wrong_numbers = std::move(mistakes);
  grain = multiples_of;
}

void Draft::answer(const std::string& value, std::vector<std::string> others) {
  solution.value = value;
  wrong_words = std::move(others);
}

Colour Draft::tint(Colour base, float spread) {
  return {base.r + rng.real(-spread, spread), base.g + rng.real(-spread, spread),
          base.b + rng.real(-spread, spread)};
}

Point Draft::near(Point base, float spread) {
  return base + Point{rng.real(-spread, spread), rng.real(-spread, spread)};
}

Box Draft::label(const std::string& text, Point centre, Colour colour, float height) {
  const Point at = typeset(text, centre, height);
  draw_text(canvas, text, at, height, colour, paper);
  return written(text, at, height);
}

Box Draft::inner_label(const std::string& text, Point centre, Colour colour, float height) {
  const Point at = typeset(text, centre, height);
  draw_text(canvas, text, at, height, colour);
  return written(text, at, height);
}

Box Draft::label(int number, Point centre, Colour colour) {
  return label(words(number), centre, colour);
}

Box Draft::inner_label(int number, Point centre, Colour colour) {
  return inner_label(words(number), centre, colour);
}

Draft::Draft(int size, Rng start)
    : canvas(size, blend({.985f, .98f, .96f}, {.95f, .97f, .995f}, start.real(0, 1))),
      rng(start),
      paper(canvas.at(0, 0)) {
  const float scale = rng.real(.95f, 1.02f);
  const float x = rng.real(-.025f, .025f), y = rng.real(-.025f, .025f);
  canvas.place(scale, {x, y});
}

Region Draft::region(const std::string& name, Box where) const {
  const Point low = canvas.map(where.low), high = canvas.map(where.high);
  const auto clip = [](float v) { return std::clamp(v, 0.f, 1.f); };
  return {name, clip(low.x), clip(low.y), clip(high.x), clip(high.y)};
}

Box Draft::written(const std::string& text, Point centre, float height) {
  const Box box = around(centre, .5f * text_width(text, height) + .15f * height, .65f * height);
  scene.labels.push_back(region(text, box));
  return box;
}

Point Draft::typeset(const std::string& text, Point centre, float& height) const {
  const Point half{text_width(text, height) / 2, height / 2};
  const Point corner = canvas.map(centre) - half;
  const Point snapped{type_grid * std::round(corner.x / type_grid),
                      type_grid * std::round(corner.y / type_grid)};
  height /= canvas.scale();
  return canvas.unmap(snapped + half);
}

}  // namespace gaze::phyx::synth
