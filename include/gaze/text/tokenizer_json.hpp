// SPDX-License-Identifier: MIT
// tokenizer.json, the Hugging Face format, for the kind of tokeniser in tokenizer.hpp only:
// no normaliser, one splitting regular expression, a BPE model without merges that takes whole
// pieces (`ignore_merges`) or falls back to characters and bytes (`byte_fallback`), and a joining
// decoder. A file of any other kind would load and silently give different ids, so it is refused.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/io/atomic_file.hpp"
#include "gaze/io/json.hpp"
#include "gaze/text/tokenizer.hpp"
#include "gaze/text/vocabulary_json.hpp"

namespace gaze::text {

namespace detail {

/// The whole file except the tokens.
inline io::OrderedJson tokenizer_frame() {
  using io::OrderedJson;
  OrderedJson frame;
  frame["version"] = "1.0";
  frame["truncation"] = nullptr;
  frame["padding"] = nullptr;
  frame["added_tokens"] = OrderedJson::array();
  frame["normalizer"] = nullptr;
  frame["pre_tokenizer"]["type"] = "Split";
  frame["pre_tokenizer"]["pattern"]["Regex"] = kSplitRegex;
  frame["pre_tokenizer"]["behavior"] = "Isolated";
  frame["pre_tokenizer"]["invert"] = false;
  frame["post_processor"] = nullptr;
  frame["decoder"]["type"] = "Sequence";
  frame["decoder"]["decoders"] = {OrderedJson{{"type", "ByteFallback"}},
                                  OrderedJson{{"type", "Fuse"}}};
  OrderedJson& model = frame["model"];
  model["type"] = "BPE";
  for (const char* key :
       {"dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix"}) {
    model[key] = nullptr;
  }
  model["fuse_unk"] = false;
  model["byte_fallback"] = true;
  model["ignore_merges"] = true;
  model["vocab"] = OrderedJson::object();
  model["merges"] = OrderedJson::array();
  return frame;
}

/// The file's entry for one added token.
inline io::OrderedJson added_token(std::int32_t id, const std::string& content, bool special) {
  io::OrderedJson entry;
  entry["id"] = id;
  entry["content"] = content;
  for (const char* key : {"single_word", "lstrip", "rstrip", "normalized"}) entry[key] = false;
  entry["special"] = special;
  return entry;
}

/// Requires each field of `expected` (except `skipped`) in `found` with the same value.
inline void check_fields(const io::Json& found, const io::Json& expected, const std::string& path,
                         const std::string& prefix, const std::vector<std::string>& skipped) {
  GAZE_CHECK(found.is_object(), "Tokenizer::load", path, ": ",
             prefix.empty() ? "the document" : prefix.substr(0, prefix.size() - 1),
             " is not an object");
  for (const auto& [key, value] : expected.items()) {
    if (std::find(skipped.begin(), skipped.end(), key) != skipped.end()) continue;
    const auto field = found.find(key);
    const io::Json actual = field == found.end() ? io::Json(nullptr) : *field;
    std::string shown = actual.dump(-1, ' ', true, io::Json::error_handler_t::replace);
    if (shown.size() > 80) shown = shown.substr(0, 80) + "...";
    GAZE_CHECK(actual == value, "Tokenizer::load", path, ": field '", prefix, key, "' is ", shown,
               ", which this tokeniser does not support; expected ", value.dump(-1, ' ', true));
  }
}

/// Checks the list of added tokens against the vocabulary and returns their ids.
inline std::vector<std::int32_t> added_ids(const io::Json& list,
                                           const std::vector<std::string>& tokens,
                                           const std::string& path) {
  GAZE_CHECK(list.is_array(), "Tokenizer::load", path, ": 'added_tokens' is not an array");
  std::vector<std::int32_t> ids;
  std::vector<bool> seen(tokens.size(), false);
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string prefix = concat("added_tokens[", i, "].");
    GAZE_CHECK(list[i].is_object() && list[i].contains("id") &&
                   list[i]["id"].is_number_unsigned() &&
                   list[i]["id"].get<std::uint64_t>() < tokens.size(),
               "Tokenizer::load", path, ": field '", prefix, "id' is not in the vocabulary");
    const std::size_t id = list[i]["id"].get<std::size_t>();
    GAZE_CHECK(!seen[id], "Tokenizer::load", path, ": field '", prefix, "id' repeats ", id);
    seen[id] = true;
    const bool special =
        std::find(kControlTokens.begin(), kControlTokens.end(), tokens[id]) != kControlTokens.end();
    ids.push_back(static_cast<std::int32_t>(id));
    check_fields(list[i], added_token(ids.back(), tokens[id], special), path, prefix, {});
  }
  return ids;
}

}  // namespace detail

inline void Tokenizer::save(const std::string& path) const {
  io::OrderedJson file = detail::tokenizer_frame();
  for (const std::int32_t id : added_) {
    file["added_tokens"].push_back(detail::added_token(id, token(id), is_control(id)));
  }
  // push_back, because searching for each new key would be quadratic.
  auto& vocab = file["model"]["vocab"].get_ref<io::OrderedJson::object_t&>();
  for (std::size_t i = 0; i < tokens_.size(); ++i) vocab.emplace_back(tokens_[i], i);
  io::write_file(path, io::dump_json(file, path, 1) + "\n");
}

inline Tokenizer Tokenizer::load(const std::string& path) {
  const io::Json file = io::parse_json(io::read_file(path, detail::kMaxTokenizerBytes), path);
  const io::Json frame = detail::tokenizer_frame();
  detail::check_fields(file, frame, path, "", {"added_tokens", "model"});
  const io::Json& model = io::json_at(file, "model", path);
  detail::check_fields(model, frame["model"], path, "model.", {"vocab"});
  auto tokens =
      detail::tokens_by_id(io::json_at(model, "vocab", path + " model"), "Tokenizer::load", path);
  auto added = detail::added_ids(io::json_at(file, "added_tokens", path), tokens, path);
  return Tokenizer(std::move(tokens), std::move(added), "Tokenizer::load", path);
}

}  // namespace gaze::text
