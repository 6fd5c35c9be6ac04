// SPDX-License-Identifier: MIT
// Helpers for tests of hostile pictures: errors of decoding, and concatenation of bytes.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "gaze/image/decode.hpp"
#include "tests/test.hpp"

namespace hostile {

using namespace gaze::image;
using Bytes = std::vector<std::uint8_t>;

/// The error of decoding. image_size must report the same error, or none.
inline std::string refusal(const Bytes& file, const DecodeLimits& limits = {}) {
  std::string error = "decoded";
  try {
    image_size(file, "x", limits);
  } catch (const gaze::Error& e) {
    error = e.what();
  }
  try {
    decode_image(file, "x", limits);
  } catch (const gaze::Error& e) {
    return error == "decoded" || error == e.what() ? e.what() : "two errors: " + error;
  }
  return error == "decoded" ? error : "decoded in spite of " + error;
}

inline void check_says(const std::string& error, const std::string& part) {
  INFO("\"" << error << "\" should contain \"" << part << "\"");
  CHECK(error.find(part) != std::string::npos);
}

inline void append(Bytes& to, const Bytes& more) { to.insert(to.end(), more.begin(), more.end()); }

inline Bytes joined(const std::vector<Bytes>& parts) {
  Bytes out;
  for (const Bytes& part : parts) append(out, part);
  return out;
}

}  // namespace hostile
