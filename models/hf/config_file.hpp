// SPDX-License-Identifier: MIT
// Reading a published checkpoint's config.json, so that nothing in it is approximated in silence:
// every key is read, or named as one without effect on the model, or refused.
#pragma once
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/core/index.hpp"
#include "gaze/core/printable.hpp"
#include "gaze/io/json.hpp"

namespace gaze::models::hf {

/// Whether models can divide by this number or take its powers: a float above 0.
inline bool is_positive_float(double x) {
  const auto computed = static_cast<float>(x);
  return computed > 0 && std::isfinite(computed);
}

/// One object of a configuration file. Errors name the file and the key with its path.
class ConfigObject {
 public:
  /// `source`: the file's path. `path`: of this object in the file, "" for the whole.
  ConfigObject(io::Json object, std::string source, std::string path = "")
      : object_(std::move(object)), source_(std::move(source)), path_(std::move(path)) {
    GAZE_CHECK(object_.is_object(), "checkpoint", source_, ", ", path_, ": not an object");
  }

  /// Present and not null.
  bool has(const char* key) const {
    const auto found = object_.find(key);
    return found != object_.end() && !found->is_null();
  }

  /// A whole number from 1 on.
  Index count(const char* key) { return count_of(key, at(key)); }
  Index count(const char* key, Index otherwise) {
    return has(key) ? count(key) : (read_.insert(key), otherwise);
  }

  double number(const char* key) {
    const io::Json& v = at(key);
    GAZE_CHECK(v.is_number(), "checkpoint", where(key), ": not a number but ", shown(v));
    return v.get<double>();
  }
  double number(const char* key, double otherwise) {
    return has(key) ? number(key) : (read_.insert(key), otherwise);
  }

  /// A number that is_positive_float().
  double positive(const char* key) {
    const double x = number(key);
    GAZE_CHECK(is_positive_float(x), "checkpoint", where(key), ": must be a float above 0, got ",
               x);
    return x;
  }
  double positive(const char* key, double otherwise) {
    return has(key) ? positive(key) : (read_.insert(key), otherwise);
  }

  bool flag(const char* key) {
    const io::Json& v = at(key);
    GAZE_CHECK(v.is_boolean(), "checkpoint", where(key), ": not true or false but ", shown(v));
    return v.get<bool>();
  }
  bool flag(const char* key, bool otherwise) {
    return has(key) ? flag(key) : (read_.insert(key), otherwise);
  }

  std::string text(const char* key) {
    const io::Json& v = at(key);
    GAZE_CHECK(v.is_string(), "checkpoint", where(key), ": not a text but ", shown(v));
    return v.get<std::string>();
  }
  std::string text(const char* key, const std::string& otherwise) {
    return has(key) ? text(key) : (read_.insert(key), otherwise);
  }

  /// A whole number, or a list of them.
  std::vector<std::int64_t> integers(const char* key, std::vector<std::int64_t> otherwise) {
    if (!has(key)) return read_.insert(key), otherwise;
    const io::Json& v = at(key);
    std::vector<std::int64_t> out;
    for (const io::Json& x : v.is_array() ? v : io::Json::array({v})) {
      GAZE_CHECK(x.is_number_integer(), "checkpoint", where(key), ": not a whole number but ",
                 shown(x));
      out.push_back(x.get<std::int64_t>());
    }
    return out;
  }

  /// A text, or a list of them.
  std::vector<std::string> texts(const char* key) {
    const io::Json& v = at(key);
    std::vector<std::string> out;
    for (const io::Json& x : v.is_array() ? v : io::Json::array({v})) {
      GAZE_CHECK(x.is_string(), "checkpoint", where(key), ": not a text but ", shown(x));
      out.push_back(x.get<std::string>());
    }
    return out;
  }

  /// A list of `count` numbers.
  std::vector<double> numbers(const char* key, std::size_t count) {
    const io::Json& list = at(key);
    GAZE_CHECK(list.is_array() && list.size() == count, "checkpoint", where(key),
               ": not a list of ", count, " numbers but ", shown(list));
    std::vector<double> out;
    for (const io::Json& v : list) {
      GAZE_CHECK(v.is_number(), "checkpoint", where(key), ": not a number but ", shown(v));
      out.push_back(v.get<double>());
    }
    return out;
  }

  /// A list of 1 to `most` pairs of whole numbers from 1 on.
  std::vector<std::array<Index, 2>> pairs(const char* key, std::size_t most) {
    const io::Json& list = at(key);
    GAZE_CHECK(list.is_array() && !list.empty() && list.size() <= most, "checkpoint", where(key),
               ": not a list of 1 to ", most, " pairs but ", shown(list));
    std::vector<std::array<Index, 2>> out;
    for (const io::Json& pair : list) {
      GAZE_CHECK(pair.is_array() && pair.size() == 2, "checkpoint", where(key), ": not a pair but ",
                 shown(pair));
      out.push_back({count_of(key, pair[0]), count_of(key, pair[1])});
    }
    return out;
  }

  ConfigObject object(const char* key) {
    return ConfigObject(at(key), source_, path_.empty() ? key : path_ + "." + key);
  }

  /// This model can only be computed with the value `only`, which a missing key stands for too.
  void must_be(const char* key, const io::Json& only) { must_be_in(key, io::Json::array({only})); }

  /// The same for several values.
  void must_be_in(const char* key, const io::Json& values) {
    read_.insert(key);
    const auto found = object_.find(key);
    if (found == object_.end()) return;
    std::string known;
    for (const io::Json& v : values) {
      if (*found == v) return;
      known += (known.empty() ? "" : ", ") + shown(v);
    }
    GAZE_FAIL("checkpoint", where(key), ": ", shown(*found), " is not supported, only ", known);
  }

  /// Keys without effect on the model's values: names, versions, training settings.
  void ignore(std::initializer_list<const char*> keys) { read_.insert(keys.begin(), keys.end()); }

  /// Refuses keys that nothing has read.
  void finish() const {
    for (const auto& [key, value] : object_.items())
      GAZE_CHECK(read_.contains(key), "checkpoint", where(key.c_str()),
                 ": this key is not known, nor is its effect");
  }

  std::string where(const char* key) const {
    return source_ + ", " + (path_.empty() ? "" : path_ + ".") + printable(key, kShownBytes);
  }

 private:
  const io::Json& at(const char* key) {
    read_.insert(key);
    const auto found = object_.find(key);
    GAZE_CHECK(found != object_.end() && !found->is_null(), "checkpoint", where(key), ": missing");
    return *found;
  }

  Index count_of(const char* key, const io::Json& v) const {
    GAZE_CHECK(v.is_number_integer(), "checkpoint", where(key), ": not a whole number but ",
               shown(v));
    constexpr std::uint64_t most = std::uint64_t{1} << 26;  // products of two fit an Index
    GAZE_CHECK(v.is_number_unsigned() && v.get<std::uint64_t>() >= 1, "checkpoint", where(key),
               ": must be at least 1, got ", shown(v));
    GAZE_CHECK(v.get<std::uint64_t>() <= most, "checkpoint", where(key), ": must be at most ", most,
               ", got ", shown(v));
    return static_cast<Index>(v.get<std::int64_t>());
  }

  static std::string shown(const io::Json& v) { return printable(v.dump(), kShownBytes); }

  io::Json object_;
  std::string source_, path_;
  std::set<std::string> read_;
};

}  // namespace gaze::models::hf
