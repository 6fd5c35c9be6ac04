// SPDX-License-Identifier: MIT
// The files of phyx/studies/, compiled into the program by cmake/studies.cmake.
#pragma once
#include <string>
#include <utility>
#include <vector>

namespace gaze::phyx {

/// Name and text of each built-in study.
const std::vector<std::pair<std::string, std::string>>& embedded_studies();

}  // namespace gaze::phyx
