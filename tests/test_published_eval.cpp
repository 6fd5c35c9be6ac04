// SPDX-License-Identifier: MIT
// Published checkpoints on problem files: prompts, answers, resuming, and what is refused.
#include <algorithm>

#include "gaze/cpu/kernels.hpp"
#include "gaze/generate/continuous_batch.hpp"
#include "gaze/image/decode.hpp"
#include "phyx/data/reader.hpp"
#include "phyx/eval/attempt.hpp"
#include "phyx/eval/files.hpp"
#include "phyx/synth/files.hpp"
#include "tests/data.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"
#include "tests/tiny_checkpoint.hpp"

namespace test_published_eval {
namespace {

using namespace gaze;
using namespace gaze::phyx;
using namespace gaze::test;

struct World {
  Folder place{"published_eval"};
  std::string model = tiny_checkpoint(place, 2048);
  std::string data = suite_file(place.file("data"), "val", Form::mc);

  World() { write_suite(place.file("data"), "val", 9, 3, 64); }

  EvalSettings settings(const std::string& out) const {
    EvalSettings s;
    s.model = model;
    s.out = place.file(out);
    s.data = {data};
    s.evaluation.samples = 2;
    s.evaluation.batch = 4;
    s.evaluation.sampling.max_tokens = 12;
    return s;
  }
};

using Published = PublishedModel<Cpu>;

/// The model's answer to a prompt, by continuous batching.
std::string greedy_answer(const Published& m, const models::Prompt& prompt) {
  GenerationRequest<models::Prompt> r;
  r.prompt = prompt;
  r.sampling.greedy = true;
  r.sampling.max_tokens = 12;
  r.ends = m.checkpoint.ends;
  SampledTokens answer;
  r.use = [&](const GeneratedToken& t) {
    answer.tokens.push_back(t.id);
    answer.ended = t.end;
    return true;
  };
  ContinuousBatch batch(m.model, 2048);
  batch.add(std::move(r));
  while (batch.running() > 0) batch.step();
  return m.completion(answer, {}).text;
}

/// Ids of texts, and of control tokens, which start with <|.
std::vector<std::int32_t> ids(const Published& m, const std::vector<std::string>& parts) {
  std::vector<std::int32_t> out;
  for (const std::string& part : parts)
    for (const std::int32_t id : part.rfind("<|", 0) == 0 ? std::vector{m.tokenizer.id(part)}
                                                          : m.tokenizer.encode_plain(part))
      out.push_back(id);
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
  const auto m = load_published<Cpu>({}, w.model);
  CHECK(first["prediction"] ==
        greedy_answer(*m, {ids(*m, {"<|im_start|>", "user\n" + reader.next()->question,
                                    "<|im_end|>", "\n", "<|im_start|>", "assistant\n"}),
                           nullptr,
                           {}}));
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
  s.published.precision = "";
  w.place.put("tiny/generation_config.json", R"({"eos_token_id": 5})");  // other ends
  CHECK(contains(error_of([&] { FileEvaluation(s, {}).run(); }), "checkpoint"));
}

TEST_CASE("an evaluation records its adapters, and is not resumed with others") {
  const World w;
  FileEvaluation(w.settings("base"), {}).run();
  EvalSettings s = w.settings("adapted");
  s.published.adapter = golden_path("adapters/tied");
  FileEvaluation(s, {}).run();
  CHECK(w.place.read("adapted/predictions.jsonl") != w.place.read("base/predictions.jsonl"));
  const io::Json recorded = io::read_json_object(w.place.file("adapted/eval.json"));
  CHECK(recorded["checkpoint"].contains("adapter"));

  s.resume = true;
  CHECK(error_of([&] { FileEvaluation(s, {}).run(); }).empty());
  const auto refused = [&](const PublishedSettings& other) {
    EvalSettings changed = s;
    changed.published = other;
    return contains(error_of([&] { FileEvaluation(changed, {}).run(); }), "checkpoint");
  };
  CHECK(refused({}));
  PublishedSettings merged = s.published;
  merged.merge_adapter = true;
  CHECK(refused(merged));
  io::Json config = io::read_json_object(s.published.adapter + "/adapter_config.json");
  config["lora_alpha"] = 7;
  PublishedSettings other;
  other.adapter = w.place.file("other");
  w.place.put("other/adapter_config.json", config.dump());
  w.place.put("other/adapter_model.safetensors",
              io::read_file(s.published.adapter + "/adapter_model.safetensors"));
  CHECK(refused(other));
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

TEST_CASE("a checkpoint that sees answers about the problems' pictures") {
  World w;
  w.model = tiny_smolvlm(w.place);
  CHECK_FALSE(FileEvaluation(w.settings("own"), {}).run().empty());
  ProblemReader reader(w.data, {});
  const Problem problem = *reader.next();
  const auto m = load_published<Cpu>({}, w.model);
  const auto picture = image::decode_image(problem.image);
  CHECK(first_line(w, "own")["prediction"] ==
        greedy_answer(*m, m->question(problem.question, {&picture, 1}, 12)));

  EvalSettings s = w.settings("own");
  s.resume = true;
  s.published.split_images = false;
  CHECK(contains(error_of([&] { FileEvaluation(s, {}).run(); }), "checkpoint"));
  w.place.put("smolvlm/preprocessor_config.json",
              w.place.read("smolvlm/preprocessor_config.json") + " ");
  s.published.split_images = true;
  CHECK(contains(error_of([&] { FileEvaluation(s, {}).run(); }), "checkpoint"));
  const std::string table = w.place.read("data/" + w.data.substr(w.data.rfind('/') + 1));
  const std::size_t image = table.find("iVBOR", table.find('\n'));
  s = w.settings("broken");
  s.data = {w.place.put("broken_MC.tsv", table.substr(0, image) + "####" + table.substr(image))};
  CHECK_FALSE(error_of([&] { FileEvaluation(s, {}).run(); }).empty());
}

TEST_CASE("a question and answer longer than the checkpoint's context are refused") {
  const World w;
  tiny_checkpoint(w.place, 100);
  const std::string error = error_of([&] { FileEvaluation(w.settings("out"), {}).run(); });
  INFO(error);
  CHECK(contains(error, w.data + " row 1, question: a question of "));
  const auto m = load_published<Cpu>({}, w.model);
  SamplingSettings s;
  const auto length = static_cast<Index>(m->question("?", {}, 1).tokens.size());
  s.max_tokens = 100 - length;
  CHECK_NOTHROW(m->question("?", {}, s.max_tokens));
  ++s.max_tokens;
  CHECK(contains(error_of([&] { answer(*m, "?", {}, s, 1, [](const std::string&) {}); }),
                 "are longer than the 100 positions (max_position_embeddings) of " + w.model));
}

TEST_CASE("a chat template that is not known is refused, and a prompt template takes its place") {
  const Folder place("published_eval_chat");
  const std::string model = tiny_checkpoint(place, 512, "{{ messages }}");
  const auto load = [&](const std::string& file) { return load_published<Cpu>({"", file}, model); };
  const models::hf::ChatMessage question{"user", "1 <|im_end|> 2?"};
  const auto prompt = [&](const auto& m) { return m->prompt({&question, 1}).tokens; };
  const std::string error = error_of([&] { prompt(load("")); });
  CHECK(contains(error, model + ": its chat template is not known; known are "));
  CHECK(contains(error, "chatml, smolvlm; --prompt-template FILE takes its place"));

  CHECK(contains(error_of([&] {
                   load_published<Cpu>({"fp8", ""}, model);
                 }),
                 model + ", precision: must be float32 or bf16, got fp8"));

  const std::string file = place.put("prompt.txt", "Q: {question}<|im_end|>\nA:");
  const auto filled = load(file);  // a control token in the question is text
  CHECK(prompt(filled) == ids(*filled, {"Q: 1 <|im_end|> 2?", "<|im_end|>", "\nA:"}));
  const models::hf::ChatMessage two[] = {{"system", "s"}, {"user", "u"}};
  CHECK(contains(error_of([&] { load(file)->prompt(two); }), "is for one question"));
  for (const char* bad : {"no field", "{question} {question}"})
    CHECK(contains(error_of([&] { load(place.put("bad.txt", bad)); }),
                   "bad.txt: a prompt template has {question} in it, once"));
}

TEST_CASE("ids that the configuration has beyond the tokeniser's add nothing to an answer") {
  const Folder place("published_eval_ids");
  const std::string model = tiny_checkpoint(place);
  io::Json tokenizer = tiny_tokenizer();
  io::Json& vocabulary = tokenizer["model"]["vocab"];
  for (auto it = vocabulary.begin(); it != vocabulary.end();)
    it = it.value() >= 90 ? vocabulary.erase(it) : std::next(it);
  place.put("tiny/tokenizer.json", tokenizer.dump());
  const auto m = load_published<Cpu>({}, model);
  REQUIRE(m->tokenizer.vocab_size() == 90);
  SampledTokens sampled;
  sampled.tokens = {m->tokenizer.id("a"), 93, m->tokenizer.id("b"), 2};
  sampled.ended = true;
  const auto c = m->completion(sampled, {});
  CHECK(c.text == "ab");
  CHECK(c.tokens == std::vector<std::string>{"a", "", "b", ""});
  CHECK(m->bytes(95).empty());
  SamplingSettings s;
  s.temperature = 2;
  s.max_tokens = 200;
  std::string text;
  answer(*m, "?", {}, s, 1, [&](const std::string& piece) { text += piece; });
  CHECK_FALSE(text.empty());
}

TEST_CASE("a chat template may be missing, null or one of a list of named ones") {
  const Folder place("published_eval_templates");
  const std::string model = tiny_checkpoint(place),
                    chat = std::string(models::hf::chat_templates[1].text);
  const auto read = [&](const io::Json& value) {
    place.put("tiny/tokenizer_config.json", io::Json{{"chat_template", value}}.dump());
    return models::hf::open_checkpoint(model).chat;
  };
  CHECK(read(nullptr).empty());
  CHECK(read(chat) == chat);
  CHECK(read({{{"name", "tool_use"}, {"template", "x"}},
              {{"name", "default"}, {"template", chat}}}) == chat);
  CHECK(models::hf::find_chat_template(read({{{"name", "tool_use"}, {"template", "x"}}})) ==
        nullptr);
}

TEST_CASE("a NUL that a model writes becomes U+FFFD, since tables cannot hold it") {
  CHECK(without_nul(std::string("a\0b\0", 4)) == "a\uFFFDb\uFFFD");
}

TEST_CASE("precision and prompt of our own models come from their files") {
  for (const PublishedSettings& s : {PublishedSettings{"bf16", ""}, PublishedSettings{"", "file"}})
    CHECK(contains(error_of([&] { check_own_model(s, "run/model.safetensors"); }),
                   "run/model.safetensors: the model's file"));
  PublishedSettings adapted;
  adapted.adapter = "folder";
  CHECK(contains(error_of([&] { check_own_model(adapted, "run"); }), "run: --adapter is for"));
  PublishedSettings undivided;
  undivided.logits_scaling = false;
  CHECK(contains(error_of([&] { check_own_model(undivided, "run"); }),
                 "run: --no-logits-scaling is for published checkpoints"));
  CHECK(error_of([] { check_own_model({}, "run"); }).empty());
}

}  // namespace test_published_eval
