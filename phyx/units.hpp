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
#include <udunits2.h>

#include <array>
#include <cctype>
#include <cmath>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "gaze/core/error.hpp"

namespace gaze::phyx {
namespace units_detail {

using Pair = std::pair<std::string_view, std::string_view>;

// Spellings that UDUNITS does not read, or reads as something else ("mph" as milliphot).
// Written as escapes because several of them look alike.
inline constexpr std::array<Pair, 18> symbols = {{{"\u2103", "degC"},
                                                  {"\u00b0"
                                                   "C",
                                                   "degC"},
                                                  {"\u00b0"
                                                   "F",
                                                   "degF"},
                                                  {"\u00b0"
                                                   " C",
                                                   "degC"},
                                                  {"\u00b0"
                                                   " F",
                                                   "degF"},
                                                  {"\u00ba", "deg"},
                                                  {"\u00b0", "deg"},
                                                  {"\u2126", "ohm"},
                                                  {"\u03a9", "ohm"},
                                                  {"\u00b5", "u"},
                                                  {"\u03bc", "u"},
                                                  {"\u00c5", "angstrom"},
                                                  {"\u212b", "angstrom"},
                                                  {"\u00b7", "*"},
                                                  {"\u22c5", "*"},
                                                  {"\u2219", "*"},
                                                  {"\u00d7", "*"},
                                                  {"\u2212", "-"}}};
inline constexpr std::array<Pair, 10> superscripts = {{{"⁰", "0"},
                                                       {"¹", "1"},
                                                       {"²", "2"},
                                                       {"³", "3"},
                                                       {"⁴", "4"},
                                                       {"⁵", "5"},
                                                       {"⁶", "6"},
                                                       {"⁷", "7"},
                                                       {"⁸", "8"},
                                                       {"⁹", "9"}}};
inline constexpr std::array<Pair, 21> words = {
    {{"deg", "degree"},    {"degs", "degree"},       {"secs", "s"},
     {"hrs", "hour"},      {"mins", "minute"},       {"D", "m^-1"},
     {"diopter", "m^-1"},  {"diopters", "m^-1"},     {"dioptre", "m^-1"},
     {"dioptres", "m^-1"}, {"c", "(299792458 m/s)"}, {"ly", "(9.4607304725808e15 m)"},
     {"AU", "au"},         {"G", "gauss"},           {"Wh", "(3600 J)"},
     {"kWh", "(3.6e6 J)"}, {"mph", "(mile/hour)"},   {"kph", "(km/hour)"},
     {"kmh", "(km/hour)"}, {"rev", "turn"},          {"revs", "turn"}}};

inline void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
}

// "m s⁻²" -> "m s^-2": a run of superscript characters becomes one exponent.
inline std::string flatten_superscripts(std::string_view text) {
  std::string out;
  bool inside = false;
  for (std::size_t i = 0; i < text.size();) {
    std::string_view plain, rest = text.substr(i);
    std::size_t length = 1;
    if (rest.starts_with("⁻")) plain = "-", length = std::string_view("⁻").size();
    for (const auto& [from, to] : superscripts)
      if (rest.starts_with(from)) plain = to, length = from.size();
    if (plain.empty()) {
      out += rest[0];
    } else {
      if (!inside) out += '^';
      out += plain;
    }
    inside = !plain.empty();
    i += length;
  }
  return out;
}

/// A unit's text in UDUNITS' own spelling: "kg·m/s²" -> "kg*m/s^2".
inline std::string normalise(std::string_view raw) {
  std::string text = flatten_superscripts(raw);
  for (const auto& [from, to] : symbols) replace_all(text, from, to);
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i;
    while (end < text.size() && std::isalpha(static_cast<unsigned char>(text[end]))) ++end;
    if (end == i) {
      out += text[i++];
      continue;
    }
    std::string_view word = std::string_view(text).substr(i, end - i);
    for (const auto& [from, to] : words)
      if (word == from) {
        word = to;
        break;
      }
    out += word;
    i = end;
  }
  const auto first = out.find_first_not_of(" \t\r\n"), last = out.find_last_not_of(" \t\r\n");
  return first == std::string::npos ? std::string() : out.substr(first, last - first + 1);
}

// A fractional exponent or a reference time ("s since 1990", "m @ 3") is not an answer's unit.
inline bool readable(std::string_view text) {
  constexpr std::size_t longest = 96;
  if (text.size() > longest || text.find_first_of("@:") != std::string_view::npos) return false;
  for (const auto* word : {"since", "after", "from", "ref"})
    if (text.find(word) != std::string_view::npos) return false;
  return text.find("^0.") == std::string_view::npos && text.find("^1.") == std::string_view::npos;
}

// UDUNITS treats the radian as a plain number, so 1 Hz would equal 1 rad/s: keep them apart.
inline bool cycles_against_angle(std::string_view a, std::string_view b) {
  const auto cycles = [](std::string_view u) {
    return u.find("Hz") != u.npos || u.find("hertz") != u.npos;
  };
  const auto angle = [](std::string_view u) {
    for (const auto* word : {"rad", "degree", "turn", "rpm", "revolution"})
      if (u.find(word) != u.npos) return true;
    return false;
  };
  return (cycles(a) && angle(b)) || (angle(a) && cycles(b));
}

struct FreeUnit {
  void operator()(ut_unit* unit) const { ut_free(unit); }
};
struct FreeConverter {
  void operator()(cv_converter* converter) const { cv_free(converter); }
};
using Unit = std::unique_ptr<ut_unit, FreeUnit>;
using Converter = std::shared_ptr<cv_converter>;

/// The one unit system with its cache. All members are called under `mutex`.
class System {
 public:
  static System& get() {
    static System system;
    return system;
  }

  std::optional<double> convert(double value, const std::string& from, const std::string& to) {
    const std::scoped_lock lock(mutex_);
    const Converter& converter = find(from, to);
    if (!converter) return std::nullopt;
    const double out = cv_convert_double(converter.get(), value);
    return std::isfinite(out) ? std::optional(out) : std::nullopt;
  }
  bool commensurable(const std::string& a, const std::string& b) {
    const std::scoped_lock lock(mutex_);
    return find(a, b) != nullptr;
  }
  bool known(const std::string& unit) {
    const std::scoped_lock lock(mutex_);
    return find(unit, unit) != nullptr;
  }

 private:
  System() {
    ut_set_error_message_handler(ut_ignore);
    system_ = ut_read_xml(nullptr);
    GAZE_CHECK(system_ != nullptr, "units",
               "UDUNITS-2 has no unit database: install it, or set UDUNITS2_XML_PATH to its "
               "udunits2.xml");
  }

  Unit parse(const std::string& text) {
    if (!readable(text)) return nullptr;
    Unit unit(ut_parse(system_, text.c_str(), UT_UTF8));
    if (unit) return unit;
    std::string lower = text;  // "Joules" is read in lower case; symbols never need this
    for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return text.size() > 3 ? Unit(ut_parse(system_, lower.c_str(), UT_UTF8)) : nullptr;
  }

  // Same dimension, and not one the inverse of the other: UDUNITS would turn 2 s into 0.5 Hz.
  Converter make(const std::string& from, const std::string& to) {
    const Unit a = parse(from), b = parse(to);
    if (!a || !b || cycles_against_angle(from, to)) return nullptr;
    const Unit ratio(ut_divide(a.get(), b.get()));
    if (!ratio || !ut_is_dimensionless(ratio.get())) return nullptr;
    return Converter(ut_get_converter(a.get(), b.get()), FreeConverter());
  }

  const Converter& find(const std::string& from, const std::string& to) {
    constexpr std::size_t most = 4096;  // the texts come from a model: bound what they can occupy
    const auto key = std::make_pair(from, to);
    if (const auto it = cache_.find(key); it != cache_.end()) return it->second;
    if (cache_.size() >= most) cache_.clear();
    return cache_.emplace(key, make(from, to)).first->second;
  }

  std::mutex mutex_;
  ut_system* system_ = nullptr;  // lives as long as the process
  std::map<std::pair<std::string, std::string>, Converter> cache_;
};

}  // namespace units_detail

/// `value` in unit `from`, expressed in unit `to`; nothing when the dimensions differ. Units that
/// are unknown but spelled alike ("dB") convert as they are. Temperatures are points on a scale,
/// not differences. Throws gaze::Error when UDUNITS' database is missing.
inline std::optional<double> convert(double value, std::string_view from, std::string_view to) {
  const std::string a = units_detail::normalise(from), b = units_detail::normalise(to);
  if (a == b) return value;
  return units_detail::System::get().convert(value, a, b);
}

/// Whether a value in one unit can be expressed in the other.
inline bool commensurable(std::string_view a, std::string_view b) {
  const std::string x = units_detail::normalise(a), y = units_detail::normalise(b);
  return x == y || units_detail::System::get().commensurable(x, y);
}

/// Whether the text is a unit at all: "m/s²" is, "left" is not.
inline bool known_unit(std::string_view unit) {
  const std::string text = units_detail::normalise(unit);
  return !text.empty() && units_detail::System::get().known(text);
}

}  // namespace gaze::phyx
