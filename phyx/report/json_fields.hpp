// SPDX-License-Identifier: MIT
// Fields of a log's line, which may lack any of them.
#pragma once
#include <cstdint>
#include <string>

#include "gaze/io/json.hpp"

namespace gaze::phyx::report {

/// A text, or an integer as text; "" where it is absent or null. Error for anything else, naming
/// `where` and the key.
std::string json_text(const io::Json& value, const char* key, const std::string& where);

/// A 64-bit integer; 0 where it is absent or null. Error for anything else, or a larger number.
std::int64_t json_integer(const io::Json& value, const char* key, const std::string& where);

}  // namespace gaze::phyx::report
