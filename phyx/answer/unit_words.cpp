// SPDX-License-Identifier: MIT
// The tables of unit words and symbols.
#include "phyx/answer/unit_words.hpp"

#include <array>
#include <cstddef>
#include <utility>

namespace gaze::phyx::unit_text {

namespace {

using Pair = std::pair<std::string_view, std::string_view>;

// Spellings that UDUNITS does not read. Written as escapes because several of them look alike.
constexpr auto symbols = std::to_array<Pair>({{"\u2103", "degC"},
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

// Words that UDUNITS does not know or misreads ("mph" as milliphot).
constexpr auto words = std::to_array<Pair>({{"deg", "degree"},
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
constexpr auto scales = std::to_array<Pair>({{"C", "degC"},
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
constexpr auto counts = std::to_array<Pair>({{"turn", "(1)"},
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

}  // namespace

std::optional<UnitSymbol> leading_symbol(std::string_view text) {
  for (const auto& [written, spelled] : symbols)
    if (text.starts_with(written)) return UnitSymbol{written, spelled};
  return std::nullopt;
}

std::optional<std::string_view> known_word(std::string_view word) { return look_up(words, word); }

std::optional<std::string_view> temperature_scale(std::string_view word) {
  return look_up(scales, word);
}

std::optional<std::string_view> counted_turn(std::string_view word) {
  return look_up(counts, word);
}

}  // namespace gaze::phyx::unit_text
