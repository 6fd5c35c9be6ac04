// SPDX-License-Identifier: MIT
// The model's attention as a grid of cells over the problem's picture.
#pragma once
#include <string>
#include <vector>

#include "phyx/report/completion.hpp"

namespace gaze::phyx::report {

/// An SVG of the picture under a grid of cells, as dark as the mean attention they got. The picture
/// is the element `id`, defined elsewhere on the page. The completion has maps.
std::string overlay(const Completion& c, const EmbeddedImage& image, const std::string& id);

/// Opacities 0 to 75 relative to the map's own range: the pattern is what a reader can see. What is
/// no number shows nothing.
std::vector<int> opacities(const std::vector<float>& map);
std::vector<int> opacities(const std::vector<double>& map);

}  // namespace gaze::phyx::report
