// SPDX-License-Identifier: MIT
// Scales, grids and marks as SVG.
#include "phyx/report/charts.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "phyx/report/html.hpp"
#include "phyx/report/number_text.hpp"

namespace gaze::phyx::report {

std::vector<double> ticks(double low, double high, double step) {
  constexpr int most = 12;
  const double first = std::ceil(low / step - 1e-9);
  std::vector<double> out;
  for (int i = 0; i < most && (first + i) * step <= high + step * 1e-6; ++i)
    out.push_back((first + i) * step);
  return out;
}

namespace {

/// A step of 1, 2 or 5 times a power of ten that cuts `range` into at most `parts`.
double nice_step(double range, int parts) {
  if (!(range > 0) || !std::isfinite(range)) return 1;
  const double raw = range / parts, power = std::pow(10, std::floor(std::log10(raw)));
  for (double m : {1.0, 2.0, 5.0})
    if (m * power >= raw * 0.9999) return m * power;
  return 10 * power;
}

std::string text_at(double x, double y, const char* classes, const std::string& content) {
  return "<text x=\"" + coordinate(x) + "\" y=\"" + coordinate(y) + "\" class=\"" + classes +
         "\">" + content + "</text>";
}

std::string line_from(double x0, double y0, double x1, double y1, const char* classes) {
  return "<line x1=\"" + coordinate(x0) + "\" y1=\"" + coordinate(y0) + "\" x2=\"" +
         coordinate(x1) + "\" y2=\"" + coordinate(y1) + "\" class=\"" + classes + "\"/>";
}

/// The style sheet has a class for each width: "w360".
std::string svg(int width, double height, const std::string& title, const std::string& body) {
  return "<svg viewBox=\"0 0 " + std::to_string(width) + " " + coordinate(height) +
         "\" role=\"img\" class=\"w" + std::to_string(width) + "\"><title>" + escape(title) +
         "</title>" + body + "</svg>\n";
}

/// The place of a value, limited to the axis, which reaches from x0 to x1.
double x_at(const RowChart& c, double v, double x0, double x1) {
  return x0 + (std::clamp(v, c.low, c.high) - c.low) / (c.high - c.low) * (x1 - x0);
}

/// Vertical grid lines with labels below, for a horizontal axis from low to high.
std::string x_grid(const RowChart& c, double x0, double x1, double top, double bottom) {
  std::string out;
  const double step = nice_step(c.high - c.low, 5);
  for (const double v : ticks(c.low, c.high, step)) {
    const double x = x_at(c, v, x0, x1);
    const bool zero = std::fabs(v) < step * 1e-6;
    out += line_from(x, top, x, bottom, zero ? "axis" : "gridline");
    out +=
        text_at(x, bottom + 12, "tick mid", brief(zero ? 0 : std::round(v * c.scale * 1e6) / 1e6));
  }
  return out + text_at((x0 + x1) / 2, bottom + 26, "tick mid", escape(c.axis));
}

std::string band_of(const RowChart& c, const ChartRow& row, double x0, double x1, double y,
                    double height) {
  const auto at = [&](double v) { return x_at(c, v, x0, x1); };
  return "<rect x=\"" + coordinate(at(-row.band)) + "\" y=\"" + coordinate(y) + "\" width=\"" +
         coordinate(at(row.band) - at(-row.band)) + "\" height=\"" + coordinate(height) +
         "\" class=\"band\"/>";
}

std::string draw_mark(const RowChart& c, const ChartRow& row, std::size_t series, double x0,
                      double x1, double y, double height) {
  const Mark& m = row.marks[series];
  if (!std::isfinite(m.value)) return text_at(x0 + 4, y + 3.5, "tick", "no data");
  const auto at = [&](double v) { return x_at(c, v, x0, x1); };
  const std::string kind = m.open || series == 1 ? "open" : series == 0 ? "full" : "pale";
  std::string out = "<g class=\"" + row.style + "\"><title>" + escape(m.note) + "</title>";
  if (c.dots) {
    out += line_from(at(m.low), y, at(m.high), y, "whisker-c");
    for (const double v : m.seeds)
      out += "<circle cx=\"" + coordinate(at(v)) + "\" cy=\"" + coordinate(y) +
             "\" r=\"2\" class=\"seed\"/>";
    out += "<circle cx=\"" + coordinate(at(m.value)) + "\" cy=\"" + coordinate(y) +
           "\" r=\"4\" class=\"dot " + kind + "\"/>";
  } else {
    const double zero = at(std::max(c.low, 0.0)), end = at(m.value);
    out += "<rect x=\"" + coordinate(std::min(zero, end)) + "\" y=\"" + coordinate(y - height / 2) +
           "\" width=\"" + coordinate(std::fabs(end - zero)) + "\" height=\"" + coordinate(height) +
           "\" rx=\"1.5\" class=\"bar " + kind + "\"/>";
    out += line_from(at(m.low), y, at(m.high), y, "whisker");
    out += text_at(std::max(at(m.high), end) + 5, y + 3.5, "value", fixed(m.value * c.scale, 0));
  }
  return out + "</g>";
}

struct Frame {
  double x_low = 0, x_high = 1, y_low = 0, y_high = 1;  // data
  double left = 46, right = 0, top = 6, bottom = 0;     // picture
  bool log2_x = false;

  double x(double v) const {
    const double low = log2_x ? std::log2(x_low) : x_low,
                 high = log2_x ? std::log2(x_high) : x_high;
    return left + ((log2_x ? std::log2(v) : v) - low) / (high - low) * (right - left);
  }
  double y(double v) const { return bottom - (v - y_low) / (y_high - y_low) * (bottom - top); }
};

Frame make_frame(const LineChart& c) {
  Frame f;
  const double infinity = std::numeric_limits<double>::infinity();
  f.x_low = f.y_low = infinity;
  f.x_high = f.y_high = -infinity;
  for (const auto& s : c.series)
    for (const auto& [x, y] : s.points) {
      f.x_low = std::min(f.x_low, x);
      f.x_high = std::max(f.x_high, x);
      f.y_low = std::min(f.y_low, y);
      f.y_high = std::max(f.y_high, y);
    }
  if (c.from_zero) f.y_low = std::min(f.y_low, 0.0);
  if (!(f.x_high > f.x_low)) f.x_high = f.x_low + std::max(1.0, std::fabs(f.x_low) * 0.1);
  if (!(f.y_high > f.y_low)) f.y_high = f.y_low + (f.y_low == 0 ? 1 : std::fabs(f.y_low) * 0.1);
  const double step = nice_step(f.y_high - f.y_low, 5);
  f.y_low = std::floor(f.y_low / step + 1e-9) * step;
  f.y_high = std::ceil(f.y_high / step - 1e-9) * step;
  f.right = c.width - 10;
  f.bottom = c.height - 36;
  f.log2_x = c.log2_x && f.x_low > 0;
  return f;
}

std::string dot_at(const Frame& f, const std::pair<double, double>& point) {
  return "<circle cx=\"" + coordinate(f.x(point.first)) + "\" cy=\"" +
         coordinate(f.y(point.second)) + "\" r=\"3\" class=\"dot full\"/>";
}

std::string axes(const LineChart& c, const Frame& f) {
  std::string out;
  const double step = nice_step(f.y_high - f.y_low, 5);
  for (const double v : ticks(f.y_low, f.y_high, step)) {
    const double shown = std::fabs(v) < step * 1e-6 ? 0 : v;
    out += line_from(f.left, f.y(v), f.right, f.y(v), shown == 0 ? "axis" : "gridline");
    out += text_at(f.left - 5, f.y(v) + 3.5, "tick end", brief(shown));
  }
  const double x_step = nice_step(f.x_high - f.x_low, 5);
  if (f.log2_x) {
    for (double v = f.x_low; v <= f.x_high * 1.001; v *= 2)
      out += text_at(f.x(v), f.bottom + 13, "tick mid", brief(v));
  } else {
    for (const double v : ticks(f.x_low, f.x_high, x_step))
      out += text_at(f.x(v), f.bottom + 13, "tick mid", brief(std::round(v * 1e6) / 1e6 + 0.0));
  }
  return out + text_at((f.left + f.right) / 2, f.bottom + 28, "tick mid", escape(c.x_axis));
}

}  // namespace

std::string draw(const RowChart& c) {
  std::size_t series = 1;
  for (const auto& r : c.rows) series = std::max(series, r.marks.size());
  const double mark_height = series == 1 ? 11 : 8;
  const double row_height = double(series) * (mark_height + 2) + 7;
  std::size_t letters = 0;
  for (const auto& r : c.rows) letters = std::max(letters, r.label.size());
  // Wide enough for the longest label, but at most half of the chart.
  const double x0 = std::clamp(6.3 * double(letters) + 10, double(c.label_width), c.width / 2.0);
  const double x1 = c.width - (c.dots ? 14 : 26), top = 4;
  const double bottom = top + row_height * double(c.rows.size());
  std::string bands, body = x_grid(c, x0, x1, top, bottom);
  for (std::size_t r = 0; r < c.rows.size(); ++r) {
    const ChartRow& row = c.rows[r];
    const double middle = top + row_height * (double(r) + 0.5);
    if (row.band > 0) bands += band_of(c, row, x0, x1, middle - row_height / 2, row_height);
    body += text_at(x0 - 7, middle + 3.5, "label end", escape(row.label));
    for (std::size_t s = 0; s < row.marks.size(); ++s) {
      const double offset = (double(s) - double(row.marks.size() - 1) / 2) * (mark_height + 2);
      body += draw_mark(c, row, s, x0, x1, middle + offset, mark_height);
    }
  }
  return svg(c.width, bottom + 34, c.title, bands + body);
}

std::string draw(const LineChart& c) {
  const Frame f = make_frame(c);
  std::string body = axes(c, f);
  for (const auto& s : c.series) {
    if (s.points.empty()) continue;
    std::string points;
    for (const auto& [x, y] : s.points)
      points += coordinate(f.x(x)) + "," + coordinate(f.y(y)) + " ";
    const std::string name = "<title>" + escape(s.label) + "</title>";
    const std::string g = "<g class=\"" + s.style + "\">" + name;
    if (s.points.size() == 1)
      body += g + dot_at(f, s.points[0]) + "</g>";
    else
      body += g + "<polyline points=\"" + points + "\" class=\"line" + (s.faint ? " faint" : "") +
              "\"/>" + (s.end_dot ? dot_at(f, s.points.back()) : "") + "</g>";
  }
  return svg(c.width, c.height, c.title, body);
}

std::string figure(const std::string& heading, const std::string& chart) {
  return "<figure><figcaption>" + escape(heading) + "</figcaption>" + chart + "</figure>\n";
}

std::string legend(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string out = "<p class=\"legend\">";
  for (const auto& [name, style] : entries)
    out += "<span class=\"" + style + "\"><i></i>" + escape(name) + "</span> ";
  return out + "</p>\n";
}

std::vector<std::pair<double, double>> thin_out(
    const std::vector<std::pair<double, double>>& points, std::size_t most) {
  const std::size_t group = (points.size() + most - 1) / std::max<std::size_t>(most, 1);
  if (group <= 1) return points;
  std::vector<std::pair<double, double>> out;
  for (std::size_t i = 0; i < points.size(); i += group) {
    const std::size_t end = std::min(i + group, points.size());
    double x = 0, y = 0;
    for (std::size_t j = i; j < end; ++j) {
      x += points[j].first;
      y += points[j].second;
    }
    out.emplace_back(x / double(end - i), y / double(end - i));
  }
  return out;
}

}  // namespace gaze::phyx::report
