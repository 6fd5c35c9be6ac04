// SPDX-License-Identifier: MIT
// Charts that the page shows and that are also written as files, for documents and print.
#pragma once
#include <string>
#include <vector>

namespace gaze::phyx::report {

struct Context;

/// A chart as SVG for the page, with a plain-text heading; `chart` is empty without data.
struct Figure {
  std::string name;  // of its file
  std::string heading, chart;
  std::vector<std::string> conditions = {};  // for the colour key; empty: rows have labels
};

/// The declared differences with their intervals, single seeds and margins.
Figure claims_figure(const Context& c);

/// pass@k over the number of samples, for multiple choice and open-ended problems.
std::vector<Figure> pass_figures(const Context& c);

/// Accuracy over the sampling temperature, likewise.
std::vector<Figure> temperature_figures(const Context& c);

/// Sampled and greedy accuracy by condition: multiple choice, open-ended, new templates.
std::vector<Figure> overview_figures(const Context& c);

/// The conditions of the figures, each once.
std::vector<std::string> drawn_in(const std::vector<Figure>& figures);

/// The figures that have data, for the page.
std::string page_figures(const std::vector<Figure>& figures);

/// The figure as an SVG file of its own, in light colours: heading, chart, colour key.
std::string svg_file(const Context& c, const Figure& f);

}  // namespace gaze::phyx::report
