// SPDX-License-Identifier: MIT
// The words and symbols of units that UDUNITS does not know or reads as something else.
#pragma once
#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

namespace gaze::phyx::units_detail {

using Pair = std::pair<std::string_view, std::string_view>;

// Spellings that UDUNITS does not read. Written as escapes because several of them look alike.
inline constexpr auto symbols = std::to_array<Pair>({{"\u2103", "degC"},
                                                     {"\u2109", "degF"},
                                                     {"\u00ba", "deg"},
                                                     {"\u00b0", "deg"},
                                                     {"\u02da", "deg"},
                                                     {"\u2126", "ohm"},
                                                     {"\u03a9", "ohm"},
                                                     {"\u212a", "K"},
                                                     {"\u00c5", "angstrom"},
                                                     {"\u212b", "angstrom"},
                                                     {"\u00b7", "*"},
                                                     {"\u22c5", "*"},
                                                     {"\u2219", "*"},
                                                     {"\u00d7", "*"},
                                                     {"\u2044", "/"},
                                                     {"\u2212", "-"},
                                                     {"electron-volt", "electronvolt"},
                                                     {"electron volt", "electronvolt"},
                                                     {"per cent", "percent"},
                                                     {"light-year", "ly"},
                                                     {"light year", "ly"}});

// Words that UDUNITS does not know, or reads as something else ("mph" as milliphot).
inline constexpr auto words = std::to_array<Pair>({{"deg", "degree"},
                                                   {"degs", "degree"},
                                                   {"secs", "s"},
                                                   {"hrs", "hour"},
                                                   {"mins", "minute"},
                                                   {"yrs", "year"},
                                                   {"D", "(m^-1)"},
                                                   {"diopter", "(m^-1)"},
                                                   {"diopters", "(m^-1)"},
                                                   {"dioptre", "(m^-1)"},
                                                   {"dioptres", "(m^-1)"},
                                                   {"c", "(299792458 m/s)"},
                                                   {"ly", "(9.4607304725808e15 m)"},
                                                   {"lys", "(9.4607304725808e15 m)"},
                                                   {"lightyear", "(9.4607304725808e15 m)"},
                                                   {"lightyears", "(9.4607304725808e15 m)"},
                                                   {"AU", "au"},
                                                   {"G", "gauss"},
                                                   {"Wh", "(3600 J)"},
                                                   {"kWh", "(3.6e6 J)"},
                                                   {"VA", "(V*A)"},
                                                   {"mph", "(mile/hour)"},
                                                   {"kph", "(km/hour)"},
                                                   {"kmh", "(km/hour)"},
                                                   {"kmph", "(km/hour)"},
                                                   {"rev", "turn"},
                                                   {"revs", "turn"},
                                                   {"oscillation", "(1)"},
                                                   {"oscillations", "(1)"},
                                                   {"vibration", "(1)"},
                                                   {"vibrations", "(1)"},
                                                   {"beat", "(1)"},
                                                   {"beats", "(1)"},
                                                   {"bpm", "(1/min)"},
                                                   {"cps", "Hz"},
                                                   {"RPM", "rpm"},
                                                   {"hz", "Hz"},
                                                   {"khz", "kHz"},
                                                   {"Mhz", "MHz"},
                                                   {"ev", "eV"},
                                                   {"kev", "keV"},
                                                   {"Mev", "MeV"},
                                                   {"Gev", "GeV"},
                                                   {"KG", "kg"},
                                                   {"gm", "g"},
                                                   {"gms", "g"},
                                                   {"kgs", "kg"},
                                                   {"lbs", "lb"},
                                                   {"dyn", "dyne"},
                                                   {"mho", "S"},
                                                   {"Da", "u"},
                                                   {"Celsius", "degC"},
                                                   {"centigrade", "degC"},
                                                   {"\u2030", "(0.001)"}});
inline constexpr auto scales = std::to_array<Pair>({{"C", "degC"},
                                                    {"Celsius", "degC"},
                                                    {"celsius", "degC"},
                                                    {"Centigrade", "degC"},
                                                    {"centigrade", "degC"},
                                                    {"F", "degF"},
                                                    {"Fahrenheit", "degF"},
                                                    {"fahrenheit", "degF"},
                                                    {"K", "K"},
                                                    {"Kelvin", "K"},
                                                    {"kelvin", "K"}});
// Whole turns: 2π as an angle, 1 as a count beside hertz.
inline constexpr auto counts = std::to_array<Pair>({{"turn", "(1)"},
                                                    {"turns", "(1)"},
                                                    {"rev", "(1)"},
                                                    {"revs", "(1)"},
                                                    {"revolution", "(1)"},
                                                    {"revolutions", "(1)"},
                                                    {"rotation", "(1)"},
                                                    {"rotations", "(1)"},
                                                    {"cycle", "(1)"},
                                                    {"cycles", "(1)"},
                                                    {"rpm", "(1/min)"},
                                                    {"RPM", "(1/min)"},
                                                    {"rps", "(1/s)"}});

template <std::size_t N>
std::optional<std::string_view> look_up(const std::array<Pair, N>& table, std::string_view word) {
  for (const auto& [from, to] : table)
    if (word == from) return to;
  return std::nullopt;
}

}  // namespace gaze::phyx::units_detail
