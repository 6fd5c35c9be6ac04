// SPDX-License-Identifier: MIT
// The lower bound of a text's number of ids: never above it, for any text and both tokenisers.
#include <random>
#include <string>
#include <vector>

#include "gaze/io/json.hpp"
#include "gaze/text/byte_pair.hpp"
#include "gaze/text/tokenizer.hpp"
#include "tests/data.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_least_ids {
namespace {

using gaze::io::Json;
using gaze::test::repeated;
using gaze::text::BytePairTokenizer;
using gaze::text::Tokenizer;

const std::string accented = "\xC3\xA9";  // an added token of the golden file

/// The tokeniser of the golden file, in which one added token, or none, takes the white space on
/// both sides.
BytePairTokenizer byte_pair(bool strips) {
  Json file = gaze::test::golden_json("byte_pair_golden.json")["tokenizer"];
  bool found = false;
  for (Json& token : file["added_tokens"]) {
    token["lstrip"] = token["rstrip"] = strips && token["content"] == accented;
    found = found || token["content"] == accented;
  }
  REQUIRE(found);
  return BytePairTokenizer::parse(file.dump(), "tokenizer.json");
}

Tokenizer words() {
  return Tokenizer::build({"the mass of the block is 12 kg", "an acceleration of 5 m/s^2"},
                          {.phrases = {"Answer with the letter of the right option."}});
}

/// Texts of a few parts each, many of which are tokens.
std::vector<std::string> texts() {
  const std::string parts[] = {" ",
                               repeated(" ", 40),
                               "\n",
                               "\xC2\xA0",
                               accented,
                               "the",
                               " acceleration",
                               "<|endoftext|>",
                               "<|end|>",
                               "Answer with the letter of the right option.",
                               std::string(1, '\0'),
                               "\x7F\xFF",
                               "12"};
  std::mt19937 random(3);
  std::vector<std::string> out;
  for (int i = 0; i < 500; ++i) {
    out.emplace_back();
    for (std::size_t n = random() % 6; n > 0; --n) out.back() += parts[random() % std::size(parts)];
  }
  return out;
}

void check_bound(const auto& tokenizer) {
  for (const std::string& text : texts()) {
    INFO(gaze::printable(text, 200));
    CHECK(tokenizer.least_ids(text) <= tokenizer.encode_plain(text).size());
  }
  CHECK(tokenizer.least_ids("") == 0);
  CHECK(tokenizer.least_ids("a") == 1);
  CHECK(tokenizer.least_ids(repeated("a", 100000)) > 300);  // and it is a bound
}

}  // namespace

TEST_CASE("no text has fewer ids than its bound says") {
  check_bound(words());
  check_bound(byte_pair(false));
  check_bound(byte_pair(true));
}

TEST_CASE("the longest token reaches the bound of words") {
  const std::string longest = "Answer with the letter of the right option.";
  const Tokenizer tokenizer = words();
  CHECK(tokenizer.encode_plain(repeated(longest, 7)).size() == 7);
  CHECK(tokenizer.least_ids(repeated(longest, 7)) == 7);
}

TEST_CASE("white space that an added token strips has no ids, so it does not count") {
  const std::string text = accented + repeated(" ", 10000) + accented;
  const BytePairTokenizer strips = byte_pair(true);
  CHECK(strips.encode_plain(text).size() == 2);
  CHECK(strips.least_ids(text) == 0);
  CHECK(byte_pair(false).least_ids(text) > 30);
}

}  // namespace test_least_ids
