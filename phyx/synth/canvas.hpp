// SPDX-License-Identifier: MIT
// A small vector canvas: anti-aliased shapes on an RGB square of any size, in coordinates 0 to 1
// with x to the right and y downwards. Every shape is a signed distance (negative inside), and a
// pixel's coverage is that distance, in pixels, clamped around the edge:
//   coverage = clamp(1/2 - distance * size, 0, 1)
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "gaze/core/error.hpp"

namespace gaze::phyx::synth {

struct Colour {
  float r = 0, g = 0, b = 0;
};

struct Point {
  float x = 0, y = 0;
};

inline Point operator+(Point a, Point b) { return {a.x + b.x, a.y + b.y}; }
inline Point operator-(Point a, Point b) { return {a.x - b.x, a.y - b.y}; }
inline Point operator*(float s, Point a) { return {s * a.x, s * a.y}; }
inline float dot(Point a, Point b) { return a.x * b.x + a.y * b.y; }
inline float length(Point a) { return std::sqrt(dot(a, a)); }
inline Point unit(Point a) { return (1 / std::max(length(a), 1e-6f)) * a; }

/// An upright rectangle by its corners.
struct Box {
  Point low, high;
};

inline Box around(Point centre, float half_width, float half_height) {
  return {{centre.x - half_width, centre.y - half_height},
          {centre.x + half_width, centre.y + half_height}};
}

inline Box join(Box a, Box b) {
  return {{std::min(a.low.x, b.low.x), std::min(a.low.y, b.low.y)},
          {std::max(a.high.x, b.high.x), std::max(a.high.y, b.high.y)}};
}

/// The box between two points, grown by a margin.
inline Box span(Point a, Point b, float margin) {
  return {{std::min(a.x, b.x) - margin, std::min(a.y, b.y) - margin},
          {std::max(a.x, b.x) + margin, std::max(a.y, b.y) + margin}};
}

inline Colour blend(Colour a, Colour b, float t) {
  return {a.r + t * (b.r - a.r), a.g + t * (b.g - a.g), a.b + t * (b.b - a.b)};
}

/// Distance from p to the segment a-b.
inline float segment_distance(Point p, Point a, Point b) {
  const Point along = b - a;
  const float t = std::clamp(dot(p - a, along) / std::max(dot(along, along), 1e-12f), 0.f, 1.f);
  return length(p - (a + t * along));
}

struct Segment {
  Point a, b;
};

class Canvas {
 public:
  Canvas(int size, Colour paper) : size_(size) {
    GAZE_CHECK(size > 0 && size <= 4096, "Canvas", "size ", size, " is not in 1..4096");
    pixels_.assign(static_cast<std::size_t>(size) * static_cast<std::size_t>(size), paper);
  }

  int size() const { return size_; }
  Colour at(int x, int y) const { return pixels_[index(x, y)]; }

  /// From now on p means centre + scale * (p - centre) + shift: one jitter for a whole scene.
  void place(float scale, Point shift) {
    scale_ = scale;
    shift_ = shift;
  }

  float scale() const { return scale_; }
  Point map(Point p) const { return Point{.5f, .5f} + scale_ * (p - Point{.5f, .5f}) + shift_; }
  Point unmap(Point p) const {
    return Point{.5f, .5f} + (1 / scale_) * (p - shift_ - Point{.5f, .5f});
  }

  void line(Point a, Point b, float width, Colour colour) {
    const Segment one[] = {{a, b}};
    segments(one, width, colour);
  }

  void polyline(std::span<const Point> points, float width, Colour colour) {
    std::vector<Segment> all;
    for (std::size_t i = 1; i < points.size(); ++i) all.push_back({points[i - 1], points[i]});
    segments(all, width, colour);
  }

  void dashed(Point a, Point b, float width, Colour colour, float dash = .035f) {
    const int count = std::max(1, static_cast<int>(length(b - a) / (2 * dash) + .5f));
    const Point step = (1.f / static_cast<float>(count)) * (b - a);
    std::vector<Segment> all;
    for (int i = 0; i < count; ++i) {
      const Point from = a + static_cast<float>(i) * step;
      all.push_back({from, from + .5f * step});
    }
    segments(all, width, colour);
  }

  /// Strokes the union of segments with round caps. Joints are not painted twice.
  void segments(std::span<const Segment> all, float width, Colour colour) {
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

  /// A line from a to b that ends in a filled head at b.
  void arrow(Point a, Point b, float width, Colour colour, float head = .09f) {
    const Point along = unit(b - a), across{-along.y, along.x};
    const Point neck = b - std::min(head, .7f * length(b - a)) * along;
    line(a, neck, width, colour);
    const Point corners[] = {b, neck + .6f * head * across, neck - .6f * head * across};
    polygon(corners, colour);
  }

  void double_arrow(Point a, Point b, float width, Colour colour, float head = .06f) {
    const Point middle = .5f * (a + b);
    arrow(middle, a, width, colour, head);
    arrow(middle, b, width, colour, head);
  }

  void disc(Point centre, float radius, Colour colour) {
    const Point c = map(centre);
    const float r = radius * scale_;
    paint(
        around(c, r, r), [&](Point p) { return length(p - c) - r; }, colour);
  }

  void ring(Point centre, float radius, float width, Colour colour) {
    const Point c = map(centre);
    const float r = radius * scale_, half = .5f * width * scale_;
    paint(
        around(c, r + half, r + half), [&](Point p) { return std::abs(length(p - c) - r) - half; },
        colour);
  }

  /// Part of a circle, in radians from the x axis, growing clockwise on the screen.
  void arc(Point centre, float radius, float from, float to, float width, Colour colour) {
    std::vector<Point> points;
    const int pieces = std::max(3, static_cast<int>(std::abs(to - from) * 8));
    for (int i = 0; i <= pieces; ++i) {
      const float t = from + (to - from) * static_cast<float>(i) / static_cast<float>(pieces);
      points.push_back(centre + radius * Point{std::cos(t), std::sin(t)});
    }
    polyline(points, width, colour);
  }

  /// A filled rectangle with rounded corners.
  void box(Box shape, Colour colour, float rounding = 0) {
    const Box b{map(shape.low), map(shape.high)};
    const Point c = .5f * (b.low + b.high), half = .5f * (b.high - b.low);
    const float r = rounding * scale_;
    paint(
        b,
        [&](Point p) {
          const float dx = std::abs(p.x - c.x) - half.x + r, dy = std::abs(p.y - c.y) - half.y + r;
          return length({std::max(dx, 0.f), std::max(dy, 0.f)}) + std::min(std::max(dx, dy), 0.f) -
                 r;
        },
        colour);
  }

  void frame(Box b, float width, Colour colour) {
    const Point corners[] = {b.low, {b.high.x, b.low.y}, b.high, {b.low.x, b.high.y}, b.low};
    polyline(corners, width, colour);
  }

  /// A filled polygon, convex or not (even-odd rule).
  void polygon(std::span<const Point> corners, Colour colour) {
    std::vector<Point> c;
    for (const Point p : corners) c.push_back(map(p));
    Box extent{c.at(0), c.at(0)};
    for (const Point p : c) extent = join(extent, {p, p});
    paint(
        extent, [&](Point p) { return polygon_distance(p, c); }, colour);
  }

  /// A zigzag between a and b with straight ends: a spring, or a resistor.
  void spring(Point a, Point b, int coils, float amplitude, float width, Colour colour) {
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

  /// A sine of the given number of wavelengths along a-b; it first rises to the left of a-b.
  void sine(Point a, Point b, float waves, float amplitude, float width, Colour colour) {
    const Point along = b - a, u = unit(along), across{u.y, -u.x};
    const int pieces = std::max(8, static_cast<int>(waves * 20));
    std::vector<Point> points;
    for (int i = 0; i <= pieces; ++i) {
      const float t = static_cast<float>(i) / static_cast<float>(pieces);
      points.push_back(a + t * along + amplitude * std::sin(6.2831853f * waves * t) * across);
    }
    polyline(points, width, colour);
  }

  /// RGB rows from the top, 3 bytes per pixel.
  std::vector<std::uint8_t> bytes() const {
    std::vector<std::uint8_t> out;
    out.reserve(3 * pixels_.size());
    for (const Colour& c : pixels_) {
      for (const float v : {c.r, c.g, c.b}) {
        out.push_back(static_cast<std::uint8_t>(std::clamp(v, 0.f, 1.f) * 255.f + .5f));
      }
    }
    return out;
  }

 private:
  struct Window {
    int x0, y0, x1, y1;
  };

  std::size_t index(int x, int y) const {
    return static_cast<std::size_t>(y) * static_cast<std::size_t>(size_) +
           static_cast<std::size_t>(x);
  }

  Point centre_of(int x, int y) const {
    const float pixel = 1.f / static_cast<float>(size_);
    return {(static_cast<float>(x) + .5f) * pixel, (static_cast<float>(y) + .5f) * pixel};
  }

  /// The pixels that a shape of this extent (grown by margin and one pixel) can touch.
  Window window(Box extent, float margin) const {
    const float n = static_cast<float>(size_);
    const auto clip = [n](float v) { return static_cast<int>(std::clamp(v, 0.f, n)); };
    return {clip((extent.low.x - margin) * n - 1), clip((extent.low.y - margin) * n - 1),
            clip((extent.high.x + margin) * n + 2), clip((extent.high.y + margin) * n + 2)};
  }

  void cover(int x, int y, float distance, Colour colour) {
    const float alpha = std::clamp(.5f - distance * static_cast<float>(size_), 0.f, 1.f);
    if (alpha > 0) pixels_[index(x, y)] = blend(pixels_[index(x, y)], colour, alpha);
  }

  template <class Distance>
  void paint(Box extent, Distance distance, Colour colour) {
    const Window w = window(extent, 0);
    for (int y = w.y0; y < w.y1; ++y) {
      for (int x = w.x0; x < w.x1; ++x) cover(x, y, distance(centre_of(x, y)), colour);
    }
  }

  void lower_distance(Point a, Point b, float half) {
    const Window w = window(span(a, b, 0), half);
    for (int y = w.y0; y < w.y1; ++y) {
      for (int x = w.x0; x < w.x1; ++x) {
        float& nearest = distance_[index(x, y)];
        nearest = std::min(nearest, segment_distance(centre_of(x, y), a, b));
      }
    }
  }

  static float polygon_distance(Point p, std::span<const Point> c) {
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

  int size_;
  float scale_ = 1;
  Point shift_;
  std::vector<Colour> pixels_;
  std::vector<float> distance_;  // scratch of segments()
};

}  // namespace gaze::phyx::synth
