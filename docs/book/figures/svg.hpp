// SPDX-License-Identifier: MIT
// A picture as SVG text: boxes, lines and labels on a background of its own, so that it can be read
// on light and on dark pages. Coordinates are pixels from the top left, rounded to tenths.
#pragma once
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

namespace figures {

struct Point {
  double x, y;
};

inline constexpr const char *ink = "#1b1f24", *grey = "#6b7280", *pale = "#e5e7eb",
                            *blue = "#1f5fa8", *light_blue = "#cfe0f3", *orange = "#c2541b",
                            *light_orange = "#f7dcc9", *green = "#2f7d4f", *white = "#ffffff";

/// A number with `digits` decimals; never "-0.0".
inline std::string number(double x, int digits = 1) {
  const double unit = std::pow(10.0, digits), rounded = std::round(x * unit) / unit;
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", digits, rounded == 0 ? 0.0 : rounded);
  return text;
}

class Svg {
 public:
  enum class Align { start, middle, end };

  Svg(double width, double height) : width_(width), height_(height) {}

  void box(Point at, double w, double h, const std::string& fill,
           const std::string& stroke = "none", double round = 0) {
    add("<rect" + pair("x", at.x) + pair("y", at.y) + pair("width", w) + pair("height", h) +
        pair("rx", round) + " fill=\"" + fill + "\" stroke=\"" + stroke + "\"/>");
  }
  void line(const std::vector<Point>& points, const std::string& stroke, double width = 1.5,
            bool dashed = false) {
    std::string d;
    for (const Point& p : points) d += (d.empty() ? "M" : "L") + place(p);
    path(d, stroke, width, dashed);
  }
  /// A line with an arrow head at its end.
  void arrow(const std::vector<Point>& points, const std::string& stroke) {
    line(points, stroke);
    const Point to = points.back(), before = points[points.size() - 2];
    const double length = std::hypot(to.x - before.x, to.y - before.y);
    const double x = 7 * (before.x - to.x) / length, y = 7 * (before.y - to.y) / length;
    line({{to.x + x + y / 2, to.y + y + x / 2}, to, {to.x + x - y / 2, to.y + y - x / 2}}, stroke);
  }
  void text(Point at, const std::string& words, Align align = Align::start,
            const std::string& fill = ink, double size = 13, bool bold = false) {
    constexpr const char* anchors[] = {"start", "middle", "end"};
    add("<text" + pair("x", at.x) + pair("y", at.y) + " text-anchor=\"" +
        anchors[static_cast<int>(align)] + "\" fill=\"" + fill + "\"" + pair("font-size", size) +
        (bold ? " font-weight=\"bold\"" : "") + ">" + words + "</text>");
  }

  std::string str() const {
    const std::string w = number(width_, 0), h = number(height_, 0);
    return "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + w + "\" height=\"" + h +
           "\" viewBox=\"0 0 " + w + " " + h +
           "\" font-family=\"Helvetica, Arial, sans-serif\">\n<rect width=\"" + w + "\" height=\"" +
           h + "\" rx=\"6\" fill=\"" + white + "\"/>\n" + body_ + "</svg>\n";
  }

 private:
  static std::string pair(const char* name, double value) {
    return std::string(" ") + name + "=\"" + number(value) + "\"";
  }
  static std::string place(Point p) { return number(p.x) + " " + number(p.y); }
  void path(const std::string& d, const std::string& stroke, double width, bool dashed) {
    add("<path d=\"" + d + "\" fill=\"none\" stroke=\"" + stroke + "\"" +
        pair("stroke-width", width) + (dashed ? " stroke-dasharray=\"4 3\"" : "") + "/>");
  }
  void add(const std::string& element) { body_ += element + "\n"; }

  double width_, height_;
  std::string body_;
};

}  // namespace figures
