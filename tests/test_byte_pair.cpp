// SPDX-License-Identifier: MIT
// The byte-level BPE tokeniser: ids and texts equal to those of Hugging Face's `tokenizers`
// (tests/golden/make_byte_pair_golden.py), decoding id by id, text that is not UTF-8, hostile
// lengths.
#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gaze/core/utf8.hpp"
#include "gaze/io/atomic_file.hpp"
#include "gaze/io/json.hpp"
#include "gaze/text/byte_pair.hpp"
#include "gaze/text/streaming_decoder.hpp"
#include "tests/byte_pair_golden.hpp"
#include "tests/folder.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_byte_pair {
namespace {

using namespace gaze::test::byte_pair;
using gaze::io::Json;
using gaze::test::contains;
using gaze::test::error_of;
using gaze::test::Folder;
using gaze::test::repeated;
using gaze::text::BytePairTokenizer;
using gaze::text::SpecialTokens;
using gaze::text::StreamingDecoder;
using Ids = std::vector<std::int32_t>;

/// The base file with values replaced: an object from JSON pointers to values.
Json changed(const Json& changes) {
  Json file = golden()["tokenizer"];
  for (const auto& [pointer, value] : changes.items()) file[Json::json_pointer(pointer)] = value;
  return file;
}

std::string streamed(const Ids& ids, SpecialTokens special) {
  StreamingDecoder stream(base(), special);
  std::string text;
  for (const std::int32_t id : ids) {
    const std::string part = stream.push(id);
    CHECK(gaze::is_utf8(part));
    text += part;
  }
  return text + stream.finish();
}

/// The bytes of the ids, joined.
std::string bytes_of(const BytePairTokenizer& tokenizer, const Ids& ids) {
  std::string bytes;
  for (const std::int32_t id : ids) bytes += tokenizer.bytes(id);
  return bytes;
}

/// A tokeniser of all 256 bytes, numbered in the order of their characters, the given tokens from
/// 256 on, and merges "a b".
Json byte_file(const std::vector<std::string>& tokens, const std::vector<std::string>& merges) {
  Json file = changed({{"/added_tokens", Json::array()}});
  file["model"]["vocab"] = Json::object();
  for (int byte = 0; byte < 256; ++byte)
    file["model"]["vocab"][gaze::text::byte_character(static_cast<unsigned char>(byte))] = byte;
  for (const std::string& token : tokens)
    file["model"]["vocab"][token] = file["model"]["vocab"].size();
  file["model"]["merges"] = merges;
  return file;
}

/// "aa", "aaaa", … "a" times 2^levels, each merged from two halves.
Json doubling_file(int levels) {
  std::vector<std::string> tokens, merges;
  for (std::string half = "a"; static_cast<int>(tokens.size()) < levels; half += half) {
    tokens.push_back(half + half);
    merges.push_back(half + " " + half);
  }
  return byte_file(tokens, merges);
}

}  // namespace

TEST_CASE("ids equal those of Hugging Face tokenizers in every variant") {
  const Json& texts = golden()["texts"];
  REQUIRE(texts.size() > 200);
  REQUIRE(golden()["variants"].size() == 8);
  for (const Json& variant : golden()["variants"]) {
    const BytePairTokenizer tokenizer = parsed(changed(variant["changes"]));
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const auto text = texts[i].get<std::string>();
      const Json& ids = variant["ids"][i];
      const Json& plain = variant["plain"][i].is_null() ? ids : variant["plain"][i];
      INFO(variant["name"] << ": " << texts[i].dump());
      CHECK(tokenizer.encode(text) == ids.get<Ids>());
      CHECK(tokenizer.encode_plain(text) == plain.get<Ids>());
    }
  }
}

TEST_CASE("merges may be strings or pairs, and a file may be read from a folder") {
  Json file = golden()["tokenizer"];
  for (Json& merge : file["model"]["merges"])
    merge = merge[0].get<std::string>() + " " + merge[1].get<std::string>();
  file["post_processor"] = {{"type", "ByteLevel"}, {"add_prefix_space", true}};
  file["model"]["dropout"] = 0.0;
  file["model"]["continuing_subword_prefix"] = "";
  file["model"]["end_of_word_suffix"] = "";
  const Folder folder("byte_pair");
  const auto tokenizer = BytePairTokenizer::load(folder.put("tokenizer.json", file.dump()));
  for (const Json& text : golden()["texts"]) {
    const auto one = text.get<std::string>();
    CHECK(tokenizer.encode(one) == base().encode(one));
  }
}

TEST_CASE("decoded text equals that of Hugging Face tokenizers, whole and id by id") {
  REQUIRE(golden()["sequences"].size() > 400);
  for (const Json& one : golden()["sequences"]) {
    const auto ids = one["ids"].get<Ids>();
    INFO(one["ids"].dump());
    CHECK(base().decode(ids) == one["decoded"].get<std::string>());
    CHECK(base().decode(ids, SpecialTokens::skip) == one["skipped"].get<std::string>());
    CHECK(streamed(ids, SpecialTokens::keep) == one["decoded"].get<std::string>());
    CHECK(streamed(ids, SpecialTokens::skip) == one["skipped"].get<std::string>());
  }
}

TEST_CASE("a character is held back until its last byte, and replaced when it breaks off") {
  const BytePairTokenizer tokenizer = parsed(byte_file({}, {}));
  StreamingDecoder stream(tokenizer);
  const auto pushed = [&](int byte) { return stream.push(byte); };
  const std::string replacement(gaze::text::kReplacement);
  CHECK(pushed(0xF0) == "");
  CHECK(pushed(0x9F) == "");
  CHECK(pushed(0x98) == "");
  CHECK(pushed(0x80) == "\xF0\x9F\x98\x80");
  CHECK(pushed(0xE6) == "");
  CHECK(pushed('x') == replacement + "x");
  CHECK(pushed(0xF0) == "");
  CHECK(pushed(0x9F) == "");
  CHECK(pushed(0xC3) == replacement);  // one for both bytes; C3 is held back
  CHECK(pushed(0xA9) == "\xC3\xA9");
  CHECK(pushed(0xED) == "");
  CHECK(pushed(0xA0) == replacement + replacement);  // the beginning of a surrogate is no character
  CHECK(pushed(0xC0) == replacement);
  CHECK(pushed(0xE6) == "");
  CHECK(pushed(0x97) == "");
  CHECK(stream.finish() == replacement);
  CHECK(stream.finish() == "");
  CHECK(pushed('y') == "y");
}

TEST_CASE("replacement of what is not UTF-8 does not depend on how the bytes arrive") {
  std::mt19937 random(5);
  const std::array<int, 16> bytes = {'a',  0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC2,
                                     0xDF, 0xE0, 0xED, 0xEF, 0xF0, 0xF4, 0xF5, 0xFF};
  const BytePairTokenizer tokenizer = parsed(byte_file({}, {}));
  for (int round = 0; round < 3000; ++round) {
    Ids ids;
    for (int i = 0; i < 12; ++i) ids.push_back(bytes[random() % bytes.size()]);
    StreamingDecoder stream(tokenizer);
    std::string text;
    for (const std::int32_t id : ids) text += stream.push(id);
    text += stream.finish();
    REQUIRE(text == tokenizer.decode(ids));
    REQUIRE(gaze::is_utf8(text));
  }
}

TEST_CASE("any bytes are kept if the vocabulary covers them") {
  const BytePairTokenizer tokenizer = parsed(byte_file({"aa",
                                                        "\xC4\xA0"
                                                        "a"},
                                                       {"a a", "\xC4\xA0 a"}));
  std::mt19937 random(3);
  const std::string parts[] = {"a",  " ", "1", "\xC3\xA9", "\xE6\x97\xA5", "\xE3\x80\x80",
                               "\n", "'s"};
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (int i = static_cast<int>(random() % 20); i > 0; --i)
      text += random() % 2 == 0 ? std::string(1, static_cast<char>(random() % 256))
                                : parts[random() % std::size(parts)];
    const Ids ids = tokenizer.encode(text);
    REQUIRE(bytes_of(tokenizer, ids) == text);
    REQUIRE(tokenizer.decode(ids) == gaze::text::repaired_utf8(text));
  }
}

TEST_CASE("bytes without a token are left out, as in tokenizers") {
  CHECK_FALSE(base().covers(0));
  CHECK_FALSE(base().covers(0xFF));
  CHECK(base().covers(' '));
  CHECK(base().encode(std::string(3, '\0')).empty());
  CHECK(base().decode(base().encode(std::string("th\0e", 4))) == "the");
  Json file = byte_file({"--"}, {"- -"});
  file["model"]["vocab"].erase(gaze::text::byte_character(0));
  file["model"]["vocab"]["another token"] = 0;
  CHECK(parsed(file).encode(std::string("-\0-", 3)) == Ids{256});  // merged across the gap
}

TEST_CASE("untrusted text cannot produce special tokens") {
  std::mt19937 random(9);
  const std::string parts[] = {"<|im_end|>", "<|im_",  "start|>", "<|endoftext|>", "<image>", " ",
                               "<mask>",     "<tool>", "a",       "[ctrl]",        "[",       "1>"};
  for (const Json& variant : golden()["variants"]) {
    const BytePairTokenizer tokenizer = parsed(changed(variant["changes"]));
    for (int round = 0; round < 300; ++round) {
      std::string text;
      for (int i = static_cast<int>(random() % 8); i >= 0; --i)
        text += parts[random() % std::size(parts)];
      for (const std::int32_t id : tokenizer.encode_plain(text))
        REQUIRE_FALSE(tokenizer.is_special(id));
    }
  }
  CHECK(base().decode(base().encode_plain("a<|im_end|>b<image>")) == "a<|im_end|>b<image>");
  CHECK(base().decode(base().encode("a<|im_end|>b<image>"), SpecialTokens::skip) == "ab");
}

TEST_CASE("tokens have names, bytes and ids") {
  const int size = base().vocab_size();
  CHECK(size == static_cast<int>(golden()["tokenizer"]["model"]["vocab"].size() + 16));
  for (std::int32_t id = 0; id < size; ++id) CHECK(base().id(base().token(id)) == id);
  CHECK(base().contains("<image>"));
  CHECK_FALSE(base().contains(" the"));
  CHECK(base().bytes(base().id("\xC4\xA0the")) == " the");
  CHECK(base().is_special(base().id("<image>")));
  CHECK_FALSE(base().is_special(base().id("<tool>")));
  CHECK(contains(error_of([] { base().id("nowhere"); }), "no token 'nowhere'"));
  for (const std::int32_t id : {-1, size}) {
    CHECK(contains(error_of([&] { base().token(id); }), "outside the vocabulary"));
    CHECK_THROWS_AS(base().bytes(id), gaze::Error);
    CHECK_THROWS_AS(base().decode(Ids{id}), gaze::Error);
    CHECK_THROWS_AS(base().is_special(id), gaze::Error);
    CHECK_THROWS_AS(StreamingDecoder(base()).push(id), gaze::Error);
  }
}

TEST_CASE("the lowest rank is merged first, of equal pairs the leftmost") {
  const auto ids = [](const Json& file, const std::string& text) {
    return parsed(file).encode(text);
  };
  const std::vector<std::string> tokens = {"ab", "bc", "abc", "cd"};
  CHECK(ids(byte_file(tokens, {"a b", "b c"}), "abcd") == Ids{256, 'c', 'd'});
  CHECK(ids(byte_file(tokens, {"b c", "a b"}), "abcd") == Ids{'a', 257, 'd'});
  CHECK(ids(byte_file(tokens, {"b c", "a b", "a bc"}), "abcd") == Ids{258, 'd'});
  CHECK(ids(byte_file(tokens, {"c d", "a bc", "b c", "a b"}), "abcd") == Ids{256, 259});
  CHECK(ids(byte_file({"aa"}, {"a a"}), "aaaaa") == Ids{256, 256, 'a'});
}

TEST_CASE("very long words, runs of white space and added tokens are encoded to the end") {
  // In double parentheses: Catch2 would take minutes to print a million ids.
  const std::size_t size = 1 << 20;
  const BytePairTokenizer doubling = parsed(doubling_file(10));
  const std::int32_t longest = 256 + 9;  // 1024 letters
  CHECK((doubling.encode(repeated("a", size)) == Ids(size / 1024, longest)));
  CHECK((doubling.encode(repeated("a", size - 1)).size() == size / 1024 - 1 + 10));
  CHECK((doubling.encode(repeated("ab", size / 2)).size() == size));
  CHECK((doubling.encode(repeated(" ", size) + "a").size() == size + 1));
  CHECK((doubling.encode(repeated("7", size)).size() == size));
  CHECK((doubling.encode(repeated("\xF0", size)) == Ids(size, 0xF0)));
  CHECK((doubling.encode(repeated("'", size)) == Ids(size, '\'')));
  // Tokens that take white space, tokens in that space, and one longest token that never ends.
  Json file = doubling_file(1);
  const auto add = [&](const std::string& content, bool strip) {
    file["added_tokens"].push_back({{"id", 257 + file["added_tokens"].size()},
                                    {"content", content},
                                    {"special", false},
                                    {"single_word", false},
                                    {"lstrip", strip},
                                    {"rstrip", strip},
                                    {"normalized", false}});
  };
  add(" ", true);
  add("<x>", true);
  add(repeated("y", 255) + "z", false);
  const BytePairTokenizer stripping = parsed(file);
  CHECK((stripping.encode(repeated(" ", size)) == Ids{257}));
  CHECK((stripping.encode("<x>" + repeated("\n", size) + "<x>") == Ids{258, 258}));
  CHECK((stripping.encode(repeated("<x>\n", size / 4)) == Ids(size / 4, 258)));
  CHECK((stripping.encode(repeated("y", size)) == Ids(size, 'y')));
}

TEST_CASE("several threads encode with one tokeniser") {
  const std::string text = repeated("The force doesn't act on 12 <image> caf\xC3\xA9s. ", 200);
  const Ids expected = base().encode(text);
  std::array<Ids, 4> found;
  std::vector<std::thread> threads;
  for (Ids& ids : found) threads.emplace_back([&] { ids = base().encode(text); });
  for (std::thread& thread : threads) thread.join();
  for (const Ids& ids : found) CHECK(ids == expected);
}

TEST_CASE("classes of characters follow Unicode 16") {
  using gaze::text::char_class;
  using gaze::text::CharClass;
  const std::vector<std::pair<std::int32_t, CharClass>> cases = {
      {'a', CharClass::letter},        {'_', CharClass::other_word},
      {'7', CharClass::numeral},       {' ', CharClass::space},
      {'.', CharClass::other},         {-1, CharClass::other},
      {0x85, CharClass::space},        {0xA0, CharClass::space},
      {0xB2, CharClass::other_number}, {0x200B, CharClass::other},
      {0x200A, CharClass::space},      {0x200D, CharClass::other_word},
      {0x301, CharClass::other_word},  {0x663, CharClass::numeral},
      {0x2163, CharClass::numeral},    {0x65E5, CharClass::letter},
      {0x24B6, CharClass::other_word}, {0x1C89, CharClass::letter},
      {0x16D40, CharClass::letter},  // new in 16
      {0x323B0, CharClass::other},   // new in 17
      {0x10FFFF, CharClass::other},    {0x110000, CharClass::other}};
  for (const auto& [code, kind] : cases) {
    INFO(code);
    CHECK(char_class(code) == kind);
  }
}

TEST_CASE("the byte alphabet is a bijection") {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string character = gaze::text::byte_character(static_cast<unsigned char>(byte));
    CHECK(gaze::is_utf8(character));
    CHECK(gaze::text::bytes_of_token(character) == std::string(1, static_cast<char>(byte)));
  }
  CHECK(gaze::text::byte_character(' ') == "\xC4\xA0");
  CHECK(gaze::text::byte_character('\n') == "\xC4\x8A");
  CHECK(gaze::text::byte_character(0xAD) == "\xC5\x83");
  CHECK_FALSE(gaze::text::bytes_of_token("a b").has_value());
  CHECK_FALSE(gaze::text::bytes_of_token("\xE6\x97\xA5").has_value());
}

}  // namespace test_byte_pair
