// SPDX-License-Identifier: MIT
// Corner cases of the official rule score. test_phyx_cases.cpp has the cases from the official
// code.
#include <string>
#include <vector>

#include "gaze/core/error.hpp"
#include "phyx/scoring/official.hpp"
#include "tests/test.hpp"

namespace test_score_official {

using namespace gaze::phyx;

namespace {

bool oe(const char* answer, const char* prediction) {
  return score_official(Form::oe, answer, prediction).match;
}

std::string oe_extracted(const char* prediction) {
  return score_official(Form::oe, "?", prediction).extracted;
}

}  // namespace

TEST_CASE("official score: the rules of May 2025 ignore boxes, dicts and failed calls", "[phyx]") {
  const auto old = [](Form form, const char* answer, const char* prediction) {
    return score_official(form, answer, prediction, OfficialRules::may_2025);
  };
  CHECK(old(Form::oe, "5 m", "\\boxed{5 M}").extracted == "SAME as predict");
  CHECK_FALSE(old(Form::oe, "5 m", "\\boxed{5 M}").match);
  CHECK(old(Form::oe, "5 m", "\\boxed{5 m}").match);
  CHECK_FALSE(old(Form::oe, "5 m", "5 M").match);
  CHECK(old(Form::oe, "5 m", "Final answer: 5 M").match);
  CHECK(old(Form::oe, "3.14", "Final answer: \\pi").extracted == "\\pi");
  CHECK(old(Form::mc, "A", "Failed to obtain answer via API.").extracted == "A");
}

TEST_CASE("official score: the tables of both scorings are right", "[phyx]") {
  const std::vector<OfficialItem> items = {{"Optics", true}, {"Mechanics", false}, {"a\"b", true}};
  CHECK(official_csv(items) ==
        "\"Overall\",\"Mechanics\",\"Optics\",\"a\"\"b\"\n"
        "\"0.6666666666666666\",\"0.0\",\"1.0\",\"1.0\"\n");
  CHECK(official_judge_csv(items) ==
        "\"Overall Acc\",\"Optics\",\"Mechanics\",\"a\"\"b\"\n"
        "\"0.6666666666666666\",\"1.0\",\"0.0\",\"1.0\"\n");
  CHECK_THROWS_AS(official_csv({}), gaze::Error);
  CHECK_THROWS_AS(official_judge_csv({}), gaze::Error);
}

TEST_CASE("official score: a dict reply is any Python literal", "[phyx]") {
  CHECK(oe_extracted("{'content': 'final answer: 5'}") == "5");
  CHECK(oe_extracted(
            "{'a': [1, (2,), {3}, None, -1.5e3, 0x1F, 2+3j], 'content': r'\\boxed{7}',}") == "7");
  CHECK(oe_extracted("{\n # why\n 'content': '''\\\\boxed{a}\n''' }") == "a");
  CHECK(oe_extracted("{'content': 'Final ' \"answer: \\x35\\u00e5\\63\"}") ==
        "5\u00e5"
        "3");
  CHECK(oe_extracted("{'content': 'answer', 'content': '\\\\boxed{last}'}") == "last");
  CHECK(oe_extracted("content: 'final answer: 5', why : 2") == "5");
  CHECK(oe("5 m", "{'content': '  5 M  '}"));
  CHECK(oe("K M", "{\"content\": '\\x4b M', [1]: 2}"));  // the repair makes "[1]" of the bad key
  CHECK_FALSE(oe("K M", "{'content': '\\x4b M', [1]: 2}"));  // and "'content'" of this one
  CHECK_FALSE(oe("5 m", "'content': '5 M'"));
}

TEST_CASE("official score: text that is not a literal is scored unchanged", "[phyx]") {
  // Each of these would match if it were read as a dict, because its \x4b M is "K M".
  for (const char* reply :
       {"{'content': '\\x4b M', (1, [2]): 2}", "{'content': '\\x4b M', 'a': true}",
        "['content', '\\x4b M']", "{'content': b'\\x4b M'}", "{'content': '\\x4b M', 'n': 007}",
        "{'content': '\\x4b M' 5}", "{'content': '\\x4b M', **{}}", "{'content': f'\\x4b M'}",
        "{'content': '\\x4b M"}) {
    INFO(reply);
    CHECK_FALSE(oe("K M", reply));
  }
  const std::string deep(100000, '[');
  CHECK_FALSE(score_official(Form::oe, "5", deep).match);
  CHECK(score_official(Form::oe, "[[", deep).match);
}

TEST_CASE("official score: strip and lower follow Python", "[phyx]") {
  CHECK(oe("\u3000 K \u0085", "\\boxed{\u212A}"));       // the Kelvin sign is a k
  CHECK(oe("\u0416 \u015E", "\\boxed{\u0436 \u015F}"));  // Cyrillic, Latin Extended-A
  CHECK(oe("\u03A3\u0391", "\\boxed{\u03C3\u03B1}"));    // a sigma that starts a word
  CHECK(oe("A\u03A3'", "\\boxed{a\u03C2'}"));            // one that ends it
  CHECK(oe("1\u03A3", "\\boxed{1\u03C3}"));              // none: nothing cased before it
  CHECK_FALSE(oe("\u00B5", "\\boxed{\u03BC}"));          // micro sign is not mu
  CHECK_FALSE(oe("X", "\\boxed{\u200Bx}"));              // zero-width space stays
  CHECK(oe("\u0130", "\\boxed{i\u0307}"));
  CHECK(oe("x", "f\u0130nal an\u017Fwer: X"));
  CHECK(oe("\xFF", "\\boxed{\xFF}"));  // bytes that are not UTF-8
  CHECK(score_official(Form::mc, "C", "answer\u00E9: C").extracted == "SAME as predict");
  CHECK(score_official(Form::mc, "C", "answer\U0001D434: C").extracted == "SAME as predict");
  CHECK(score_official(Form::mc, "C", "answer\u2014C").extracted == "C");
}

}  // namespace test_score_official
