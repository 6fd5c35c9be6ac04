// SPDX-License-Identifier: MIT
// Text into HTML without surprises: escaping and small tags.
#pragma once
#include <string>
#include <string_view>

#include "gaze/core/printable.hpp"
#include "phyx/report/number_text.hpp"

namespace gaze::phyx::report {

/// Escapes text for element content and for quoted attributes. What acts on the text around it
/// instead of being seen (control characters, which HTML does not allow, and marks of direction),
/// and bytes that are not UTF-8, become a visible replacement.
inline std::string escape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Char c = utf8_char(text, at);
    if (c.code == '&')
      out += "&amp;";
    else if (c.code == '<')
      out += "&lt;";
    else if (c.code == '>')
      out += "&gt;";
    else if (c.code == '"')
      out += "&quot;";
    else if (c.code == '\'')
      out += "&#39;";
    else if (gaze::detail::acts_on_text(c.code) && c.code != '\n' && c.code != '\t')
      out += "\uFFFD";
    else
      out += text.substr(at, c.length);
    at += c.length;
  }
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
