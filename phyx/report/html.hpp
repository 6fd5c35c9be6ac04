// SPDX-License-Identifier: MIT
// Building HTML: escaping and small tags.
#pragma once
#include <string>
#include <string_view>

namespace gaze::phyx::report {

/// Escapes text for element content and quoted attributes. Control characters, which HTML does not
/// allow, direction marks and bytes that are not UTF-8 become U+FFFD.
std::string escape(std::string_view text);

/// <name attributes>content</name>. `content` is HTML; attributes are not escaped.
std::string tag(const char* name, const std::string& attributes, const std::string& content);

/// <p>html</p>
inline std::string paragraph(const std::string& html) { return "<p>" + html + "</p>\n"; }

/// A section with a heading (plain text) and an id for links.
std::string section(const char* id, const char* heading, const std::string& body);

/// A note (plain text) about missing data.
std::string missing(const std::string& text);

}  // namespace gaze::phyx::report
