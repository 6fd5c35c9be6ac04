// SPDX-License-Identifier: MIT
// A small vector canvas: anti-aliased shapes on an RGB square of any size, in coordinates 0 to 1
// with x to the right and y downwards. Every shape is a signed distance (negative inside), and a
// pixel's coverage is that distance, in pixels, clamped around the edge:
//   coverage = clamp(1/2 - distance * size, 0, 1)
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace gaze::phyx::synth {

/// Red, green and blue, 0 to 1.
struct Colour {
  float r = 0, g = 0, b = 0;
};

/// A position in the picture, 0 to 1, y downwards; also a displacement.
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

/// The box around a centre.
Box around(Point centre, float half_width, float half_height);

/// The smallest box that contains both.
Box join(Box a, Box b);

/// The box between two points, grown by a margin.
Box span(Point a, Point b, float margin);

/// a at t = 0, b at t = 1, and linear between.
Colour blend(Colour a, Colour b, float t);

struct Segment {
  Point a, b;
};

/// A square picture. Positions, widths and radii are in fractions of its side.
class Canvas {
 public:
  /// `size` pixels a side, filled with `paper`; Error outside 1..4096.
  Canvas(int size, Colour paper);

  /// In pixels a side.
  int size() const { return size_; }

  /// The pixel in column x, row y.
  Colour at(int x, int y) const { return pixels_[index(x, y)]; }

  /// Maps points to centre + scale * (p - centre) + shift from now on, to jitter a scene.
  void place(float scale, Point shift) {
    scale_ = scale;
    shift_ = shift;
  }

  /// The scale set by place(); initially 1.
  float scale() const { return scale_; }

  /// The transformation set by place(), and its inverse.
  Point map(Point p) const { return Point{.5f, .5f} + scale_ * (p - Point{.5f, .5f}) + shift_; }
  Point unmap(Point p) const {
    return Point{.5f, .5f} + (1 / scale_) * (p - shift_ - Point{.5f, .5f});
  }

  /// Draws a line with round caps.
  void line(Point a, Point b, float width, Colour colour);

  /// Draws lines through all points.
  void polyline(std::span<const Point> points, float width, Colour colour);

  /// Draws dashes and gaps of about equal length, starting with a dash.
  void dashed(Point a, Point b, float width, Colour colour, float dash = .035f);

  /// Draws the union of segments with round caps, painting joints once.
  void segments(std::span<const Segment> all, float width, Colour colour);

  /// Draws a line from a to b with a filled head at b.
  void arrow(Point a, Point b, float width, Colour colour, float head = .09f);

  /// A line with a head at both ends.
  void double_arrow(Point a, Point b, float width, Colour colour, float head = .06f);

  /// A filled circle.
  void disc(Point centre, float radius, Colour colour);

  /// Draws a circle.
  void ring(Point centre, float radius, float width, Colour colour);

  /// Draws an arc; angles in radians from the x axis, clockwise on the screen.
  void arc(Point centre, float radius, float from, float to, float width, Colour colour);

  /// A filled rectangle with rounded corners.
  void box(Box shape, Colour colour, float rounding = 0);

  /// The outline of a box.
  void frame(Box b, float width, Colour colour);

  /// A filled polygon, convex or not (even-odd rule); at least one corner.
  void polygon(std::span<const Point> corners, Colour colour);

  /// Draws a zigzag with straight ends: a spring or a resistor.
  void spring(Point a, Point b, int coils, float amplitude, float width, Colour colour);

  /// Draws a sine of `waves` wavelengths along a-b, first rising to the left of a-b.
  void sine(Point a, Point b, float waves, float amplitude, float width, Colour colour);

  /// RGB rows from the top, 3 bytes per pixel.
  std::vector<std::uint8_t> bytes() const;

 private:
  struct Window {
    int x0, y0, x1, y1;
  };

  std::size_t index(int x, int y) const {
    return static_cast<std::size_t>(y) * static_cast<std::size_t>(size_) +
           static_cast<std::size_t>(x);
  }

  /// The centre of a pixel, in fractions of the side.
  Point centre_of(int x, int y) const;

  /// The pixels that a shape of this extent, grown by margin and one pixel, can touch.
  Window window(Box extent, float margin) const;

  /// Blends the colour by the coverage of a shape at this signed distance.
  void cover(int x, int y, float distance, Colour colour);

  /// Fills a shape within `extent`, given by its signed distance from mapped points.
  template <class Distance>
  void paint(Box extent, Distance distance, Colour colour);

  /// Lowers `distance_` to the distance from segment a-b, for pixels within `half` of it.
  void lower_distance(Point a, Point b, float half);

  int size_;
  float scale_ = 1;
  Point shift_;
  std::vector<Colour> pixels_;
  std::vector<float> distance_;  // scratch of segments()
};

}  // namespace gaze::phyx::synth
