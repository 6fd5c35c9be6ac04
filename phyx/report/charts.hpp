// SPDX-License-Identifier: MIT
// Charts as inline SVG: bars and dots with error bars, and lines. No script, no outside resource.
//
// Colours come from style classes (see style.hpp), so one chart serves light and dark. Every chart
// has a title for screen readers; every axis says what it shows and in which unit.
#pragma once
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace gaze::phyx::report {

/// Whether a number can be put on an axis: sums, differences and powers of such numbers are finite.
inline bool drawable(double v) { return std::fabs(v) <= 1e100; }

/// A value with an error bar. Not drawn where it is not a number.
struct Mark {
  double value = std::numeric_limits<double>::quiet_NaN();
  double low = 0, high = 0;
  std::string note;  // shown on hover
};

/// One labelled row of a bar or dot chart; one mark per series.
struct ChartRow {
  std::string label;
  std::string style;  // class that carries the colour
  std::vector<Mark> marks;
};

/// A chart of rows over one horizontal axis.
struct RowChart {
  std::string title;         // for screen readers
  std::string axis;          // what the horizontal axis shows, with its unit
  double low = 0, high = 1;  // the axis' range, in the values' own scale
  double scale = 100;        // values are multiplied by it in labels: 100 for percent
  bool dots = false;         // dots on a line instead of bars from the axis' start
  int width = 360;
  int label_width = 78;
  std::vector<ChartRow> rows;
};

/// One line of a chart.
struct Series {
  std::string label;
  std::string style;
  std::vector<std::pair<double, double>> points;  // ascending in x; all drawable()
  bool faint = false;                             // a single seed behind the mean
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

/// Lines over a shared pair of axes. The vertical axis' name stands above the picture, where it can
/// be read without turning the head.
std::string draw(const LineChart& c);

/// A chart (SVG) with its heading (plain text).
std::string figure(const std::string& heading, const std::string& chart);

/// Colour key for conditions: {name, class}.
std::string legend(const std::vector<std::pair<std::string, std::string>>& entries);

/// Mean of every `group` neighbours, so that a curve has at most `most` points.
std::vector<std::pair<double, double>> thin_out(
    const std::vector<std::pair<double, double>>& points, std::size_t most);

/// The multiples of `step` from low to high. They are counted, not added up: where a step is below
/// the numbers' resolution, a sum would stand still.
std::vector<double> ticks(double low, double high, double step);

}  // namespace gaze::phyx::report
