// SPDX-License-Identifier: MIT
// The tokeniser: whole words, units and numbers if the vocabulary has them, else single characters,
// else bytes. decode(encode(text)) restores any input, UTF-8 or not, byte for byte.
//
//   1. Added tokens are matched verbatim, leftmost longest: the control
//      tokens <|pad|> <|end|> <|user|> <|assistant|> <|image|>, the format tags <think> </think>
//      <answer> </answer>, and the caller's phrases.
//   2. The text between them is split into pieces (split.hpp), which include their leading space.
//   3. A piece in the vocabulary is one token; otherwise each of its characters is one token, or
//      that character's UTF-8 bytes are ("<0xC3>").
//
// Tokens are stored as their text, with a plain space and no substitute for it, so nothing needs
// normalising and decode has no ambiguity. Each format tag is two
// tokens of the vocabulary, bare ("</think>") and with its leading space (" </think>"), just as
// " mass" and "mass" are two words; is(id, "</think>") is true of both.
// `<think> a = 5 . </think> <answer> B </answer>` is nine tokens.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/core/utf8.hpp"
#include "gaze/text/split.hpp"
#include "gaze/text/tokenizing.hpp"

namespace gaze::text {

/// Tokens with a special meaning, which ordinary text must not be able to produce.
inline constexpr std::array<std::string_view, 5> kControlTokens = {"<|pad|>", "<|end|>", "<|user|>",
                                                                   "<|assistant|>", "<|image|>"};
/// The tags of a response. Each exists bare and with a leading space.
inline constexpr std::array<std::string_view, 4> kFormatTags = {"<think>", "</think>", "<answer>",
                                                                "</answer>"};

/// What Tokenizer::build() takes into the vocabulary.
struct BuildOptions {
  std::size_t max_words = 4096;        ///< pieces taken from the texts, most frequent first
  std::size_t max_characters = 512;    ///< characters beyond ASCII, most frequent first
  int whole_numbers = 199;             ///< 0 to this are always tokens; at most 999; -1: none
  std::vector<std::string> phrases{};  ///< fixed sentences that become one token each
};

/// Words, digits and bytes: the tokenizer of models trained here.
class Tokenizer {
 public:
  /// Builds the vocabulary of `texts`. The same texts give the same ids: pieces are ordered by
  /// frequency, then by bytes. Digit pieces are included up to a length of three.
  static Tokenizer build(const std::vector<std::string>& texts, const BuildOptions& options = {});

  /// Reads a tokenizer.json (Hugging Face format) of exactly this kind; an Error names file and
  /// field if it is of another kind, or if ids are missing, repeated or out of order.
  static Tokenizer load(const std::string& path);
  /// Writes tokenizer.json atomically. The `tokenizers` package reads it and gives the same ids.
  void save(const std::string& path) const;

  /// Token ids of a text, with added tokens recognised.
  std::vector<std::int32_t> encode(std::string_view text) const { return run(text, true); }
  /// The same for external text, which must not be able to insert control tokens: `<|end|>`
  /// becomes ordinary characters. Format tags and phrases are still recognised.
  std::vector<std::int32_t> encode_plain(std::string_view text) const { return run(text, false); }
  /// A lower bound of the ids of encode_plain(text), from its length alone: tells what is too long
  /// without encoding it.
  std::size_t least_ids(std::string_view text) const {
    return (text.size() + longest_ - 1) / longest_;
  }

  /// The text of the ids, including control tokens.
  std::string decode(std::span<const std::int32_t> ids) const;
  /// The same for a vector.
  std::string decode(const std::vector<std::int32_t>& ids) const {
    return decode(std::span<const std::int32_t>(ids));
  }

  /// Ids are 0 to vocab_size() - 1.
  int vocab_size() const { return static_cast<int>(tokens_.size()); }
  /// The token's text in the vocabulary; a byte token is "<0x0A>".
  const std::string& token(std::int32_t id) const;
  /// Whether it is in the vocabulary.
  bool contains(std::string_view token) const { return ids_.find(token) != ids_.end(); }
  /// The id of a token; an Error if the vocabulary does not have it.
  std::int32_t id(std::string_view token) const;
  /// Whether `id` is this token, with or without a leading space.
  bool is(std::int32_t id, std::string_view token) const;

  std::int32_t pad() const { return control_[0]; }        ///< the id of <|pad|>
  std::int32_t end() const { return control_[1]; }        ///< the id of <|end|>
  std::int32_t user() const { return control_[2]; }       ///< the id of <|user|>
  std::int32_t assistant() const { return control_[3]; }  ///< the id of <|assistant|>
  std::int32_t image() const { return control_[4]; }      ///< the id of <|image|>

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  /// `tokens` by id, and the ids of the added ones; errors start with `where` and `source`.
  Tokenizer(std::vector<std::string> tokens, std::vector<std::int32_t> added,
            const std::string& where, const std::string& source);

  std::int32_t required(std::string_view token, const std::string& where,
                        const std::string& source) const;
  std::int32_t added_at(std::string_view text, std::size_t at, bool control) const;
  std::vector<std::int32_t> run(std::string_view text, bool control) const;
  void run_piece(std::string_view piece, std::vector<std::int32_t>& out) const;
  bool is_control(std::int32_t id) const {
    return std::find(control_.begin(), control_.end(), id) != control_.end();
  }

  std::vector<std::string> tokens_;
  std::unordered_map<std::string, std::int32_t, Hash, std::equal_to<>> ids_;
  std::vector<std::int32_t> added_;  ///< as in the file, which lists them by id
  std::array<std::vector<std::int32_t>, 256> added_by_first_byte_;  ///< longest first
  std::array<std::int32_t, 256> bytes_{};
  std::array<std::int32_t, kControlTokens.size()> control_{};
  std::vector<std::int16_t> byte_of_;  ///< by id: the byte of a byte token, or -1
  std::size_t longest_ = 1;            ///< bytes of the longest token
};
static_assert(Tokenizing<Tokenizer>);

namespace detail {

/// A token with its leading space.
inline std::string spaced(std::string_view token) {
  std::string text(1, ' ');
  text += token;
  return text;
}

inline std::string byte_token(int byte) {
  constexpr char digits[] = "0123456789ABCDEF";
  return std::string("<0x") + digits[byte >> 4] + digits[byte & 15] + ">";
}

/// The keys of `counts`, most frequent first, ties by their bytes.
inline std::vector<std::string> by_frequency(const std::map<std::string, std::size_t>& counts) {
  std::vector<std::pair<std::string, std::size_t>> order(counts.begin(), counts.end());
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::vector<std::string> keys;
  for (auto& [key, count] : order) keys.push_back(std::move(key));
  return keys;
}

/// Whether a piece of the texts may become a word: no more than three digits (there are
/// too many numbers to learn each), no stray bytes, no excessive length.
inline bool may_be_word(std::string_view piece) {
  if (piece.size() > 64 || !is_utf8(piece)) return false;
  const std::size_t start = piece.front() == ' ' ? 1 : 0;
  return digits_end(piece, start) != piece.size() || piece.size() - start <= 3;
}

/// A vocabulary under construction: each token once, in the order added.
class TokenList {
 public:
  bool add(const std::string& token) {
    const bool is_new = known_.emplace(token, tokens_.size()).second;
    if (is_new) tokens_.push_back(token);
    return is_new;
  }
  std::size_t size() const { return tokens_.size(); }
  std::vector<std::string> take() { return std::move(tokens_); }

 private:
  std::unordered_map<std::string, std::size_t> known_;
  std::vector<std::string> tokens_;
};

/// Adds the tokens of every vocabulary: control tokens and tags, phrases.
inline void add_marks(TokenList& list, const std::vector<std::string>& phrases) {
  for (const auto mark : kControlTokens) list.add(std::string(mark));
  for (const auto tag : kFormatTags) list.add(std::string(tag));
  for (const auto tag : kFormatTags) list.add(spaced(tag));
  for (const std::string& phrase : phrases) {
    GAZE_CHECK(!phrase.empty() && is_utf8(phrase), "Tokenizer::build",
               "a phrase is empty or not UTF-8");
    GAZE_CHECK(list.add(phrase), "Tokenizer::build", "the phrase '", phrase, "' is repeated");
  }
}

/// Adds bytes and ASCII as fallbacks, and option labels, letters and whole numbers for answers.
inline void add_basics(TokenList& list, int whole_numbers) {
  for (int byte = 0; byte < 256; ++byte) {
    GAZE_CHECK(list.add(byte_token(byte)), "Tokenizer::build", "a phrase spells a byte token");
  }
  for (const char c : {'\n', '\t'}) list.add(std::string(1, c));
  for (char c = ' '; c <= '~'; ++c) list.add(std::string(1, c));
  for (const char c : {'A', 'B', 'C', 'D'}) {
    for (const std::string space : {"", " "}) {
      list.add(space + c);
      list.add(space + c + ":");
    }
  }
  for (int n = 0; n <= whole_numbers; ++n) {
    list.add(std::to_string(n));
    list.add(spaced(std::to_string(n)));
  }
}

/// Counts the pieces of `text` and its characters beyond ASCII, split as encode does.
inline void count_pieces(std::string_view text, std::map<std::string, std::size_t>& words,
                         std::map<std::string, std::size_t>& characters) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = next_piece(text, at);
    const std::string_view piece = text.substr(at, end - at);
    if (may_be_word(piece)) ++words[std::string(piece)];
    for (std::size_t i = at; i < end;) {
      const Utf8Char c = utf8_char(text, i);
      if (c.code >= 0x80) ++characters[std::string(text.substr(i, c.length))];
      i += c.length;
    }
    at = end;
  }
}

}  // namespace detail

inline Tokenizer Tokenizer::build(const std::vector<std::string>& texts,
                                  const BuildOptions& options) {
  const std::string where = "Tokenizer::build";
  GAZE_CHECK(options.whole_numbers >= -1 && options.whole_numbers <= 999, where,
             "whole_numbers is ", options.whole_numbers, ", which is not within -1 to 999");
  detail::TokenList list;
  detail::add_marks(list, options.phrases);
  std::vector<std::int32_t> added(list.size());
  for (std::size_t i = 0; i < added.size(); ++i) added[i] = static_cast<std::int32_t>(i);
  detail::add_basics(list, options.whole_numbers);

  // A tokeniser that knows only the added tokens cuts them out; words are counted in the text
  // between them.
  const Tokenizer marks(detail::TokenList(list).take(), added, where, "the vocabulary");
  std::map<std::string, std::size_t> words, characters;
  for (const std::string& text : texts) {
    std::size_t begin = 0;
    for (std::size_t at = 0; at <= text.size();) {
      const std::int32_t mark = at < text.size() ? marks.added_at(text, at, true) : -1;
      if (mark < 0 && at < text.size()) {
        ++at;
        continue;
      }
      detail::count_pieces(std::string_view(text).substr(begin, at - begin), words, characters);
      at += mark < 0 ? 1 : marks.tokens_[static_cast<std::size_t>(mark)].size();
      begin = at;
    }
  }
  const auto take = [&](const std::map<std::string, std::size_t>& counts, std::size_t most) {
    for (const std::string& key : detail::by_frequency(counts)) {
      if (most == 0) break;
      if (list.add(key)) --most;
    }
  };
  take(characters, options.max_characters);
  take(words, options.max_words);
  return Tokenizer(list.take(), std::move(added), where, "the vocabulary");
}

inline Tokenizer::Tokenizer(std::vector<std::string> tokens, std::vector<std::int32_t> added,
                            const std::string& where, const std::string& source)
    : tokens_(std::move(tokens)), added_(std::move(added)), byte_of_(tokens_.size(), -1) {
  GAZE_CHECK(tokens_.size() < std::size_t{std::numeric_limits<std::int32_t>::max()}, where, source,
             ": ", tokens_.size(), " tokens are too many");
  ids_.reserve(tokens_.size());
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    GAZE_CHECK(!tokens_[i].empty() && is_utf8(tokens_[i]), where, source, ": token ", i,
               " is empty or not UTF-8");
    GAZE_CHECK(ids_.emplace(tokens_[i], static_cast<std::int32_t>(i)).second, where, source,
               ": token ", i, " '", tokens_[i], "' appears twice");
    longest_ = std::max(longest_, tokens_[i].size());
  }
  for (int byte = 0; byte < 256; ++byte) {
    const std::int32_t id = required(detail::byte_token(byte), where, source);
    bytes_[static_cast<std::size_t>(byte)] = id;
    byte_of_[static_cast<std::size_t>(id)] = static_cast<std::int16_t>(byte);
  }
  for (const std::int32_t id : added_) {
    const unsigned char first = static_cast<unsigned char>(token(id).front());
    added_by_first_byte_[first].push_back(id);
  }
  for (auto& ids : added_by_first_byte_) {
    std::stable_sort(ids.begin(), ids.end(), [this](std::int32_t a, std::int32_t b) {
      return token(a).size() > token(b).size();
    });
  }
  const auto is_added = [&](std::int32_t id) {
    return std::find(added_.begin(), added_.end(), id) != added_.end();
  };
  const auto mark = [&](const std::string& name) {
    const std::int32_t id = required(name, where, source);
    GAZE_CHECK(is_added(id), where, source, ": '", name, "' is not among the added tokens");
    return id;
  };
  for (std::size_t i = 0; i < control_.size(); ++i) {
    control_[i] = mark(std::string(kControlTokens[i]));
  }
  for (const auto tag : kFormatTags) {
    mark(std::string(tag));
    mark(detail::spaced(tag));
  }
}

inline std::int32_t Tokenizer::required(std::string_view token, const std::string& where,
                                        const std::string& source) const {
  const auto found = ids_.find(token);
  GAZE_CHECK(found != ids_.end(), where, source, ": no token '", token, "'");
  return found->second;
}

inline const std::string& Tokenizer::token(std::int32_t id) const {
  GAZE_CHECK(id >= 0 && id < vocab_size(), "Tokenizer::token", "id ", id,
             " is not in a vocabulary of ", vocab_size());
  return tokens_[static_cast<std::size_t>(id)];
}

inline std::int32_t Tokenizer::id(std::string_view token) const {
  return required(token, "Tokenizer::id", "the vocabulary");
}

inline bool Tokenizer::is(std::int32_t id, std::string_view token) const {
  const std::string_view spelled = this->token(id);
  return spelled == token || (spelled.front() == ' ' && spelled.substr(1) == token);
}

/// The longest added token at `at`, or -1.
inline std::int32_t Tokenizer::added_at(std::string_view text, std::size_t at, bool control) const {
  for (const std::int32_t id : added_by_first_byte_[static_cast<unsigned char>(text[at])]) {
    const std::string& mark = tokens_[static_cast<std::size_t>(id)];
    if (text.substr(at, mark.size()) == mark && (control || !is_control(id))) return id;
  }
  return -1;
}

inline std::vector<std::int32_t> Tokenizer::run(std::string_view text, bool control) const {
  std::vector<std::int32_t> out;
  out.reserve(text.size() / 4 + 4);
  std::size_t begin = 0;
  const auto ordinary = [&](std::size_t end) {
    const std::string_view between = text.substr(0, end);
    while (begin < end) {
      const std::size_t piece_end = next_piece(between, begin);
      run_piece(text.substr(begin, piece_end - begin), out);
      begin = piece_end;
    }
  };
  for (std::size_t at = 0; at < text.size();) {
    const std::int32_t mark = added_at(text, at, control);
    if (mark < 0) {
      ++at;
      continue;
    }
    ordinary(at);
    out.push_back(mark);
    at += tokens_[static_cast<std::size_t>(mark)].size();
    begin = at;
  }
  ordinary(text.size());
  return out;
}

inline void Tokenizer::run_piece(std::string_view piece, std::vector<std::int32_t>& out) const {
  if (const auto whole = ids_.find(piece); whole != ids_.end()) {
    out.push_back(whole->second);
    return;
  }
  for (std::size_t i = 0; i < piece.size();) {
    const std::size_t length = utf8_char(piece, i).length;
    const std::string_view character = piece.substr(i, length);
    if (const auto found = ids_.find(character); found != ids_.end()) {
      out.push_back(found->second);
    } else {
      for (const char c : character) out.push_back(bytes_[static_cast<unsigned char>(c)]);
    }
    i += length;
  }
}

inline std::string Tokenizer::decode(std::span<const std::int32_t> ids) const {
  std::string text;
  for (const std::int32_t id : ids) {
    const std::string& spelled = token(id);
    const std::int16_t byte = byte_of_[static_cast<std::size_t>(id)];
    if (byte < 0) {
      text += spelled;
    } else {
      text += static_cast<char>(byte);
    }
  }
  return text;
}

}  // namespace gaze::text

#include "gaze/text/tokenizer_json.hpp"
