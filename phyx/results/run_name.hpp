// SPDX-License-Identifier: MIT
// Names of conditions in results, which also say the temperature of a further evaluation and the
// point of a grid: "sft@0.25, grpo.rate=0.0003".
#pragma once
#include <algorithm>
#include <string>

namespace gaze::phyx {

/// The point of a grid, with its separator: ", grpo.rate=0.0003"; "" outside of grids.
inline std::string grid_point(const std::string& name) {
  const std::size_t comma = name.find(", ");
  return comma == name.npos ? "" : name.substr(comma);
}

/// The name without the point of a grid: "sft@0.25".
inline std::string without_point(const std::string& name) {
  return name.substr(0, name.find(", "));
}

/// The condition of a further evaluation, with the point of a grid: "sft, grpo.rate=0.0003"; "" for
/// an evaluation at the study's own temperature.
inline std::string tempered_from(const std::string& name) {
  const std::string own = without_point(name);
  const std::size_t at = own.rfind('@');
  return at == own.npos ? "" : own.substr(0, at) + grid_point(name);
}

/// The temperature of a further evaluation, as text: "0.25".
inline std::string temperature_of(const std::string& name) {
  const std::string own = without_point(name);
  return own.substr(std::min(own.size(), own.rfind('@') + 1));
}

}  // namespace gaze::phyx
