// SPDX-License-Identifier: MIT
// JSON: a strict parse on top of nlohmann's library. It also refuses what that library accepts and
// a hostile file could exploit: repeated keys (the last would win) and unbounded nesting.
#pragma once
#include <cstddef>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/core/printable.hpp"
#include "gaze/io/atomic_file.hpp"

namespace gaze::io {

using Json = nlohmann::json;                 ///< A JSON value.
using OrderedJson = nlohmann::ordered_json;  ///< keeps keys in the order they were added

inline constexpr int kMaxJsonDepth = 64;
inline constexpr std::size_t kMaxJsonFileBytes = std::size_t{16} << 20;

/// Parses a whole document. `source` names it in errors: a file, or "config.json line 3". A NUL
/// byte, at which nlohmann's library would silently stop, is an Error.
inline Json parse_json(std::string_view text, const std::string& source) {
  GAZE_CHECK(text.find('\0') == text.npos, "parse_json", source, ": a NUL byte at character ",
             text.find('\0'));
  std::vector<std::set<std::string>> keys;  // of each open object
  const auto guard = [&](int depth, Json::parse_event_t event, Json& value) {
    using Event = Json::parse_event_t;
    GAZE_CHECK(depth <= kMaxJsonDepth, "parse_json", source, ": nested deeper than ",
               kMaxJsonDepth);
    if (event == Event::object_start) keys.emplace_back();
    if (event == Event::object_end) keys.pop_back();
    if (event == Event::key) {
      const auto& key = value.get_ref<const std::string&>();
      GAZE_CHECK(keys.back().insert(key).second, "parse_json", source, ": key '",
                 printable(key, kShownBytes), "' appears twice");
    }
    return true;
  };
  try {
    return Json::parse(text.begin(), text.end(), guard);
  } catch (const Json::exception& e) {
    GAZE_FAIL("parse_json", source, ": ", printable(e.what(), kShownBytes));
  }
}

/// The member `key` of an object; if it is missing, an Error names `source` and the key.
inline const Json& json_at(const Json& object, const char* key, const std::string& source) {
  GAZE_CHECK(object.is_object(), "json_at", source, ": not an object, looking for '", key, "'");
  const auto found = object.find(key);
  GAZE_CHECK(found != object.end(), "json_at", source, ": no '", key, "'");
  return *found;
}

/// Reads a file that contains one JSON object.
inline Json read_json_object(const std::string& path, std::size_t max_bytes = kMaxJsonFileBytes) {
  Json object = parse_json(read_file(path, max_bytes), path);
  GAZE_CHECK(object.is_object(), "read_json", path, ": not a JSON object");
  return object;
}

/// The member `key` as a string; `otherwise` if it is missing.
inline std::string json_text(const Json& object, const char* key, const std::string& source,
                             const std::string& otherwise) {
  const auto found = object.find(key);
  if (found == object.end()) return otherwise;
  GAZE_CHECK(found->is_string(), "read_json", source, ", ", key, ": not a text");
  return found->get<std::string>();
}

/// The member `key` as a number; `otherwise` if it is missing.
inline double json_number(const Json& object, const char* key, const std::string& source,
                          double otherwise) {
  const auto found = object.find(key);
  if (found == object.end()) return otherwise;
  GAZE_CHECK(found->is_number(), "read_json", source, ", ", key, ": not a number");
  return found->get<double>();
}

/// Compact text. Strings that are not UTF-8 are an Error instead of a broken file.
template <class AnyJson>
std::string dump_json(const AnyJson& value, const std::string& source, int indent = -1) {
  try {
    return value.dump(indent);
  } catch (const Json::exception& e) {
    GAZE_FAIL("dump_json", source, ": ", printable(e.what(), kShownBytes));
  }
}

}  // namespace gaze::io
