// SPDX-License-Identifier: MIT
// Unit conversion for physics answers, on UDUNITS-2's database.
//
//   convert(3.6, "km/h", "m/s")  -> 1
//   convert(1, "N·m", "J")       -> 1
//   convert(2, "s", "Hz")        -> nothing: a period is not a frequency
//
// One unit system is built on first use and shared; every call into it is under one mutex, and
// answers are cached because a training run asks about the same few pairs millions of times.
// Needs the library at link time: -ludunits2.
#pragma once
#include <optional>
#include <string_view>
#include <vector>

namespace gaze::phyx {

/// `value` in unit `from`, expressed in unit `to`, once for each way in which the two texts can be
/// understood, the likeliest first; empty when the dimensions differ. Units that are unknown but
/// spelled alike ("dB") convert as they are. Temperatures are points on a scale, not differences.
/// Throws gaze::Error when UDUNITS' database is missing.
std::vector<double> conversions(double value, std::string_view from, std::string_view to);

/// The likeliest of the conversions; nothing when there is none.
std::optional<double> convert(double value, std::string_view from, std::string_view to);

/// Whether a value in one unit can be expressed in the other.
bool commensurable(std::string_view from, std::string_view to);

/// Whether the text is a unit at all: "m/s²" is, "left" is not.
bool known_unit(std::string_view unit);

}  // namespace gaze::phyx
