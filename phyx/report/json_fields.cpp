// SPDX-License-Identifier: MIT
// Reading fields.
#include "phyx/report/json_fields.hpp"

#include <cstdint>
#include <limits>
#include <string>

#include "gaze/core/error.hpp"
#include "gaze/io/json.hpp"

namespace gaze::phyx::report {

std::string json_text(const io::Json& value, const char* key, const std::string& where) {
  const auto found = value.find(key);
  if (found == value.end() || found->is_null()) return "";
  if (found->is_number_integer()) return found->dump();
  GAZE_CHECK(found->is_string(), "report", where, ", ", key, ": not a text");
  return found->get<std::string>();
}

std::int64_t json_integer(const io::Json& value, const char* key, const std::string& where) {
  const auto found = value.find(key);
  if (found == value.end() || found->is_null()) return 0;
  GAZE_CHECK(found->is_number_integer(), "report", where, ", ", key, ": not an integer");
  GAZE_CHECK(!found->is_number_unsigned() ||
                 found->get<std::uint64_t>() <= std::numeric_limits<std::int64_t>::max(),
             "report", where, ", ", key, ": ", found->dump(), " is too large");
  return found->get<std::int64_t>();
}

}  // namespace gaze::phyx::report
