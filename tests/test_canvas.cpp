// SPDX-License-Identifier: MIT
// The canvas of the synthetic suite: coverage of shapes, bounds, text, PNG bytes.
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "gaze/core/error.hpp"
#include "phyx/synth/font.hpp"
#include "phyx/synth/rng.hpp"
#include "tests/numbers.hpp"
#include "tests/test.hpp"

namespace test_canvas {

using namespace gaze::phyx::synth;
using gaze::test::near_to;

namespace {

constexpr Colour white{1, 1, 1};
constexpr Colour black{0, 0, 0};

/// Sum of the darkness of all pixels, in units of the picture's area.
double ink_area(const Canvas& c) {
  double sum = 0;
  for (int y = 0; y < c.size(); ++y) {
    for (int x = 0; x < c.size(); ++x) sum += 1 - static_cast<double>(c.at(x, y).r);
  }
  return sum / (c.size() * c.size());
}

Canvas text_canvas(const std::string& text, int size = 32) {
  Canvas c(size, white);
  draw_text(c, text, {.5f, .5f}, .5f, black);
  return c;
}

}  // namespace

TEST_CASE("a line covers its length times its width", "[synth][canvas]") {
  for (const int size : {64, 128, 256}) {
    Canvas c(size, white);
    c.line({.2f, .5f}, {.8f, .5f}, .05f, black);
    CHECK(near_to(ink_area(c), .6 * .05 + 3.1416 * .025 * .025, .03));
    CHECK(c.at(size / 2, size / 2).r < .01f);
    CHECK(c.at(size / 2, size / 4).r == 1.f);
  }
}

TEST_CASE("disc, ring, box and polygon cover their areas", "[synth][canvas]") {
  Canvas disc(128, white), ring(128, white), box(128, white), triangle(128, white);
  disc.disc({.5f, .5f}, .3f, black);
  ring.ring({.5f, .5f}, .3f, .04f, black);
  box.box({{.2f, .3f}, {.7f, .6f}}, black);
  const Point corners[] = {{.1f, .1f}, {.9f, .1f}, {.1f, .9f}};
  triangle.polygon(corners, black);
  CHECK(near_to(ink_area(disc), 3.1416 * .09, .01));
  CHECK(near_to(ink_area(ring), 2 * 3.1416 * .3 * .04, .02));
  CHECK(near_to(ink_area(box), .15, .02));
  CHECK(near_to(ink_area(triangle), .32, .02));
}

TEST_CASE("a polyline is not darker at its joints", "[synth][canvas]") {
  Canvas once(64, white), split(64, white);
  const Colour grey{.5f, .5f, .5f};
  const Point whole[] = {{.1f, .33f}, {.9f, .33f}},
              parts[] = {{.1f, .33f}, {.5f, .33f}, {.9f, .33f}};
  once.polyline(whole, .07f, grey);
  split.polyline(parts, .07f, grey);
  CHECK(once.bytes() == split.bytes());
}

TEST_CASE("dashes leave gaps and a spring swings to both sides", "[synth][canvas]") {
  Canvas dashed(64, white), solid(64, white), spring(64, white);
  dashed.dashed({.1f, .5f}, {.9f, .5f}, .03f, black);
  solid.line({.1f, .5f}, {.9f, .5f}, .03f, black);
  CHECK(ink_area(dashed) < .85 * ink_area(solid));
  CHECK(ink_area(dashed) > .4 * ink_area(solid));
  spring.spring({.1f, .5f}, {.9f, .5f}, 4, .2f, .03f, black);
  bool above = false, below = false;
  for (int x = 0; x < 64; ++x) {
    above |= spring.at(x, 22).r < .5f;
    below |= spring.at(x, 41).r < .5f;
  }
  CHECK((above && below));
}

TEST_CASE("an arrow is wider at its head", "[synth][canvas]") {
  Canvas c(128, white);
  c.arrow({.1f, .5f}, {.9f, .5f}, .02f, black, .15f);
  const auto column = [&](int x) {
    float sum = 0;
    for (int y = 0; y < 128; ++y) sum += 1 - c.at(x, y).r;
    return sum;
  };
  CHECK(column(100) > 3 * column(30));
  CHECK(column(118) < 1.f);
}

TEST_CASE("shapes outside the picture are clipped", "[synth][canvas]") {
  Canvas c(16, white);
  c.line({-3, -3}, {-1, -2}, .1f, black);
  c.line({1.5f, 0}, {1.5f, 1}, .1f, black);
  c.disc({2, 2}, .3f, black);
  c.box({{-2, 1.2f}, {5, 3}}, black);
  CHECK(ink_area(c) == 0);
  c.line({-5, .5f}, {5, .5f}, .2f, black);
  c.disc({0, 0}, 10, black);
  CHECK(near_to(ink_area(c), 1, 1e-5));
  CHECK_THROWS_AS(Canvas(0, white), gaze::Error);
  CHECK_THROWS_AS(Canvas(100000, white), gaze::Error);
}

TEST_CASE("placing scales about the middle and shifts", "[synth][canvas]") {
  Canvas c(64, white);
  c.place(.5f, {.1f, 0});
  const Point p = c.map({1, .5f});
  CHECK(near_to(p.x, .85f, 1e-5));
  CHECK(near_to(p.y, .5f, 1e-5));
  c.disc({.5f, .5f}, .4f, black);
  CHECK(near_to(ink_area(c), 3.1416 * .04, .02));
}

TEST_CASE("every character looks different", "[synth][canvas]") {
  const std::string all = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+-=?./";
  std::set<std::vector<std::uint8_t>> pictures;
  for (const char c : all) {
    const Canvas canvas = text_canvas(std::string(1, c));
    CHECK(ink_area(canvas) > (c == '.' ? .002 : .01));
    pictures.insert(canvas.bytes());
  }
  // Without serifs O is 0; every other pair differs.
  CHECK(pictures.size() == all.size() - 1);
  CHECK(text_canvas(" ").bytes() == Canvas(32, white).bytes());
  CHECK_THROWS_AS(glyph('#'), gaze::Error);
}

TEST_CASE("digits differ by many pixels at the size of a label", "[synth][canvas]") {
  for (char a = '0'; a <= '9'; ++a) {
    for (char b = '0'; b < a; ++b) {
      Canvas first(64, white), second(64, white);
      draw_text(first, std::string(1, a), {.5f, .5f}, .175f, black);
      draw_text(second, std::string(1, b), {.5f, .5f}, .175f, black);
      float difference = 0;
      for (int y = 0; y < 64; ++y) {
        for (int x = 0; x < 64; ++x) difference += std::abs(first.at(x, y).r - second.at(x, y).r);
      }
      INFO(a << " and " << b);
      CHECK(difference > 5);
    }
  }
}

TEST_CASE("text width grows with the text and strokes stay inside it", "[synth][canvas]") {
  CHECK(text_width("", .2f) == 0);
  CHECK(text_width("12", .2f) > text_width("1", .2f));
  for (const Segment& s : text_strokes("280", {.5f, .5f}, .2f)) {
    for (const Point p : {s.a, s.b}) {
      CHECK(std::abs(p.x - .5f) <= .5f * text_width("280", .2f) + 1e-5f);
      CHECK(std::abs(p.y - .5f) <= .1f + 1e-5f);
    }
  }
}

TEST_CASE("the random numbers never change", "[synth][canvas]") {
  CHECK(gaze::phyx::mix_bits(0) ==
        0xE220A8397B1DCDAFu);  // the first output of splitmix64 with seed 0
  Rng a(7), b(7);
  int counts[5] = {};
  for (int i = 0; i < 5000; ++i) {
    const int x = a.range(3, 7);
    REQUIRE(x == b.range(3, 7));
    REQUIRE((x >= 3 && x <= 7));
    ++counts[x - 3];
  }
  for (const int n : counts) CHECK(std::abs(n - 1000) < 150);
}

}  // namespace test_canvas
