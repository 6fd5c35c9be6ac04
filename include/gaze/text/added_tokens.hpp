// SPDX-License-Identifier: MIT
// Added tokens: strings that become one token each before the text around them is split. Matching
// is leftmost longest and agrees with the `tokenizers` package in these details:
//   - tokens that are not `normalized` are matched first, the others in the text between them;
//   - a match that does not count (see AddedToken::single_word, and special tokens in plain text)
//     still hides other matches that overlap it;
//   - a match within white space that the match before it has taken is a token too, unless it has
//     lstrip: then nothing is left for it. (Without rstrip, the package fails in that case.)
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gaze/text/char_class.hpp"

namespace gaze::text {

/// A token that is recognised in the text before anything is merged.
struct AddedToken {
  std::string content{};
  std::int32_t id = 0;
  bool special = false;  ///< a control token: not matched in plain text, can be left out by decode
  bool single_word = false;  ///< counts only if no word character is on either side
  bool lstrip = false;       ///< takes the white space before it
  bool rstrip = false;       ///< takes the white space after it
  bool normalized = false;   ///< matched in a second pass
};

/// Maximum length of an added token in bytes: bounds the steps per byte of text.
inline constexpr std::size_t kMaxAddedTokenBytes = 256;

namespace detail {

/// Whether a word character is on either side of text[begin, end).
inline bool within_word(std::string_view text, std::size_t begin, std::size_t end) {
  return (begin > 0 && is_word_char(classed_char_before(text, begin).kind)) ||
         (end < text.size() && is_word_char(classed_char(text, end).kind));
}

/// The end of the white space that starts at `at`.
inline std::size_t spaces_end(std::string_view text, std::size_t at) {
  for (std::size_t length; at < text.size(); at += length) {
    const ClassedChar c = classed_char(text, at);
    if (c.kind != CharClass::space) break;
    length = c.length;
  }
  return at;
}

/// The start of the white space that ends at `at`, but not before `least`.
inline std::size_t spaces_begin(std::string_view text, std::size_t at, std::size_t least) {
  while (at > least) {
    const ClassedChar c = classed_char_before(text, at);
    if (c.kind != CharClass::space) break;
    at -= c.length;
  }
  return std::max(at, least);
}

/// Matches the tokens of one pass.
class AddedTokenPass {
 public:
  AddedTokenPass() = default;
  /// Tokens of different contents, none empty.
  explicit AddedTokenPass(std::vector<AddedToken> tokens);

  /// The longest token at `at` < text.size(), or nullptr.
  const AddedToken* longest_at(std::string_view text, std::size_t at) const;

  /// Calls on_token(const AddedToken&) for each match and on_text(std::string_view) for the text
  /// between them, in order. Without `with_special`, matches of special tokens do not count.
  template <class OnText, class OnToken>
  void split(std::string_view text, bool with_special, OnText&& on_text, OnToken&& on_token) const;

 private:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  std::vector<AddedToken> tokens_;   ///< by content
  std::vector<std::size_t> prefix_;  ///< the longest other token that this one begins with
  std::array<std::pair<std::size_t, std::size_t>, 256> by_first_byte_{};  ///< ranges of tokens_
};

inline AddedTokenPass::AddedTokenPass(std::vector<AddedToken> tokens) : tokens_(std::move(tokens)) {
  std::sort(tokens_.begin(), tokens_.end(),
            [](const AddedToken& a, const AddedToken& b) { return a.content < b.content; });
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    const std::string& content = tokens_[i].content;
    auto& [begin, end] = by_first_byte_[static_cast<unsigned char>(content.front())];
    if (begin == end) begin = i;
    std::size_t prefix = i == begin ? kNone : i - 1;
    while (prefix != kNone && !content.starts_with(tokens_[prefix].content))
      prefix = prefix_[prefix];
    prefix_.push_back(prefix);
    end = i + 1;
  }
}

/// A token that the text begins with is the last one in order that is not after the text, or a
/// prefix of that one.
inline const AddedToken* AddedTokenPass::longest_at(std::string_view text, std::size_t at) const {
  const auto [begin, end] = by_first_byte_[static_cast<unsigned char>(text[at])];
  if (begin == end) return nullptr;
  const std::string_view rest = text.substr(at);
  const auto* const first = tokens_.data();
  const auto* const after =
      std::partition_point(first + begin, first + end,
                           [rest](const AddedToken& token) { return token.content <= rest; });
  if (after == first + begin) return nullptr;
  std::size_t i = static_cast<std::size_t>(after - first) - 1;
  const std::string& content = tokens_[i].content;
  const auto common = static_cast<std::size_t>(
      std::mismatch(content.begin(), content.end(), rest.begin(), rest.end()).first -
      content.begin());
  while (i != kNone && tokens_[i].content.size() > common) i = prefix_[i];
  return i == kNone ? nullptr : first + i;
}

template <class OnText, class OnToken>
void AddedTokenPass::split(std::string_view text, bool with_special, OnText&& on_text,
                           OnToken&& on_token) const {
  std::size_t done = 0, spaces = 0;  // the end of the last match; of the white space last searched
  for (std::size_t at = 0; at < text.size();) {
    const AddedToken* const token = longest_at(text, at);
    if (token == nullptr) {
      ++at;
      continue;
    }
    std::size_t begin = at, end = at + token->content.size();
    at = end;
    if (token->special && !with_special) continue;
    if (token->single_word && within_word(text, begin, end)) continue;
    if (token->lstrip) begin = spaces_begin(text, begin, done);
    if (token->rstrip) {
      if (end > spaces) spaces = spaces_end(text, end);
      end = spaces;
    }
    if (begin >= end) continue;
    if (done < begin) on_text(text.substr(done, begin - done));
    on_token(*token);
    done = end;
  }
  if (done < text.size()) on_text(text.substr(done));
}

}  // namespace detail

/// The added tokens of a vocabulary. Contents must be different and not empty.
class AddedTokens {
 public:
  AddedTokens() = default;
  /// All added tokens, in any order.
  explicit AddedTokens(const std::vector<AddedToken>& tokens) {
    std::vector<AddedToken> passes[2];
    for (const AddedToken& token : tokens) passes[token.normalized ? 1 : 0].push_back(token);
    first_ = detail::AddedTokenPass(std::move(passes[0]));
    second_ = detail::AddedTokenPass(std::move(passes[1]));
  }

  /// See detail::AddedTokenPass::split.
  template <class OnText, class OnToken>
  void split(std::string_view text, bool with_special, OnText&& on_text, OnToken&& on_token) const {
    first_.split(
        text, with_special,
        [&](std::string_view part) { second_.split(part, with_special, on_text, on_token); },
        on_token);
  }

 private:
  detail::AddedTokenPass first_, second_;
};

}  // namespace gaze::text
