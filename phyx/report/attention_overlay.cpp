// SPDX-License-Identifier: MIT
// Opacity and position of cells.
#include "phyx/report/attention_overlay.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "phyx/report/completion.hpp"
#include "phyx/report/html.hpp"
#include "phyx/report/number_text.hpp"

namespace gaze::phyx::report {

namespace {

/// The mean over the tokens; NaN in a map makes the mean NaN.
std::vector<double> mean_map(const Completion& c) {
  std::vector<double> mean(std::size_t(c.grid_width * c.grid_height), 0.0);
  for (const auto& map : c.maps)
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += double(map[i]) / double(c.maps.size());
  return mean;
}

template <class Number>
std::vector<int> opacities_of(const std::vector<Number>& map) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const double v : map)
    if (std::isfinite(v)) {
      low = std::min(low, v);
      high = std::max(high, v);
    }
  std::vector<int> out;
  for (const double v : map)
    out.push_back(std::isfinite(v) && high > low ? int(75 * ((v - low) / (high - low))) : 0);
  return out;
}

}  // namespace

std::vector<int> opacities(const std::vector<float>& map) { return opacities_of(map); }
std::vector<int> opacities(const std::vector<double>& map) { return opacities_of(map); }

std::string overlay(const Completion& c, const EmbeddedImage& image, const std::string& id) {
  const double w = image.width, h = image.height;
  std::string out = "<svg class=\"picture\" viewBox=\"0 0 " + coordinate(w) + " " + coordinate(h) +
                    "\" role=\"img\"><title>Attention of " + escape(c.condition) +
                    " on the picture</title><use href=\"#" + id + "\"/>";
  const auto cells = opacities(mean_map(c));
  const double cw = w / c.grid_width, ch = h / c.grid_height;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const double x = cw * double(i % std::size_t(c.grid_width));
    const double y = ch * double(i / std::size_t(c.grid_width));
    out += "<rect class=\"cell\" x=\"" + coordinate(x) + "\" y=\"" + coordinate(y) + "\" width=\"" +
           coordinate(cw) + "\" height=\"" + coordinate(ch) + "\" fill=\"#d55e00\" opacity=\"" +
           coordinate(cells[i] / 100.0) + "\"/>";
  }
  return out + "</svg>\n";
}

}  // namespace gaze::phyx::report
