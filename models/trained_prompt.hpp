// SPDX-License-Identifier: MIT
// The prompts of trained models: a template such as "<|user|>{image} {question}<|assistant|>",
// filled with the places of a picture and with texts, and the picture's bytes.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/core/utf8.hpp"
#include "gaze/image/resize.hpp"
#include "gaze/text/tokenizer.hpp"
#include "models/packing.hpp"

namespace gaze::models {

/// Throws an Error that starts with `source` unless the template has {image} and {question} once
/// each, {options} at most once, no other field and no image token.
inline void check_prompt_template(const std::string& text, const std::string& source) {
  constexpr std::size_t longest = 4096;  // bytes
  const auto check = [&](bool good, const std::string& complaint) {
    GAZE_CHECK(good, "prompt", source, ": ", complaint);
  };
  check(is_utf8(text), "not UTF-8");
  check(text.size() <= longest, concat("over ", longest, " bytes"));
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

/// The fields of a template with their texts.
using PromptFields = std::vector<std::pair<std::string, std::string>>;

/// Token ids of a template, with `image_tokens` image tokens for {image}. Control tokens are
/// recognised in the template, never in the filled-in text. Error: a field without a text.
inline std::vector<std::int32_t> fill_prompt(const text::Tokenizer& tokenizer,
                                             const std::string& form, Index image_tokens,
                                             const PromptFields& fields) {
  std::vector<std::int32_t> out;
  const auto append = [&out](const std::vector<std::int32_t>& ids) {
    out.insert(out.end(), ids.begin(), ids.end());
  };
  std::size_t at = 0;
  while (at < form.size()) {
    const std::size_t open = form.find('{', at);
    std::string before = form.substr(at, open - at);
    if (open == std::string::npos) {
      append(tokenizer.encode(before));
      break;
    }
    const std::size_t close = form.find('}', open);
    const std::string name = form.substr(open, close - open + 1);
    at = close + 1;
    if (name == "{image}") {
      append(tokenizer.encode(before));
      out.insert(out.end(), static_cast<std::size_t>(image_tokens), tokenizer.image());
      continue;
    }
    const auto field =
        std::find_if(fields.begin(), fields.end(), [&](const auto& f) { return f.first == name; });
    GAZE_CHECK(field != fields.end(), "prompt", "no field ", name, " in '", form, "'");
    const bool spaced = !before.empty() && before.back() == ' ';  // the space belongs to the text
    if (spaced) before.pop_back();
    append(tokenizer.encode(before));
    if (!field->second.empty()) append(tokenizer.encode_plain((spaced ? " " : "") + field->second));
  }
  return out;
}

/// The bytes of a picture, resized to the side of a model's pictures.
inline ImageBytes image_bytes(const image::Image& picture, Index side) {
  const int pixels = static_cast<int>(side);
  return std::make_shared<const std::vector<std::uint8_t>>(
      picture.width == pixels && picture.height == pixels
          ? picture.rgb
          : image::resize(picture, pixels, pixels, image::Filter::bicubic).rgb);
}

}  // namespace gaze::models
