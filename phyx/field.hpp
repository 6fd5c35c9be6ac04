// SPDX-License-Identifier: MIT
// Tables of a settings struct's fields: name, member, range and meaning. One table per struct
// serves study files, config.json, range checks and documentation.
//
//   Fields<OptimiserSettings> fields = {
//       field("warmup", "warm-up steps", at_least(0), &OptimiserSettings::warmup)};
//   append(fields, nested("adamw.", &OptimiserSettings::adamw, adamw_fields()));
//   fields_json(fields, settings);                    // {"warmup": 50, "adamw.beta1": 0.9, ...}
//   set_field(fields, settings, "warmup", 20, "my.toml:3");
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/io/json.hpp"

namespace gaze::phyx {

/// The numbers that a setting accepts. Infinity is a bound that is not there, never a value.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool low_excluded = false, high_excluded = false;

  bool contains(double x) const {
    return std::isfinite(x) && (low_excluded ? x > low : x >= low) &&
           (high_excluded ? x < high : x <= high);
  }
  /// "at least 1", "from 0 to 1", "above 0": continues "a number ".
  std::string text() const;
};

inline constexpr Range any_value{};  ///< of texts, switches and unbounded numbers
Range at_least(double low);
Range above(double low);
Range from_to(double low, double high);
Range below_one();  ///< [0, 1)

/// One setting. `set` throws Error "WHERE: must be RANGE, got VALUE" for another type or range.
template <class S>
struct Field {
  std::string name, meaning, range;  // range: "a whole number at least 1", "true or false"
  std::function<io::OrderedJson(const S&)> get;
  std::function<void(S&, const io::Json&, const std::string& where)> set;
  bool decides = true;  // whether it affects results; only these are in config.json
};

template <class S>
using Fields = std::vector<Field<S>>;

/// Conversion of one value; T is bool, an integer, a floating-point number, a string, or a vector
/// of one of them.
template <class T>
struct FieldValue {
  static std::string range_text(const Range& range) {
    if constexpr (std::is_same_v<T, bool>) return "true or false";
    if constexpr (std::is_same_v<T, std::string>) return "a text";
    const std::string limits = range.text();
    return std::string(std::is_integral_v<T> ? "a whole number" : "a number") +
           (limits.empty() ? "" : " " + limits);
  }
  static bool read(const io::Json& value, const Range& range, T& to) {
    if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, std::string>) {
      if (std::is_same_v<T, bool> ? !value.is_boolean() : !value.is_string()) return false;
    } else {
      if (std::is_integral_v<T> ? !value.is_number_integer() : !value.is_number()) return false;
      if constexpr (std::is_integral_v<T>)
        if (value.is_number_unsigned() ? !std::in_range<T>(value.get<std::uint64_t>())
                                       : !std::in_range<T>(value.get<std::int64_t>()))
          return false;
      if (!range.contains(value.get<double>())) return false;
    }
    to = value.get<T>();
    return true;
  }
  static io::OrderedJson json(const T& value) { return value; }
};

template <class T>
struct FieldValue<std::vector<T>> {
  static std::string range_text(const Range& range) {
    return "a list, each item " + FieldValue<T>::range_text(range);
  }
  static bool read(const io::Json& value, const Range& range, std::vector<T>& to) {
    if (!value.is_array()) return false;
    std::vector<T> items(value.size());
    for (std::size_t i = 0; i < items.size(); ++i)
      if (!FieldValue<T>::read(value[i], range, items[i])) return false;
    to = std::move(items);
    return true;
  }
  static io::OrderedJson json(const std::vector<T>& value) { return value; }
};

/// Throws the Error of a refused value.
[[noreturn]] inline void refuse_value(const std::string& where, const std::string& range,
                                      const io::Json& value) {
  const std::string text = value.dump(-1, ' ', true, io::Json::error_handler_t::replace);
  GAZE_FAIL("study", where, ": must be ", range, ", got ", text.substr(0, 200));
}

/// The row of a member.
template <class S, class T>
Field<S> field(std::string name, std::string meaning, Range range, T S::*member) {
  const std::string text = FieldValue<T>::range_text(range);
  return {std::move(name), std::move(meaning), text,
          [member](const S& s) { return FieldValue<T>::json(s.*member); },
          [member, range, text](S& s, const io::Json& value, const std::string& where) {
            if (!FieldValue<T>::read(value, range, s.*member)) refuse_value(where, text, value);
          }};
}

/// The row of a text with these choices.
template <class S>
Field<S> field(std::string name, std::string meaning, std::vector<std::string> choices,
               std::string S::*member) {
  std::string text = "one of";
  for (const auto& c : choices) text += (text == "one of" ? " " : ", ") + c;
  return {std::move(name), std::move(meaning), text,
          [member](const S& s) { return io::OrderedJson(s.*member); },
          [member, text, choices](S& s, const io::Json& value, const std::string& where) {
            for (const auto& c : choices)
              if (value == c) {
                s.*member = c;
                return;
              }
            refuse_value(where, text, value);
          }};
}

/// The rows of a member struct, each name with a prefix.
template <class S, class Part>
Fields<S> nested(const std::string& prefix, Part S::*member, const Fields<Part>& fields) {
  Fields<S> out;
  for (const auto& f : fields)
    out.push_back({prefix + f.name, f.meaning, f.range,
                   [member, f](const S& s) { return f.get(s.*member); },
                   [member, f](S& s, const io::Json& value, const std::string& where) {
                     f.set(s.*member, value, where);
                   },
                   f.decides});
  return out;
}

template <class S>
void append(Fields<S>& fields, Fields<S> more) {
  for (auto& f : more) fields.push_back(std::move(f));
}

/// The row of this name, or null.
template <class S>
const Field<S>* find_field(const Fields<S>& fields, const std::string& name) {
  for (const auto& f : fields)
    if (f.name == name) return &f;
  return nullptr;
}

/// Sets one field. Throws Error, starting with `where` ("my.toml:3"), for an unknown name, type or
/// range.
template <class S>
void set_field(const Fields<S>& fields, S& settings, const std::string& name, const io::Json& value,
               const std::string& where) {
  const Field<S>* found = find_field(fields, name);
  GAZE_CHECK(found, "study", where, ": no setting named '", name, "'");
  found->set(settings, value, where + ", " + name);
}

/// The values of all fields that affect results, by name.
template <class S>
io::OrderedJson fields_json(const Fields<S>& fields, const S& settings) {
  io::OrderedJson out = io::OrderedJson::object();
  for (const auto& f : fields)
    if (f.decides) out[f.name] = f.get(settings);
  return out;
}

}  // namespace gaze::phyx
