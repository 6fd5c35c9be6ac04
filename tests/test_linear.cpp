// SPDX-License-Identifier: MIT
// Texts made to take long. Each is so large that quadratic code would run into the test's time-out.
#include <string>

#include "phyx/data/fields.hpp"
#include "phyx/data/pictures.hpp"
#include "phyx/data/prompt.hpp"
#include "phyx/scoring/official.hpp"
#include "phyx/scoring/prediction_join.hpp"
#include "phyx/scoring/predictions.hpp"
#include "phyx/scoring/python_text.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_linear {
namespace {

using namespace gaze::phyx;
using gaze::test::contains;
using gaze::test::error_of;
using gaze::test::repeated;

constexpr std::size_t many = 1'000'000;
constexpr RecordPlace place{"test", "file", "row", 1};

}  // namespace

TEST_CASE("a near-matching truth takes linear time") {
  const std::string truth = std::string(many, 'a') + 'b', reply(2 * many, 'a');
  for (const auto rules : {OfficialRules::latest, OfficialRules::may_2025})
    for (const Form form : {Form::mc, Form::oe}) {
      CHECK_FALSE(score_official(form, truth, reply, rules).match);
      CHECK(score_official(form, truth, reply + truth + ":", rules).match);
    }
}

TEST_CASE("text search finds the same places as std::find") {
  const auto contains = [](const std::string& text, const std::string& word) {
    return python::contains(python::to_points(text), python::to_points(word));
  };
  for (unsigned seed = 1, t = 0; t < 20000; ++t) {  // texts of two letters: borders everywhere
    std::string text, word;
    for (std::string* s : {&text, &word}) {
      const unsigned size = (seed = seed * 1664525u + 1013904223u) >> (s == &text ? 28 : 29);
      for (unsigned i = 0; i < size; ++i)
        *s += (seed = seed * 1664525u + 1013904223u) >> 31 ? 'a' : 'b';
    }
    INFO("'" << text << "' contains '" << word << "'");
    REQUIRE(contains(text, word) == contains(text, word));
  }
}

TEST_CASE("replacements in an extracted answer take linear time") {
  const std::string reply = "final answer: " + repeated("\\pi\\dfrac", many / 4);
  const auto score = score_official(Form::oe, "1", reply);
  CHECK(score.extracted == repeated("3.14\\frac", many / 4));
}

TEST_CASE("unclosed constructs and repeated words take linear time") {
  for (const char* part : {"\\boxed{",
                           "{'a':",
                           "(",
                           "[",
                           "'a' ",
                           "\"",
                           "{a:",
                           "{a ",
                           ", a",
                           "final ",
                           "correct answer ",
                           "answer",
                           "\\",
                           "A",
                           "0_",
                           "\xCE\xA3'",
                           "b'a'",
                           "'\\x",
                           "#\n",
                           "{(",
                           "\n\n"}) {
    INFO(part);
    const std::string reply = repeated(part, many / 2 / std::string(part).size());
    for (const auto rules : {OfficialRules::latest, OfficialRules::may_2025})
      for (const Form form : {Form::mc, Form::oe})
        CHECK(!score_official(form, "1 m", reply, rules).match);
  }
}

TEST_CASE("lists and options take linear time") {
  const std::string blanks(many, ' ');
  CHECK(parse_list("[" + repeated("a,", many / 4) + blanks + "]").size() == many / 4);
  CHECK(parse_list(blanks + "a" + blanks + "," + blanks + "b" + blanks).size() == 2);
  CHECK(parse_list("a,,b, ") == std::vector<std::string>{"a", "", "b"});
  CHECK_FALSE(parse_options("A:\"" + repeated("\" , B :", many)));
  CHECK_FALSE(parse_options(repeated("A:\"\",", many)));
  CHECK_FALSE(parse_options("A:\"" + repeated("\"  , ", many)));
  CHECK_FALSE(options_of_prompt("OPTION: " + repeated("A: B: C: ", many)));
  CHECK(contains(error_of([] { single_item("[" + repeated(",", many), "image", place); }),
                 "a list of several pictures"));
}

TEST_CASE("a different category spelling in every row takes linear time") {
  std::vector<OfficialItem> items;
  for (int i = 0; i < 300000; ++i) items.push_back({"Optics " + std::to_string(i), i % 2 == 0});
  CHECK(official_csv(items).size() > 5000000);
}

TEST_CASE("overlong answers, lists and replies are refused with their field") {
  const TsvLimits limits;
  const auto read = [](const std::string& text, const std::string& name, bool table) {
    const PredictionFiles files{name, {}, {}};
    PredictionJoin join(files, !table, {});
    PredictionRecord record;
    record.row = 3;
    record.fields = {{"answer", "5 N"}, {"prediction", "5 N"}, {"form", "OE"}};
    record.fields[name] = text;
    return error_of([&] { join(record); });
  };
  const std::string huge(limits.reply_bytes + 1, 'x');
  CHECK(contains(read(huge, "prediction", true), "row 3, prediction: over 4194304 bytes"));
  CHECK(contains(read(huge, "answer", false), "line 3, answer: over 65536 bytes"));
  CHECK(contains(read(huge, "reasoning_type", true), "row 3, reasoning_type: over 4096 bytes"));
  CHECK(read(std::string(limits.reply_bytes, 'x'), "prediction", true).empty());
}

}  // namespace test_linear
