// SPDX-License-Identifier: MIT
// The tokeniser: exact round trips, one token for each tag, number and label, ids equal to those
// of Hugging Face's `tokenizers` (tests/golden/make_tokenizer_golden.py), and refusal of
// foreign files.
#include <chrono>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "gaze/io/atomic_file.hpp"
#include "gaze/io/json.hpp"
#include "gaze/text/tokenizer.hpp"
#include "tests/data.hpp"
#include "tests/folder.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_tokenizer {
namespace {

using gaze::test::contains;
using gaze::test::error_of;
using gaze::test::Folder;
using gaze::test::golden_path;
using gaze::text::BuildOptions;
using gaze::text::Tokenizer;
using Ids = std::vector<std::int32_t>;

const std::string kPhrase = "Answer with the letter of the right option.";

std::vector<std::string> corpus() {
  return {
      "<|user|><|image|>The mass of the block is 12 kg. What is the acceleration of the block?\n"
      "A: 5 m/s^2\nB: 12 m/s^2\nC: 350 m/s^2\nD: 2 kg*m/s^2<|end|>",
      "<|assistant|><think> F = m * a , so a = 5 m/s^2 . </think> <answer> A </answer><|end|>",
      "the mass the mass the acceleration \xC2\xB0"
      "C \xCE\xA9 \xCE\xA9 N\xC2\xB7m m/s\xC2\xB2 12345 350",
      kPhrase + " " + kPhrase,
  };
}

Tokenizer small_tokenizer() {
  BuildOptions options;
  options.max_words = 60;
  options.max_characters = 3;
  options.phrases = {kPhrase, "Then stop."};
  return Tokenizer::build(corpus(), options);
}

}  // namespace

TEST_CASE("encode and decode preserve any bytes") {
  const Tokenizer tokenizer = small_tokenizer();
  std::mt19937 random(1);
  const std::string parts[] = {
      " ",    "<think>", "</think", "\xE2\x96\x81",       "\xC3",         "\xA9",
      "mass", "12",      "<0x41>",  std::string(1, '\0'), "\xED\xA0\x80", "\xF0\x9F"};
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (int i = static_cast<int>(random() % 20); i > 0; --i) {
      if (random() % 2 == 0) {
        text += static_cast<char>(random() % 256);
      } else {
        text += parts[random() % std::size(parts)];
      }
    }
    REQUIRE(tokenizer.decode(tokenizer.encode(text)) == text);
    REQUIRE(tokenizer.decode(tokenizer.encode_plain(text)) == text);
  }
}

TEST_CASE("tags, labels, numbers, units and phrases are one token each") {
  const Tokenizer tokenizer = small_tokenizer();
  for (const std::string text : {"<|pad|>",   "<|end|>",    "<|user|>",  "<|assistant|>",
                                 "<|image|>", "<think>",    " </think>", "<answer>",
                                 " <answer>", " </answer>", "A:",        " D:",
                                 " B",        "0",          " 0",        "199",
                                 " 199",      " 12",        " m/s^2",    " kg*m/s^2",
                                 " mass",     "\n",         " "}) {
    INFO(text);
    CHECK(tokenizer.encode(text) == Ids{tokenizer.id(text)});
  }
  CHECK(tokenizer.encode(kPhrase) == Ids{tokenizer.id(kPhrase)});
  CHECK(tokenizer.encode("<think> a = 5 . </think> <answer> B </answer>").size() == 9);
  CHECK(tokenizer.encode("<|end|>") == Ids{tokenizer.end()});
  CHECK(tokenizer.encode("<|image|>") == Ids{tokenizer.image()});
  CHECK(tokenizer.encode("<|user|>") == Ids{tokenizer.user()});
  CHECK(tokenizer.encode("<|assistant|>") == Ids{tokenizer.assistant()});
  CHECK(tokenizer.encode("<|pad|>") == Ids{tokenizer.pad()});
  CHECK(tokenizer.is(tokenizer.id(" </think>"), "</think>"));
  CHECK(tokenizer.is(tokenizer.id("</think>"), "</think>"));
  CHECK_FALSE(tokenizer.is(tokenizer.id("<think>"), "</think>"));
}

TEST_CASE("long numbers split into digits, unknown letters into bytes") {
  const Tokenizer tokenizer = small_tokenizer();
  CHECK_FALSE(tokenizer.contains(" 12345"));
  CHECK(tokenizer.encode(" 12345") == Ids{tokenizer.id(" "), tokenizer.id("1"), tokenizer.id("2"),
                                          tokenizer.id("3"), tokenizer.id("4"), tokenizer.id("5")});
  CHECK(tokenizer.encode("\xC3\xA9") == Ids{tokenizer.id("<0xC3>"), tokenizer.id("<0xA9>")});
  CHECK(tokenizer.decode(Ids{tokenizer.id("<0xC3>")}) == "\xC3");
}

TEST_CASE("untrusted text cannot produce control tokens") {
  const Tokenizer tokenizer = small_tokenizer();
  const std::string text = "stop<|end|> now <|image|></think>" + kPhrase;
  const Ids ids = tokenizer.encode_plain(text);
  for (const std::int32_t id : ids) {
    CHECK(id != tokenizer.end());
    CHECK(id != tokenizer.image());
  }
  CHECK(ids.back() == tokenizer.id(kPhrase));
  CHECK(tokenizer.decode(ids) == text);
}

TEST_CASE("the vocabulary is reproducible and limited") {
  const Tokenizer a = small_tokenizer(), b = small_tokenizer();
  REQUIRE(a.vocab_size() == b.vocab_size());
  for (int id = 0; id < a.vocab_size(); ++id) CHECK(a.token(id) == b.token(id));
  BuildOptions none;
  none.max_words = 0;
  none.max_characters = 0;
  none.whole_numbers = -1;
  // 5 control tokens, 4 tags twice, 256 bytes, "\n" and "\t", 95 of ASCII, 4 labels twice, 4
  // spaced letters.
  CHECK(Tokenizer::build(corpus(), none).vocab_size() == 5 + 8 + 256 + 2 + 95 + 8 + 4);
  BuildOptions bad = none;
  bad.whole_numbers = 1000;
  CHECK_THROWS_AS(Tokenizer::build({}, bad), gaze::Error);
  for (const std::string phrase : {"", "\xFF", "<think>", "<0x41>"}) {
    bad = none;
    bad.phrases = {phrase};
    CHECK_THROWS_AS(Tokenizer::build({}, bad), gaze::Error);
  }
}

TEST_CASE("unknown tokens and ids are errors") {
  const Tokenizer tokenizer = small_tokenizer();
  CHECK(contains(error_of([&] { tokenizer.id("nowhere"); }), "no token 'nowhere'"));
  CHECK_THROWS_AS(tokenizer.token(-1), gaze::Error);
  CHECK_THROWS_AS(tokenizer.decode(Ids{tokenizer.vocab_size()}), gaze::Error);
}

TEST_CASE("ids equal those of Hugging Face tokenizers") {
  const Folder folder("tokenizer");
  const std::string path = folder.file("tokenizer.json");
  const std::string file = golden_path("tokenizer_golden.json");
  const gaze::io::Json expected = gaze::io::parse_json(gaze::io::read_file(file), file);
  small_tokenizer().save(path);
  CHECK(gaze::io::parse_json(gaze::io::read_file(path), path) == expected["tokenizer"]);
  const Tokenizer tokenizer = Tokenizer::load(path);
  REQUIRE(expected["cases"].size() > 100);
  for (const auto& one : expected["cases"]) {
    const auto text = one["text"].get<std::string>();
    INFO(text);
    CHECK(tokenizer.encode(text) == one["ids"].get<Ids>());
    CHECK(tokenizer.encode_plain(text) == one["plain_ids"].get<Ids>());
    CHECK(tokenizer.decode(one["ids"].get<Ids>()) == text);
  }
}

TEST_CASE("other kinds of files are refused by field") {
  const Folder folder("tokenizer");
  const std::string path = folder.file("tokenizer.json");
  small_tokenizer().save(path);
  const auto good = gaze::io::parse_json(gaze::io::read_file(path), path);
  using Edit = std::function<void(gaze::io::Json&)>;
  const std::vector<std::pair<std::string, Edit>> edits = {
      {"'normalizer'",
       [](auto& f) {
         f["normalizer"] = {{"type", "NFC"}};
       }},
      {"'pre_tokenizer'",
       [](auto& f) {
         f["pre_tokenizer"] = {{"type", "ByteLevel"}};
       }},
      {"'pre_tokenizer'", [](auto& f) { f.erase("pre_tokenizer"); }},
      {"'decoder'", [](auto& f) { f["decoder"] = nullptr; }},
      {"'model.type'", [](auto& f) { f["model"]["type"] = "Unigram"; }},
      {"'model.byte_fallback'", [](auto& f) { f["model"]["byte_fallback"] = false; }},
      {"'model.merges'",
       [](auto& f) {
         f["model"]["merges"].push_back({"a", "b"});
       }},
      {"no 'model'", [](auto& f) { f.erase("model"); }},
      {"model is not an object", [](auto& f) { f["model"] = 3; }},
      {"'model.vocab' is not", [](auto& f) { f["model"]["vocab"] = 3; }},
      {"to both", [](auto& f) { f["model"]["vocab"]["a"] = f["model"]["vocab"]["b"]; }},
      {"outside 0 to", [](auto& f) { f["model"]["vocab"]["a"] = 1000000000; }},
      {"outside 0 to", [](auto& f) { f["model"]["vocab"]["a"] = -1; }},
      {"outside 0 to", [](auto& f) { f["model"]["vocab"].erase("a"); }},
      {"empty token", [](auto& f) { f["model"]["vocab"][""] = 0; }},
      {"'added_tokens' is not", [](auto& f) { f["added_tokens"] = 1; }},
      {"'added_tokens[1].id'", [](auto& f) { f["added_tokens"][1]["id"] = 999999; }},
      {"'added_tokens[1].id' repeats",
       [](auto& f) { f["added_tokens"][1] = f["added_tokens"][0]; }},
      {"'added_tokens[6].lstrip'", [](auto& f) { f["added_tokens"][6]["lstrip"] = true; }},
      {"'added_tokens[6].content'", [](auto& f) { f["added_tokens"][6]["content"] = "x"; }},
      {"'<|pad|>' is not among", [](auto& f) { f["added_tokens"].erase(0); }},
      {"no token '<0x41>'",
       [](auto& f) {
         f["model"]["vocab"]["other"] = f["model"]["vocab"]["<0x41>"];
         f["model"]["vocab"].erase("<0x41>");
       }},
  };
  for (const auto& [message, edit] : edits) {
    INFO(message);
    gaze::io::Json file = good;
    edit(file);
    gaze::io::write_file(path, file.dump());
    const std::string error = error_of([&] { Tokenizer::load(path); });
    CHECK(contains(error, message));
    CHECK(contains(error, path));
  }
  gaze::io::write_file(path, std::string_view("{\"version\": \"1.0\", \"version\": \"1.0\"}"));
  CHECK(contains(error_of([&] { Tokenizer::load(path); }), "'version' is there twice"));
  gaze::io::write_file(path, std::string_view("{\"version\":"));
  CHECK_THROWS_AS(Tokenizer::load(path), gaze::Error);
  CHECK(contains(error_of([&] { Tokenizer::load(path + "x"); }), "cannot open"));
}

TEST_CASE("a hundred thousand short texts are encoded quickly") {
  const Tokenizer tokenizer = small_tokenizer();
  const std::string text = corpus()[1];
  const auto start = std::chrono::steady_clock::now();
  std::size_t tokens = 0;
  for (int i = 0; i < 100000; ++i) tokens += tokenizer.encode(text).size();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  CHECK(tokens == 100000 * tokenizer.encode(text).size());
  // 0.06 s when this was written; the bound allows a busy machine and a debug build.
  CHECK(seconds.count() < 10.0);
}

TEST_CASE("write tokenizer.json for make_tokenizer_golden.py", "[.golden]") {
  small_tokenizer().save("tokenizer.json");
  CHECK(Tokenizer::load("tokenizer.json").vocab_size() == small_tokenizer().vocab_size());
}

}  // namespace test_tokenizer
