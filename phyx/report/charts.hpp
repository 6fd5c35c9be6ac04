// SPDX-License-Identifier: MIT
// Charts as inline SVG: bars and dots with error bars, and lines. No script or external resource.
//
// Colours come from style classes (style.hpp), for light and dark themes. Every chart has a title
// for screen readers, and every axis a label with its unit.
#pragma once
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace gaze::phyx::report {

/// Whether a number can be drawn: sums, differences and powers of such numbers are finite.
inline bool drawable(double v) { return std::fabs(v) <= 1e100; }

/// A value with an error bar; not drawn if NaN.
struct Mark {
  double value = std::numeric_limits<double>::quiet_NaN();
  double low = 0, high = 0;
  std::string note;                // shown on hover
  std::vector<double> seeds = {};  // small dots, in a chart of dots
  bool open = false;               // an open dot
};

/// One labelled row of a bar or dot chart; one mark per series.
struct ChartRow {
  std::string label;
  std::string style;  // class that carries the colour
  std::vector<Mark> marks;
  double band = 0;  // shades -band to band behind the marks
};

/// A chart of rows over one horizontal axis.
struct RowChart {
  std::string title;         // for screen readers
  std::string axis;          // label of the horizontal axis, with its unit
  double low = 0, high = 1;  // range of the axis, in unscaled values
  double scale = 100;        // factor for labels: 100 for percent
  bool dots = false;         // dots on lines instead of bars
  int width = 360;
  int label_width = 78;
  std::vector<ChartRow> rows;
};

/// One line of a chart.
struct Series {
  std::string label;
  std::string style;
  std::vector<std::pair<double, double>> points;  // joined in this order; all drawable()
  bool faint = false;                             // a single seed, drawn behind the mean
  bool end_dot = false;                           // marks the last point
};

/// A chart of lines over two axes.
struct LineChart {
  std::string title, x_axis, y_axis;
  std::vector<Series> series;
  bool from_zero = false;
  bool log2_x = false;
  int width = 360, height = 220;
};

/// Rows of horizontal bars (or dots), one mark per series, with 95 % error bars.
std::string draw(const RowChart& c);

/// Lines over a shared pair of axes. The heading of the figure names the vertical axis.
std::string draw(const LineChart& c);

/// A chart (SVG) with a heading (plain text).
std::string figure(const std::string& heading, const std::string& chart);

/// Colour key for conditions: {name, class}.
std::string legend(const std::vector<std::pair<std::string, std::string>>& entries);

/// Averages neighbouring points, so that at most `most` remain.
std::vector<std::pair<double, double>> thin_out(
    const std::vector<std::pair<double, double>>& points, std::size_t most);

/// The multiples of `step` from low to high. Computed by multiplication: repeated addition would
/// not advance if `step` is below the resolution of doubles.
std::vector<double> ticks(double low, double high, double step);

}  // namespace gaze::phyx::report
