// SPDX-License-Identifier: MIT
// Reading optional fields of a line of a log.
#pragma once
#include <cstdint>
#include <string>

#include "gaze/io/json.hpp"

namespace gaze::phyx::report {

/// A string, or an integer as text; "" if absent or null. Throws Error with `where` and the key for
/// any other type.
std::string json_text(const io::Json& value, const char* key, const std::string& where);

/// A 64-bit integer; 0 if absent or null. Throws Error for other types and larger numbers.
std::int64_t json_integer(const io::Json& value, const char* key, const std::string& where);

}  // namespace gaze::phyx::report
