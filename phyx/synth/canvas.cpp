// SPDX-License-Identifier: MIT
// Signed distances of shapes, and coverage of pixels.
#include "phyx/synth/canvas.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "gaze/core/error.hpp"

namespace gaze::phyx::synth {

Box around(Point centre, float half_width, float half_height) {
  return {{centre.x - half_width, centre.y - half_height},
          {centre.x + half_width, centre.y + half_height}};
}

Box join(Box a, Box b) {
  return {{std::min(a.low.x, b.low.x), std::min(a.low.y, b.low.y)},
          {std::max(a.high.x, b.high.x), std::max(a.high.y, b.high.y)}};
}

Box span(Point a, Point b, float margin) {
  return {{std::min(a.x, b.x) - margin, std::min(a.y, b.y) - margin},
          {std::max(a.x, b.x) + margin, std::max(a.y, b.y) + margin}};
}

Colour blend(Colour a, Colour b, float t) {
  return {a.r + t * (b.r - a.r), a.g + t * (b.g - a.g), a.b + t * (b.b - a.b)};
}

namespace {

/// Distance from p to the segment a-b.
float segment_distance(Point p, Point a, Point b) {
  const Point along = b - a;
  const float t = std::clamp(dot(p - a, along) / std::max(dot(along, along), 1e-12f), 0.f, 1.f);
  return length(p - (a + t * along));
}

float polygon_distance(Point p, std::span<const Point> c) {
  float nearest = 1e9f;
  bool inside = false;
  for (std::size_t i = 0, j = c.size() - 1; i < c.size(); j = i++) {
    nearest = std::min(nearest, segment_distance(p, c[j], c[i]));
    if ((c[i].y > p.y) != (c[j].y > p.y)) {
      const float cut = c[i].x + (p.y - c[i].y) * (c[j].x - c[i].x) / (c[j].y - c[i].y);
      if (p.x < cut) inside = !inside;
    }
  }
  return inside ? -nearest : nearest;
}

}  // namespace

Canvas::Canvas(int size, Colour paper) : size_(size) {
  GAZE_CHECK(size > 0 && size <= 4096, "Canvas", "size ", size, " is not in 1..4096");
  pixels_.assign(static_cast<std::size_t>(size) * static_cast<std::size_t>(size), paper);
}

void Canvas::line(Point a, Point b, float width, Colour colour) {
  const Segment one[] = {{a, b}};
  segments(one, width, colour);
}

void Canvas::polyline(std::span<const Point> points, float width, Colour colour) {
  std::vector<Segment> all;
  for (std::size_t i = 1; i < points.size(); ++i) all.push_back({points[i - 1], points[i]});
  segments(all, width, colour);
}

void Canvas::dashed(Point a, Point b, float width, Colour colour, float dash) {
  const int count = std::max(1, static_cast<int>(length(b - a) / (2 * dash) + .5f));
  const Point step = (1.f / static_cast<float>(count)) * (b - a);
  std::vector<Segment> all;
  for (int i = 0; i < count; ++i) {
    const Point from = a + static_cast<float>(i) * step;
    all.push_back({from, from + .5f * step});
  }
  segments(all, width, colour);
}

void Canvas::segments(std::span<const Segment> all, float width, Colour colour) {
  if (all.empty()) return;
  Box extent{map(all[0].a), map(all[0].a)};
  for (const Segment& s : all) {
    extent = join(extent, {map(s.a), map(s.a)});
    extent = join(extent, {map(s.b), map(s.b)});
  }
  const float half = .5f * width * scale_;
  const Window outer = window(extent, half);
  distance_.resize(pixels_.size());
  for (int y = outer.y0; y < outer.y1; ++y) {
    const auto row = distance_.begin() + static_cast<std::ptrdiff_t>(y) * size_;
    std::fill(row + outer.x0, row + outer.x1, 1e9f);
  }
  for (const Segment& s : all) lower_distance(map(s.a), map(s.b), half);
  for (int y = outer.y0; y < outer.y1; ++y) {
    for (int x = outer.x0; x < outer.x1; ++x) cover(x, y, distance_[index(x, y)] - half, colour);
  }
}

void Canvas::arrow(Point a, Point b, float width, Colour colour, float head) {
  const Point along = unit(b - a), across{-along.y, along.x};
  const Point neck = b - std::min(head, .7f * length(b - a)) * along;
  line(a, neck, width, colour);
  const Point corners[] = {b, neck + .6f * head * across, neck - .6f * head * across};
  polygon(corners, colour);
}

void Canvas::double_arrow(Point a, Point b, float width, Colour colour, float head) {
  const Point middle = .5f * (a + b);
  arrow(middle, a, width, colour, head);
  arrow(middle, b, width, colour, head);
}

void Canvas::disc(Point centre, float radius, Colour colour) {
  const Point c = map(centre);
  const float r = radius * scale_;
  paint(
      around(c, r, r), [&](Point p) { return length(p - c) - r; }, colour);
}

void Canvas::ring(Point centre, float radius, float width, Colour colour) {
  const Point c = map(centre);
  const float r = radius * scale_, half = .5f * width * scale_;
  paint(
      around(c, r + half, r + half), [&](Point p) { return std::abs(length(p - c) - r) - half; },
      colour);
}

void Canvas::arc(Point centre, float radius, float from, float to, float width, Colour colour) {
  std::vector<Point> points;
  const int pieces = std::max(3, static_cast<int>(std::abs(to - from) * 8));
  for (int i = 0; i <= pieces; ++i) {
    const float t = from + (to - from) * static_cast<float>(i) / static_cast<float>(pieces);
    points.push_back(centre + radius * Point{std::cos(t), std::sin(t)});
  }
  polyline(points, width, colour);
}

void Canvas::box(Box shape, Colour colour, float rounding) {
  const Box b{map(shape.low), map(shape.high)};
  const Point c = .5f * (b.low + b.high), half = .5f * (b.high - b.low);
  const float r = rounding * scale_;
  paint(
      b,
      [&](Point p) {
        const float dx = std::abs(p.x - c.x) - half.x + r, dy = std::abs(p.y - c.y) - half.y + r;
        return length({std::max(dx, 0.f), std::max(dy, 0.f)}) + std::min(std::max(dx, dy), 0.f) - r;
      },
      colour);
}

void Canvas::frame(Box b, float width, Colour colour) {
  const Point corners[] = {b.low, {b.high.x, b.low.y}, b.high, {b.low.x, b.high.y}, b.low};
  polyline(corners, width, colour);
}

void Canvas::polygon(std::span<const Point> corners, Colour colour) {
  std::vector<Point> c;
  for (const Point p : corners) c.push_back(map(p));
  Box extent{c.at(0), c.at(0)};
  for (const Point p : c) extent = join(extent, {p, p});
  paint(
      extent, [&](Point p) { return polygon_distance(p, c); }, colour);
}

void Canvas::spring(Point a, Point b, int coils, float amplitude, float width, Colour colour) {
  const Point along = b - a, u = unit(along), across{-u.y, u.x};
  std::vector<Point> points{a, a + .12f * along};
  for (int i = 0; i < 2 * coils; ++i) {
    const float t = .12f + .76f * (static_cast<float>(i) + .5f) / static_cast<float>(2 * coils);
    points.push_back(a + t * along + (i % 2 == 0 ? amplitude : -amplitude) * across);
  }
  points.push_back(a + .88f * along);
  points.push_back(b);
  polyline(points, width, colour);
}

void Canvas::sine(Point a, Point b, float waves, float amplitude, float width, Colour colour) {
  const Point along = b - a, u = unit(along), across{u.y, -u.x};
  const int pieces = std::max(8, static_cast<int>(waves * 20));
  std::vector<Point> points;
  for (int i = 0; i <= pieces; ++i) {
    const float t = static_cast<float>(i) / static_cast<float>(pieces);
    points.push_back(a + t * along + amplitude * std::sin(6.2831853f * waves * t) * across);
  }
  polyline(points, width, colour);
}

std::vector<std::uint8_t> Canvas::bytes() const {
  std::vector<std::uint8_t> out;
  out.reserve(3 * pixels_.size());
  for (const Colour& c : pixels_) {
    for (const float v : {c.r, c.g, c.b}) {
      out.push_back(static_cast<std::uint8_t>(std::clamp(v, 0.f, 1.f) * 255.f + .5f));
    }
  }
  return out;
}

Point Canvas::centre_of(int x, int y) const {
  const float pixel = 1.f / static_cast<float>(size_);
  return {(static_cast<float>(x) + .5f) * pixel, (static_cast<float>(y) + .5f) * pixel};
}

Canvas::Window Canvas::window(Box extent, float margin) const {
  const float n = static_cast<float>(size_);
  const auto clip = [n](float v) { return static_cast<int>(std::clamp(v, 0.f, n)); };
  return {clip((extent.low.x - margin) * n - 1), clip((extent.low.y - margin) * n - 1),
          clip((extent.high.x + margin) * n + 2), clip((extent.high.y + margin) * n + 2)};
}

void Canvas::cover(int x, int y, float distance, Colour colour) {
  const float alpha = std::clamp(.5f - distance * static_cast<float>(size_), 0.f, 1.f);
  if (alpha > 0) pixels_[index(x, y)] = blend(pixels_[index(x, y)], colour, alpha);
}

template <class Distance>
void Canvas::paint(Box extent, Distance distance, Colour colour) {
  const Window w = window(extent, 0);
  for (int y = w.y0; y < w.y1; ++y) {
    for (int x = w.x0; x < w.x1; ++x) cover(x, y, distance(centre_of(x, y)), colour);
  }
}

void Canvas::lower_distance(Point a, Point b, float half) {
  const Window w = window(span(a, b, 0), half);
  for (int y = w.y0; y < w.y1; ++y) {
    for (int x = w.x0; x < w.x1; ++x) {
      float& nearest = distance_[index(x, y)];
      nearest = std::min(nearest, segment_distance(centre_of(x, y), a, b));
    }
  }
}

}  // namespace gaze::phyx::synth
