// SPDX-License-Identifier: MIT
// One's own data: the schema, the split by picture, the columns that a method needs, prompts, and
// runs through the library.
#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <sstream>

#include "gaze/io/sha256.hpp"
#include "phyx/data/own_data.hpp"
#include "phyx/data/prompt.hpp"
#include "phyx/eval/attempt.hpp"
#include "phyx/eval/files.hpp"
#include "phyx/eval/other_pictures.hpp"
#include "phyx/study/own_data.hpp"
#include "phyx/study/settings.hpp"
#include "phyx/train/examples.hpp"
#include "phyx/train/prompt_template.hpp"
#include "phyx/train/vocabulary.hpp"
#include "tests/data.hpp"
#include "tests/folder.hpp"
#include "tests/own_rows.hpp"
#include "tests/own_run.hpp"
#include "tests/texts.hpp"

namespace test_own_data {
namespace {

using namespace gaze;
using namespace gaze::phyx;
using namespace gaze::test::own_rows;
using gaze::test::contains;
using gaze::test::error_of;
using gaze::test::Folder;
using gaze::test::json_lines;
using gaze::test::own_settings;
using gaze::test::run;
namespace fs = std::filesystem;

std::vector<Problem> problems_of(const std::string& path) {
  OwnDataLoader loader(path, {});
  std::vector<Problem> out;
  while (auto p = loader.next()) out.push_back(std::move(*p));
  return out;
}

std::vector<Row> split_of(const OwnData& data) {
  std::istringstream in(data.split_lines());
  std::vector<Row> out;
  for (std::string line; std::getline(in, line);) out.push_back(Row::parse(line));
  return out;
}

/// The smallest run on a file: three supervised steps, then two of GRPO by accuracy.
AblationSettings short_run(const std::string& file) {
  AblationSettings s = own_settings(file);
  s.warm.clean_steps = 3;
  s.only = {"sft", "accuracy"};
  s.grpo_steps = 2;
  s.max_tokens = 8;
  return s;
}

/// The error of a run on rows, which must leave no output folder.
std::string refusal(const Folder& folder, const std::vector<Row>& rows,
                    const std::vector<std::string>& only, Index sft_steps) {
  AblationSettings s = short_run(folder.put("mine.jsonl", jsonl(rows)));
  s.only = only;
  s.warm.clean_steps = sft_steps;
  const std::string out = folder.file("refused");
  const std::string error = error_of([&] { run(s, out); });
  CHECK_FALSE(fs::exists(out));
  return error;
}

}  // namespace

TEST_CASE("a row becomes a problem with a complete prompt") {
  const Folder folder("own_rows");
  std::vector<Row> rows = ten_rows();
  rows.resize(2);
  rows[0].erase("id");
  rows[0]["answer"] = 12.5;
  rows[0]["category"] = "Any domain";
  rows[0]["meta"] = Row::parse(R"({"source": "camera 3"})");
  rows[1].erase("response");
  rows[1]["needs_image"] = false;
  rows[1]["solution"] = Row::parse(R"({"principle": "ohm law", "steps": ["2 * 3 = 6"]})");
  rows[1]["scene"] = Row::parse(R"({"regions": [{"name": "all", "box": [0, 0, 1, 0.5]}]})");
  const auto problems = problems_of(folder.put("mine.jsonl", "\n" + jsonl(rows)));
  REQUIRE(problems.size() == 2);
  const Problem &open = problems[0], &choice = problems[1];
  CHECK(open.index == "2");  // the line
  CHECK(open.form == Form::oe);
  CHECK(open.answer == "12.5");
  CHECK(open.category == "Any domain");
  CHECK(open.question == "How bright is it ?" + std::string(reasoning_instruction));
  CHECK(bare_prompt(open.question) == "How bright is it ?");
  CHECK(open.response == "<think> so 0 </think> <answer> 0 </answer>");
  CHECK(open.needs_image);
  CHECK(choice.index == "choice-0");
  CHECK(choice.form == Form::mc);
  CHECK(choice.question ==
        "How bright is it ?" + std::string(letter_instruction) + " A: dark B: bright");
  CHECK(bare_prompt(choice.question) == "How bright is it ?");
  CHECK(choice.response.empty());
  CHECK_FALSE(choice.needs_image);
  CHECK(choice.solution.steps == std::vector<std::string>{"2 * 3 = 6"});
  REQUIRE(choice.scene.regions.size() == 1);
  CHECK(choice.scene.regions[0].y1 == 0.5f);
  CHECK(open.image == choice.image);
}

TEST_CASE("a malformed row is refused with file, line and column") {
  const Folder folder("own_rows");
  folder.put("text.png", "no picture");
  const auto with = [](const char* column, const Row& value) {
    return [=](Row& r) { r[column] = value; };
  };
  const auto json = [&](const char* column, const char* value) {
    return with(column, Row::parse(value));
  };
  const auto without = [](const char* column) { return [=](Row& r) { r.erase(column); }; };
  const auto file = [](const std::string& name) {
    return [=](Row& r) {
      r.erase("image_base64");
      r["image"] = name;
    };
  };
  struct Case {
    std::function<void(Row&)> change;
    std::string error;
  };
  const std::vector<Case> cases = {
      {with("reponse", "x"), "\"reponse\": no such column; there are id, image, image_base64"},
      {without("question"), "question: missing"},
      {with("question", 5), "question: not a string"},
      {with("question", " "), "question: empty"},
      {with("question", std::string(70000, 'a')), "question: over 65536 bytes"},
      {with("id", 1.5), "id: not a string or an integer"},
      {with("id", std::string(65, 'a')), "id: over 64 bytes"},
      {with("answer", true), "answer: not a string or a number"},
      {with("answer", "C"), "answer: there is no option C"},
      {with("answer", "dark"), "answer: not a letter from A to D: \"dark\""},
      {json("options", R"(["dark"])"), "options: not a list of 2 to 4 strings"},
      {with("options", "A B"), "options: not a list of 2 to 4 strings"},
      {json("options", R"(["dark", 2])"), "options: contains an item that is not a string"},
      {json("options", R"(["dark", " "])"), "options: contains an empty option"},
      {json("options", R"(["dark", "dark "])"), "options: contains an option twice"},
      {json("response", "[]"), "response: not a string"},
      {json("reasoning_type", R"(["Guessing"])"), "reasoning_type: unknown type \"Guessing\""},
      {with("needs_image", "no"), "needs_image: not true or false"},
      {with("solution", "ohm law"), "solution: not an object"},
      {json("solution", R"({"steps": "2"})"), "solution: steps is not a list"},
      {json("scene", R"({"regions": [{"box": [0, 0, 2, 1]}]})"),
       "scene: a region's box is outside 0 to 1"},
      {without("image_base64"), "image: missing, and no image_base64"},
      {with("image", "text.png"), "image: there is an image_base64, too"},
      {with("image_base64", "AAAA"), "image_base64: not a PNG or JPEG"},
      {with("image_base64", "!"), "image_base64: not base64"},
      {file("text.png"), "image: not a PNG or JPEG"},
      {file("missing.png"), "image: cannot read \"missing.png\""},
      {file("../other.png"), "image: outside the folder: \"../other.png\""},
  };
  for (const Case& c : cases) {
    INFO(c.error);
    std::vector<Row> rows = {row("first", 1, "1"), ten_rows()[1]};
    c.change(rows[1]);
    const std::string path = folder.put("mine.jsonl", jsonl(rows));
    const std::string error = error_of([&] { problems_of(path); });
    INFO(error);
    CHECK(contains(error, "[gaze::own_data] " + path + " line 2, " + c.error));
  }
  const std::string path = folder.put("mine.jsonl", jsonl({row("a", 1, "1"), row("a", 2, "2")}));
  CHECK(contains(error_of([&] { problems_of(path); }), path + " line 2, id: \"a\" occurs twice"));
  const std::string broken = folder.put("broken.jsonl", "{\"question\": \n");
  CHECK(
      contains(error_of([&] { problems_of(broken); }), broken + " line 1, row: not a JSON object"));
}

TEST_CASE("a picture is a file beside the data, base64, or a data URI") {
  const Folder folder("own_rows");
  const auto bytes = io::base64_decode(pixel(9));
  folder.put("pictures/a.png", std::string(bytes.begin(), bytes.end()));
  std::vector<Row> rows = {row("file", 0, "1"), row("text", 9, "1"), row("uri", 9, "1")};
  rows[0].erase("image_base64");
  rows[0]["image"] = "pictures/a.png";
  rows[2]["image_base64"] = "data:image/png;base64," + pixel(9);
  for (const Problem& p : problems_of(folder.put("mine.jsonl", jsonl(rows)))) {
    INFO(p.index);
    CHECK(p.image == bytes);
  }
}

TEST_CASE("rows with one picture are one cluster of the intervals") {
  const Folder folder("own");
  const auto problems = problems_of(folder.put("own.jsonl", jsonl(ten_rows())));
  std::set<std::string> scenes;
  for (const Problem& p : problems) scenes.insert(unanswered_outcome(p).scene);
  CHECK(scenes.size() == 5);
  CHECK(unanswered_outcome(problems[0]).scene == unanswered_outcome(problems[1]).scene);
  CHECK(unanswered_outcome(problems[0]).scene.size() == 16);
}

TEST_CASE("rows are held out by picture") {
  std::vector<std::string> pictures;
  for (int i = 0; i < 50; ++i)
    for (int copies = 0; copies <= i % 3; ++copies) pictures.push_back("p" + std::to_string(i));
  std::set<std::set<std::string>> chosen;
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const auto out = held_out(pictures, 0.2, seed);
    CHECK(out == held_out(pictures, 0.2, seed));
    std::map<std::string, std::set<bool>> sides;
    for (std::size_t i = 0; i < pictures.size(); ++i) sides[pictures[i]].insert(out[i]);
    std::set<std::string> held;
    for (const auto& [picture, side] : sides) {
      CHECK(side.size() == 1);
      if (side.contains(true)) held.insert(picture);
    }
    CHECK(held.size() == 10);
    chosen.insert(held);
  }
  CHECK(chosen.size() == 5);
  CHECK(held_out({"a", "b"}, 0.01, 0) != held_out({"a", "b"}, 0.01, 3));
  for (const double share : {0.01, 0.99}) {  // neither side is empty
    const auto out = held_out({"a", "b", "b", "c"}, share, 1);
    CHECK(std::set<bool>(out.begin(), out.end()).size() == 2);
    CHECK(out[1] == out[2]);
  }
  CHECK(contains(error_of([] { held_out({"a", "a"}, 0.5, 0); }), "there is 1"));
  CHECK(contains(error_of([] { held_out({"a", "b"}, 1, 0); }), "between 0 and 1, got 1"));
}

TEST_CASE("the columns that a method needs are checked before anything is trained") {
  const Folder folder("own_columns");
  const std::string file = folder.file("mine.jsonl");
  const auto lacking = [](const char* column) {
    auto rows = ten_rows();
    for (Row& r : rows) r.erase(column);
    return rows;
  };
  const auto no_answers = lacking("answer"), no_responses = lacking("response");
  CHECK(contains(refusal(folder, no_answers, {"sft"}, 3),
                 ", answer: missing; held-out rows are evaluated"));
  CHECK(contains(refusal(folder, no_responses, {"sft"}, 3),
                 ", response: missing; supervised training needs it"));
  CHECK(contains(refusal(folder, no_responses, {"sft_more"}, 0),
                 ", response: missing; the condition sft_more needs it"));
  CHECK(contains(refusal(folder, ten_rows(), {"rubric"}, 0),
                 ", solution.principle: missing; the reward rubric needs it"));
  CHECK(contains(refusal(folder, ten_rows(), {"attention_region"}, 0),
                 ", scene.regions: missing; the reward attention_region needs it"));
  AblationSettings hybrid = short_run(folder.put("mine.jsonl", jsonl(ten_rows())));
  hybrid.only = {"hybrid"};
  CHECK_NOTHROW(OwnData(hybrid.own, OwnDataNeeds::of(hybrid)));  // the whole image
  set_reward_option(hybrid.reward_options, "hybrid.mark=region");
  CHECK(contains(error_of([&] { OwnData(hybrid.own, OwnDataNeeds::of(hybrid)); }),
                 ", scene.regions: missing; the reward hybrid needs it"));
  CHECK(contains(refusal(folder, std::vector<Row>(), {"sft"}, 0), file + ": no rows"));
  auto damaged = ten_rows();
  damaged[6]["image_base64"] = pixel(1).substr(0, 60);
  CHECK(contains(refusal(folder, damaged, {"sft"}, 0), file + " line 7, image_base64: "));

  // A training row needs an answer only if it is trained on by reward.
  auto rows = ten_rows();
  const AblationSettings s = short_run(folder.put("mine.jsonl", jsonl(rows)));
  const auto split = split_of(OwnData(s.own, {}));
  std::size_t first = 0;
  while (split[first]["part"] != "train") ++first;
  rows[first].erase("answer");
  CHECK(contains(refusal(folder, rows, {"accuracy"}, 0),
                 file + " line " + std::to_string(first + 1) +
                     ", answer: missing; training by reward needs it"));
  AblationSettings supervised = s;
  supervised.only = {"sft"};
  CHECK_NOTHROW(OwnData(s.own, OwnDataNeeds::of(supervised)));
}

TEST_CASE("a prompt template has each field in its place") {
  const Folder folder("own_prompt");
  const auto problems = problems_of(folder.put("mine.jsonl", jsonl(ten_rows())));
  const std::string form = "<|user|>Look {image} then: {question} {options}<|assistant|>";
  const auto tokenizer = build_own_tokenizer(problems, form);
  for (const char* word : {" then", " bright", " dark", " How", " so"}) {
    INFO(word);
    CHECK(tokenizer.contains(word));
  }
  models::VlmConfig config = models::preset("nano");
  config.vocabulary = tokenizer.vocab_size();
  const auto prompt = [&](const std::string& problem_form, const Problem& p) {
    PromptTemplate prompts;
    prompts.problem = problem_form;
    auto tokens = ExampleMaker(tokenizer, config, prompts)(p).prompt.tokens;
    const auto pictures = std::count(tokens.begin(), tokens.end(), tokenizer.image());
    CHECK(pictures == config.image_tokens());
    std::erase(tokens, tokenizer.image());
    return tokenizer.decode(tokens);
  };
  CHECK(prompt(form, problems[0]) == "<|user|>Look  then: How bright is it ?<|assistant|>");
  CHECK(prompt(form, problems[1]) ==
        "<|user|>Look  then: How bright is it ? A: dark B: bright<|assistant|>");
  CHECK(prompt(PromptTemplate().problem, problems[1]) ==
        "<|user|> " + problems[1].question + "<|assistant|>");

  const auto refused = [](const std::string& text) {
    return error_of([&] { check_prompt_template(text, "t.txt"); });
  };
  CHECK(refused(form).empty());
  CHECK(contains(refused("{question}"), "t.txt: must contain {image} exactly once"));
  CHECK(contains(refused("{image}{question}{question}"), "must contain {question} exactly once"));
  CHECK(contains(refused("{image}{question}{options}{options}"), "{options} at most once"));
  CHECK(contains(refused("{image} {question} {answer}"), "braces enclose"));
  CHECK(contains(refused("{image} {question} }"), "braces enclose"));
  CHECK(contains(refused("<|image|>{image} {question}"), "{image} stands for a picture's tokens"));
  CHECK(contains(refused("{image} {question} \xff"), "not UTF-8"));
  CHECK(contains(refused("{image}{question}" + std::string(4096, 'a')), "over 4096 bytes"));
}

TEST_CASE("a row's picture is swapped for another picture with another answer") {
  const Folder folder("own_swap");
  auto rows = ten_rows();
  rows = {rows[0], row("same picture", 0, "7"), row("same answer", 90, "0"), row("other", 80, "9")};
  const auto problems = problems_of(folder.put("mine.jsonl", jsonl(rows)));
  const auto tokenizer = build_own_tokenizer(problems, "");
  models::VlmConfig config = models::preset("nano");
  config.vocabulary = tokenizer.vocab_size();
  ExampleMaker maker(tokenizer, config);
  std::vector<Example> examples;
  for (const Problem& p : problems) examples.push_back(maker(p));
  CHECK(swap_partners(examples) == std::vector<std::size_t>{3, 2, 3, 0});
}

TEST_CASE("a run on one's own rows trains, evaluates the held-out pictures, and resumes") {
  const Folder folder("own_run");
  const std::string file = folder.put("mine.jsonl", jsonl(ten_rows()));
  const std::string whole = folder.file("whole"), broken = folder.file("broken");
  AblationSettings s = short_run(file);
  run(s, whole);

  const auto config = io::read_json_object(whole + "/config.json");
  CHECK(config["data"]["files"].size() == 1);
  CHECK(config["data"]["files"]["mine.jsonl"] == io::sha256_file(file));
  CHECK(config["data"]["own"] == "mine.jsonl");
  CHECK(config["data"]["hold_out"] == 0.4);
  CHECK(config["data"]["start"] == "random weights");
  CHECK(config["warm_start"]["letter_steps"] == 0);

  std::map<std::string, std::set<std::string>> sides;
  std::set<std::string> held;
  for (const auto& line : json_lines(whole + "/data/split.jsonl")) {
    sides[line["picture"]].insert(line["part"].get<std::string>());
    if (line["part"] == "held_out") held.insert(line["id"].get<std::string>());
  }
  CHECK(sides.size() == 5);
  for (const auto& [picture, parts] : sides) CHECK(parts.size() == 1);
  CHECK(held.size() == 4);  // two of five pictures
  for (const char* arm : {"sft", "accuracy"}) {
    std::set<std::string> answered;
    const std::string outcomes = whole + "/arms/" + arm + "/seed0/outcomes.jsonl";
    for (const Outcome& o : read_outcomes(outcomes).outcomes) {
      answered.insert(o.index);
      CHECK(o.blank.greedy.has_value());
    }
    CHECK(answered == held);
  }
  std::map<std::string, int> steps;
  for (const auto& line : json_lines(whole + "/metrics.jsonl"))
    ++steps[line["stage"].get<std::string>()];
  CHECK(steps == std::map<std::string, int>{{"sft", 3}, {"grpo", 2}});
  CHECK(fs::file_size(whole + "/report.html") > 10000);

  int stops = 0;
  for (bool done = false; !done;) {
    Listener listener;
    listener.stop = [asked = 0]() mutable { return ++asked > 1; };
    try {
      run(s, broken, stops > 0, listener);
      done = true;
    } catch (const Interrupted&) {
      REQUIRE(++stops < 4);
    }
    if (stops == 3) {
      run(s, broken, true);
      done = true;
    }
  }
  CHECK(stops > 0);
  for (const char* name : {"tokenizer.json", "data/split.jsonl", "results.csv",
                           "arms/accuracy/seed0/model.safetensors"}) {
    INFO(name);
    CHECK(io::read_file(whole + "/" + name) == io::read_file(broken + "/" + name));
  }

  AblationSettings other = s;
  other.own.hold_out_seed = 9;
  CHECK(contains(error_of([&] { run(other, whole, true); }),
                 "config.json, data.hold_out_seed: the run to be resumed has 0, but 9"));
  auto rows = ten_rows();
  rows[3]["answer"] = "B";
  folder.put("mine.jsonl", jsonl(rows));
  CHECK(contains(error_of([&] { run(s, whole, true); }), "config.json, data.files.mine.jsonl: "));
}

TEST_CASE("a run starts from a trained model, with answers alone, and its model is evaluated") {
  const Folder folder("own_start");
  const std::string first = folder.file("first"), second = folder.file("second");
  AblationSettings s = short_run(folder.put("mine.jsonl", jsonl(ten_rows())));
  s.only = {"sft"};
  s.own.prompt = "<|user|>{image} {question} {options}<|assistant|>";
  run(s, first);

  auto rows = ten_rows();
  for (Row& r : rows) r.erase("response");
  const std::string answers = folder.put("answers.jsonl", jsonl(rows));
  s = short_run(answers);
  s.model = "tiny";  // the start's is used
  s.warm.clean_steps = 0;
  s.own.start = first + "/arms/sft/seed0";
  run(s, second);
  const std::string start = s.own.start + "/model.safetensors";
  const auto config = io::read_json_object(second + "/config.json");
  CHECK(config["model"] == "nano");
  CHECK(config["prompts"]["problem"] == "<|user|>{image} {question} {options}<|assistant|>");
  CHECK(config["data"]["files"]["start, weights"] == io::sha256_file(start));
  CHECK(io::read_file(second + "/warm/seed0/model.safetensors") == io::read_file(start));
  CHECK(io::read_file(second + "/tokenizer.json") == io::read_file(first + "/tokenizer.json"));
  CHECK(json_lines(second + "/metrics.jsonl").size() == 2);

  EvalSettings e;
  e.model = second + "/arms/accuracy/seed0";
  e.out = folder.file("eval");
  e.data = {answers};
  e.reading.own = true;
  e.evaluation.samples = 1;
  e.evaluation.sampling.max_tokens = 8;
  CHECK_FALSE(FileEvaluation(e, {}).run().empty());
  CHECK(read_outcomes(e.out + "/outcomes.jsonl").outcomes.size() == 10);
  CHECK(io::read_json_object(e.out + "/eval.json")["reading"]["schema"] == "own");
  CHECK_FALSE(fs::exists(e.out + "/answers_predictions.tsv"));
  rows[4].erase("answer");
  folder.put("answers.jsonl", jsonl(rows));
  e.out = folder.file("lacking");
  CHECK(contains(error_of([&] { FileEvaluation(e, {}).run(); }),
                 answers + " row 5, answer: missing"));
}

}  // namespace test_own_data
