// SPDX-License-Identifier: MIT
// Drawing the shared objects.
#include "phyx/synth/props.hpp"

#include <algorithm>
#include <vector>

#include "phyx/synth/draft.hpp"

namespace gaze::phyx::synth {

void draw_wall(Draft& d, Point a, Point b, Point behind) {
  const Point along = b - a;
  std::vector<Segment> hatch;
  const int count = std::max(3, static_cast<int>(length(along) / .07f));
  for (int i = 0; i < count; ++i) {
    const Point from = a + (static_cast<float>(i) + .5f) / static_cast<float>(count) * along;
    hatch.push_back({from, from + .05f * behind - .03f * unit(along)});
  }
  d.canvas.segments(hatch, .012f, steel);
  d.canvas.line(a, b, .022f, ink);
}

void draw_block(Draft& d, Box shape, Colour fill) {
  const Point low = shape.low, high = shape.high, rim{.014f, .014f};
  d.canvas.box({low + Point{.012f, .015f}, high + Point{.012f, .015f}}, blend(d.paper, ink, .22f),
               .03f);
  d.canvas.box(shape, ink, .03f);
  d.canvas.box({low + rim, high - rim}, d.tint(fill), .02f);
}

void draw_ball(Draft& d, Point centre, float radius, Colour fill) {
  d.canvas.disc(centre, radius, ink);
  d.canvas.disc(centre, radius - .013f, fill);
  d.canvas.disc(centre - Point{.38f * radius, .4f * radius}, .2f * radius,
                blend(fill, {1, 1, 1}, .55f));
}

Box draw_charge(Draft& d, Point centre, float radius, Colour fill, bool plus) {
  d.canvas.disc(centre, radius, ink);
  d.canvas.disc(centre, radius - .013f, d.tint(fill));
  const float arm = .55f * radius;
  const Colour white{1, 1, 1};
  d.canvas.line(centre - Point{arm, 0}, centre + Point{arm, 0}, .035f, white);
  if (plus) d.canvas.line(centre - Point{0, arm}, centre + Point{0, arm}, .035f, white);
  return around(centre, radius, radius);
}

void draw_length(Draft& d, Point a, Point b) {
  const Point u = unit(b - a), mark = .035f * Point{-u.y, u.x};
  d.canvas.line(a - mark, a + mark, .015f, length_blue);
  d.canvas.line(b - mark, b + mark, .015f, length_blue);
  d.canvas.double_arrow(a, b, .018f, length_blue);
}

void draw_battery(Draft& d, Point centre) {
  d.canvas.box(around(centre, .1f, .035f), d.paper);
  d.canvas.line(centre + Point{-.1f, -.035f}, centre + Point{.1f, -.035f}, .022f, force_red);
  d.canvas.line(centre + Point{-.055f, .035f}, centre + Point{.055f, .035f}, .045f, ink);
}

void draw_resistor(Draft& d, Point centre, bool vertical) {
  const float w = vertical ? .055f : .13f, h = vertical ? .13f : .055f;
  d.canvas.box(around(centre, w, h), ink, .01f);
  d.canvas.box(around(centre, w - .016f, h - .016f), d.tint({.96f, .86f, .66f}));
}

void draw_mirror(Draft& d, Point a, Point b, Point behind) {
  const Point shift = .022f * behind;
  d.canvas.line(a + shift, b + shift, .045f, blend(steel, length_blue, .25f));
  draw_wall(d, a, b, behind);
}

}  // namespace gaze::phyx::synth
