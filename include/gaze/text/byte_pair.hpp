// SPDX-License-Identifier: MIT
// The byte-level BPE tokeniser of published language models (GPT-2, SmolLM2, Granite), read from a
// tokenizer.json of the Hugging Face format; ids and texts are those of the `tokenizers` package.
//
//   1. Added tokens are cut out (added_tokens.hpp).
//   2. The text between them is split into words (gpt2_split.hpp).
//   3. The bytes of a word are merged pair by pair (pair_merges.hpp).
//
// As in that package, a byte for which the vocabulary has no token is left out of the ids
// (SmolLM2's lacks those that valid UTF-8 never contains, and some control characters); covers()
// tells which. Text that is not UTF-8 can be encoded too: its bytes are kept, and a byte outside of
// a valid character is neither letter, number nor white space. All const members may be called from
// several threads at once.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/text/added_tokens.hpp"
#include "gaze/text/byte_alphabet.hpp"
#include "gaze/text/gpt2_split.hpp"
#include "gaze/text/pair_merges.hpp"
#include "gaze/text/tokenizing.hpp"
#include "gaze/text/utf8_repair.hpp"

namespace gaze::text {

/// Special tokens in decoded text: written like any other, or left out.
enum class SpecialTokens { keep, skip };

namespace detail {

/// Contents of a tokenizer.json, checked by its reader (byte_pair_json.hpp).
struct BytePairData {
  std::vector<std::string> tokens{};  ///< by id: those of the model, then those only added
  std::size_t model_tokens = 0;       ///< how many are of the model
  std::vector<Merge> merges{};        ///< by rank
  std::vector<AddedToken> added{};
  PreTokenizer pre_tokenizer{};
  bool ignore_merges = false;  ///< a word that is a token becomes that token without merging
};

}  // namespace detail

/// Byte-level byte pair encoding with the vocabulary of a published model.
class BytePairTokenizer {
 public:
  /// Reads a tokenizer.json; an Error names the file and the key of anything that is not supported,
  /// not consistent, or would let plain text produce a special token.
  static BytePairTokenizer load(const std::string& path);
  /// The same of a document in memory, which `source` names in errors.
  static BytePairTokenizer parse(std::string_view json, const std::string& source);

  /// Token ids of a text, with added tokens recognised. Nothing is put before or after it.
  std::vector<std::int32_t> encode(std::string_view text) const { return run(text, true); }
  /// The same for external text, which must not be able to insert control tokens: special tokens
  /// in it are ordinary characters. Other added tokens are still recognised.
  std::vector<std::int32_t> encode_plain(std::string_view text) const { return run(text, false); }
  /// A lower bound of the ids of encode_plain(text), from its bytes alone: tells what is too long
  /// without encoding it.
  std::size_t least_ids(std::string_view text) const;

  /// Cuts a text at the added tokens in it, special ones included: calls on_text(std::string_view)
  /// and on_token(const AddedToken&) in turn.
  template <class OnText, class OnToken>
  void cut(std::string_view text, OnText&& on_text, OnToken&& on_token) const {
    added_.split(text, true, on_text, on_token);
  }

  /// The text of the ids as valid UTF-8, with U+FFFD for broken characters (utf8_repair.hpp).
  /// StreamingDecoder returns the same text id by id.
  std::string decode(std::span<const std::int32_t> ids,
                     SpecialTokens special = SpecialTokens::keep) const;
  /// The same for a vector.
  std::string decode(const std::vector<std::int32_t>& ids,
                     SpecialTokens special = SpecialTokens::keep) const {
    return decode(std::span<const std::int32_t>(ids), special);
  }
  /// The bytes that a token adds to a text; they need not be whole characters.
  const std::string& bytes(std::int32_t id) const { return bytes_[checked(id)]; }

  /// Number of tokens, added ones included; ids are 0 to vocab_size() - 1.
  int vocab_size() const { return static_cast<int>(data_.tokens.size()); }
  /// The token as the file writes it: an added token verbatim, others in the byte alphabet
  /// (byte_alphabet.hpp).
  const std::string& token(std::int32_t id) const { return data_.tokens[checked(id)]; }
  /// Whether it is in the vocabulary.
  bool contains(std::string_view token) const { return ids_.find(token) != ids_.end(); }
  /// The id of a token, written as in the file; an Error if the vocabulary does not have it.
  std::int32_t id(std::string_view token) const;
  /// Whether an id is a special token, which SpecialTokens::skip leaves out.
  bool is_special(std::int32_t id) const { return special_[checked(id)]; }
  /// Whether the vocabulary has a token for this byte alone. Bytes without one are not encoded.
  bool covers(unsigned char byte) const { return byte_ids_[byte] >= 0; }

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  using Ids = std::unordered_map<std::string, std::int32_t, Hash, std::equal_to<>>;

  /// Data that its reader has checked.
  explicit BytePairTokenizer(detail::BytePairData data);

  std::size_t checked(std::int32_t id) const;
  void find_whole_words();
  void merge_bytes(std::string_view word, PairMerges::Word& work,
                   std::vector<std::int32_t>& out) const;
  std::vector<std::int32_t> run(std::string_view text, bool with_special) const;
  std::int32_t special_in_plain_text() const;
  void find_kept_bytes();

  detail::BytePairData data_;
  Ids ids_;
  Ids whole_words_;                 ///< by their bytes: tokens that the merges make of them
  std::vector<std::string> bytes_;  ///< by id
  std::vector<bool> special_;       ///< by id
  std::array<std::int32_t, 256> byte_ids_{};  ///< tokens of single bytes, or -1
  std::array<bool, 256> kept_{};  ///< bytes that are part of a token wherever they are in a text
  std::size_t longest_ = 1;       ///< bytes of text that the longest token stands for
  PairMerges merges_;
  AddedTokens added_;
};
static_assert(Tokenizing<BytePairTokenizer>);

inline BytePairTokenizer::BytePairTokenizer(detail::BytePairData data)
    : data_(std::move(data)),
      special_(data_.tokens.size(), false),
      merges_(data_.merges, data_.tokens.size()),
      added_(data_.added) {
  ids_.reserve(data_.tokens.size());
  bytes_.reserve(data_.tokens.size());
  for (const std::string& token : data_.tokens) {
    ids_.emplace(token, static_cast<std::int32_t>(bytes_.size()));
    bytes_.push_back(bytes_of_token(token).value_or(token));
  }
  for (int byte = 0; byte < 256; ++byte) {
    const auto found = ids_.find(byte_character(static_cast<unsigned char>(byte)));
    const bool in_model =
        found != ids_.end() && static_cast<std::size_t>(found->second) < data_.model_tokens;
    byte_ids_[static_cast<std::size_t>(byte)] = in_model ? found->second : -1;
  }
  for (const AddedToken& token : data_.added)
    special_[static_cast<std::size_t>(token.id)] = token.special;
  find_whole_words();
  find_kept_bytes();
}

/// White space beside an added token that strips it is part of none.
inline void BytePairTokenizer::find_kept_bytes() {
  bool strips = false;
  for (const std::string& bytes : bytes_) longest_ = std::max(longest_, bytes.size());
  for (const AddedToken& token : data_.added) {
    longest_ = std::max(longest_, token.content.size());
    strips = strips || token.lstrip || token.rstrip;
  }
  for (std::size_t byte = 0; byte < 256; ++byte) {
    const bool may_be_space = byte <= ' ' || byte >= 0x80;
    kept_[byte] = byte_ids_[byte] >= 0 && !(strips && may_be_space);
  }
}

inline std::size_t BytePairTokenizer::least_ids(std::string_view text) const {
  const auto kept = std::count_if(text.begin(), text.end(),
                                  [&](char c) { return kept_[static_cast<unsigned char>(c)]; });
  return (static_cast<std::size_t>(kept) + longest_ - 1) / longest_;
}

/// Collects the tokens whose bytes encode() turns into that token alone: most words of a text are
/// such tokens and need one look-up and no merge.
inline void BytePairTokenizer::find_whole_words() {
  PairMerges::Word work;
  std::vector<std::int32_t> out;
  for (std::size_t i = 0; i < data_.model_tokens; ++i) {
    const auto id = static_cast<std::int32_t>(i);
    if (!bytes_of_token(data_.tokens[i])) continue;
    out.clear();
    if (!data_.ignore_merges) merge_bytes(bytes_[i], work, out);
    if (data_.ignore_merges || (out.size() == 1 && out[0] == id))
      whole_words_.emplace(bytes_[i], id);
  }
}

inline std::size_t BytePairTokenizer::checked(std::int32_t id) const {
  GAZE_CHECK(id >= 0 && id < vocab_size(), "BytePairTokenizer", "id ", id,
             " is outside the vocabulary of ", vocab_size());
  return static_cast<std::size_t>(id);
}

inline std::int32_t BytePairTokenizer::id(std::string_view token) const {
  const auto found = ids_.find(token);
  GAZE_CHECK(found != ids_.end(), "BytePairTokenizer", "the vocabulary has no token '", token, "'");
  return found->second;
}

inline void BytePairTokenizer::merge_bytes(std::string_view word, PairMerges::Word& work,
                                           std::vector<std::int32_t>& out) const {
  GAZE_CHECK(word.size() < PairMerges::kNone, "BytePairTokenizer", "a word of ", word.size(),
             " bytes is too long");
  work.clear();
  for (const char c : word) {
    const std::int32_t id = byte_ids_[static_cast<unsigned char>(c)];
    if (id >= 0) work.add(id);
  }
  merges_.encode(work, out);
}

inline std::vector<std::int32_t> BytePairTokenizer::run(std::string_view text,
                                                        bool with_special) const {
  std::vector<std::int32_t> out;
  out.reserve(text.size() / 4 + 4);
  PairMerges::Word work;
  const auto on_word = [&](std::string_view word) {
    const auto whole = whole_words_.find(word);
    if (whole != whole_words_.end())
      out.push_back(whole->second);
    else
      merge_bytes(word, work, out);
  };
  added_.split(
      text, with_special,
      [&](std::string_view part) { each_word(part, data_.pre_tokenizer, on_word); },
      [&](const AddedToken& token) { out.push_back(token.id); });
  return out;
}

inline std::string BytePairTokenizer::decode(std::span<const std::int32_t> ids,
                                             SpecialTokens special) const {
  std::string text;
  for (const std::int32_t id : ids)
    if (special == SpecialTokens::keep || !is_special(id)) text += bytes(id);
  return repaired_utf8(text);
}

/// A special token that encode_plain can produce, or -1: one that is a byte, the result of a merge,
/// or, if merges are ignored, a whole word.
inline std::int32_t BytePairTokenizer::special_in_plain_text() const {
  for (const std::int32_t id : byte_ids_)
    if (id >= 0 && is_special(id)) return id;
  for (const Merge& merge : data_.merges)
    if (is_special(merge.merged)) return merge.merged;
  if (!data_.ignore_merges) return -1;
  PreTokenizer rule = data_.pre_tokenizer;
  rule.add_prefix_space = false;  // the word may stand inside a section
  for (const auto& [word, id] : whole_words_) {
    int words = 0;
    if (is_special(id)) each_word(word, rule, [&](std::string_view) { ++words; });
    if (words == 1) return id;
  }
  return -1;
}

}  // namespace gaze::text

#include "gaze/text/byte_pair_json.hpp"
