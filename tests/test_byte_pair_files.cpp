// SPDX-License-Identifier: MIT
// A byte-level BPE's file: refusal by name of everything that it may ask for and this tokeniser
// lacks.
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "gaze/io/json.hpp"
#include "gaze/text/byte_pair.hpp"
#include "tests/byte_pair_golden.hpp"
#include "tests/folder.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_byte_pair_files {
namespace {

using namespace gaze::test::byte_pair;
using gaze::io::Json;
using gaze::test::contains;
using gaze::test::error_of;
using gaze::test::Folder;
using gaze::test::repeated;
using gaze::text::BytePairTokenizer;
using Edit = std::function<void(Json&)>;

/// An edit that sets the value at a JSON pointer.
Edit set(const std::string& pointer, const Json& value) {
  return [=](Json& file) { file[Json::json_pointer(pointer)] = value; };
}
/// An edit that removes a member of the object at a JSON pointer.
Edit drop(const std::string& pointer, const std::string& key) {
  return [=](Json& file) { file[Json::json_pointer(pointer)].erase(key); };
}

void check_refused(const std::vector<std::pair<std::string, Edit>>& edits) {
  const Folder folder("byte_pair");
  for (const auto& [message, edit] : edits) {
    INFO(message);
    Json file = golden()["tokenizer"];
    edit(file);
    const std::string path = folder.put("tokenizer.json", file.dump());
    const std::string error = error_of([&] { BytePairTokenizer::load(path); });
    CHECK(contains(error, message));
    CHECK(contains(error, "[gaze::BytePairTokenizer::load] " + path + ": "));
    CHECK_FALSE(contains(error, "\n"));
  }
}

}  // namespace

TEST_CASE("pieces and keys that are not supported are refused by name") {
  const Json nfc = {{"type", "NFC"}}, split = {{"type", "Split"}, {"pattern", {{"Regex", "a"}}}};
  const Json byte_level = golden()["tokenizer"]["decoder"];
  const Json digits = {{"type", "Digits"}, {"individual_digits", true}};
  const auto sequence = [](const Json& steps) {
    return Json{{"type", "Sequence"}, {"pretokenizers", steps}};
  };
  check_refused({
      {"'normalizer' is {\"type\":\"NFC\"}", set("/normalizer", nfc)},
      {"'truncation' is {", set("/truncation", {{"max_length", 4}})},
      {"'padding' is {", set("/padding", {{"pad_id", 4}})},
      {"'version' is \"2.0\"", set("/version", "2.0")},
      {"'extra' is not a known key", set("/extra", 1)},
      {"'pre_tokenizer' is null", set("/pre_tokenizer", nullptr)},
      {"'pre_tokenizer.type' is \"Split\"", set("/pre_tokenizer", split)},
      {"'pre_tokenizer.pretokenizers' is [",
       set("/pre_tokenizer", sequence(Json::array({digits})))},
      {"'pre_tokenizer.pretokenizers[0].type' is \"Split\"",
       set("/pre_tokenizer", sequence({split, byte_level}))},
      {"'pre_tokenizer.pretokenizers[0].type' is \"ByteLevel\"",
       set("/pre_tokenizer", sequence({byte_level, digits}))},
      {"'pre_tokenizer.pretokenizers[1].type' is \"NFC\"",
       set("/pre_tokenizer", sequence({digits, nfc}))},
      {"'pre_tokenizer.pretokenizers[0].individual_digits' is missing",
       drop("/pre_tokenizer/pretokenizers/0", "individual_digits")},
      {"'pre_tokenizer.pretokenizers[1].add_prefix_space' is missing",
       drop("/pre_tokenizer/pretokenizers/1", "add_prefix_space")},
      {"'pre_tokenizer.pretokenizers[1].use_regex' is neither true nor false",
       set("/pre_tokenizer/pretokenizers/1/use_regex", "x")},
      {"'pre_tokenizer.pretokenizers[1].behavior' is not a known key",
       set("/pre_tokenizer/pretokenizers/1/behavior", "Isolated")},
      {"'post_processor.type' is \"TemplateProcessing\"",
       set("/post_processor", {{"type", "TemplateProcessing"}})},
      {"'decoder' is null", set("/decoder", nullptr)},
      {"'decoder' is missing", drop("", "decoder")},
      {"'decoder.type' is \"Metaspace\"", set("/decoder/type", "Metaspace")},
  });
}

TEST_CASE("models that are not supported are refused by name") {
  check_refused({
      {"'model' is missing", drop("", "model")},
      {"'model' is 3", set("/model", 3)},
      {"'model.type' is \"Unigram\"", set("/model/type", "Unigram")},
      {"'model.type' is missing", drop("/model", "type")},
      {"'model.byte_fallback' is true", set("/model/byte_fallback", true)},
      {"'model.fuse_unk' is true", set("/model/fuse_unk", true)},
      {"'model.unk_token' is \"a\"", set("/model/unk_token", "a")},
      {"'model.dropout' is 0.1", set("/model/dropout", 0.1)},
      {"'model.continuing_subword_prefix' is \"##\"",
       set("/model/continuing_subword_prefix", "##")},
      {"'model.end_of_word_suffix' is \"</w>\"", set("/model/end_of_word_suffix", "</w>")},
      {"'model.ignore_merges' is neither", set("/model/ignore_merges", 1)},
      {"'model.max_input_chars' is not a known key", set("/model/max_input_chars", 1)},
  });
}

TEST_CASE("vocabularies and merges that do not fit together are refused by name") {
  check_refused({
      {"'model.vocab' is missing", drop("/model", "vocab")},
      {"'model.vocab' is not an object", set("/model/vocab", 3)},
      {"an empty token", set("/model/vocab/", 0)},
      {"outside 0 to", set("/model/vocab/a", 1000000000)},
      {"outside 0 to", set("/model/vocab/a", -1)},
      {"outside 0 to", set("/model/vocab/a", 1.5)},
      {"outside 0 to", drop("/model/vocab", "a")},
      {"to both", set("/model/vocab/a", 5)},
      {"'model.merges' is missing", drop("/model", "merges")},
      {"'model.merges' is not an array", set("/model/merges", 3)},
      {"'model.merges[1]' is neither a string nor a pair", set("/model/merges/1", 3)},
      {"'model.merges[1]' is neither a string nor a pair", set("/model/merges/1", {"a"})},
      {"'model.merges[1]' is neither a string nor a pair", set("/model/merges/1", {"a", 3})},
      {"'model.merges[1]' is 'ab', which is not two", set("/model/merges/1", "ab")},
      {"'model.merges[1]' is 'a b c', which is not two", set("/model/merges/1", "a b c")},
      {"'model.merges[1]' needs the token 'qq'", set("/model/merges/1", {"qq", "a"})},
      {"'model.merges[1]' needs the token 'aa'", set("/model/merges/1", {"a", "a"})},
      {"'model.merges[1]' needs the token ''", set("/model/merges/1", "a ")},
      {"'model.merges[1]' repeats the merge",
       [](Json& file) { file["model"]["merges"][1] = file["model"]["merges"][0]; }},
  });
}

TEST_CASE("added tokens that are not consistent or not safe are refused by name") {
  // [1] is a token of the model too, [3] is the first that is not.
  const std::string known = std::to_string(base().id("\xC3\xA9"));
  const std::string next = std::to_string(golden()["tokenizer"]["model"]["vocab"].size());
  check_refused({
      {"'added_tokens' is not an array", set("/added_tokens", 1)},
      {"'added_tokens[1]' is not an object", set("/added_tokens/1", 1)},
      {"'added_tokens[1].content' is missing", drop("/added_tokens/1", "content")},
      {"'added_tokens[1].content' has 0 bytes", set("/added_tokens/1/content", "")},
      {"'added_tokens[1].content' has 257 bytes",
       set("/added_tokens/1/content", repeated("x", 257))},
      {"'added_tokens[1].id' must be " + known, drop("/added_tokens/1", "id")},
      {"'added_tokens[1].id' must be " + known + ", as in 'model.vocab'",
       set("/added_tokens/1/id", 0)},
      {"'added_tokens[3].id' must be " + next + ", the next free id",
       set("/added_tokens/3/id", base().vocab_size())},
      {"'added_tokens[3].id' must be " + next, set("/added_tokens/3/id", 1e30)},
      {"'added_tokens[4]' repeats the token",
       [](Json& file) { file["added_tokens"][4] = file["added_tokens"][3]; }},
      {"'added_tokens[3].lstrip' is neither", set("/added_tokens/3/lstrip", nullptr)},
      {"'added_tokens[3].special' is missing", drop("/added_tokens/3", "special")},
      {"'added_tokens[3].extra' is not a known key", set("/added_tokens/3/extra", 1)},
      // A byte, the result of a merge, and a whole word if merges are ignored.
      {"plain text can produce the special token '\xC3\xA9'", set("/added_tokens/1/special", true)},
      {"plain text can produce the special token 'answer'", set("/added_tokens/2/special", true)},
      {"plain text can produce the special token '\xC4\xA0]['",
       [](Json& file) {
         const std::string name = "\xC4\xA0][";
         file["model"]["ignore_merges"] = true;
         file["model"]["vocab"][name] = file["model"]["vocab"]["<|endoftext|>"];
         file["model"]["vocab"].erase("<|endoftext|>");
         file["added_tokens"][0]["content"] = name;
       }},
  });
}

TEST_CASE("files that are no JSON documents of their kind are refused") {
  const Folder folder("byte_pair");
  const auto error = [&](const std::string& text) {
    const std::string path = folder.put("tokenizer.json", text);
    return error_of([&] { BytePairTokenizer::load(path); });
  };
  const std::string good = golden()["tokenizer"].dump();
  CHECK(error(good).empty());
  CHECK(contains(error("[]"), "the document is not an object"));
  CHECK(contains(error(good.substr(0, good.size() / 2)), "tokenizer.json"));
  CHECK(contains(error("{\"version\": \"1.0\", \"version\": \"1.0\"}"), "'version' appears twice"));
  std::string broken = good;
  broken.replace(broken.find("im_start"), 1, "\xFF");
  CHECK(contains(error(broken), "UTF-8"));
  CHECK(contains(error_of([] { BytePairTokenizer::load("nowhere.json"); }), "cannot open"));
}

}  // namespace test_byte_pair_files
