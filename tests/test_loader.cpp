// SPDX-License-Identifier: MIT
// Problem files: PhyX's tables and JSONL, the suite's extra columns, round trips, damaged input.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "phyx/data/reader.hpp"
#include "tests/data.hpp"
#include "tests/problem_files.hpp"
#include "tests/test.hpp"

namespace test_loader {

using namespace gaze::phyx;
using Catch::Contains;
using namespace gaze::test::problems;
namespace fs = std::filesystem;

namespace {

std::vector<nlohmann::json> cases(const std::string& kind) {
  std::vector<nlohmann::json> chosen;
  for (auto& one : gaze::test::json_lines(gaze::test::data_path("phyx_loader_cases.jsonl")))
    if (one.at("kind") == kind) chosen.push_back(std::move(one));
  REQUIRE(!chosen.empty());
  return chosen;
}

std::array<std::string, 4> options_in(const std::string& raw) {
  const auto parsed = parse_options(raw);
  REQUIRE((parsed && parsed->size() == 4));
  return {parsed->at(0).second, parsed->at(1).second, parsed->at(2).second, parsed->at(3).second};
}

std::vector<Problem> suite(Form form) {
  std::vector<Problem> problems(4);
  for (std::size_t i = 0; i < problems.size(); ++i) {
    Problem& p = problems[i];
    p.index = std::to_string(i + 100);
    p.form = form;
    p.options = form == Form::mc ? std::array<std::string, 4>{"1 m", "a: b", "\"3\"", "4\tm"}
                                 : std::array<std::string, 4>{};
    p.question = render_prompt(form, "Line 1\nline \"2\"", "tab\there?", p.options);
    p.answer = form == Form::mc ? "C" : "5 m ";
    p.image = picture(static_cast<std::uint8_t>(i / 2), i >= 2);  // two pairs of equal pictures
    p.category = domains[i];
    p.reasoning = {reasoning_types[i], reasoning_types[5]};
  }
  Problem& full = problems[1];
  full.subfield = "Dynamics";
  full.split = "test_new";
  full.template_id = "incline_acceleration";
  full.needs_image = false;
  full.layout_only = true;
  full.solution = {{"mass = 5 kg"}, "newton second law", {"5 * 2 = 10", "\"so\""}, "10", "N"};
  full.scene = {"incline 30", {"incline", "30"}, {{"block", 0.1f, 0.2f, 0.3f, 1.0f}}};
  return problems;
}

void check_equal(const Problem& a, const Problem& b) {
  INFO(a.index);
  CHECK(a.index == b.index);
  CHECK(a.form == b.form);
  CHECK(a.question == b.question);
  CHECK(a.options == b.options);
  CHECK(a.answer == b.answer);
  CHECK(a.image == b.image);
  CHECK(a.category == b.category);
  CHECK(a.subfield == b.subfield);
  CHECK(a.reasoning == b.reasoning);
  CHECK(a.split == b.split);
  CHECK(a.template_id == b.template_id);
  CHECK(a.needs_image == b.needs_image);
  CHECK(a.layout_only == b.layout_only);
  CHECK(a.solution.look == b.solution.look);
  CHECK(a.solution.principle == b.solution.principle);
  CHECK(a.solution.steps == b.solution.steps);
  CHECK(a.solution.value == b.solution.value);
  CHECK(a.solution.unit == b.solution.unit);
  CHECK(a.scene.caption == b.scene.caption);
  CHECK(a.scene.slots == b.scene.slots);
  REQUIRE(a.scene.regions.size() == b.scene.regions.size());
  for (std::size_t i = 0; i < a.scene.regions.size(); ++i) {
    const Region &r = a.scene.regions[i], &s = b.scene.regions[i];
    CHECK(r.name == s.name);
    CHECK((r.x0 == s.x0 && r.y0 == s.y0 && r.x1 == s.x1 && r.y1 == s.y1));
  }
}

}  // namespace

TEST_CASE("loader: option strings, prompts and open-ended truths match the cases", "[phyx]") {
  for (const auto& one : cases("options")) {
    INFO(one.at("id"));
    const auto parsed = parse_options(one.at("raw").get<std::string>());
    REQUIRE(parsed.has_value());
    nlohmann::json found;
    for (const auto& [label, value] : *parsed) found[std::string(1, label)] = value;
    CHECK(found == one.at("parsed"));
    CHECK((parsed->size() == 4) == one.at("complete").get<bool>());
  }
  for (const auto& one : cases("prompt")) {
    const bool mc = one.at("mode") == "MC";
    std::array<std::string, 4> options;
    if (mc) options = options_in(one.at("options").get<std::string>());
    const std::string prompt =
        render_prompt(mc ? Form::mc : Form::oe, one.at("description"), one.at("question"), options);
    CHECK(prompt == one.at("rendered").get<std::string>());
    if (mc) CHECK(options_of_prompt(prompt) == options);
  }
  for (const auto& one : cases("oe_target")) {
    const auto letter = one.at("answer").get<std::string>()[0];
    CHECK(options_in(one.at("options"))[static_cast<std::size_t>(letter - 'A')] ==
          one.at("target").get<std::string>());
  }
  CHECK_FALSE(parse_options("A:\"1\",B:\"2\" and more"));
  CHECK_FALSE(parse_options("A:1,B:2"));
  CHECK_FALSE(parse_options("A:\"1"));
}

TEST_CASE("loader: options are parsed from a prompt", "[phyx]") {
  using Four = std::array<std::string, 4>;
  CHECK(options_of_prompt("x OPTION: A: 1 B: 2 C: 3 D: 4") == Four{"1", "2", "3", "4"});
  CHECK(options_of_prompt("OPTION: A:1 B:2\nC:3 D:") == Four{"1", "2", "3", ""});
  CHECK(options_of_prompt("OPTION: A:  B: C: x D: y") == Four{"", "", "x", "y"});
  CHECK(options_of_prompt("OPTION: A: D: 1 B: AB: 2 C: B: 3 D: A: 4") ==
        Four{"D: 1", "AB: 2", "B: 3", "A: 4"});
  CHECK(options_of_prompt("OPTION: A: ratio B:C B: 2 C: 3 D: 4") ==
        Four{"ratio B:C", "2", "3", "4"});
  CHECK_FALSE(options_of_prompt("OPTION: A: 1 B: 2 C: 3"));
  CHECK_FALSE(options_of_prompt("A: 1 B: 2 C: 3 D: 4"));
}

TEST_CASE("loader: names of forms, domains and reasoning types are recognised", "[phyx]") {
  CHECK(form_of_path("x_OE/PhyX_mini_MC.tsv") == Form::mc);
  CHECK(form_of_path("PhyX_mini_OE_FT.tsv") == Form::oe);
  CHECK_THROWS_WITH(form_of_path("x_OE/data.tsv"), Contains("neither _MC nor _OE"));
  for (const char* name : {"Waves/Acoustics", "Wave/Acoustics", "Waves & Acoustics"})
    CHECK(canonical_domain(name) == "Waves/Acoustics");
  CHECK(canonical_domain(" Modern Physics ") == "Modern Physics");
  CHECK_FALSE(canonical_domain("optics"));
  const std::vector<std::string> two = {"Numerical Reasoning", "Spatial Relation Reasoning"};
  CHECK(parse_list("[\"Numerical Reasoning\", \"Spatial Relation Reasoning\"]") == two);
  CHECK(parse_list("['Numerical Reasoning', 'Spatial Relation Reasoning']") == two);
  CHECK(parse_list("Numerical Reasoning,Spatial Relation Reasoning") == two);
  CHECK(parse_list(" [] ").empty());
}

TEST_CASE("loader: reads an open-ended table as PhyX writes it", "[phyx]") {
  const ProblemFolder folder("oe");
  const std::string jpeg = gaze::io::base64_encode(picture(2, true));
  const auto path = folder.put(
      "PhyX_mini_OE.tsv",
      header + row("0", "5 m ", "2", "Wave/Acoustics", "\"[\"\"Numerical Reasoning\"\"]\"") +
          row("1", "None", "") + row("2", "NA", jpeg) + row("3", "12", "2") +
          row("4", "x", image64));
  const LoadResult result = load_tsv(path);
  REQUIRE(result.problems.size() == 4);
  CHECK(result.dropped == 1);
  const Problem& first = result.problems[0];
  CHECK(first.form == Form::oe);
  CHECK(first.answer == "5 m ");
  CHECK(first.category == "Waves/Acoustics");
  CHECK(first.reasoning == std::vector<std::string>{"Numerical Reasoning"});
  CHECK(first.image == picture(2, true));               // from a later row
  CHECK(result.problems[2].image == picture(2, true));  // from an earlier one
  CHECK(result.problems[3].image == picture(1));
  CHECK(result.problems[1].answer == "NA");
  CHECK(first.needs_image);
  CHECK(first.solution.principle.empty());
  LoadOptions options;
  options.pandas_answers = options.keep_without_image = true;
  const LoadResult as_official = load_tsv(path, options);
  REQUIRE(as_official.problems.size() == 5);
  CHECK(as_official.problems[1].image.empty());
  CHECK(as_official.problems[2].answer == "nan");
  CHECK(as_official.problems[3].answer == "12");
}

TEST_CASE("loader: reads a multiple-choice table with pictures beside it", "[phyx]") {
  const ProblemFolder folder("mc");
  folder.put("images/0.jpg", as_text(picture(3)));
  const std::string columns = "question\tindex\tanswer\tcategory\timage_path\n";
  const auto path =
      folder.put("PhyX_MC_local.tsv", columns + mc_question + "\t0\tC\tOptics\timages/0.jpg\n");
  const LoadResult result = load_tsv(path);
  REQUIRE(result.problems.size() == 1);
  CHECK(result.problems[0].options == std::array<std::string, 4>{"1 m", "2 m", "3 m", "4 m"});
  CHECK(result.problems[0].answer == "C");
  CHECK(result.problems[0].image == picture(3));
  for (const char* outside : {"../x.png", "/etc/x.png", "images/../../x.png"}) {
    folder.put("out_MC.tsv", columns + mc_question + "\t0\tC\tOptics\t" + outside + "\n");
    CHECK_THROWS_WITH(load_tsv(folder.path / "out_MC.tsv"),
                      Contains("row 1, image_path: outside the folder"));
  }
  folder.put("gone_MC.tsv", columns + mc_question + "\t0\tC\tOptics\tgone.png\n");
  CHECK_THROWS_WITH(load_tsv(folder.path / "gone_MC.tsv"), Contains("row 1, image_path: cannot"));
}

TEST_CASE("loader: load_tsv reads the output of write_tsv", "[phyx]") {
  for (const Form form : {Form::mc, Form::oe}) {
    const ProblemFolder folder("round");
    const auto path = folder.path / (form == Form::mc ? "a_MC.tsv" : "a_OE.tsv");
    const auto problems = suite(form);
    write_tsv(path, problems);
    const LoadResult result = load_tsv(path);
    CHECK(result.dropped == 0);
    REQUIRE(result.problems.size() == problems.size());
    for (std::size_t i = 0; i < problems.size(); ++i) check_equal(problems[i], result.problems[i]);
    TsvReader reader(path);
    std::vector<std::string> images;
    for (TsvReader::Row cells; reader.next(cells);) images.push_back(cells[3]);
    CHECK(images[1] == "100");
    CHECK(images[3] == "102");
    CHECK_FALSE(fs::exists(path.string() + ".tmp"));
  }
}

TEST_CASE("loader: write_tsv refuses problems that would not read back", "[phyx]") {
  const ProblemFolder folder("refuse");
  const auto path = folder.path / "a_MC.tsv";
  const auto refuses = [&](auto&& damage, const std::string& complaint) {
    auto problems = suite(Form::mc);
    damage(problems[2]);
    CHECK_THROWS_WITH(write_tsv(path, problems), Contains("a_MC.tsv row 3, " + complaint));
    CHECK(fs::is_empty(folder.path / "images"));
    CHECK_FALSE(fs::exists(path));
  };
  refuses([](Problem& p) { p.index = "101"; }, "index: occurs twice");
  refuses([](Problem& p) { p.index = "NA"; }, "index");
  refuses([](Problem& p) { p.answer = "E"; }, "answer");
  refuses([](Problem& p) { p.category = "Chemistry"; }, "category");
  refuses([](Problem& p) { p.reasoning = {"Guessing"}; }, "reasoning_type");
  refuses([](Problem& p) { p.options[0] = "other"; }, "options");
  refuses([](Problem& p) { p.form = Form::oe; }, "form");
  refuses([](Problem& p) { p.image.assign(90, 7); }, "image: not a PNG or JPEG");
  refuses([](Problem& p) { p.image.resize(20); }, "image: too short");
  refuses([](Problem& p) { p.solution.value = "\xFF"; }, "solution or scene: not UTF-8");
}

TEST_CASE("loader: reads JSONL with a folder of pictures", "[phyx]") {
  const ProblemFolder folder("jsonl");
  folder.put("images/7.png", as_text(picture(4, true)));
  const auto path = folder.put("test.jsonl", record().dump() + "\n\n" + record().dump());
  const auto mc = load_jsonl(path, folder.path / "images", Form::mc);
  REQUIRE(mc.size() == 2);
  CHECK(mc[0].index == "7");
  CHECK(mc[0].answer == "B");
  CHECK(mc[0].options[1] == "2 m ");
  CHECK(mc[0].question == render_prompt(Form::mc, "A ball falls.", "How far?", mc[0].options));
  CHECK(mc[0].category == "Waves/Acoustics");
  CHECK(mc[0].reasoning.size() == 2);
  CHECK(mc[0].image == picture(4, true));
  const auto oe = load_jsonl(path, folder.path / "images", Form::oe, TextSetting::simplified);
  CHECK(oe[1].answer == "2 m ");
  CHECK(oe[1].question ==
        "A ball. How far? Please answer the question with step by step reasoning.");
  const auto bare = load_jsonl(path, folder.path / "images", Form::oe, TextSetting::minimal);
  CHECK(bare[1].question == "How far? Please answer the question with step by step reasoning.");
}

TEST_CASE("loader: the options of a JSONL record may be a list", "[phyx]") {
  const ProblemFolder folder("jsonl_options");
  folder.put("images/7.png", as_text(picture(4)));
  const auto read = [&](const std::vector<std::string>& options) {
    nlohmann::json one = record();
    one["options"] = options;
    return load_jsonl(folder.put("t.jsonl", one.dump()), folder.path / "images", Form::mc);
  };
  CHECK(read({"A: 1 m", " B:2 m ", "D: a: b", "C: "}).at(0).options ==
        std::array<std::string, 4>{"1 m", "2 m", "", "a: b"});
  for (const std::string bad : {"1 m", "a: 1 m", "D"})
    CHECK_THROWS_WITH(read({"A: 1", "B: 2", "C: 3", bad}), Contains("t.jsonl line 1, options: "));
  CHECK_THROWS_WITH(read({"A: 1", "B: 2", "C: 3"}), Contains("options: "));
}

TEST_CASE("loader: damaged JSONL names file, line and field", "[phyx]") {
  const ProblemFolder folder("bad_jsonl");
  folder.put("images/7.png", as_text(picture(4)));
  const auto refuses = [&](const char* field, const nlohmann::json& value,
                           const std::string& complaint) {
    nlohmann::json damaged = record();
    damaged[field] = value;
    const auto path = folder.put("t.jsonl", record().dump() + "\n" + damaged.dump() + "\n");
    CHECK_THROWS_WITH(load_jsonl(path, folder.path / "images", Form::mc),
                      Contains("t.jsonl line 2, " + complaint));
  };
  refuses("options", "A:\"1\",B:\"2\"", "options");
  refuses("options", "A:\"1\",B:\"2\",C:\"3\",C:\"4\"", "options: a label occurs twice");
  refuses("options", "A:\"1\",B:\"2\",C:\"3\",E:\"4\"", "options: a label beyond D");
  refuses("answer", "E", "answer: not a letter");
  refuses("answer", nullptr, "answer");
  refuses("image", "8.png", "image: cannot read");
  refuses("image", "../images/7.png", "image: outside the folder");
  refuses("category", "Chemistry", "category: unknown domain");
  refuses("reasoning_type", {"Guessing"}, "reasoning_type: unknown type \"Guessing\"");
  refuses("question_description", 5, "question_description");
  nlohmann::json bare = record();
  bare.erase("question_description");
  auto path = folder.put("t.jsonl", bare.dump());
  CHECK_THROWS_WITH(load_jsonl(path, folder.path / "images", Form::mc),
                    Contains("t.jsonl line 1, question_description: missing"));
  path = folder.put("t.jsonl", record().dump().substr(0, 40));
  CHECK_THROWS_WITH(load_jsonl(path, folder.path / "images", Form::mc),
                    Contains("t.jsonl line 1, record: not a JSON object"));
}

TEST_CASE("loader: damaged tables name file, row and field", "[phyx]") {
  const ProblemFolder folder("bad");
  const auto refuses = [&](const std::string& text, const std::string& complaint) {
    const auto path = folder.put("bad_OE.tsv", text);
    CHECK_THROWS_WITH(load_tsv(path), Contains(path + complaint));
  };
  const std::string good = row("0", "5", image64);
  refuses(header + good + "1\tq\t5\tAAAA", " row 2: 4 fields");
  refuses(header + good + "1\t\"q", " row 2: the file ends inside quotes");
  std::string broken = image64;
  broken[40] = '*';
  refuses(header + good + row("1", "5", broken), " row 2, image: not base64 at character 40");
  const std::vector<std::uint8_t> text(90, 'x');
  refuses(header + row("0", "5", gaze::io::base64_encode(text)),
          " row 1, image: not a PNG or JPEG");
  refuses(header + row("0", "5", "['" + image64 + "', '" + image64 + "']"),
          " row 1, image: a list of several pictures");
  refuses(header + good + row("1", "5", "77"), " row 2, image: refers to a missing row: \"77\"");
  refuses(header + good + row("1", "5", "1"), " row 2, image: refers to row \"1\"");
  refuses(header + good + row("1", "5", image64, "Chemistry"),
          " row 2, category: unknown domain \"Chemistry\"");
  refuses(header + row("0", "5", image64, "Optics", "['Guessing']"),
          " row 1, reasoning_type: unknown type \"Guessing\"");
  refuses(header + row("0", "", image64), " row 1, answer: empty");
  refuses(header + row("", "5", image64), " row 1, index: empty");
  refuses(header + row("0", "\xC3(", image64), " row 1, answer: not UTF-8");
  refuses("index\tquestion\tanswer\timage\n", " header: no column category");
  refuses("index\tquestion\tanswer\tcategory\n", " header: no column image");
}

TEST_CASE("loader: damaged multiple-choice and suite columns name the field", "[phyx]") {
  const ProblemFolder folder("bad_more");
  const auto refuses = [&](const std::string& question, const std::string& answer,
                           const std::string& column, const std::string& cell,
                           const std::string& complaint) {
    const auto path = folder.put("bad_MC.tsv", "index\tquestion\tanswer\timage\tcategory\t" +
                                                   column + "\n0\t" + question + "\t" + answer +
                                                   "\t" + image64 + "\tOptics\t" + cell + "\n");
    CHECK_THROWS_WITH(load_tsv(path), Contains("bad_MC.tsv row 1, " + complaint));
  };
  for (const char* letter : {"E", "a", "AB", "", "5 m"})
    refuses(mc_question, letter, "x", "", "answer: not a letter from A to D");
  refuses("How far?", "A", "x", "", "question: no options");
  refuses(mc_question, "A", "needs_image", "maybe", "needs_image: neither");
  refuses(mc_question, "A", "layout_only", "1", "layout_only: neither");
  refuses(mc_question, "A", "solution", "[]", "solution: not a JSON object");
  refuses(mc_question, "A", "solution", "{'look':5}", "solution: not a JSON object");
  refuses(mc_question, "A", "solution", "{\"steps\":5}", "solution: steps is not a list");
  refuses(mc_question, "A", "scene", "{\"slots\":[1]}", "scene: slots contains");
  refuses(mc_question, "A", "scene", "{\"regions\":[{\"box\":[0,0,1]}]}", "scene: a region's box");
  refuses(mc_question, "A", "scene", "{\"regions\":[{\"box\":[0,0,1,2]}]}",
          "scene: a region's box");
  refuses(mc_question, "A", "scene", "{\"regions\":[{\"box\":[1,0,0,1]}]}",
          "scene: a region's box");
}

TEST_CASE("loader: a table of over 1 GiB needs no more memory than a row", "[phyx][slow]") {
  const ProblemFolder folder("big");
  const std::string path = (folder.path / "big_OE.tsv").string();
  std::vector<std::uint8_t> bytes(3 << 20);  // a PNG signature; it is not decoded here
  const std::array<std::uint8_t, 8> magic = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  std::copy(magic.begin(), magic.end(), bytes.begin());
  const std::string picture = gaze::io::base64_encode(bytes);
  constexpr std::size_t rows = 330;
  {
    std::ofstream out(path, std::ios::binary);
    out << "index\tquestion\tanswer\timage\tcategory\n";
    for (std::size_t i = 0; i < rows; ++i)
      out << i << "\tq\t5 N\t" << (i % 9 == 5 ? std::to_string(i - 1) : picture) << "\tOptics\n";
    out.close();
    REQUIRE(out);
  }
  REQUIRE(std::filesystem::file_size(path) > std::uintmax_t{9} << 27);  // 1.125 GiB
  for (const bool pictures : {true, false}) {
    const pid_t child = ::fork();  // its memory is its own
    if (child == 0) {
      LoadOptions options;
      options.pictures = pictures;
      std::size_t count = 0, size = 0;
      for_each_problem(path, options, [&](Problem&& p) {
        ++count;
        size += p.image.size();
      });
      ::_exit(count == rows && size == (pictures ? rows * bytes.size() : 0) ? 0 : 1);
    }
    int status = 1;
    rusage use{};
    REQUIRE(::wait4(child, &status, 0, &use) == child);
    CHECK(status == 0);
    INFO("peak memory " << use.ru_maxrss << " kB");
    CHECK(use.ru_maxrss < 100000);
  }
}

}  // namespace test_loader
