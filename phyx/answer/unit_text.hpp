// SPDX-License-Identifier: MIT
// Converts units as people write them to UDUNITS' spelling: "kg·m/s²" -> "kg*m*s^-2".
//
//   product   a space, *, ·, a dot or a hyphen between factors; or nothing: "Nm", "kgm/s"
//   quotient  "/" or "per"; as in textbooks, everything after it divides: J/kg·K is J/(kg·K)
//   exponent  ^2, **2, ², "m2", "s-1", "squared", "square metre"
//
// Ambiguous texts have several readings; comparisons try them in turn.
#pragma once
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace gaze::phyx::unit_text {

/// Limit in bytes; longer texts are not units.
inline constexpr std::size_t longest_unit = 96;

/// `metre_second`: "ms^-1" is a metre per second. `literal`: "J/kg*K" is (J/kg)*K.
enum class Reading { textbook, metre_second, literal };

/// Replaces the symbols of unit_words.hpp by ASCII and trims. A micro sign joins the following
/// unit:
/// "\mu\text{m}" has become "µ m".
std::string spell(std::string_view raw);

/// A unit in UDUNITS' spelling; in `counted`, turns are plain numbers.
struct UnitForm {
  std::string text, counted;
  bool hertz = false, angle = false, turn = false;  // whether it contains such a word
  bool temperature = false;                         // only a temperature scale
};

/// Parses one unit from the output of spell(). `known`: whether a word is a unit. Empty if the text
/// is not a unit.
std::optional<UnitForm> parse_unit(std::string_view spelled, Reading reading,
                                   const std::function<bool(const std::string&)>& known);

}  // namespace gaze::phyx::unit_text
