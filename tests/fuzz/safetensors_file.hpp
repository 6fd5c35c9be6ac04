// SPDX-License-Identifier: MIT
// The bytes of a safetensors file.
#pragma once
#include <cstdint>
#include <string>

#include "gaze/io/json.hpp"

namespace gaze::fuzz {

/// A file with this header and `bytes` zeros as data.
inline std::string safetensors_file(const io::Json& header, std::size_t bytes = 0) {
  const std::string text = io::dump_json(header, "the header");
  std::string out;
  for (std::uint64_t i = 0, size = text.size(); i < 8; ++i)
    out += static_cast<char>(size >> 8 * i & 255);
  return out + text + std::string(bytes, '\0');
}

}  // namespace gaze::fuzz
