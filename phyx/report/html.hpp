// SPDX-License-Identifier: MIT
// Text into HTML without surprises: escaping, numbers as a reader expects them, small tags.
#pragma once
#include <charconv>
#include <cmath>
#include <string>
#include <string_view>

#include "phyx/findings.hpp"

namespace gaze::phyx::report {

/// Escapes text for element content and for quoted attributes. Control characters, which HTML does
/// not allow, become a visible replacement.
inline std::string escape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        if (static_cast<unsigned char>(c) < 32 && c != '\n' && c != '\t')
          out += "\uFFFD";
        else
          out += c;
    }
  }
  return out;
}

/// A number with fixed decimals, independent of the locale, with a real minus sign.
inline std::string fixed(double v, int decimals) {
  if (!std::isfinite(v)) return "–";
  char buffer[400];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, std::fabs(v),
                                 std::chars_format::fixed, decimals);
  std::string out(buffer, end.ptr);
  const bool zero = out.find_first_not_of("0.") == std::string::npos;
  return (v < 0 && !zero ? "\u2212" : "") + out;
}

/// A share as percent: 0.531 -> "53.1".
inline std::string percent(double share, int decimals = 1) { return fixed(share * 100, decimals); }

/// A coordinate in an SVG: plain ASCII minus, two decimals.
inline std::string coordinate(double v) {
  if (!std::isfinite(v)) v = 0;
  char buffer[400];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, v, std::chars_format::fixed, 2);
  return std::string(buffer, end.ptr);
}

/// A short number for axes and tables: 4 significant digits, no exponent for common sizes.
inline std::string brief(double v) {
  if (!std::isfinite(v)) return "–";
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, v, std::chars_format::general, 4);
  std::string out(buffer, end.ptr);
  if (!out.empty() && out[0] == '-') out.replace(0, 1, "\u2212");
  return out;
}

/// <name attributes>content</name>. The content is HTML already; attributes are written as given.
inline std::string tag(const char* name, const std::string& attributes,
                       const std::string& content) {
  std::string out = "<";
  out += name;
  if (!attributes.empty()) out += " " + attributes;
  return out + ">" + content + "</" + name + ">";
}

inline std::string paragraph(const std::string& html) { return "<p>" + html + "</p>\n"; }

/// A section with a heading that the contents list can link to.
inline std::string section(const char* id, const char* heading, const std::string& body) {
  return "<section id=\"" + std::string(id) + "\">\n<h2>" + escape(heading) + "</h2>\n" + body +
         "</section>\n";
}

/// A remark that something is not there.
inline std::string missing(const std::string& text) {
  return "<p class=\"missing\">" + escape(text) + "</p>\n";
}

}  // namespace gaze::phyx::report
