// SPDX-License-Identifier: MIT
// Words and symbols of units that UDUNITS does not know or misreads, with their spelling in
// UDUNITS. Look-ups are empty for other words.
#pragma once
#include <optional>
#include <string_view>

namespace gaze::phyx::unit_text {

/// A symbol at the front of a text, and its name in UDUNITS.
struct UnitSymbol {
  std::string_view written, spelled;
};
std::optional<UnitSymbol> leading_symbol(std::string_view text);

/// "secs" -> "s", "mph" -> "(mile/hour)".
std::optional<std::string_view> known_word(std::string_view word);

/// The temperature scale of a word after "degrees": "C" -> "degC".
std::optional<std::string_view> temperature_scale(std::string_view word);

/// Turns as counts: "rpm" -> "(1/min)". As an angle a turn is 2π, with hertz it is 1.
std::optional<std::string_view> counted_turn(std::string_view word);

}  // namespace gaze::phyx::unit_text
