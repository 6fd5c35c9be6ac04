// SPDX-License-Identifier: MIT
// Answers as language models write them, each with a fair reader's verdict, which `gaze score` must
// give. strict_cases.jsonl has reported faults, strict_kinds.jsonl variations of them.
#include <nlohmann/json.hpp>

#include "phyx/scoring/score.hpp"
#include "tests/data.hpp"
#include "tests/program.hpp"
#include "tests/test.hpp"

namespace test_strict_cases {
namespace {

using namespace gaze;
using namespace gaze::phyx;
using nlohmann::json;

/// Every case of a file by the functions that `gaze score --predictions` calls.
std::size_t check_all(const std::string& name) {
  const auto cases = test::json_lines(test::data_path(name));
  const auto rows = score_rows(read_predictions({test::data_path(name), {}, {}}).predictions,
                               OfficialRules::latest);
  REQUIRE(rows.size() == cases.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    INFO(cases[i].dump());
    INFO("extracted: " << rows[i].strict.extracted);
    CHECK(rows[i].strict.correct == (cases[i].at("right") == 1));
    if (cases[i].contains("note"))
      CHECK(rows[i].strict.note == cases[i].at("note").get<std::string>());
  }
  return rows.size();
}

}  // namespace

TEST_CASE("strict rule: reported answers get a fair verdict", "[strict]") {
  CHECK(check_all("strict_cases.jsonl") == 41);
}

TEST_CASE("strict rule: answers of the same kinds get a fair verdict", "[strict]") {
  CHECK(check_all("strict_kinds.jsonl") > 1300);
}

TEST_CASE("strict rule: the program gives the same verdicts and reports omissions") {
  if (!test::have_program()) return;
  for (const std::string name : {"strict_cases.jsonl", "strict_kinds.jsonl"}) {
    const std::string out = test::at("out_" + name);
    const auto done =
        test::gaze_run({"score", "--predictions", test::data_path(name), "--out", out});
    INFO(done.err);
    REQUIRE(done.code == 0);
    TsvReader reader(out + "/scores.tsv");
    TsvReader::Row cells;
    for (const auto& one : test::json_lines(test::data_path(name))) {
      REQUIRE(reader.next(cells));
      INFO(one.dump());
      CHECK(cells[reader.column("strict")] == (one.at("right") == 1 ? "1" : "0"));
      const bool noted =
          test::contains(cells[reader.column("strict_extracted")], " [no direction]");
      CHECK(noted == one.contains("note"));
    }
    CHECK(test::contains(done.out, "without the truth's direction") ==
          (name == "strict_kinds.jsonl"));
  }
}

}  // namespace test_strict_cases
