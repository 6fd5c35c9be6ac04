// SPDX-License-Identifier: MIT
// Unit conversion for physics answers, on UDUNITS-2's database.
//
//   convert(3.6, "km/h", "m/s")  -> 1
//   convert(1, "N·m", "J")       -> 1
//   convert(2, "s", "Hz")        -> nothing: a period is not a frequency
//
// One unit system is created on first use and shared; calls into it hold one mutex, and results are
// cached, because a training run converts the same few pairs millions of times. Link with
// -ludunits2.
#pragma once
#include <optional>
#include <string_view>
#include <vector>

namespace gaze::phyx {

/// `value` converted from unit `from` to unit `to`, once per reading of the two texts, likeliest
/// first; empty if the dimensions differ. Unknown units with the same spelling ("dB") convert
/// unchanged. Temperatures are points on a scale, not differences. Throws Error if UDUNITS'
/// database is missing.
std::vector<double> conversions(double value, std::string_view from, std::string_view to);

/// The likeliest conversion; empty if there is none.
std::optional<double> convert(double value, std::string_view from, std::string_view to);

/// Whether values convert from one unit to the other.
bool commensurable(std::string_view from, std::string_view to);

/// Whether the text is a unit: "m/s²" is, "left" is not.
bool known_unit(std::string_view unit);

}  // namespace gaze::phyx
