// SPDX-License-Identifier: MIT
// Escaping, character by character.
#include "phyx/report/html.hpp"

#include <cstddef>
#include <string>
#include <string_view>

#include "gaze/core/printable.hpp"

namespace gaze::phyx::report {

std::string escape(std::string_view text) {
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
    else if (acts_on_text(c.code) && c.code != '\n' && c.code != '\t')
      out += "\uFFFD";
    else
      out += text.substr(at, c.length);
    at += c.length;
  }
  return out;
}

std::string tag(const char* name, const std::string& attributes, const std::string& content) {
  std::string out = "<";
  out += name;
  if (!attributes.empty()) out += " " + attributes;
  return out + ">" + content + "</" + name + ">";
}

std::string section(const char* id, const char* heading, const std::string& body) {
  return "<section id=\"" + std::string(id) + "\">\n<h2>" + escape(heading) + "</h2>\n" + body +
         "</section>\n";
}

std::string missing(const std::string& text) {
  return "<p class=\"missing\">" + escape(text) + "</p>\n";
}

}  // namespace gaze::phyx::report
