// SPDX-License-Identifier: MIT
// Checking a prompt template.
#include "phyx/train/prompt_template.hpp"

#include <cstddef>

#include "gaze/core/error.hpp"
#include "gaze/core/utf8.hpp"

namespace gaze::phyx {

namespace {

constexpr std::size_t longest_template = 4096;  // bytes

}  // namespace

void check_prompt_template(const std::string& text, const std::string& source) {
  const auto check = [&](bool good, const std::string& complaint) {
    GAZE_CHECK(good, "prompt", source, ": ", complaint);
  };
  check(is_utf8(text), "not UTF-8");
  check(text.size() <= longest_template, concat("over ", longest_template, " bytes"));
  const auto count = [&](const std::string& field) {
    int n = 0;
    for (auto at = text.find(field); at != text.npos; at = text.find(field, at + 1)) ++n;
    return n;
  };
  for (const char* field : {"{image}", "{question}"})
    check(count(field) == 1, std::string("must contain ") + field + " exactly once");
  check(count("{options}") <= 1, "must contain {options} at most once");
  const int fields = 2 + count("{options}");
  check(count("{") == fields && count("}") == fields,
        "braces enclose {image}, {question} and {options} only");
  check(count("<|image|>") == 0, "{image} stands for a picture's tokens; <|image|> is one more");
}

}  // namespace gaze::phyx
