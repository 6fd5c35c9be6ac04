// SPDX-License-Identifier: MIT
// Answers as language models write them, each with what a fair reader gives it: `gaze score` must
// agree. strict_cases.jsonl holds reported faults, strict_kinds.jsonl what is of their kind.
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "phyx/scoring/score.hpp"
#include "tests/program.hpp"
#include "tests/test.hpp"

#ifndef GAZE_TEST_DATA
#define GAZE_TEST_DATA "tests/data"
#endif

namespace {

using namespace gaze;
using namespace gaze::phyx;
using nlohmann::json;

std::string data(const std::string& name) { return std::string(GAZE_TEST_DATA) + "/" + name; }

std::vector<json> cases_in(const std::string& name) {
  std::ifstream file(data(name));
  std::vector<json> out;
  for (std::string line; std::getline(file, line);) out.push_back(json::parse(line));
  return out;
}

/// Every case of a file by the functions that `gaze score --predictions` calls.
std::size_t check_all(const std::string& name) {
  const auto cases = cases_in(name);
  const auto rows =
      score_rows(read_predictions({data(name), {}, {}}).predictions, OfficialRules::latest);
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

TEST_CASE("strict rule: the reported answers", "[strict]") {
  CHECK(check_all("strict_cases.jsonl") == 41);
}

TEST_CASE("strict rule: answers of the same kinds", "[strict]") {
  CHECK(check_all("strict_kinds.jsonl") > 1300);
}

TEST_CASE("strict rule: the program gives the same verdicts and reports what is left out") {
  if (!test::have_program()) return;
  for (const std::string name : {"strict_cases.jsonl", "strict_kinds.jsonl"}) {
    const std::string out = test::at("out_" + name);
    const auto done = test::gaze_run({"score", "--predictions", data(name), "--out", out});
    INFO(done.err);
    REQUIRE(done.code == 0);
    TsvReader reader(out + "/scores.tsv");
    TsvReader::Row cells;
    for (const auto& one : cases_in(name)) {
      REQUIRE(reader.next(cells));
      INFO(one.dump());
      CHECK(cells[reader.column("strict")] == (one.at("right") == 1 ? "1" : "0"));
      const bool noted = test::holds(cells[reader.column("strict_extracted")], " [no direction]");
      CHECK(noted == one.contains("note"));
    }
    CHECK(test::holds(done.out, "although the direction is missing") ==
          (name == "strict_kinds.jsonl"));
  }
}
