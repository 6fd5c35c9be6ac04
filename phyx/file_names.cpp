// SPDX-License-Identifier: MIT
// Escaping and shortening of file names.
#include "phyx/file_names.hpp"

#include <algorithm>

#include "gaze/core/printable.hpp"
#include "gaze/io/sha256.hpp"

namespace gaze::phyx {

namespace {

void append_percent(std::string& out, std::string_view bytes) {
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    ((out += '%') += "0123456789ABCDEF"[value >> 4]) += "0123456789ABCDEF"[value & 15];
  }
}

}  // namespace

std::string safe_name(std::string_view text, std::string_view also) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Char c = utf8_char(text, at);
    const std::string_view bytes = text.substr(at, c.length);
    const bool leading = at == 0 && (c.code == '.' || c.code == '-' || c.code == ' ');
    at += c.length;
    const bool good = c.code >= 0 && !acts_on_text(c.code) && c.code != '/' && c.code != '\\' &&
                      c.code != '%' && !leading && also.find(bytes) == also.npos;
    if (good)
      out += bytes;
    else
      append_percent(out, bytes);
  }
  if (out.empty()) return "%";  // no other text has this name
  if (out.size() <= longest_name) return out;
  constexpr std::size_t digits = 32;
  std::size_t keep = longest_name - digits - 1;
  while (keep > 0 && (out[keep] & 0xC0) == 0x80) --keep;  // not in the middle of a character
  return out.substr(0, keep) + "%" + io::sha256(text).substr(0, digits);
}

bool is_plain_name(std::string_view text) {
  return !text.empty() && text.size() <= longest_name &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  c == '_' || c == '-';
         });
}

}  // namespace gaze::phyx
