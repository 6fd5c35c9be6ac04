// SPDX-License-Identifier: MIT
// The official rule score against cases made by running the official code, and its own corners.
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "phyx/score_official.hpp"
#include "tests/test.hpp"

#ifndef GAZE_TEST_DATA
#define GAZE_TEST_DATA "tests/data"
#endif

using namespace gaze::phyx;

namespace {

std::vector<nlohmann::json> cases(const std::string& file, const std::string& kind) {
  std::ifstream lines(std::string(GAZE_TEST_DATA) + "/" + file);
  std::vector<nlohmann::json> chosen;
  for (std::string line; std::getline(lines, line);) {
    auto one = nlohmann::json::parse(line);
    if (one.at("kind") == kind) chosen.push_back(std::move(one));
  }
  return chosen;
}

bool oe(const char* answer, const char* prediction) {
  return score_official(Form::oe, answer, prediction).match;
}

std::string oe_extracted(const char* prediction) {
  return score_official(Form::oe, "?", prediction).extracted;
}

}  // namespace

TEST_CASE("official score: every rule case of the official code (judge cases left out)", "[phyx]") {
  const auto all = cases("phyx_scoring_cases.jsonl", "score");
  CHECK(all.size() >= 100);
  for (const auto& one : all) {
    const Form form = one.at("mode") == "MC" ? Form::mc : Form::oe;
    const auto& truth = one.at("rule_latest");
    const auto score = score_official(form, one.at("answer").get<std::string>(),
                                      one.at("prediction").get<std::string>());
    INFO(one.at("id") << ": " << one.at("note"));
    CHECK(score.extracted == truth.at("extracted").get<std::string>());
    CHECK(score.match == (truth.at("match") == 1));
    if (form == Form::oe && truth.contains("pred"))
      CHECK(detail::to_utf8(detail::oe_reply(detail::to_points(
                one.at("prediction").get<std::string>()))) == truth.at("pred").get<std::string>());
  }
}

TEST_CASE("official score: aggregation cases (judge aggregation left out)", "[phyx]") {
  const auto all = cases("phyx_loader_cases.jsonl", "aggregate_rule");
  REQUIRE(!all.empty());
  for (const auto& one : all) {
    std::vector<OfficialItem> items;
    for (const auto& row : one.at("rows")) {
      const auto& prediction = row.at("prediction");
      const std::string reply = prediction.is_null() ? "nan" : prediction.get<std::string>();
      const auto score = score_official(Form::mc, row.at("answer").get<std::string>(), reply);
      CHECK(score.match == (one.at("matches").at(items.size()) == 1));
      items.push_back({row.at("category").get<std::string>(), score.match});
    }
    CHECK(official_csv(items) == one.at("csv").get<std::string>());
  }
  CHECK_THROWS_AS(official_csv({}), gaze::Error);
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
  CHECK(oe("K M", "{'content': '\\x4b M', [1]: 2}"));  // the repair makes "[1]" of the bad key
}

TEST_CASE("official score: what is no literal is scored as it stands", "[phyx]") {
  // Each of these would match through its content, were it read as a dict: its \x4b M is "K M".
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
