// SPDX-License-Identifier: MIT
// Printable forms of text from files, servers and models, alone and in error messages.
#include "gaze/core/printable.hpp"

#include <algorithm>

#include "gaze/core/error.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_printable {

using namespace gaze;

TEST_CASE("printable text: terminal control characters are escaped, the rest stays") {
  const std::string plain = "5 m/s² at 30°, Ω and μ; \\frac{1}{2} 质量 \xF0\x9F\x98\x80";
  CHECK(printable(plain) == plain);
  CHECK(printable("\x1b]0;title\x07") == R"(\x1b]0;title\x07)");
  CHECK(printable(std::string("a\0b\x7f", 4)) == R"(a\x00b\x7f)");
  CHECK(printable("\xC2\x9B"
                  "2J") == R"(\u{9b}2J)");  // CSI as one character
  CHECK(printable("\x9B"
                  "2J\xFF\xC3") == R"(\x9b2J\xff\xc3)");
  CHECK(printable("\xC0\x9B\xED\xA0\x80") == R"(\xc0\x9b\xed\xa0\x80)");
}

TEST_CASE("printable text: reordering and hiding characters are escaped") {
  for (const char* mark :
       {"\u061C", "\u200E", "\u200F", "\u202A", "\u202B", "\u202C", "\u202D", "\u202E", "\u2066",
        "\u2067", "\u2068", "\u2069", "\u200B", "\u2028", "\u2029", "\uFEFF", "\U000E0041"}) {
    const std::string shown = printable("a" + std::string(mark) + "b");
    CHECK(shown.substr(0, 4) == "a\\u{");
    CHECK(shown.substr(shown.size() - 2) == "}b");
  }
}

TEST_CASE("printable text: lines are joined or kept on request") {
  CHECK(printable("a\r\nb\tc") == "a  b c");
  CHECK(printable("a\r\nb\tc", 100, LineBreaks::kept) == "a \nb\tc");
}

TEST_CASE("printable text: is cut between characters, never within an escape") {
  CHECK(printable("abcdef", 6) == "abcdef");
  CHECK(printable("abcdef", 5) == "abcde...");
  CHECK(printable("abcdΩ", 5) == "abcd...");
  CHECK(printable("ab\x1b", 5) == "ab...");
  CHECK(printable("", 0).empty());
}

TEST_CASE("an error's message is one bounded line whatever it quotes") {
  const std::string text = "start \x1b[2J\nΩ" + std::string(1 << 20, '\x01') + "Ω the end";
  const std::string said = test::error_of([&] { GAZE_FAIL("read", "file: ", text); });
  CHECK(said.substr(0, 30) == R"([gaze::read] file: start \x1b[)");
  CHECK(said.size() < 5000);
  CHECK(said.substr(said.size() - 10) == "Ω the end");
  CHECK(std::none_of(said.begin(), said.end(), [](char c) { return c >= 0 && c < ' '; }));
  CHECK(test::error_of([] { GAZE_FAIL("read", std::string(1900, '\x01')); }).size() < 5000);
}

}  // namespace test_printable
