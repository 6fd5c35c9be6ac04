// SPDX-License-Identifier: MIT
// Studies on published checkpoints: LoRA arms of tiny ones on word problems, on one's own rows and
// on PhyX's tables.
#include <map>
#include <set>
#include <sstream>

#include "phyx/data/reader.hpp"
#include "phyx/eval/files.hpp"
#include "phyx/eval/published_model.hpp"
#include "phyx/results/outcome.hpp"
#include "phyx/study/forecast.hpp"
#include "phyx/study/own_data.hpp"
#include "phyx/study/preview.hpp"
#include "phyx/study/study_file.hpp"
#include "phyx/synth/files.hpp"
#include "phyx/synth/words.hpp"
#include "tests/data.hpp"
#include "tests/folder.hpp"
#include "tests/own_rows.hpp"
#include "tests/own_run.hpp"
#include "tests/texts.hpp"
#include "tests/tiny_checkpoint.hpp"

namespace test_checkpoint_study {
namespace {

using namespace gaze;
using namespace gaze::phyx;
using namespace gaze::test::own_rows;
using gaze::test::contains;
using gaze::test::error_of;
using gaze::test::Folder;
using gaze::test::json_lines;
using gaze::test::run;
namespace fs = std::filesystem;

/// A built-in study's smoke preset on a checkpoint, saved after every step.
AblationSettings smoke(const std::string& study, const std::string& model,
                       std::vector<StudyChange> changes = {}) {
  changes.push_back({"model", model, "--model"});
  changes.push_back({"checkpoint_every", 1, "--checkpoint-every"});
  return read_study(study, {"smoke", changes}).settings;
}

std::string adapter(const std::string& out, const std::string& condition) {
  return out + "/arms/" + condition + "/seed0/adapter_model.safetensors";
}

/// The conditions that were trained by reward, all from ratios of exactly 1.
std::set<std::string> trained_by_reward(const std::string& out) {
  std::set<std::string> found;
  for (const auto& line : json_lines(out + "/metrics.jsonl")) {
    if (line["stage"] != "grpo") continue;
    found.insert(line["condition"].get<std::string>());
    CHECK(line["first_ratio_min"] == 1.0);
    CHECK(line["first_ratio_max"] == 1.0);
  }
  return found;
}

}  // namespace

TEST_CASE("word problems are the same for a seed, and no two splits share one") {
  const Folder folder("words");
  std::map<std::string, std::string> seen;  // the split of each
  for (const char* split : {"train", "val", "test"}) {
    const WordFile file{folder.file("data"), split, 40, 1};
    write_words(file);
    const std::string text = io::read_file(file.path());
    const WordFile again{folder.file("again"), split, 40, 1}, other{folder.file("b"), split, 40, 2};
    write_words(again);
    write_words(other);
    CHECK(io::read_file(again.path()) == text);
    CHECK(io::read_file(other.path()) != text);
    const auto problems = read_words(file);
    REQUIRE(problems.size() == 40);
    for (const Problem& p : problems) {
      CHECK(seen.emplace(p.index, split).second);
      CHECK(contains(p.response, "<answer> " + p.answer + " </answer>"));
      CHECK(p.image.empty());
      CHECK_FALSE(p.needs_image);
    }
  }
  CHECK(contains(error_of([&] {
                   write_words({folder.file("many"), "val", 100000, 1});
                 }),
                 "the split val has"));
}

TEST_CASE("the study words trains adapters of a checkpoint, and resumes to the same bits") {
  const Folder folder("study_words");
  const std::string whole = folder.file("whole"), broken = folder.file("broken");
  const AblationSettings s =
      smoke("words", test::tiny_checkpoint(folder), {{"grpo.kl", 0.1, "--kl"}});
  run(s, whole);
  CHECK((trained_by_reward(whole) == std::set<std::string>{"format", "accuracy", "random"}));
  for (const Condition& c : s.conditions) {
    INFO(c.name);
    const std::string arm = whole + "/arms/" + c.name + "/seed0";
    CHECK(read_outcomes(arm + "/outcomes.jsonl").outcomes.size() == 3);
    CHECK_FALSE(fs::exists(arm + "/model.safetensors"));
    CHECK((io::read_file(adapter(whole, c.name)) == io::read_file(adapter(whole, "start"))) ==
          (c.name == "start"));
  }
  CHECK(fs::file_size(whole + "/report.html") > 10000);

  int stops = 0;
  for (bool done = false; !done;) {
    Listener listener;
    listener.stop = [asked = 0, &stops]() mutable { return ++asked > 1 && stops < 3; };
    try {
      run(s, broken, stops > 0, listener);
      done = true;
    } catch (const Interrupted&) {
      ++stops;
    }
  }
  CHECK(stops == 3);  // each arm between its two steps
  for (const std::string& file :
       {whole + "/results.csv", whole + "/completions.jsonl", whole + "/data/words_train.jsonl",
        adapter(whole, "accuracy"), adapter(whole, "random")}) {
    INFO(file);
    CHECK(io::read_file(file) == io::read_file(broken + file.substr(whole.size())));
  }

  EvalSettings e;
  e.model = s.model;
  e.published.adapter = whole + "/arms/random/seed0";
  e.out = folder.file("eval");
  e.data = {whole + "/data/words_test.jsonl"};
  e.reading.own = true;
  e.evaluation.samples = 1;
  e.evaluation.sampling.max_tokens = 4;
  CHECK_FALSE(FileEvaluation(e, {}).run().empty());
}

TEST_CASE("all conditions run on a checkpoint that sees, on one's own pictures") {
  const Folder folder("study_checkpoint");
  auto rows = ten_rows();
  for (Row& r : rows) r["solution"] = {{"principle", "brightness adds"}, {"steps", {"1 + 1 = 2"}}};
  const std::string out = folder.file("out");
  const AblationSettings s = smoke("checkpoint", test::tiny_smolvlm(folder),
                                   {{"own.file", folder.put("mine.jsonl", jsonl(rows)), "--data"},
                                    {"own.hold_out", 0.4, "--hold-out"},
                                    {"checkpoint.split_images", false, "--no-split-images"},
                                    {"checkpoint.recompute", true, "file"}});
  run(s, out);
  CHECK((trained_by_reward(out) ==
         std::set<std::string>{"format", "accuracy", "rubric", "attention", "hybrid", "random"}));
  for (const Condition& c : s.conditions) {
    INFO(c.name);
    CHECK(read_outcomes(out + "/arms/" + c.name + "/seed0/outcomes.jsonl").outcomes.size() == 4);
  }
  CHECK(fs::file_size(out + "/report.html") > 10000);
  CHECK(io::read_json_object(out + "/config.json")["data"]["start"] == "a published checkpoint");
}

TEST_CASE("the study of Granite runs on PhyX's tables, with both forms of a problem together") {
  const Folder folder("study_granite");
  write_suite(folder.file("suite"), "train", 10, 3, 48);
  std::vector<Problem> mc, oe;
  for (Problem& p : read_suite(folder.file("suite"), "train")) {
    p.solution = {};  // PhyX has neither solutions nor scenes
    p.scene = {};
    p.split = p.template_id = "";
    (p.form == Form::mc ? mc : oe).push_back(p);
  }
  const std::vector<std::string> files = {folder.file("PhyX_MC.tsv"), folder.file("PhyX_OE.tsv")};
  write_tsv(files[0], mc);
  write_tsv(files[1], oe);
  const std::string out = folder.file("out");
  run(smoke("granite", std::string(GAZE_GOLDEN_DIR) + "/hf/granite",
            {{"own.phyx", files, "--data"},
             {"checkpoint.prompt", "<image>\n{question}\n<|assistant|>\n", "--prompt-template"}}),
      out);
  CHECK((trained_by_reward(out) ==
         std::set<std::string>{"format", "accuracy", "rubric", "attention", "hybrid", "random"}));
  std::map<std::string, std::set<std::string>> parts;  // by problem
  for (const auto& line : json_lines(out + "/data/split.jsonl"))
    parts[line["id"].get<std::string>()].insert(line["part"].get<std::string>() +
                                                line["file"].get<std::string>());
  CHECK(parts.size() == 10);
  std::size_t held_out = 0;
  for (const auto& [id, in] : parts) {
    CHECK(in.size() == 2);  // files
    held_out += in.contains("held_outPhyX_MC.tsv") && in.contains("held_outPhyX_OE.tsv");
  }
  CHECK(held_out == 2);
  CHECK(read_outcomes(out + "/arms/hybrid/seed0/outcomes.jsonl").outcomes.size() == 4);
  CHECK(io::read_json_object(out + "/config.json")["data"]["own"] == "PhyX_MC.tsv, PhyX_OE.tsv");
  CHECK(fs::file_size(out + "/report.html") > 10000);

  // The same for a model that reads no pictures: then the questions tell.
  OwnDataSettings own;
  own.phyx = files;
  LoadOptions text;
  text.pictures = false;
  std::map<std::string, std::set<std::string>> groups;
  std::istringstream lines(OwnData(own, {}, text).split_lines());
  for (std::string line; std::getline(lines, line);) {
    const io::Json row = io::Json::parse(line);
    groups[row["id"].get<std::string>()].insert(row["picture"].get<std::string>());
  }
  CHECK(groups.size() == 10);
  for (const auto& [id, group] : groups) CHECK(group.size() == 1);
}

TEST_CASE("a study on a checkpoint says what memory it needs, and which setting to lower") {
  const Folder folder("study_memory");
  const AblationSettings s = smoke("words", test::tiny_checkpoint(folder));
  const PublishedText published = read_published(published_settings(s), s.model);
  const auto needs = [&](std::vector<StudyChange> changes) {
    const AblationSettings now = smoke("words", s.model, std::move(changes));
    Example e;
    e.prompt.tokens.assign(90, 7);
    return forecast(now, published, {e}, {e});
  };
  const Forecast plain = needs({});
  CHECK(plain.warm_start == 0);
  CHECK(needs({{"grpo.group", 64, "--group"}}).grpo > plain.grpo);
  CHECK(needs({{"grpo.group", 64, "--group"}, {"checkpoint.recompute", true, "file"}}).grpo <
        needs({{"grpo.group", 64, "--group"}}).grpo);
  CHECK(needs({{"evaluation.batch", 512, "file"}}).evaluation > plain.evaluation);
  CHECK(contains(plain.text(), "(GRPO "));

  const auto lower = [&](Forecast f) { return advice(f, s, 16'000'000'000); };
  CHECK(lower({0, 15'000'000'000, 1}).empty());
  CHECK(lower({0, 17'000'000'000, 1}) ==
        "GRPO needs more than the 16000 MB that are available; change checkpoint.recompute (to "
        "true), grpo.group or max_tokens");
  CHECK(contains(lower({0, 1, 17'000'000'000}), "change evaluation.batch"));
  CHECK(advice({0, 17'000'000'000, 1}, s, 0).empty());  // unknown
}

TEST_CASE("--check measures the checkpoint on the study's own problems, and leaves no file") {
  const Folder folder("study_check");
  const std::string model = test::tiny_checkpoint(folder);
  const auto check = [&](const std::string& study, const std::string& text,
                         std::vector<StudyChange> changes) {
    changes.push_back({"model", model, "--model"});
    std::vector<std::string> begun;
    Listener listener;
    listener.begin = [&](const std::string& what) { begun.push_back(what); };
    const std::string out = preview(read_study(study, {"smoke", changes}), listener);
    INFO(out);
    CHECK(begun == std::vector<std::string>{"measuring the speed of " + model + ", float32"});
    CHECK(contains(out, text));
    CHECK(contains(out, "memory: about "));
    CHECK(contains(out, "\ntime: about "));
    return out;
  };
  check("words", "random              grpo    2             1 random\n", {});
  const std::string data =
      folder.put("text.jsonl", R"({"question": "1 + 1?", "answer": 2, "response": "2"}
{"question": "2 + 2?", "answer": 4, "response": "4"}
)");
  const std::string text = check("checkpoint", "sft                 sft     2             -\n",
                                 {{"own.file", data, "--data"},
                                  {"only", io::Json::array({"start", "sft", "format"}), "--only"}});
  CHECK(contains(text, "(supervised "));
}

TEST_CASE("what a checkpoint cannot do is refused by name") {
  const Folder folder("study_refused");
  const std::string model = test::tiny_checkpoint(folder);
  const std::string data = folder.put(
      "text.jsonl",
      "{\"question\": \"1 + 1?\", \"answer\": 2}\n{\"question\": \"?\", \"answer\": 3}\n");
  const auto error = [&](std::vector<StudyChange> changes) {
    return error_of([&] { run(smoke("checkpoint", model, changes), folder.file("out")); });
  };
  const StudyChange file{"own.file", data, "--data"};
  const auto only = [](const char* name) {
    return StudyChange{"only", io::Json::array({name}), "--only"};
  };
  CHECK(contains(error({}), "needs either a file of own data"));
  CHECK(contains(error({file, only("attention")}),
                 "condition.attention: the reward attention needs pictures, but " + model));
  CHECK(contains(error({file, only("sft")}), "line 2, response: missing; the condition sft"));
  CHECK(contains(error({file, only("format"), {"lora.targets", io::Json::array({"up"}), "file"}}),
                 "no linear module is named up"));
  CHECK(contains(error({file,
                        only("format"),
                        {"grpo.kl", 0.1, "--kl"},
                        {"grpo.reference_sync.every", 2, "--set"}}),
                 "grpo.reference_sync.every must be 0"));
  CHECK(contains(error({file, only("format"), {"checkpoint.prompt", "no place", "file"}}),
                 "{question}"));
  CHECK(contains(error({file, {"own.phyx", io::Json::array({"none.tsv"}), "--data"}}),
                 "either own.file or own.phyx"));
  CHECK(contains(error({{"own.phyx", io::Json::array({"none.tsv"}), "--data"}}),
                 "own.phyx: there is no none.tsv"));
  const std::string tables[] = {folder.put("a/x_MC.tsv", "index\n"),
                                folder.put("b/x_MC.tsv", "index\n")};
  CHECK(
      contains(error({{"own.phyx", tables, "--data"}}), "own.phyx: two files are named x_MC.tsv"));
  CHECK_FALSE(fs::exists(folder.file("out") + "/arms/format/seed0"));
}

}  // namespace test_checkpoint_study
