// SPDX-License-Identifier: MIT
// A problem under construction (picture, text, solution and scene), and constants of all templates:
// colours with a meaning, the size of labels, directions.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "phyx/problem.hpp"
#include "phyx/synth/canvas.hpp"
#include "phyx/synth/rng.hpp"

namespace gaze::phyx::synth {

// Colours with the same meaning in all pictures, so that no key is needed.
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

/// Labels are aligned to a grid of one patch of the tiny model, so that a digit looks the same at
/// every place. Without it, held-out pictures are misread nearly twice as often.
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

/// The four directions of a picture, counterclockwise from the right.
enum Direction { right = 0, up = 1, left = 2, down = 3 };

/// "right", "up", "left" or "down"; d counts modulo 4.
const char* direction_name(int d);

/// The names of the colours that the listeners around a horn can have.
inline constexpr const char* listener_colours[] = {"red",    "blue",   "green", "yellow",
                                                   "purple", "orange", "white", "black"};

/// One step in that direction.
Point direction_vector(int d);

/// The names of the three other directions.
std::vector<std::string> other_directions(int d);

/// One problem under construction.
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
  int grain = 1;                         // the answer and numeric options are multiples of it

  /// A picture of `size` pixels a side with paper and placement drawn from the seed.
  Draft(int size, std::uint64_t seed) : Draft(size, Rng(seed)) {}

  /// Sets slot 0, the kind of picture.
  void kind(const std::string& name);

  /// Adds a readable fact that determines the answer: look, caption, slot and region.
  template <class T>
  void fact(const std::string& name, const T& value, Box where) {
    note(name, value);
    solution.look.push_back(words(name, "=", value));
    scene.regions.push_back(region(name, where));
  }

  /// Adds a readable fact that does not determine the answer: caption and slot only.
  template <class T>
  void note(const std::string& name, const T& value) {
    scene.caption = words(scene.caption, name, value);
    scene.slots.push_back(words(value));
  }

  /// Chooses one of several phrasings, each a description and a question.
  void say(std::initializer_list<std::pair<std::string, std::string>> phrasings);

  /// Sets the law, one of the suite's fixed phrases.
  void principle(const char* phrase) { solution.principle = phrase; }

  /// Adds "a op b = c" to the solution and returns c; op is + - * or /. Throws Error for a quotient
  /// that is not an integer.
  int step(int a, char op, int b);

  /// Sets a numeric answer; options are multiples of `multiples_of`, with typical mistakes first.
  void answer(int value, const char* unit_name, std::vector<int> mistakes, int multiples_of = 1);

  /// Sets a word as the answer, and the words of the wrong options.
  void answer(const std::string& value, std::vector<std::string> others);

  /// A random colour near `base`, so that exact colours cannot be memorised.
  Colour tint(Colour base, float spread = .045f);

  /// A random point near `base`.
  Point near(Point base, float spread = .012f);

  /// Draws a label with a halo of paper and returns its box.
  Box label(const std::string& text, Point centre, Colour colour, float height = label_height);

  /// The same without a halo, for labels on a filled body.
  Box inner_label(const std::string& text, Point centre, Colour colour,
                  float height = label_height);

  /// The same for an integer.
  Box label(int number, Point centre, Colour colour);
  Box inner_label(int number, Point centre, Colour colour);

 private:
  Draft(int size, Rng start);

  /// A box of the scene as a region of the picture.
  Region region(const std::string& name, Box where) const;

  /// Records the place of a text and returns its box.
  Box written(const std::string& text, Point centre, float height);

  /// The nearest centre that aligns the first glyph's corner with the type grid; divides `height`
  /// by the scene's scale, so that glyphs keep their size.
  Point typeset(const std::string& text, Point centre, float& height) const;
};

}  // namespace gaze::phyx::synth
