// SPDX-License-Identifier: MIT
// What a template is, and the sheet on which it writes one problem: picture, text, solution and
// scene. A template first draws the values that decide its answer (these are hashed into the
// splits), then builds the problem from them with free layout, colours and phrasing.
#pragma once
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "phyx/problem.hpp"
#include "phyx/synth/canvas.hpp"
#include "phyx/synth/font.hpp"
#include "phyx/synth/rng.hpp"

namespace gaze::phyx::synth {

using Values = std::vector<int>;

// Colours with a meaning: the same everywhere, so that a picture can be read without a key.
inline constexpr Colour ink{.13f, .15f, .22f};          // labels and outlines
inline constexpr Colour force_red{.84f, .16f, .16f};    // forces, heat, plus
inline constexpr Colour length_blue{.13f, .33f, .80f};  // distances, cold, minus
inline constexpr Colour speed_green{.08f, .55f, .27f};  // velocities
inline constexpr Colour light_gold{.93f, .62f, .05f};   // light and photons
inline constexpr Colour steel{.62f, .67f, .75f};        // walls, wires, machines
inline constexpr Colour pale{.86f, .90f, .96f};         // fillings under a label
inline constexpr Colour water{.70f, .85f, .97f};

/// Height of a label in the picture: 12 pixels at 64, enough for patches of 8.
inline constexpr float label_height = .1875f;

/// Labels stand on a grid, one patch of a tiny model apart: layouts vary, and yet a digit looks
/// the same wherever it is. Set freely, held-out pictures are misread nearly twice as often.
inline constexpr float type_grid = 1.f / 8;

/// Joins words and whole numbers with single spaces: words("mass =", 5, "kg .").
template <class... T>
std::string words(const T&... parts) {
  std::string out;
  const auto add = [&out](const auto& part) {
    if (!out.empty()) out += ' ';
    if constexpr (std::is_same_v<std::decay_t<decltype(part)>, int>) {
      out += std::to_string(part);
    } else {
      out += part;
    }
  };
  (add(parts), ...);
  return out;
}

/// The four directions of a picture, counted against the clock from the right.
enum Direction { right = 0, up = 1, left = 2, down = 3 };

inline const char* direction_name(int d) {
  static constexpr const char* names[] = {"right", "up", "left", "down"};
  return names[d & 3];
}

inline Point direction_vector(int d) {
  static constexpr Point vectors[] = {{1, 0}, {0, -1}, {-1, 0}, {0, 1}};
  return vectors[d & 3];
}

inline std::vector<std::string> other_directions(int d) {
  return {direction_name(d + 1), direction_name(d + 2), direction_name(d + 3)};
}

/// One problem in the making.
class Draft {
 public:
  Canvas canvas;
  Rng rng;
  Colour paper;
  std::string description, question;
  Solution solution;
  Scene scene;
  std::vector<std::string> wrong_words;  // word answers: at least three
  std::vector<int> wrong_numbers;        // numeric answers: typical mistakes
  int grain = 1;                         // numeric options are multiples of it, like the answer

  Draft(int size, std::uint64_t seed) : Draft(size, Rng(seed)) {}

  /// Slot 0: the kind of picture.
  void kind(const std::string& name) {
    scene.slots = {name};
    scene.caption = name;
  }

  /// A readable fact that decides the answer: look, caption, slot and region.
  template <class T>
  void fact(const std::string& name, const T& value, Box where) {
    note(name, value);
    solution.look.push_back(words(name, "=", value));
    scene.regions.push_back(region(name, where));
  }

  /// A readable fact that does not decide the answer: caption and slot only.
  template <class T>
  void note(const std::string& name, const T& value) {
    scene.caption = words(scene.caption, name, value);
    scene.slots.push_back(words(value));
  }

  /// Chooses one of several phrasings, each a description and a question.
  void say(std::initializer_list<std::pair<std::string, std::string>> phrasings) {
    const auto* chosen = phrasings.begin() + rng.below(static_cast<int>(phrasings.size()));
    description = chosen->first;
    question = chosen->second;
  }

  void principle(const char* phrase) { solution.principle = phrase; }

  /// Adds "a op b = c" to the solution and returns c.
  int step(int a, char op, int b) {
    const int c = op == '+' ? a + b : op == '-' ? a - b : op == '*' ? a * b : a / b;
    GAZE_CHECK(op != '/' || c * b == a, "synth", a, " / ", b, " is not whole");
    solution.steps.push_back(words(a, std::string(1, op), b, "=", c));
    return c;
  }

  void answer(int value, const char* unit_name, std::vector<int> mistakes, int multiples_of = 1) {
    solution.value = words(value);
    solution.unit = unit_name;
    wrong_numbers = std::move(mistakes);
    grain = multiples_of;
  }

  void answer(const std::string& value, std::vector<std::string> others) {
    solution.value = value;
    wrong_words = std::move(others);
  }

  /// A colour near `base`, so that no exact colour can be memorised.
  Colour tint(Colour base, float spread = .045f) {
    return {base.r + rng.real(-spread, spread), base.g + rng.real(-spread, spread),
            base.b + rng.real(-spread, spread)};
  }

  /// A point near `base`.
  Point near(Point base, float spread = .012f) {
    return base + Point{rng.real(-spread, spread), rng.real(-spread, spread)};
  }

  /// Writes a label with a halo of paper and returns the box it fills.
  Box label(const std::string& text, Point centre, Colour colour, float height = label_height) {
    const Point at = typeset(text, centre, height);
    draw_text(canvas, text, at, height, colour, paper);
    return written(text, at, height);
  }

  /// The same without a halo, for labels on a filled body.
  Box inner_label(const std::string& text, Point centre, Colour colour,
                  float height = label_height) {
    const Point at = typeset(text, centre, height);
    draw_text(canvas, text, at, height, colour);
    return written(text, at, height);
  }

  Box label(int number, Point centre, Colour colour) {
    return label(words(number), centre, colour);
  }

  Box inner_label(int number, Point centre, Colour colour) {
    return inner_label(words(number), centre, colour);
  }

 private:
  Draft(int size, Rng start)
      : canvas(size, blend({.985f, .98f, .96f}, {.95f, .97f, .995f}, start.real(0, 1))),
        rng(start),
        paper(canvas.at(0, 0)) {
    const float scale = rng.real(.95f, 1.02f);
    const float x = rng.real(-.025f, .025f), y = rng.real(-.025f, .025f);
    canvas.place(scale, {x, y});
  }

  Region region(const std::string& name, Box where) const {
    const Point low = canvas.map(where.low), high = canvas.map(where.high);
    const auto clip = [](float v) { return std::clamp(v, 0.f, 1.f); };
    return {name, clip(low.x), clip(low.y), clip(high.x), clip(high.y)};
  }

  /// Notes where a text stands, and returns the box.
  Box written(const std::string& text, Point centre, float height) {
    const Box box = around(centre, .5f * text_width(text, height) + .15f * height, .65f * height);
    scene.labels.push_back(region(text, box));
    return box;
  }

  /// The nearest centre that puts the first glyph's corner on the type grid, and the height at
  /// which the scene's scale leaves the glyphs their size.
  Point typeset(const std::string& text, Point centre, float& height) const {
    const Point half{text_width(text, height) / 2, height / 2};
    const Point corner = canvas.map(centre) - half;
    const Point snapped{type_grid * std::round(corner.x / type_grid),
                        type_grid * std::round(corner.y / type_grid)};
    height /= canvas.scale();
    return canvas.unmap(snapped + half);
  }
};

/// A family of problems with one law and one kind of picture.
struct Template {
  std::string id;
  std::string domain, subfield;
  std::vector<std::string> reasoning;
  bool needs_image = true;
  bool is_new = false;             // held out: only in the split test_new
  Values (*draw)(Rng&) = nullptr;  // the values that decide the answer
  void (*build)(const Values&, Draft&) = nullptr;
};

// PhyX's reasoning types, short for the template tables.
inline constexpr const char* grounding = "Physical Model Grounding Reasoning";
inline constexpr const char* spatial = "Spatial Relation Reasoning";
inline constexpr const char* multi_formula = "Multi-Formula Reasoning";
inline constexpr const char* implicit_condition = "Implicit Condition Reasoning";
inline constexpr const char* numerical = "Numerical Reasoning";
inline constexpr const char* predictive = "Predictive Reasoning";

}  // namespace gaze::phyx::synth
