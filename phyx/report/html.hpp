// SPDX-License-Identifier: MIT
// Text into HTML without surprises: escaping and small tags.
#pragma once
#include <string>
#include <string_view>

namespace gaze::phyx::report {

/// Escapes text for element content and for quoted attributes. What acts on the text around it
/// instead of being seen (control characters, which HTML does not allow, and marks of direction),
/// and bytes that are not UTF-8, become a visible replacement.
std::string escape(std::string_view text);

/// <name attributes>content</name>. The content is HTML already; attributes are written as given.
std::string tag(const char* name, const std::string& attributes, const std::string& content);

/// <p>html</p>
inline std::string paragraph(const std::string& html) { return "<p>" + html + "</p>\n"; }

/// A section with a heading (plain text) that the contents list can link to.
std::string section(const char* id, const char* heading, const std::string& body);

/// A remark (plain text) that something is not there.
std::string missing(const std::string& text);

}  // namespace gaze::phyx::report
