// SPDX-License-Identifier: MIT
// The page's Content-Security-Policy. Source: W3C, Content Security Policy Level 3, "Hash usage".
#include "phyx/serve/page.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/io/base64.hpp"
#include "gaze/io/sha256.hpp"

namespace gaze::phyx::serve {

namespace {

/// The text between <tag> and </tag>.
std::string_view inline_text(std::string_view html, const std::string& tag) {
  const std::string open = "<" + tag, close = "</" + tag + ">";
  const std::size_t at = html.find(open), end = html.find(close);
  GAZE_CHECK(at != html.npos && html.substr(at + open.size(), 1) == ">" && end > at &&
                 end != html.npos && html.find(open, at + 1) == html.npos &&
                 html.find(close, end + 1) == html.npos,
             "page", "the page must have exactly one ", open, ">");
  const std::size_t begin = at + open.size() + 1;
  return html.substr(begin, end - begin);
}

/// 'sha256-…' of a script's or style's text.
std::string source_of(std::string_view text) {
  const std::string digits = io::sha256(text);
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i < digits.size(); i += 2)
    bytes.push_back(static_cast<std::uint8_t>(std::stoi(digits.substr(i, 2), nullptr, 16)));
  return "'sha256-" + io::base64_encode(bytes) + "'";
}

}  // namespace

HttpAnswer page_answer(std::string_view html) {
  const std::string policy = "default-src 'none'; script-src " +
                             source_of(inline_text(html, "script")) + "; style-src " +
                             source_of(inline_text(html, "style")) +
                             "; img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; "
                             "form-action 'none'; frame-ancestors 'none'";
  return {.body = std::string(html),
          .type = "text/html; charset=utf-8",
          .headers = {{"Content-Security-Policy", policy},
                      {"X-Content-Type-Options", "nosniff"},
                      {"Referrer-Policy", "no-referrer"},
                      {"Cache-Control", "no-store"}}};
}

}  // namespace gaze::phyx::serve
