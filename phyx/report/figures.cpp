// SPDX-License-Identifier: MIT
// The chart of the claims, and SVG files.
#include "phyx/report/figures.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "gaze/core/error.hpp"
#include "phyx/report/charts.hpp"
#include "phyx/report/context.hpp"
#include "phyx/report/findings.hpp"
#include "phyx/report/html.hpp"
#include "phyx/report/number_text.hpp"
#include "phyx/report/style.hpp"
#include "phyx/results/decision.hpp"

namespace gaze::phyx::report {

namespace {

/// The start of a chart's SVG and its height, which follows the width in the viewBox.
constexpr std::string_view chart_start = "<svg viewBox=\"0 0 ";

struct Size {
  double width = 0, height = 0;
};

Size size_of(const std::string& chart) {
  GAZE_CHECK(chart.rfind(chart_start, 0) == 0, "report", "not a chart");
  std::size_t end = 0;
  const std::string rest = chart.substr(chart_start.size(), 40);
  const double width = std::stod(rest, &end);
  return {width, std::stod(rest.substr(end))};
}

/// The colour key in rows, below `y`; `y` becomes its end.
std::string key(const Context& c, const Figure& f, double width, double& y) {
  constexpr double letter = 6.2, box = 22;
  std::string out;
  double x = 0;
  y += 16;
  for (const auto& name : f.conditions) {
    const double needed = box + letter * double(name.size());
    if (x > 0 && x + needed > width) {
      x = 0;
      y += 16;
    }
    out += "<g class=\"" + c.style(name) + "\"><rect x=\"" + coordinate(x) + "\" y=\"" +
           coordinate(y - 9) + "\" width=\"9\" height=\"9\" class=\"bar\"/><text x=\"" +
           coordinate(x + 13) + "\" y=\"" + coordinate(y) + "\">" + escape(name) + "</text></g>\n";
    x += needed + 8;
  }
  y += 6;
  return out;
}

}  // namespace

Figure claims_figure(const Context& c) {
  RowChart chart;
  chart.title = "The declared differences";
  chart.axis = "difference (points)";
  chart.dots = true;
  chart.width = 720;
  double low = 0, high = 0;
  for (const Finding& f : decide_findings(c.data.results, c.data.claims))
    for (const MeasuredClaim& m : f.measured) {
      const ResultRow& r = *m.row;
      if (!drawable(r.low) || !drawable(r.high)) continue;
      Mark mark{r.value, r.low, r.high, f.claim + " " + f.here, c.results.seeds_of(r)};
      mark.open = m.decision.verdict == Verdict::undecided;
      low = std::min({low, r.low, -f.margin});
      high = std::max({high, r.high, f.margin});
      for (const double seed : mark.seeds)
        if (drawable(seed)) {
          low = std::min(low, seed);
          high = std::max(high, seed);
        }
      const std::string label = f.id + (f.measured.size() > 1 ? ": " + r.slice : "") +
                                (f.point.empty() ? "" : ", " + f.point);
      chart.rows.push_back({label, c.style(r.condition), {std::move(mark)}, f.margin});
    }
  if (chart.rows.empty()) return {"claims", "", ""};
  chart.low = std::floor(low * 20) / 20;
  chart.high = std::ceil(high * 20) / 20;
  return {"claims", "Declared differences, in points", draw(chart)};
}

std::vector<std::string> drawn_in(const std::vector<Figure>& figures) {
  std::vector<std::string> out;
  for (const Figure& f : figures)
    for (const auto& name : f.conditions)
      if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(name);
  return out;
}

std::string page_figures(const std::vector<Figure>& figures) {
  std::string out;
  for (const Figure& f : figures)
    if (!f.chart.empty()) out += figure(f.heading, f.chart);
  return out;
}

std::string svg_file(const Context& c, const Figure& f) {
  const Size size = size_of(f.chart);
  constexpr double border = 12, heading = 22;
  const std::string inner = "<svg x=\"0\" y=\"" + coordinate(heading) + "\" width=\"" +
                            coordinate(size.width) + "\" height=\"" + coordinate(size.height) +
                            "\" " + f.chart.substr(5);
  double end = heading + size.height;
  const std::string legend = f.conditions.empty() ? "" : key(c, f, size.width, end);
  const std::string width = coordinate(size.width + 2 * border),
                    height = coordinate(end + 2 * border);
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + width + " " + height +
         "\" width=\"" + width + "\" height=\"" + height + "\">\n<style>" + svg_style +
         "</style>\n<rect width=\"100%\" height=\"100%\" class=\"paper\"/>\n" +
         "<g transform=\"translate(" + coordinate(border) + "," + coordinate(border) +
         ")\">\n<text x=\"0\" y=\"12\" class=\"heading\">" + escape(f.heading) + "</text>\n" +
         inner + legend + "</g>\n</svg>\n";
}

}  // namespace gaze::phyx::report
