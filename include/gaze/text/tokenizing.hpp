// SPDX-License-Identifier: MIT
// What the tokenisers have in common: Tokenizer (words, of our own models) and BytePairTokenizer
// (of published ones). Code that needs no more is a template on it:
//
//   template <text::Tokenizing Tokenizer> void use(const Tokenizer& tokenizer);
#pragma once
#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gaze/core/language.hpp"

namespace gaze::text {

/// encode() recognises control tokens in a text, encode_plain(), for text from outside, does not.
/// decode(encode(x)) is x, except that byte-level BPE repairs broken UTF-8. token() and id() use
/// the spelling of tokenizer.json; ids are 0 to vocab_size() - 1.
template <class X>
concept Tokenizing = requires(const X& tokenizer, std::string_view text,
                              std::span<const std::int32_t> ids) {
  { tokenizer.encode(text) } -> std::same_as<std::vector<std::int32_t>>;
  { tokenizer.encode_plain(text) } -> std::same_as<std::vector<std::int32_t>>;
  { tokenizer.decode(ids) } -> std::same_as<std::string>;
  { tokenizer.vocab_size() } -> std::same_as<int>;
  { tokenizer.token(std::int32_t{}) } -> std::same_as<const std::string&>;
  { tokenizer.contains(text) } -> std::same_as<bool>;
  { tokenizer.id(text) } -> std::same_as<std::int32_t>;
};

}  // namespace gaze::text
