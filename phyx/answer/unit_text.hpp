// SPDX-License-Identifier: MIT
// How people write units, read into UDUNITS' spelling: "kg·m/s²" -> "kg*m*s^-2".
//
//   product   a space, *, ·, a dot or a hyphen between factors; or nothing: "Nm", "kgm/s"
//   quotient  "/" or "per"; as textbooks mean it, everything behind it is below: J/kg·K is J/(kg·K)
//   exponent  ^2, **2, ², "m2", "s-1", "squared", "square metre"
//
// Where writers differ a text has several readings; whoever compares two units tries them in turn.
#pragma once
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace gaze::phyx::unit_text {

/// Longer texts are no units.
inline constexpr std::size_t longest_unit = 96;

/// `metre_second`: "ms^-1" is a metre per second. `literal`: "J/kg*K" is (J/kg)*K.
enum class Reading { textbook, metre_second, literal };

/// The text with the symbols of unit_words.hpp in ASCII and without white space at its ends. A
/// micro sign joins the unit behind it: "\mu\text{m}" has become "µ m".
std::string spell(std::string_view raw);

/// A unit in UDUNITS' spelling. `counted` has turns as plain numbers.
struct UnitForm {
  std::string text, counted;
  bool hertz = false, angle = false, turn = false;  // which of these words it has
  bool temperature = false;                         // a point on a scale, and nothing else
};

/// Reads one unit from a text that spell() wrote. `known` says whether a word is a unit. Nothing
/// when the text is none.
std::optional<UnitForm> parse_unit(std::string_view spelled, Reading reading,
                                   const std::function<bool(const std::string&)>& known);

}  // namespace gaze::phyx::unit_text
