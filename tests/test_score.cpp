// SPDX-License-Identifier: MIT
// Predictions of any model: reading, joining with problems, scoring and writing.
#include "phyx/scoring/score.hpp"

#include "tests/folder.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_score {
namespace {

using namespace gaze;
using namespace gaze::phyx;
using gaze::test::contains;
using gaze::test::error_of;
using gaze::test::Folder;
namespace fs = std::filesystem;

const std::string options =
    "What is F?Please directly answer the question and provide the correct OPTION LETTER ONLY, "
    "e.g., A, B, C, D. OPTION: A: 1 N B: 2 N C: 3 N D: 4 N";

/// Two multiple-choice and two open-ended problems in PhyX's table format.
std::string mc_table() {
  return "index\tquestion\tanswer\timage\tcategory\tsubfield\treasoning_type\n0\t" + options +
         "\tB\tpicture\tMechanics\tStatics\t\"['Numerical Reasoning']\"\n1\t" + options +
         "\tA\tpicture\tOptics\t\t\n";
}
std::string oe_table() {
  return "index\tquestion\tanswer\timage\tcategory\tsubfield\treasoning_type\n"
         "0\tWhat is F?\t12 N\tpicture\tMechanics\tStatics\tNumerical Reasoning, Predictive "
         "Reasoning\n1\tHow long?\t3 m \tpicture\tOptics\t\t\n";
}

std::vector<ScoredRow> scored(const PredictionFiles& files,
                              OfficialRules rules = OfficialRules::latest) {
  return score_rows(read_predictions(files).predictions, rules);
}

/// Two digits per row, 1 for right: the strict rule, then the official one.
std::string verdicts(const std::vector<ScoredRow>& rows) {
  std::string out;
  for (const auto& r : rows)
    out += std::string(out.empty() ? "" : " ") + (r.strict.correct ? "1" : "0") +
           (r.official.match ? "1" : "0");
  return out;
}

std::size_t lines_of(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

TEST_CASE("score: predictions in JSONL and tables are matched to data by index") {
  const Folder folder("score");
  const std::string mc = folder.put("PhyX_MC.tsv", mc_table()),
                    oe = folder.put("PhyX_OE.tsv", oe_table());
  const std::string lines =
      folder.put("said.jsonl",
                 "{\"index\":\"0\",\"form\":\"MC\",\"prediction\":\"B\"}\n\n"
                 "{\"index\":1,\"form\":\"MC\",\"prediction\":\"A: 1 N B: 2 N C: 3 N D: 4 N\"}\n"
                 "{\"index\":0,\"form\":\"OE\",\"prediction\":\"The answer is 0.012 kN.\"}\n"
                 "{\"index\":1,\"form\":\"OE\",\"prediction\":null}\n");
  const auto rows = scored({lines, {mc, oe}, {}});
  CHECK(verdicts(rows) == "10 01 10 00");
  CHECK(rows[3].prediction.text == "nan");
  CHECK(rows[2].prediction.row == 4);  // the blank line counts
  const std::string table = folder.put("said.tsv",
                                       "prediction\tform\tindex\nB\tMC\t0\n"
                                       "A: 1 N B: 2 N C: 3 N D: 4 N\tMC\t1\n"
                                       "The answer is 0.012 kN.\tOE\t0\n\tOE\t1\n");
  CHECK(verdicts(scored({table, {mc, oe}, {}})) == "10 01 10 00");
  const std::string few = folder.put("few.tsv", "index\tprediction\n1\tcorrect option: A\n");
  const auto set = read_predictions({few, {mc}, {}});
  CHECK(set.predictions.size() == 1);
  CHECK(set.unanswered == 1);
}

TEST_CASE("score: a file that contains the truth needs no data") {
  const Folder folder("score");
  std::string text = mc_table();
  text.replace(text.find("reasoning_type\n"), 15, "reasoning_type\tprediction\n");
  text.replace(text.find("Reasoning']\"\n"), 13, "Reasoning']\"\tcorrect: B\n");
  text.replace(text.size() - 1, 1, "\tB: 2 N\n");
  const std::string path = folder.put("model_PhyX_MC.tsv", text);
  const auto rows = scored({path, {}, {}});
  CHECK(verdicts(rows) == "11 00");
  CHECK(rows[0].prediction.problem.category == "Mechanics");
  CHECK(rows[0].prediction.problem.reasoning.size() == 1);

  const std::string bare = folder.put("bare_OE.jsonl",
                                      "{\"answer\":\"12 N\",\"prediction\":\"12 N\"}\n"
                                      "{\"answer\":\"12 N\",\"prediction\":\"12 kg\"}\n");
  CHECK(verdicts(scored({bare, {}, {}})) == "11 00");
  const std::string plain = folder.put("plain.tsv", "answer\tprediction\nB\tB\n");
  CHECK(contains(error_of([&] { scored({plain, {}, {}}); }), "neither _MC nor _OE; set --form"));
  PredictionFiles files{plain, {}, {}};
  files.reading.form = Form::mc;
  CHECK(verdicts(scored(files)) == "10");
}

TEST_CASE("score: the official rule reads the truth like pandas, the strict rule as written") {
  const Folder folder("score");
  const std::string head = "index\tquestion\tanswer\tcategory\n";
  const std::string data =
      folder.put("n_OE.tsv", head + "0\tq\t12\tOptics\n1\tq\t2.5\tOptics\n2\tq\t\tOptics\n");
  const std::string said =
      folder.put("said.jsonl",
                 "{\"index\":0,\"prediction\":\"12\"}\n{\"index\":1,\"prediction\":\"2.5\"}\n"
                 "{\"index\":2,\"prediction\":\"\"}\n");
  const auto rows = scored({said, {data}, {}});
  CHECK(rows[0].prediction.official_answer == "12.0");
  CHECK(verdicts(rows) == "10 11 01");  // a missing truth is "nan", and so is a missing prediction
  const std::string self = folder.put("self_OE.tsv", "answer\tprediction\n12\t12.0\n2.5\t2.50\n");
  CHECK(verdicts(scored({self, {}, {}})) == "11 11");
  CHECK(scored({self, {}, {}})[1].official.match);  // "2.5" is in "2.50"
}

TEST_CASE("score: the official rule reads physical constants like pandas") {
  const Folder folder("score");
  const std::string data = folder.put("exp_OE.tsv",
                                      "index\tquestion\tanswer\timage\tcategory\n"
                                      "0\tq\t6.626e-34\t0\tModern Physics\n"
                                      "1\tq\t0.5\t0\tOptics\n"
                                      "2\tq\t1.38e-23\t0\tThermodynamics\n");
  const std::string said =
      folder.put("exp.jsonl",
                 "{\"index\":\"0\",\"prediction\":\"The answer is 6.626e-34\"}\n"
                 "{\"index\":\"1\",\"prediction\":\"0.5\"}\n"
                 "{\"index\":\"2\",\"prediction\":\"final answer: 1.38e-23\"}\n");
  const auto rows = scored({said, {data}, {}});
  CHECK(rows[0].prediction.official_answer == "6.626000000000001e-34");
  CHECK(rows[2].prediction.official_answer == "1.3799999999999998e-23");
  CHECK_FALSE(rows[0].official.match);
  CHECK(rows[1].official.match);
  CHECK_FALSE(rows[2].official.match);
  CHECK(rows[0].prediction.problem.answer == "6.626e-34");  // the strict rule reads what is written
}

TEST_CASE("score: a column of numeric predictions is typed like pandas") {
  const Folder folder("score");
  const std::string path = folder.put("numpred_OE.tsv",
                                      "index\tquestion\tanswer\tcategory\tprediction\n"
                                      "0\tq\t12\tOptics\t12\n1\tq\t0.5\tOptics\t0.50\n"
                                      "2\tq\t7\tOptics\t7\n");
  const auto rows = scored({path, {}, {}});
  CHECK(verdicts(rows) == "11 11 11");
  CHECK(rows[0].prediction.official_text == "12.0");
  CHECK(rows[1].prediction.official_text == "0.5");
  CHECK(rows[0].prediction.text == "12");
  const std::string data = folder.put("n_OE.tsv",
                                      "index\tquestion\tanswer\tcategory\n0\tq\t12\tOptics\n"
                                      "1\tq\t3\tOptics\n");
  const std::string table = folder.put("t.tsv", "index\tprediction\n0\t12\n1\t3.5\n");
  const std::string lines = folder.put(
      "t.jsonl", "{\"index\":0,\"prediction\":\"12\"}\n{\"index\":1,\"prediction\":\"3.5\"}\n");
  CHECK(scored({table, {data}, {}})[0].prediction.official_text == "12.0");  // "12" is in it
  CHECK(scored({table, {data}, {}})[0].official.match);
  CHECK(scored({lines, {data}, {}})[0].prediction.official_text == "12");  // JSON has texts
}

TEST_CASE("score: the rules of May 2025 can be selected") {
  const Folder folder("score");
  const std::string path =
      folder.put("boxed_OE.jsonl",
                 "{\"answer\":\"\\\\frac{1}{2}\",\"prediction\":\"\\\\boxed{\\\\dfrac{1}{2}}\"}\n");
  CHECK(scored({path, {}, {}})[0].official.match);
  CHECK_FALSE(scored({path, {}, {}}, OfficialRules::may_2025)[0].official.match);
}

TEST_CASE("score: errors name file, row and field") {
  const Folder folder("score");
  const std::string mc = folder.put("PhyX_MC.tsv", mc_table()),
                    oe = folder.put("PhyX_OE.tsv", oe_table());
  const auto wrong = [&](const std::string& name, const std::string& text,
                         const std::vector<std::string>& data, const std::string& part) {
    const std::string path = folder.put(name, text);
    const std::string error = error_of([&] { read_predictions({path, data, {}}); });
    INFO(error);
    CHECK(contains(error, path + part));
  };
  wrong("a.jsonl", "{\"index\":\"0\",\"prediction\":\"A\"}\n\n{\n", {mc}, " line 3");
  wrong("a.jsonl", "[]\n", {mc}, " line 1, record: not a JSON object");
  wrong("a.jsonl", "{\"index\":\"x\",\"prediction\":\"A\"}\n", {mc},
        " line 1, index: no problem x in the data");
  wrong("a.jsonl", "{\"prediction\":\"A\"}\n", {mc}, " line 1, index: missing");
  wrong("a.jsonl", "{\"index\":\"0\",\"prediction\":7}\n", {mc}, " line 1, prediction: not a text");
  wrong("a.jsonl", "{\"index\":\"0\",\"form\":\"XY\"}\n", {mc}, " line 1, form: neither MC nor OE");
  wrong("a.jsonl", "{\"index\":\"0\",\"prediction\":\"A\"}\n", {mc, oe},
        " line 1, form: the data contain problem 0 both as MC and as OE");
  wrong("a.jsonl", "{\"index\":\"0\"}\n{\"index\":\"0\"}\n", {mc},
        " line 2, index: a second prediction");
  wrong("a_MC.jsonl", "{\"index\":\"0\",\"prediction\":\"A\"}\n", {}, " line 1, answer: missing");
  wrong("a.tsv", "index\tanswer\n0\tA\n", {mc}, " header: no column prediction");
  wrong("a_MC.tsv", "answer\tprediction\nE\tA\n", {}, " row 1, answer: not a letter");
  wrong("a_MC.tsv", "answer\tcategory\tprediction\nA\tOptics\tA\nA\tAlchemy\tA\n", {},
        " row 2, category: unknown domain \"Alchemy\"");
  wrong("a_MC.tsv", "answer\treasoning_type\tprediction\nA\tGuessing\tA\n", {},
        " row 1, reasoning_type: unknown type");
  wrong("a.tsv", "index\tprediction\n", {mc}, ": contains no predictions");
  wrong("a.tsv", "index\tprediction\n0\t\"A\n", {mc}, " row 1: the file ends inside quotes");
  const std::string convert =
      ": is Parquet; in its folder, convert it with: python3 -c \"import pandas; ";
  wrong("a.parquet", "PAR1....PAR1", {mc},
        convert + "pandas.read_parquet('a.parquet').to_csv('a.tsv', sep='\\t', index=False)\"");
  wrong("a.tsv", "PAR1....PAR1", {mc},  // not onto itself
        convert + "pandas.read_parquet('a.tsv').to_csv('a_text.tsv', ");
  CHECK(contains(error_of([&] {
                   read_predictions({folder.put("b.tsv", "prediction\nA\n"), {mc, mc}, {}});
                 }),
                 mc + " row 1, index: 0 occurs twice"));
}

TEST_CASE("score: writes slices, tables and files") {
  const Folder folder("score");
  const std::string mc = folder.put("PhyX_MC.tsv", mc_table()),
                    oe = folder.put("PhyX_OE.tsv", oe_table());
  const std::string lines =
      folder.put("said.jsonl",
                 "{\"index\":0,\"form\":\"MC\",\"prediction\":\"B\"}\n"
                 "{\"index\":1,\"form\":\"MC\",\"prediction\":\"\\\"B:\\\"\\tor\\nD:\"}\n"
                 "{\"index\":0,\"form\":\"OE\",\"prediction\":\"The answer is 12 N\"}\n");
  auto rows = scored({lines, {mc, oe}, {}});
  const auto table = score_table(rows);
  const auto slice = [&](const std::string& format, const std::string& name) {
    for (const auto& s : table)
      if (s.format == format && s.name == name)
        return std::to_string(s.n) + ":" + std::to_string(s.strict) + std::to_string(s.official);
    return std::string();
  };
  CHECK(slice("all", "all") == "3:21");
  CHECK(slice("MC", "all") == "2:10");
  CHECK(slice("OE", "all") == "1:11");
  CHECK(slice("all", "Mechanics") == "2:21");
  CHECK(slice("all", "Statics") == "2:21");
  CHECK(slice("OE", "Predictive Reasoning") == "1:11");
  CHECK(slice("all", "Numerical Reasoning") == "2:21");

  const std::string out = folder.file("out");
  write_scores(out, lines, rows);
  CHECK(folder.read("out/said_MC_acc.csv") ==
        "\"Overall\",\"Mechanics\",\"Optics\"\n\"0.0\",\"0.0\",\"0.0\"\n");
  CHECK(folder.read("out/said_OE_acc.csv") == "\"Overall\",\"Mechanics\"\n\"1.0\",\"1.0\"\n");
  TsvReader reader(out + "/scores.tsv");
  TsvReader::Row cells;
  REQUIRE(reader.next(cells));
  CHECK(cells[reader.column("strict")] == "1");
  CHECK(cells[reader.column("official")] == "0");
  REQUIRE(reader.next(cells));
  CHECK(cells[reader.column("prediction")] == "\"B:\"\tor\nD:");
  CHECK(cells[reader.column("official_extracted")] == "D");
  const auto results = read_results(out + "/results.csv");
  CHECK(results.size() == 2 * table.size());
  CHECK(results[0].metric == "accuracy_greedy");
  CHECK_FALSE(fs::exists(out + "/said_MC_judge_acc.csv"));
}

TEST_CASE("score: the official table keeps the file's category names") {
  const Folder folder("score");
  std::string text = oe_table();
  text.replace(text.find("Optics"), 6, "Wave/Acoustics");
  const std::string data = folder.put("PhyX_OE.tsv", text);
  const std::string said = folder.put("said.jsonl",
                                      "{\"index\":0,\"prediction\":\"12 N\"}\n"
                                      "{\"index\":1,\"prediction\":\"4 m\"}\n");
  const std::string csv = "\"Overall\",\"Mechanics\",\"Wave/Acoustics\"\n\"0.5\",\"1.0\",\"0.0\"\n";
  auto rows = scored({said, {data}, {}});
  CHECK(rows[1].prediction.problem.category == "Waves/Acoustics");  // in our own tables
  write_scores(folder.file("out"), said, rows);
  CHECK(folder.read("out/said_acc.csv") == csv);
  const std::string own = folder.put("own_OE.tsv",
                                     "answer\tcategory\tprediction\n12 N\tMechanics\t12 N\n"
                                     "3 m\tWave/Acoustics\t4 m\n5 m\tNA\t5\n");
  write_scores(folder.file("out"), own, scored({own, {}, {}}));
  CHECK(folder.read("out/own_OE_acc.csv") ==
        "\"Overall\",\"Mechanics\",\"Wave/Acoustics\"\n\"0.3333333333333333\",\"1.0\",\"0.0\"\n");
}

TEST_CASE("score: a stopped judge continues from its cache") {
  const Folder folder("score");
  std::string text;
  for (int i = 0; i < 5; ++i)
    text += "{\"answer\":\"12 N\",\"category\":\"Optics\",\"prediction\":\"about " +
            std::to_string(i) + "\"}\n";
  const std::string path = folder.put("said_OE.jsonl", text);
  const JudgePrompts prompts{"Choice.\n", "Open.\n"};
  int asked = 0;
  const Judge stub = [&](const std::string& prompt, double) {
    ++asked;
    return std::string(contains(prompt, "about 3") ? "1" : contains(prompt, "about 4") ? "?" : "0");
  };
  const std::string memory = folder.file("judge.jsonl");
  std::size_t told = 0;
  Listener stopping;
  stopping.progress = [&](std::size_t done, std::size_t all, const std::string&) {
    CHECK(all == 5);
    told = done;
  };
  stopping.stop = [&] { return told == 2; };
  {
    JudgeCache cache(memory);
    auto rows = scored({path, {}, {}});
    CHECK_THROWS_AS(ask_the_judge(rows, prompts, cache.wrap("m", stub), stopping), Interrupted);
    CHECK(asked == 3);
  }
  JudgeCache cache(memory);
  auto rows = scored({path, {}, {}});
  ask_the_judge(rows, prompts, cache.wrap("m", stub), {});
  CHECK(asked == 5 + 4);  // the last reply has no verdict, at five temperatures
  CHECK(undecided(rows) == 1);
  CHECK(rows[3].judged->match);
  const std::string out = folder.file("out");
  write_scores(out, path, rows);
  CHECK(folder.read("out/said_OE_judge_acc.csv") ==
        "\"Overall Acc\",\"Optics\"\n\"0.2\",\"0.2\"\n");
  TsvReader reader(out + "/scores.tsv");
  TsvReader::Row cells;
  while (reader.next(cells)) CHECK(cells.size() == 15);
  CHECK(cells[reader.column("judge_calls")] == "5");
  CHECK(lines_of(folder.read("judge.jsonl")) == 9);
}

TEST_CASE("score: a folder is refused for the official tables that would be written over") {
  const Folder folder("score");
  const std::string said = folder.put("100%.jsonl", "{\"answer\":\"12 N\",\"prediction\":\"1\"}\n");
  const std::string out = (folder.path / "out").string();
  fs::create_directories(out);
  folder.put("out/100%25_acc.csv", "");
  CHECK(contains(error_of([&] { check_scores_folder(out, said); }), "100%25_acc.csv"));
}

}  // namespace test_score
