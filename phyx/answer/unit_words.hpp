// SPDX-License-Identifier: MIT
// The words and symbols of units that UDUNITS does not know or reads as something else, each with
// its spelling in UDUNITS. Nothing for words that are not in the tables.
#pragma once
#include <optional>
#include <string_view>

namespace gaze::phyx::unit_text {

/// A symbol at the front of a text, and what UDUNITS calls it.
struct UnitSymbol {
  std::string_view written, spelled;
};
std::optional<UnitSymbol> leading_symbol(std::string_view text);

/// "secs" -> "s", "mph" -> "(mile/hour)".
std::optional<std::string_view> known_word(std::string_view word);

/// The scale of temperature that a word behind "degrees" names: "C" -> "degC".
std::optional<std::string_view> temperature_scale(std::string_view word);

/// Whole turns as counts: "rpm" -> "(1/min)". As an angle a turn is 2π, beside hertz it is 1.
std::optional<std::string_view> counted_turn(std::string_view word);

}  // namespace gaze::phyx::unit_text
