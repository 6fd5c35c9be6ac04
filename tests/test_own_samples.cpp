// SPDX-License-Identifier: MIT
// A warm start's own right answers: which are kept, their file, and an arm that is trained on them
// and resumed.
#include <filesystem>
#include <set>

#include "gaze/cpu/kernels.hpp"
#include "phyx/study/own_samples.hpp"
#include "tests/data.hpp"
#include "tests/folder.hpp"
#include "tests/own_rows.hpp"
#include "tests/own_run.hpp"
#include "tests/reward_inputs.hpp"
#include "tests/texts.hpp"

namespace test_own_samples {
namespace {

using namespace gaze;
using namespace gaze::phyx;
using namespace gaze::test::own_rows;
using namespace gaze::test::reward_inputs;
using gaze::test::contains;
using gaze::test::error_of;
using gaze::test::Folder;
using gaze::test::json_lines;
using gaze::test::own_settings;
using gaze::test::run;
using Tokens = std::vector<std::int32_t>;

/// Rows about five pictures with one answer, which a nano model soon gives.
std::vector<Row> rows() {
  std::vector<Row> out;
  for (int i = 0; i < 5; ++i)
    out.push_back(row("r" + std::to_string(i), static_cast<std::uint8_t>(50 * i), "7"));
  return out;
}

AblationSettings short_run(const std::string& file) {
  AblationSettings s = own_settings(file);
  s.warm.clean_steps = 80;
  s.only = {"rft"};
  s.max_tokens = 12;
  s.rft.prompts = 6;
  s.rft.samples = 8;
  s.sft.steps = 4;
  return s;
}

std::vector<Tokens> tokens_of(const OwnSamples& samples) {
  std::vector<Tokens> out;
  for (const OwnSample& s : samples.kept) out.push_back(s.tokens);
  return out;
}

}  // namespace

TEST_CASE("different right answers of a problem are kept, up to a limit") {
  const Problem p = open_problem();
  const std::string text = respond("5 * 2 = 10 . so 10 N", "10 N");
  OwnSampleFilter filter(2);
  OwnSamples out;
  filter.take(3, p, {1, 2}, said(text), out);
  filter.take(3, p, {1, 2}, said(text), out);  // the same again
  filter.take(3, p, {1, 3}, said(text), out);
  filter.take(3, p, {1, 4}, said(text), out);  // beyond the limit
  filter.take(8, p, {1, 2}, said(text), out);  // of another problem
  CHECK(out.right == 5);
  CHECK(tokens_of(out) == std::vector<Tokens>{{1, 2}, {1, 3}, {1, 2}});
  CHECK(out.kept[1].example == 3);
  CHECK(out.kept[2].example == 8);
}

TEST_CASE("wrong, malformed and cut-off answers are not kept") {
  const Problem p = open_problem();
  const std::string right = respond("5 * 2 = 10 . so 10 N", "10 N");
  OwnSampleFilter filter(9);
  OwnSamples out;
  filter.take(0, p, {1}, said(respond("so 11 N", "11 N")), out);
  const std::vector<std::string> malformed = {
      "10 N",
      "<answer> 10 N </answer>",
      right + " N",
      "so " + right,
      "<think> so <think> 10 N </think> <answer> 10 N </answer>",
      "<think> so 10 N </think> so <answer> 10 N </answer>"};
  for (const std::string& text : malformed) {
    INFO(text);
    filter.take(0, p, {2}, said(text), out);
    CHECK(out.kept.empty());
  }
  filter.take(0, p, {3}, said(right, false), out);  // cut off at the length limit
  CHECK(out.right == 0);
  CHECK(out.kept.empty());
  filter.take(0, p, {4}, said(right), out);
  CHECK(tokens_of(out) == std::vector<Tokens>{{4}});
}

TEST_CASE("own samples survive their file, and a damaged file is refused with its line") {
  const Folder folder("own_samples");
  const std::string path = folder.file("samples.jsonl");
  OwnSamples samples;
  samples.kept = {{4, {7, 0, 2}}, {0, {9}}};
  samples.prompts = 5;
  samples.sampled = 40;
  samples.right = 11;
  samples.arithmetic = 123456789012;
  write_own_samples(path, samples);
  const OwnSamples again = read_own_samples(path, 5, 10);
  CHECK(again.text() == "5 problems, 40 answers, 11 right, 2 kept");
  CHECK(again.arithmetic == samples.arithmetic);
  CHECK(tokens_of(again) == tokens_of(samples));
  CHECK(again.kept[0].example == 4);

  CHECK(contains(error_of([&] { read_own_samples(path, 4, 10); }), "line 2: problem 4 of 4"));
  CHECK(contains(error_of([&] { read_own_samples(path, 5, 9); }), "line 3: not a token below 9"));
  const std::string counts = "{\"prompts\":1,\"sampled\":2,\"right\":1,\"arithmetic\":3}\n";
  const auto refusal = [&](const std::string& text) {
    folder.put("samples.jsonl", text);
    return error_of([&] { read_own_samples(path, 5, 10); });
  };
  CHECK(refusal(counts).empty());
  CHECK(contains(refusal(""), "is empty"));
  CHECK(contains(refusal("{\"prompts\":1}\n"), "sampled"));
  CHECK(contains(refusal("{\"prompts\":-1}\n"), "line 1, prompts: not a count"));
  CHECK(contains(refusal(counts + "{\"example\":0}\n"), "tokens"));
  CHECK(contains(refusal(counts + "{\"example\":0,\"tokens\":[]}\n"), "line 2: no tokens"));
  CHECK(contains(refusal(counts + "{\"example\":0,\"tokens\":[-1]}\n"), "not a token below 10"));
  CHECK(contains(refusal(counts + "{\"example\":0,\"tok"), "line 2"));
}

TEST_CASE("the lessons of a step are drawn from the kept answers") {
  std::vector<Example> examples(3);
  OwnSamples samples;
  samples.kept = {{0, {5}}, {2, {6}}};
  const auto lessons = own_lessons(samples, examples, 8, 1);
  std::set<Tokens> drawn;
  for (const Lesson& l : lessons(3)) {
    REQUIRE(l.completions.size() == 1);
    drawn.insert(l.completions.front());
    CHECK(l.prompt == &examples[l.completions.front().front() == 5 ? 0 : 2].prompt);
  }
  CHECK(drawn == std::set<Tokens>{{5}, {6}});
  for (std::size_t i = 0; i < 8; ++i)
    CHECK(lessons(3)[i].completions == own_lessons(samples, examples, 8, 1)(3)[i].completions);
}

TEST_CASE("a resumed rft arm trains on the samples that were drawn") {
  const Folder folder("own_samples_run");
  const std::string file = folder.put("mine.jsonl", jsonl(rows()));
  const std::string whole = folder.file("whole"), broken = folder.file("broken");
  const AblationSettings s = short_run(file);
  run(s, whole);
  const std::string arm = "/arms/rft/seed0/";
  const auto lines = json_lines(whole + arm + "samples.jsonl");
  REQUIRE(lines.size() > 1);
  CHECK(lines[0]["sampled"] == 48);
  std::set<std::string> different;
  for (std::size_t i = 1; i < lines.size(); ++i) CHECK(different.insert(lines[i].dump()).second);
  const std::int32_t end = lines[1]["tokens"].back();
  for (std::size_t i = 1; i < lines.size(); ++i) CHECK(lines[i]["tokens"].back() == end);

  // Stopped two steps into the arm's training: the samples are there, and remain.
  Listener listener;
  bool training = false;
  listener.begin = [&](const std::string& what) { training |= contains(what, "rft: "); };
  listener.stop = [&, steps = 0]() mutable { return training && ++steps > 2; };
  CHECK_THROWS_AS(run(s, broken, false, listener), Interrupted);
  const std::string drawn = io::read_file(broken + arm + "samples.jsonl");
  CHECK(drawn == io::read_file(whole + arm + "samples.jsonl"));
  CHECK_FALSE(std::filesystem::exists(broken + arm + "model.safetensors"));
  run(s, broken, true);
  CHECK(io::read_file(broken + arm + "samples.jsonl") == drawn);
  CHECK(io::read_file(broken + arm + "model.safetensors") ==
        io::read_file(whole + arm + "model.safetensors"));
  CHECK(io::read_file(broken + "/results.csv") == io::read_file(whole + "/results.csv"));
}

}  // namespace test_own_samples
