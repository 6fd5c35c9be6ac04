// SPDX-License-Identifier: MIT
// PhyX's official scoring against cases made by running the official code: both versions of the
// rules, the language-model protocol, and the aggregated tables. GAZE_PHYX_CASES selects another
// file of cases. A case of an unknown kind is a failure.
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "gaze/io/json.hpp"
#include "gaze/io/sha256.hpp"
#include "phyx/scoring/llm_judge.hpp"
#include "phyx/scoring/official.hpp"
#include "phyx/scoring/python_text.hpp"
#include "tests/data.hpp"
#include "tests/folder.hpp"
#include "tests/test.hpp"

namespace test_phyx_cases {

using namespace gaze::phyx;
using gaze::test::data_path;
using gaze::test::Folder;
using gaze::test::json_lines;

namespace {

using Json = nlohmann::json;

std::string text(const Json& one, const char* key) { return one.at(key).get<std::string>(); }

Form form(const Json& one) {
  const std::string mode = text(one, "mode");
  REQUIRE((mode == "MC" || mode == "OE"));
  return mode == "MC" ? Form::mc : Form::oe;
}

void check_rules(const Json& one, const char* version, OfficialRules rules) {
  const Json& expected = one.at(version);
  INFO(version);
  const auto score = score_official(form(one), text(one, "answer"), text(one, "prediction"), rules);
  CHECK(score.extracted == text(expected, "extracted"));
  CHECK(score.match == (expected.at("match") == 1));
  if (expected.contains("pred"))
    CHECK(detail::to_utf8(detail::oe_reply(detail::to_points(text(one, "prediction")))) ==
          text(expected, "pred"));
}

/// A judge with fixed replies, the last of which repeats; records its prompts.
struct Stub {
  std::vector<std::string> replies, prompts = {};
  std::vector<double> temperatures = {};

  Judge judge() {
    return [this](const std::string& prompt, double temperature) {
      prompts.push_back(prompt);
      temperatures.push_back(temperature);
      return replies[std::min(prompts.size(), replies.size()) - 1];
    };
  }
};

const JudgePrompts prompts{"Multiple choice.\n", "Open.\n"};

void check_judged(const Json& one) {
  const Json& expected = one.at("llm_latest");
  for (const char* says : {"0", "1"}) {
    Stub stub{{says}};
    const auto judged = judge_official(form(one), text(one, "answer"), text(one, "prediction"),
                                       prompts, stub.judge());
    INFO("the judge says " << says);
    CHECK(judged.match == (expected.at(std::string("res_if_judge_says_") + says) == 1));
    CHECK(judged.extracted == text(expected, "extracted"));
    REQUIRE(stub.prompts.empty() == !expected.at("judge_called").get<bool>());
    if (!stub.prompts.empty())
      CHECK(stub.prompts[0] == prompts.prompt(form(one), text(one, "answer"),
                                              text(expected, "judge_sees_prediction")));
  }
}

void check_reply(const Json& one) {
  Stub stub{one.at("judge_replies").get<std::vector<std::string>>()};
  const auto judged = judge_official(form(one), text(one, "answer"), text(one, "prediction"),
                                     prompts, stub.judge());
  CHECK(judged.match == (one.at("res") == 1));
  CHECK(judged.calls == one.at("calls").get<int>());
  CHECK(judged.extracted == text(one, "extracted"));
  CHECK(judged.log == text(one, "log"));
  CHECK(stub.temperatures == one.at("temperatures").get<std::vector<double>>());
}

}  // namespace

TEST_CASE("phyx cases: every score and judgement of the official code is reproduced", "[phyx]") {
  const char* other = std::getenv("GAZE_PHYX_CASES");
  const auto all = json_lines(other ? other : data_path("phyx_scoring_cases.jsonl"));
  CHECK(all.size() >= (other ? 1 : 124));
  for (const Json& one : all) {
    INFO(text(one, "id") << ": " << text(one, "note"));
    const std::string kind = text(one, "kind");
    if (kind == "score") {
      check_rules(one, "rule_latest", OfficialRules::latest);
      check_rules(one, "rule_2025_05_23", OfficialRules::may_2025);
      check_judged(one);
    } else if (kind == "judge_reply") {
      check_reply(one);
    } else {
      FAIL("a case of unknown kind '" << kind << "'");
    }
  }
}

TEST_CASE("phyx cases: the tables of both scorings are reproduced", "[phyx]") {
  std::size_t tables = 0;
  for (const Json& one : json_lines(data_path("phyx_loader_cases.jsonl"))) {
    const std::string kind = text(one, "kind");
    if (kind != "aggregate_rule" && kind != "aggregate_llm") continue;
    ++tables;
    INFO(text(one, "id"));
    std::vector<OfficialItem> items;
    for (const Json& row : one.at("rows")) {
      if (kind == "aggregate_llm") {
        items.push_back({text(row, "category"), row.at("res") == 1});
        continue;
      }
      const std::string said = row.at("prediction").is_null() ? "nan" : text(row, "prediction");
      const auto score = score_official(Form::mc, text(row, "answer"), said);
      CHECK(score.match == (one.at("matches").at(items.size()) == 1));
      items.push_back({text(row, "category"), score.match});
    }
    CHECK((kind == "aggregate_llm" ? official_judge_csv(items) : official_csv(items)) ==
          text(one, "csv"));
  }
  CHECK(tables == 2);
}

TEST_CASE("a judge's replies are cached on disk, failed calls are not", "[phyx]") {
  const Folder folder("phyx_cases");
  const std::string path = folder.file("judge.jsonl");
  Stub stub{{"1", judge_failed, "0"}};
  {
    JudgeCache cache(path);
    const Judge judge = cache.wrap("model", stub.judge());
    CHECK(judge("a", 0) == "1");
    CHECK(judge("a", 0) == "1");
    CHECK(stub.prompts.size() == 1);
    CHECK(judge("b", 0) == judge_failed);
    CHECK(judge("b", 0) == "0");
    CHECK(judge("a", 0.5) == "0");  // another temperature is another call
    CHECK(cache.size() == 3);
  }
  std::ofstream(path, std::ios::app) << "{\"key\": \"cut";
  Stub silent{{"2"}};
  {
    JudgeCache again(path);
    CHECK(again.size() == 3);
    CHECK(again.wrap("model", silent.judge())("b", 0) == "0");
    CHECK(again.wrap("other", silent.judge())("b", 0) == "2");
  }
  std::ofstream(path) << "{\"reply\": 5}\n";
  CHECK_THROWS_WITH(JudgeCache(path), Catch::Contains(path + " line 1"));
}

TEST_CASE("the judge's prompts are read only from the official source", "[phyx]") {
  const std::string source =
      "def get_ICE():\n  one = \"\"\"first\\n\"\"\"\n  two = \"\"\"second\"\"\"\n  return [one, "
      "two]\n"
      "def get_ICE_MC():\n  one = \"\"\"m\"\"\"\n  return [one]\n"
      "def build_phyx_gpt4_prompt(line):\n  task = \"\"\"Task.\n\"\"\"\n"
      "def build_phyx_gpt4_prompt_MC(line):\n  task = \"\"\"Choice.\n\"\"\"\n";
  const auto read = JudgePrompts::parse(source, "phyx.py");
  CHECK(read.oe == "Task.\nfirst\n\nsecond\n");
  CHECK(read.mc == "Choice.\nm\n");
  CHECK_FALSE(read.official());
  CHECK_THROWS_WITH(JudgePrompts::parse("x = 1", "phyx.py"), Catch::Contains("no function"));
  const Folder folder("phyx_cases");
  const std::string path = folder.file("phyx.py");
  std::ofstream(path) << source;
  CHECK_THROWS_WITH(JudgePrompts::read(path), Catch::Contains("SHA-256"));
}

TEST_CASE("SHA-256 reproduces the published digests", "[phyx]") {
  CHECK(gaze::io::sha256("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(gaze::io::sha256("abc") ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(gaze::io::sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

}  // namespace test_phyx_cases
