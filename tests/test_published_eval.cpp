// SPDX-License-Identifier: MIT
// Published checkpoints on problem files: prompts, answers, resuming, and what is refused.
#include <algorithm>

#include "gaze/cpu/kernels.hpp"
#include "gaze/generate/continuous_batch.hpp"
#include "phyx/eval/files.hpp"
#include "phyx/synth/files.hpp"
#include "tests/published_folder.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_published_eval {
namespace {

using namespace gaze;
using namespace gaze::phyx;
using namespace gaze::test;

struct World {
  Folder model{"published_eval_model"}, place{"published_eval"};
  std::string data = suite_file(place.file("data"), "val", Form::mc);

  World() {
    put_published(model, chatml());
    write_suite(place.file("data"), "val", 9, 3, 64);
  }

  EvalSettings settings(const std::string& out) const {
    EvalSettings s;
    s.model = model.path.string();
    s.out = place.file(out);
    s.data = {data};
    s.evaluation.samples = 2;
    s.evaluation.batch = 4;
    s.evaluation.sampling.max_tokens = 12;
    return s;
  }
};

/// The folder's answer to a question with this prompt, by continuous batching.
std::string greedy_answer(const World& w, const std::vector<std::int32_t>& prompt) {
  const auto m = load_published<Cpu>({}, w.model.path.string());
  GenerationRequest<models::Prompt> r;
  r.prompt.tokens = prompt;
  r.sampling.greedy = true;
  r.sampling.max_tokens = 12;
  r.ends = m->checkpoint.ends;
  SampledTokens answer;
  r.use = [&](const GeneratedToken& t) {
    answer.tokens.push_back(t.id);
    answer.ended = t.end;
    return true;
  };
  ContinuousBatch batch(m->model, 1024);
  batch.add(std::move(r));
  while (batch.running() > 0) batch.step();
  return m->completion(answer).text;
}

std::vector<std::int32_t> bytes(const std::string& text) {
  std::vector<std::int32_t> out;
  for (const char c : text) out.push_back(static_cast<unsigned char>(c));
  return out;
}

io::Json first_line(const World& w, const std::string& out) {
  const std::string log = w.place.read(out + "/predictions.jsonl");
  return io::Json::parse(log.substr(0, log.find('\n')));
}

}  // namespace

TEST_CASE("a published checkpoint answers problem files in its chat format") {
  const World w;
  CHECK_FALSE(FileEvaluation(w.settings("whole"), {}).run().empty());
  const io::Json first = first_line(w, "whole");
  ProblemReader reader(w.data, {});
  std::vector<std::int32_t> prompt{256};
  for (const auto& part :
       {bytes("user\n" + reader.next()->question), {257}, bytes("\n"), {256}, bytes("assistant\n")})
    prompt.insert(prompt.end(), part.begin(), part.end());
  CHECK(first["prediction"] == greedy_answer(w, prompt));
  CHECK(read_outcomes(w.place.file("whole/outcomes.jsonl")).outcomes.size() == 9);
}

TEST_CASE("an evaluation of a published checkpoint resumes to the same files") {
  const World w;
  FileEvaluation(w.settings("whole"), {}).run();
  Listener listener;
  int asked = 0;
  listener.stop = [&] { return ++asked == 1; };
  CHECK_THROWS_AS(FileEvaluation(w.settings("cut"), listener).run(), Interrupted);
  EvalSettings s = w.settings("cut");
  s.resume = true;
  s.evaluation.batch = 3;
  FileEvaluation(s, {}).run();
  for (const char* name : {"predictions.jsonl", "outcomes.jsonl", "results.csv"}) {
    INFO(name);
    CHECK((w.place.read("cut/" + std::string(name)) == w.place.read("whole/" + std::string(name))));
  }
  s.published.precision = "bf16";
  CHECK(contains(error_of([&] { FileEvaluation(s, {}).run(); }), "instruction_set"));
}

TEST_CASE("pictures are not read for a model of text") {
  const World w;
  const std::string table = w.place.read("data/" + w.data.substr(w.data.rfind('/') + 1));
  const std::size_t line = table.find('\n') + 1, image = table.find("iVBOR", line);
  REQUIRE(image != table.npos);
  EvalSettings s = w.settings("broken");
  s.data = {w.place.put("broken_MC.tsv", table.substr(0, image) + "####" + table.substr(image))};
  CHECK_FALSE(FileEvaluation(s, {}).run().empty());
}

TEST_CASE("a chat template that is not known is refused, and a prompt template takes its place") {
  const Folder model("published_eval_chat");
  put_published(model, "{{ messages }}");
  const auto load = [&](const std::string& file) {
    return load_published<Cpu>({"", file}, model.path.string());
  };
  const models::hf::ChatMessage question{"user", "1 <|im_end|> 2?"};
  const auto prompt = [&](const auto& m) { return m->prompt({&question, 1}); };
  const std::string error = error_of([&] { prompt(load("")); });
  CHECK(contains(error, model.path.string() + ": its chat template is not known; known are "));
  CHECK(contains(error, "chatml; --prompt-template FILE takes its place"));

  const std::string file = model.put("prompt.txt", "Q: {question}<|im_end|>\nA:");
  std::vector<std::int32_t> want = bytes("Q: 1 <|im_end|> 2?");  // a control token in the question
  want.push_back(257);                                           // is text, one in the template not
  for (const auto id : bytes("\nA:")) want.push_back(id);
  CHECK(prompt(load(file)) == want);
  const models::hf::ChatMessage two[] = {{"system", "s"}, {"user", "u"}};
  CHECK(contains(error_of([&] { load(file)->prompt(two); }), "is for one question"));
  for (const char* bad : {"no field", "{question} {question}"})
    CHECK(contains(error_of([&] { load(model.put("bad.txt", bad)); }),
                   "bad.txt: a prompt template has {question} in it, once"));
}

TEST_CASE("a NUL that a model writes becomes U+FFFD, since tables cannot hold it") {
  CHECK(without_nul(std::string("a\0b\0", 4)) == "a\uFFFDb\uFFFD");
  const World w;
  SampledTokens sampled;
  sampled.tokens = {'a', 0, 'b', 257};
  sampled.ended = true;
  const auto c = load_published<Cpu>({}, w.model.path.string())->completion(sampled);
  CHECK(c.text == "a\uFFFDb");
  CHECK(c.ended);
  CHECK(c.length == 4);
}

TEST_CASE("precision and prompt of our own models come from their files") {
  for (const PublishedSettings& s : {PublishedSettings{"bf16", ""}, PublishedSettings{"", "file"}})
    CHECK(contains(error_of([&] { check_own_model(s, "run/model.safetensors"); }),
                   "run/model.safetensors: the model's file"));
  CHECK(error_of([] { check_own_model({}, "run"); }).empty());
}

}  // namespace test_published_eval
