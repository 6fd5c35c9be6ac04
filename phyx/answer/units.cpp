// SPDX-License-Identifier: MIT
// Unit conversion: the one unit system of UDUNITS-2, behind a mutex and two caches.
#include "phyx/answer/units.hpp"

#include <udunits2.h>

#include <cmath>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "gaze/core/error.hpp"
#include "gaze/text/strings.hpp"
#include "phyx/answer/unit_text.hpp"

namespace gaze::phyx {

namespace {

using unit_text::longest_unit, unit_text::parse_unit, unit_text::Reading, unit_text::spell,
    unit_text::UnitForm;

struct FreeUnit {
  void operator()(ut_unit* unit) const { ut_free(unit); }
};
struct FreeConverter {
  void operator()(cv_converter* converter) const { cv_free(converter); }
};
using Unit = std::unique_ptr<ut_unit, FreeUnit>;
using Converter = std::shared_ptr<cv_converter>;

// The unit system with its caches, all used under `mutex_`.
class System {
 public:
  static System& get() {
    static System system;
    return system;
  }

  // `value` in the other unit, once per reading.
  std::vector<double> convert(double value, std::string_view from, std::string_view to) {
    std::vector<double> out;
    if (from.size() > longest_unit || to.size() > longest_unit) return out;
    const std::scoped_lock lock(mutex_);
    for (const Converter& converter : find(std::string(from), std::string(to))) {
      const double v = cv_convert_double(converter.get(), value);
      if (std::isfinite(v)) out.push_back(v);
    }
    return out;
  }
  bool commensurable(std::string_view a, std::string_view b) {
    if (a.size() > longest_unit || b.size() > longest_unit) return false;
    const std::scoped_lock lock(mutex_);
    return !find(std::string(a), std::string(b)).empty();
  }
  bool known(std::string_view unit) {
    if (unit.size() > longest_unit) return false;
    const std::scoped_lock lock(mutex_);
    const std::string text(unit);
    if (const auto it = known_.find(text); it != known_.end()) return it->second;
    if (known_.size() >= most_cached) known_.clear();
    const auto form = read(text, Reading::textbook);
    return known_[text] = form && parse(form->text);
  }

 private:
  static constexpr std::size_t most_cached = 4096;  // the texts come from a model

  System() {
    ut_set_error_message_handler(ut_ignore);
    system_ = ut_read_xml(nullptr);
    GAZE_CHECK(system_ != nullptr, "units",
               "UDUNITS-2 has no unit database: install it, or set UDUNITS2_XML_PATH to its "
               "udunits2.xml");
  }

  Unit parse(const std::string& text) const {
    return Unit(ut_parse(system_, text.c_str(), UT_UTF8));
  }

  std::optional<UnitForm> read(const std::string& text, Reading reading) const {
    const auto is_unit = [this](const std::string& word) { return parse(word) != nullptr; };
    const std::string spelled = spell(text);
    return parse_unit(spelled, reading, is_unit);
  }

  // Same dimension, and not one the inverse of the other: UDUNITS would turn 2 s into 0.5 Hz.
  void add(const std::string& from, const std::string& to, std::vector<Converter>& out) const {
    const Unit a = parse(from), b = parse(to);
    if (!a || !b) return;
    const Unit ratio(ut_divide(a.get(), b.get()));
    if (!ratio || !ut_is_dimensionless(ratio.get())) return;
    out.emplace_back(ut_get_converter(a.get(), b.get()), FreeConverter());
    if (!out.back()) out.pop_back();
  }

  // UDUNITS treats the radian as a plain number, so 1 Hz would equal 1 rad/s: keep them apart. A
  // turn is 2π with an angle, 1 with hertz, and may be either otherwise.
  void add(const UnitForm& a, const UnitForm& b, std::vector<Converter>& out) const {
    if ((a.hertz && b.angle) || (a.angle && b.hertz)) return;
    const bool one_turns = a.turn != b.turn;
    if (!one_turns || (!a.hertz && !b.hertz)) add(a.text, b.text, out);
    if (one_turns && !a.angle && !b.angle) add(a.counted, b.counted, out);
  }

  std::vector<Converter> make(const std::string& from, const std::string& to) const {
    std::vector<Converter> out;
    for (const Reading ra : {Reading::textbook, Reading::metre_second, Reading::literal})
      for (const Reading rb : {Reading::textbook, Reading::metre_second}) {
        const auto a = read(from, ra), b = read(to, rb);
        if (a && b && out.empty()) add(*a, *b, out);
      }
    const auto b = read(to, Reading::textbook);
    if (out.empty() && b && b->temperature)  // next to a temperature C is not coulomb
      for (const auto& [letter, scale] : {std::pair{"C", "degC"}, std::pair{"F", "degF"}})
        if (from == letter) add(scale, b->text, out);
    return out;
  }

  const std::vector<Converter>& find(const std::string& from, const std::string& to) {
    const auto key = std::make_pair(from, to);
    if (const auto it = cache_.find(key); it != cache_.end()) return it->second;
    if (cache_.size() >= most_cached) cache_.clear();
    return cache_.emplace(key, make(from, to)).first->second;
  }

  std::mutex mutex_;
  ut_system* system_ = nullptr;  // never freed
  std::map<std::pair<std::string, std::string>, std::vector<Converter>> cache_;
  std::map<std::string, bool> known_;
};

// Unknown units with the same spelling ("dB") are the same unit.
bool spelled_alike(std::string_view a, std::string_view b) {
  if (a.size() > longest_unit || b.size() > longest_unit) return a == b;
  return spell(a) == spell(b);
}

}  // namespace

std::vector<double> conversions(double value, std::string_view from, std::string_view to) {
  if (spelled_alike(from, to)) return {value};
  return System::get().convert(value, from, to);
}

std::optional<double> convert(double value, std::string_view from, std::string_view to) {
  const auto all = conversions(value, from, to);
  return all.empty() ? std::nullopt : std::optional(all.front());
}

bool commensurable(std::string_view from, std::string_view to) {
  return spelled_alike(from, to) || System::get().commensurable(from, to);
}

bool known_unit(std::string_view unit) {
  return !text::trim(unit).empty() && System::get().known(unit);
}

}  // namespace gaze::phyx
