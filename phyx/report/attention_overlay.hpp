// SPDX-License-Identifier: MIT
// The model's attention as a grid of cells over the picture.
#pragma once
#include <string>
#include <vector>

#include "phyx/report/completion.hpp"

namespace gaze::phyx::report {

/// An SVG of the picture (the element `id` on the page) under a grid of cells with opacity by mean
/// attention. The completion must have maps.
std::string overlay(const Completion& c, const EmbeddedImage& image, const std::string& id);

/// Opacities 0 to 75, scaled to the map's range, to show the pattern; 0 for NaN.
std::vector<int> opacities(const std::vector<float>& map);
std::vector<int> opacities(const std::vector<double>& map);

}  // namespace gaze::phyx::report
