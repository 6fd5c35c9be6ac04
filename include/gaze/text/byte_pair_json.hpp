// SPDX-License-Identifier: MIT
// Reads a tokenizer.json of the Hugging Face format for byte_pair.hpp. Supported are:
//
//   model           BPE: vocab, merges ("a b" or ["a", "b"]), ignore_merges
//   added_tokens    with all their flags
//   pre_tokenizer   ByteLevel, or a Sequence of Digits and ByteLevel
//   post_processor  null or ByteLevel, which moves offsets only
//   decoder         ByteLevel
//
// Everything else must be absent or have the value that switches it off. A piece or a key that is
// not listed here would silently give other ids, so it is refused by name.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/io/atomic_file.hpp"
#include "gaze/io/json.hpp"
#include "gaze/text/byte_pair.hpp"
#include "gaze/text/vocabulary_json.hpp"

namespace gaze::text {

namespace detail {

inline constexpr const char* kBytePairLoad = "BytePairTokenizer::load";

/// A value of the file, or a missing one, with its name ("pre_tokenizer.type") for errors.
class FilePart {
 public:
  /// Refers to `value` and `source`.
  FilePart(const io::Json* value, std::string name, const std::string& source)
      : value_(value), name_(std::move(name)), source_(source) {}

  /// Whether the value is missing or null.
  bool is_null() const { return value_ == nullptr || value_->is_null(); }
  /// Whether there is a value and it equals `other`.
  template <class Other>
  bool is(const Other& other) const {
    return value_ != nullptr && *value_ == other;
  }
  const io::Json& value() const {
    if (value_ == nullptr) fail(" is missing");
    return *value_;
  }
  const std::string& source() const { return source_; }

  /// Throws an Error that names the file and this part, and describes the problem.
  template <class... Parts>
  [[noreturn]] void fail(const Parts&... problem) const {
    GAZE_FAIL(kBytePairLoad, source_, ": ", name_.empty() ? "the document" : "'" + name_ + "'",
              problem...);
  }
  /// Throws an Error that shows the value: for what is known but not supported.
  [[noreturn]] void refuse(const std::string& expected) const {
    std::string shown = value().dump(-1, ' ', true, io::Json::error_handler_t::replace);
    if (shown.size() > 80) shown = shown.substr(0, 80) + "...";
    fail(" is ", shown, ", which this tokeniser does not support; expected ", expected);
  }

  /// Requires an object without keys other than these.
  void check_keys(std::initializer_list<std::string_view> known) const {
    if (!value().is_object()) fail(" is not an object");
    for (const auto& [key, member] : value().items())
      if (std::find(known.begin(), known.end(), key) == known.end())
        at(key).fail(" is not a known key");
  }
  FilePart at(const std::string& key) const {
    const bool inside = value().is_object() && value().contains(key);
    return {inside ? &value()[key] : nullptr, name_.empty() ? key : name_ + "." + key, source_};
  }
  FilePart item(std::size_t i) const { return {&value()[i], concat(name_, "[", i, "]"), source_}; }

  const std::string& text() const {
    if (!value().is_string()) fail(" is not a string");
    return value().get_ref<const std::string&>();
  }
  bool flag() const {
    if (!value().is_boolean()) fail(" is neither true nor false");
    return value().get<bool>();
  }
  bool flag_or(bool otherwise) const { return is_null() ? otherwise : flag(); }
  std::size_t array_size() const {
    if (!value().is_array()) fail(" is not an array");
    return value().size();
  }
  /// Requires a missing value, null or `off`.
  void check_off(const io::Json& off = nullptr) const {
    if (!is_null() && !is(off)) refuse(off.dump());
  }
  /// Requires an object whose "type" is `type`.
  void check_type(const char* type) const {
    if (!value().is_object()) refuse(concat("an object of type \"", type, "\""));
    if (!at("type").is(type)) at("type").refuse(concat("\"", type, "\""));
  }

 private:
  const io::Json* value_;
  std::string name_;
  const std::string& source_;
};

/// Requires a ByteLevel piece.
inline void check_byte_level(const FilePart& part) {
  part.check_type("ByteLevel");
  part.check_keys({"type", "add_prefix_space", "trim_offsets", "use_regex"});
  for (const char* key : {"add_prefix_space", "trim_offsets", "use_regex"})
    part.at(key).flag_or(true);
}

inline PreTokenizer read_pre_tokenizer(const FilePart& part) {
  PreTokenizer rule;
  const bool sequence = part.at("type").is("Sequence");
  const FilePart steps = part.at("pretokenizers");
  if (sequence) {
    part.check_keys({"type", "pretokenizers"});
    if (steps.array_size() != 2) steps.refuse("Digits and ByteLevel");
    const FilePart digits = steps.item(0);
    digits.check_type("Digits");
    digits.check_keys({"type", "individual_digits"});
    rule.digits = digits.at("individual_digits").flag() ? DigitSplit::each : DigitSplit::runs;
  }
  const FilePart byte_level = sequence ? steps.item(1) : part;
  check_byte_level(byte_level);
  rule.add_prefix_space = byte_level.at("add_prefix_space").flag();
  rule.use_regex = byte_level.at("use_regex").flag_or(true);
  return rule;
}

/// The two tokens of a merge.
inline std::pair<std::string, std::string> merge_sides(const FilePart& part) {
  const io::Json& value = part.value();
  if (value.is_array() && value.size() == 2 && value[0].is_string() && value[1].is_string())
    return {value[0].get<std::string>(), value[1].get<std::string>()};
  if (!value.is_string()) part.fail(" is neither a string nor a pair of strings");
  const std::string& text = part.text();
  const std::size_t space = text.find(' ');
  if (space == text.npos || text.find(' ', space + 1) != text.npos)
    part.fail(" is '", text, "', which is not two tokens with a space between them");
  return {text.substr(0, space), text.substr(space + 1)};
}

inline std::vector<Merge> read_merges(const FilePart& list,
                                      const std::vector<std::string>& tokens) {
  std::unordered_map<std::string_view, std::int32_t> ids;
  ids.reserve(tokens.size());
  for (const std::string& token : tokens) ids.emplace(token, static_cast<std::int32_t>(ids.size()));
  std::vector<Merge> merges(list.array_size());
  std::set<std::pair<std::int32_t, std::int32_t>> seen;
  for (std::size_t rank = 0; rank < merges.size(); ++rank) {
    const FilePart part = list.item(rank);
    const auto id = [&](const std::string& token) {
      const auto found = ids.find(token);
      if (found == ids.end())
        part.fail(" needs the token '", token, "', which is not in 'model.vocab'");
      return found->second;
    };
    const auto [left, right] = merge_sides(part);
    merges[rank] = {id(left), id(right), id(left + right)};
    if (!seen.emplace(merges[rank].left, merges[rank].right).second)
      part.fail(" repeats the merge of '", left, "' and '", right, "'");
  }
  return merges;
}

inline void read_model(const FilePart& model, BytePairData& data) {
  model.check_type("BPE");
  model.check_keys({"type", "vocab", "merges", "ignore_merges", "byte_fallback", "fuse_unk",
                    "unk_token", "dropout", "continuing_subword_prefix", "end_of_word_suffix"});
  for (const char* key : {"byte_fallback", "fuse_unk"}) model.at(key).check_off(false);
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"})
    model.at(key).check_off("");
  model.at("unk_token").check_off();
  model.at("dropout").check_off(0.0);
  data.ignore_merges = model.at("ignore_merges").flag_or(false);
  data.tokens = tokens_by_id(model.at("vocab").value(), kBytePairLoad, model.source());
  data.model_tokens = data.tokens.size();
  data.merges = read_merges(model.at("merges"), data.tokens);
}

/// One entry of the list; a token that `ids` does not have is added to `tokens` with the next id.
inline AddedToken read_added_token(const FilePart& part,
                                   std::unordered_map<std::string, std::size_t>& ids,
                                   std::vector<std::string>& tokens) {
  part.check_keys({"id", "content", "special", "single_word", "lstrip", "rstrip", "normalized"});
  AddedToken token;
  token.content = part.at("content").text();
  if (token.content.empty() || token.content.size() > kMaxAddedTokenBytes)
    part.at("content").fail(" has ", token.content.size(), " bytes, not 1 to ",
                            kMaxAddedTokenBytes);
  const bool is_new = ids.emplace(token.content, tokens.size()).second;
  if (is_new) tokens.push_back(token.content);
  const std::size_t id = ids.at(token.content);
  if (!part.at("id").is(id))
    part.at("id").fail(" must be ", id, is_new ? ", the next free id" : ", as in 'model.vocab'");
  token.id = static_cast<std::int32_t>(id);
  token.special = part.at("special").flag();
  token.single_word = part.at("single_word").flag();
  token.lstrip = part.at("lstrip").flag();
  token.rstrip = part.at("rstrip").flag();
  token.normalized = part.at("normalized").flag();
  return token;
}

inline void read_added_tokens(const FilePart& list, BytePairData& data) {
  std::unordered_map<std::string, std::size_t> ids;
  for (const std::string& token : data.tokens) ids.emplace(token, ids.size());
  std::set<std::int32_t> seen;
  for (std::size_t i = 0; i < list.array_size(); ++i) {
    data.added.push_back(read_added_token(list.item(i), ids, data.tokens));
    const AddedToken& token = data.added.back();
    if (!seen.insert(token.id).second)
      list.item(i).fail(" repeats the token '", token.content, "'");
  }
}

}  // namespace detail

inline BytePairTokenizer BytePairTokenizer::parse(std::string_view json,
                                                  const std::string& source) {
  const io::Json document = io::parse_json(json, source);
  const detail::FilePart file(&document, "", source);
  file.check_keys({"version", "truncation", "padding", "added_tokens", "normalizer",
                   "pre_tokenizer", "post_processor", "decoder", "model"});
  if (!file.at("version").is("1.0")) file.at("version").refuse("\"1.0\"");
  for (const char* key : {"truncation", "padding", "normalizer"}) file.at(key).check_off();
  if (!file.at("post_processor").is_null()) detail::check_byte_level(file.at("post_processor"));
  detail::check_byte_level(file.at("decoder"));
  detail::BytePairData data;
  data.pre_tokenizer = detail::read_pre_tokenizer(file.at("pre_tokenizer"));
  detail::read_model(file.at("model"), data);
  if (!file.at("added_tokens").is_null()) detail::read_added_tokens(file.at("added_tokens"), data);
  BytePairTokenizer tokenizer(std::move(data));
  const std::int32_t special = tokenizer.special_in_plain_text();
  GAZE_CHECK(special < 0, detail::kBytePairLoad, source,
             ": plain text can produce the special token '", tokenizer.token(special),
             "' in 'added_tokens'");
  return tokenizer;
}

inline BytePairTokenizer BytePairTokenizer::load(const std::string& path) {
  return parse(io::read_file(path, detail::kMaxTokenizerBytes), path);
}

}  // namespace gaze::text
