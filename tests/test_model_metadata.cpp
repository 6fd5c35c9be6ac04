// SPDX-License-Identifier: MIT
// Model files describe themselves: sizes of any kind are saved, read back and computed to the same
// bits; what is missing, unknown or impossible is refused by name.
#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "gaze/cpu/kernels.hpp"
#include "gaze/image/png.hpp"
#include "gaze/train/checkpoint.hpp"
#include "models/language_model.hpp"
#include "models/memory.hpp"
#include "models/model_metadata.hpp"
#include "models/trained_model.hpp"
#include "phyx/eval/logits.hpp"
#include "phyx/eval/trained_model.hpp"
#include "phyx/study/settings.hpp"
#include "tests/folder.hpp"
#include "tests/own_rows.hpp"
#include "tests/own_run.hpp"
#include "tests/small_model.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_model_metadata {
namespace {

using namespace gaze;
using gaze::test::bits;
using gaze::test::contains;
using gaze::test::error_of;
using gaze::test::Folder;
using io::Json;

constexpr const char* prompt = "<|user|>{image} \"{question}\"\n<|assistant|>";

/// Head counts, multipliers and other sizes that no preset has.
models::VlmConfig custom(Index vocabulary) {
  models::VlmConfig c{{48, 8, 40, 1, 5, 56, 3e-6}, 3, {60, 2, 6, 3, 10, 52}, vocabulary, false};
  c.decoder.rope_theta = 12345.678;
  c.decoder.eps = 0.1 + 0.2;  // needs all 17 digits
  c.decoder.embedding_multiplier = 1.0 / 3;
  c.decoder.attention_multiplier = 0.11;
  c.decoder.residual_multiplier = 0.22;
  c.decoder.logits_divisor = 8;
  c.decoder.tied = false;
  return c;
}

text::Tokenizer tokenizer() { return text::Tokenizer::build({"a ball of 3 kg falls 7 m"}); }

/// A file of one tensor with this metadata, opened.
models::ModelMetadata saved_and_read(const Folder& folder, const io::Metadata& metadata) {
  const std::string path = folder.file("m.safetensors");
  io::write_safetensors(path, std::vector<io::TensorEntry>{}, metadata);
  return models::read_model_metadata(io::SafetensorsFile(path));
}

/// A trained model's folder: weights and tokenizer.json.
struct Saved {
  Folder folder;
  text::Tokenizer words = tokenizer();
  models::VlmConfig config = custom(words.vocab_size());
  phyx::Model<Cpu> model{config, words.image(), 9};

  explicit Saved(const std::string& name) : folder(name) {
    words.save(folder.file("tokenizer.json"));
    save(models::model_metadata(config, prompt));
  }
  std::string weights() const { return folder.file("model.safetensors"); }
  void save(const io::Metadata& metadata) { save_weights(weights(), model.parameters(), metadata); }

  /// Two words, a picture, three words.
  models::Prompt with_picture() const {
    models::Prompt p;
    p.tokens = {7, 11};
    p.tokens.insert(p.tokens.end(), static_cast<std::size_t>(config.image_tokens()), words.image());
    p.tokens.insert(p.tokens.end(), {12, 30, 9});
    p.rgb = gaze::test::random_image(config, 4);
    return p;
  }
};

std::vector<float> logits(const phyx::Model<Cpu>& model, const models::Prompt& p) {
  const NoGrad no_grad;
  const models::Prompt* one = &p;
  return model.all_logits(std::span(&one, 1)).to_vector();
}

io::TensorEntry tensor(const std::string& name, const std::string& dtype,
                       std::vector<std::int64_t> shape, std::span<const std::byte> bytes) {
  return {name, dtype, std::move(shape), {bytes.begin(), bytes.end()}};
}

}  // namespace

TEST_CASE("every preset and a custom size are read back exactly from a file's metadata") {
  const Folder folder("metadata_round_trip");
  std::vector<models::VlmConfig> all = {custom(77), gaze::test::in_bf16(custom(1))};
  for (const auto& p : models::presets) all.push_back(gaze::test::config(p.name));
  for (const auto& c : all) {
    const auto read = saved_and_read(folder, models::model_metadata(c, prompt));
    CHECK((std::get<models::VlmConfig>(read.config) == c));
    CHECK(read.prompt == prompt);
  }
  CHECK(models::size_name(gaze::test::config("small")) == "small");
  CHECK(models::size_name(custom(77)) == "custom");
}

TEST_CASE("a model for text alone is read back exactly, and has the same logits") {
  const Folder folder("metadata_language");
  const models::LanguageConfig c{custom(0).decoder, 41, true};
  models::LanguageModel<float> model(c, 3);
  const std::string path = folder.file("m.safetensors");
  save_weights(path, model.parameters(), models::model_metadata(c, ""));
  const auto read = models::read_model_metadata(io::SafetensorsFile(path));
  REQUIRE(std::holds_alternative<models::LanguageConfig>(read.config));
  CHECK((std::get<models::LanguageConfig>(read.config) == c));
  auto again =
      models::LanguageModel<float>::for_file(std::get<models::LanguageConfig>(read.config), true);
  load_weights(path, again.parameters());
  const models::Prompt p{{5, 9, 31, 7}, nullptr, {}};
  const models::Prompt* one = &p;
  const NoGrad no_grad;
  CHECK(bits(model.all_logits(std::span(&one, 1))) == bits(again.all_logits(std::span(&one, 1))));
  CHECK(contains(error_of([&] { phyx::read_model_files(path); }), "a model for text alone"));
}

TEST_CASE("a custom size is saved, loaded from its files alone and gives bit-equal logits") {
  const Saved saved("metadata_custom");
  const auto loaded = phyx::load_model(saved.folder.path.string());
  CHECK((loaded->model->config() == saved.config));
  CHECK(phyx::read_model_files(saved.weights()).prompts.problem == prompt);
  const models::Prompt p = saved.with_picture();
  const auto expected = logits(saved.model, p);
  CHECK(bits(logits(*loaded->model, p)) == bits(expected));

  const models::TrainedModel<> trained(saved.folder.path.string());
  CHECK(bits(logits(trained.model(), p)) == bits(expected));
  const image::Image picture{3, 2, std::vector<std::uint8_t>(18, 200)};
  phyx::Problem problem;
  problem.question = "how far ?";
  problem.image = image::encode_png(picture);
  const auto same = (*loaded->maker)(problem).prompt;
  const auto asked = trained.prompt("how far ?", &picture);
  CHECK(asked.tokens == same.tokens);
  CHECK(*asked.rgb == *same.rgb);
  models::Prompt other = p;
  other.rgb = gaze::test::random_image(saved.config, 5);
  CHECK(logits(*loaded->model, other) != expected);
}

TEST_CASE("a loaded model has no gradients, holds its weights once and gives the same answers",
          "[memory]") {
  Saved saved("metadata_frozen");
  const std::vector<models::Prompt> prompts = {saved.with_picture(), {{5, 9, 31}, nullptr, {}}};
  SamplingSettings sampling;
  sampling.max_tokens = 12;
  for (const bool bf16 : {false, true}) {
    INFO((bf16 ? "bf16" : "float32"));
    const auto config = bf16 ? gaze::test::in_bf16(saved.config) : saved.config;
    saved.save(models::model_metadata(config, prompt));
    const phyx::Model<Cpu> trained(config, saved.words.image(), 9);
    const std::size_t before = Allocator<Cpu>::in_use();
    Allocator<Cpu>::reset_peak();
    const auto loaded = phyx::load_model(saved.folder.path.string());
    const std::size_t peak = Allocator<Cpu>::peak() - before;
    auto& own = loaded->model->parameters();
    models::DeclaredVlm declared(config);
    models::freeze(declared.all);
    CHECK(models::parameter_bytes(declared.all, false) == models::parameter_bytes(own, false));
    CHECK(static_cast<Index>(peak) <= models::parameter_bytes(declared.all, false));
    for (const auto& pack : own.packs()) CHECK_FALSE((pack.trained || pack.gradients.defined()));
    for (const auto& p : own.all()) {
      INFO(p.name);
      const bool kept = p.name == "decoder.embedding" || p.name == "vit.position";
      CHECK(p.value.defined() == (!bf16 || p.shape.rank() == 1 || kept));
      CHECK_FALSE(p.node);
    }
    for (const auto& p : prompts)
      CHECK(bits(logits(*loaded->model, p)) == bits(logits(trained, p)));
    const auto answers = [&](const phyx::Model<Cpu>& model) {
      std::vector<std::vector<std::int32_t>> out;
      for (auto& c : gaze::test::sample(model, gaze::test::pointers(prompts), 3, sampling, {4, 5}))
        out.push_back(c.tokens);
      return out;
    };
    CHECK(answers(*loaded->model) == answers(trained));
    CHECK(contains(error_of([&] { own.train_all(); }), "was allocated as frozen"));
  }
}

TEST_CASE("the logits of a trained model are written for tokens and pictures") {
  const Saved saved("metadata_logits");
  const models::Prompt p = saved.with_picture();
  const auto t = static_cast<std::int64_t>(p.tokens.size());
  const std::int64_t side = saved.config.vit.image;
  std::vector<std::int64_t> ids(p.tokens.begin(), p.tokens.end()), labels = ids;
  ids.resize(static_cast<std::size_t>(2 * t), 8);  // the second row has no picture
  std::fill(labels.begin(), labels.end() - 3, -100);
  labels.resize(ids.size(), -100);
  std::vector<std::uint8_t> pixels = *p.rgb;
  pixels.resize(2 * pixels.size());
  const auto write = [&](std::vector<std::int64_t> shape) {
    io::write_safetensors(
        saved.folder.file("in"),
        {tensor("input_ids", "I64", {2, t}, std::as_bytes(std::span(ids))),
         tensor("labels", "I64", {2, t}, std::as_bytes(std::span(labels))),
         tensor("pixels", "U8", std::move(shape), std::as_bytes(std::span(pixels)))});
    phyx::write_logits({.model = saved.folder.path.string(),
                        .inputs = saved.folder.file("in"),
                        .out = saved.folder.file("out"),
                        .precision = "",
                        .gradients = true});
  };
  write({2, side, side, 3});
  const io::SafetensorsFile out(saved.folder.file("out"));
  const Index v = saved.config.vocabulary;
  std::vector<float> all(static_cast<std::size_t>(2 * t * v));
  out.read<float>("logits", std::vector<std::int64_t>{2, t, v}, std::span(all));
  auto expected = logits(saved.model, p);
  const auto second =
      logits(saved.model, {std::vector<std::int32_t>(static_cast<std::size_t>(t), 8), nullptr, {}});
  expected.insert(expected.end(), second.begin(), second.end());
  CHECK(bits(all) == bits(expected));
  const std::vector<std::int32_t> answer(p.tokens.end() - 3, p.tokens.end());
  models::Prompt start = p;
  start.tokens.resize(start.tokens.size() - 3);
  const models::Group group{&start, {answer}};
  double loss = 0;
  for (const float l : saved.model.logprobs(std::span(&group, 1)).logp.to_vector()) loss -= l / 3;
  float written = 0;
  out.read<float>("loss", std::vector<std::int64_t>{}, std::span(&written, 1));
  CHECK(double(written) == Catch::Approx(loss).epsilon(1e-6));
  CHECK(out.info("grad.vit.0.qkv.weight").shape == std::vector<std::int64_t>{120, 40});
  CHECK(contains(error_of([&] {
                   write({2, side * 3, side, 1});
                 }),
                 "pixels: U8 [2,144,48,1], expected U8 [2,48,48,3]"));
  // Labels of the picture and others than the next token.
  labels[1] = ids[1];
  labels[labels.size() - 1] = 3;
  write({2, side, side, 3});
  const io::SafetensorsFile others(saved.folder.file("out"));
  std::vector<float> logp(static_cast<std::size_t>(2 * (t - 1)));
  others.read<float>("logp", std::vector<std::int64_t>{2, t - 1}, std::span(logp));
  const auto expected_logp = [&](Index row, std::int64_t token) {
    const float* x = expected.data() + row * v;
    double total = 0;
    for (Index i = 0; i < v; ++i) total += std::exp(double(x[i]));
    return double(x[token]) - std::log(total);
  };
  CHECK(double(logp.front()) == Catch::Approx(expected_logp(0, labels[1])).epsilon(1e-5));
  CHECK(double(logp.back()) == Catch::Approx(expected_logp(2 * t - 2, 3)).epsilon(1e-5));
  CHECK(logp[1] == 0.0f);
  CHECK(contains(error_of([&] {
                   phyx::write_logits({.model = saved.folder.path.string(),
                                       .inputs = saved.folder.file("in"),
                                       .out = saved.folder.file("out"),
                                       .logits_scaling = false});
                 }),
                 "--no-logits-scaling is for published checkpoints"));
  ids[2] = 8;  // one image token less
  CHECK(contains(error_of([&] {
                   write({2, side, side, 3});
                 }),
                 "input_ids: row 0 has 3 image tokens, its pictures take 4"));
}

TEST_CASE("a run takes its sizes from a start of a custom size") {
  const Saved saved("metadata_start");
  phyx::AblationSettings s = phyx::ablation_preset("smoke");
  CHECK((phyx::model_config(s) == models::preset(s.model)));
  s.own.start = saved.folder.path.string();
  s.precision = "bf16";
  auto expected = gaze::test::in_bf16(saved.config);
  expected.vocabulary = 0;
  CHECK((phyx::model_config(s) == expected));
}

TEST_CASE("a run on own data starts from a custom size, and its model has that size") {
  const Saved saved("metadata_own_start");
  const Folder folder("metadata_own_run");
  const std::string rows =
      folder.put("mine.jsonl", gaze::test::own_rows::jsonl(gaze::test::own_rows::ten_rows()));
  phyx::AblationSettings s = gaze::test::own_settings(rows);
  s.own.start = saved.folder.path.string();
  s.warm.clean_steps = 0;
  s.only = {"accuracy"};
  s.grpo_steps = 1;
  s.max_tokens = 4;
  const std::string out = folder.file("out");
  gaze::test::run(s, out);
  CHECK(io::read_json_object(out + "/config.json").at("model") == "custom");
  CHECK(io::read_file(out + "/warm/seed0/model.safetensors") == io::read_file(saved.weights()));
  const auto trained = phyx::read_model_files(out + "/arms/accuracy/seed0");
  CHECK((trained.config == saved.config));
  CHECK(trained.prompts.problem == prompt);
}

TEST_CASE("files that name a preset still load") {
  Saved saved("metadata_named");
  const Folder folder("metadata_named_nano");
  auto config = models::preset("nano");
  config.vocabulary = saved.words.vocab_size();
  phyx::Model<Cpu> model(config, saved.words.image(), 5);
  saved.words.save(folder.file("tokenizer.json"));
  const auto load = [&](const io::Metadata& metadata) {
    save_weights(folder.file("model.safetensors"), model.parameters(), metadata);
    return phyx::load_model(folder.path.string());
  };
  const io::Metadata named = {{"model", "nano"}, {"prompt", prompt}};
  const auto loaded = load(named);
  CHECK((loaded->model->config() == config));
  const models::Prompt p{{5, 9, 31, 7}, nullptr, {}};
  CHECK(bits(logits(*loaded->model, p)) == bits(logits(model, p)));
  auto rounded = named;
  rounded["precision"] = "bf16";
  CHECK(load(rounded)->model->config().bf16);
  const auto refused = [&](const std::string& key, const std::string& value, const char* part) {
    io::Metadata changed = named;
    value.empty() ? void(changed.erase(key)) : void(changed[key] = value);
    const std::string message = error_of([&] { load(changed); });
    INFO(message);
    CHECK(contains(message, folder.file("model.safetensors")));
    CHECK(contains(message, part));
  };
  refused("model", "giant", "metadata model: no model named giant");
  refused("precision", "fp8", "metadata precision: must be float32 or bf16, got fp8");
  refused("model", "", "metadata has neither gaze.model nor model");
  refused("prompt", "", "metadata has neither gaze.model nor prompt");
  refused("prompt", "{question}", ", prompt: must contain {image} exactly once");
}

TEST_CASE("metadata that are incomplete, unknown or impossible are refused with file and key") {
  const Folder folder("metadata_refused");
  const std::string text = models::model_metadata(custom(50), prompt).at(models::metadata_key);
  const auto message_of = [&](const std::string& changed) {
    const std::string message = error_of([&] {
      saved_and_read(folder, {{models::metadata_key, changed}});
    });
    INFO(message);
    CHECK(contains(message, folder.file("m.safetensors") + ", metadata gaze.model"));
    CHECK_FALSE(contains(message, "\n"));
    return message;
  };
  const auto refused = [&](const std::string& pointer, const Json& value, const char* part) {
    Json j = Json::parse(text);
    j[Json::json_pointer(pointer)] = value;
    INFO(pointer << " = " << value.dump());
    const std::string message = message_of(j.dump());
    INFO(message);
    std::string key = pointer.substr(1);
    std::replace(key.begin(), key.end(), '/', '.');
    CHECK(contains(message, key));
    CHECK(contains(message, part));
  };
  // Every key is needed, and no other is known.
  std::size_t keys = 0;
  const Json whole = Json::parse(text), flat = whole.flatten();
  for (const auto& [pointer, value] : flat.items()) {
    Json j = whole;
    const Json::json_pointer at(pointer);
    j[at.parent_pointer()].erase(at.back());
    CHECK(contains(message_of(j.dump()), at.back() + ": missing"));
    refused(pointer, Json::array(), "not ");
    refused(pointer, nullptr, "missing");
    ++keys;
  }
  CHECK(keys == 6 + 7 + 13);
  for (const char* pointer : {"/seen", "/vit/seen", "/decoder/seen"})
    refused(pointer, 1, "not known");
  refused("/vit", 3, "not an object");
  refused("/version", 2, "this program reads version 1");
  refused("/kind", "audio", "must be vlm or language");
  refused("/precision", "fp8", "must be float32 or bf16");
  refused("/decoder/width", 0, "at least 1");
  refused("/decoder/width", -3, "at least 1");
  refused("/decoder/width", 60.5, "not a whole number");
  refused("/decoder/width", std::uint64_t{1} << 63, "must be at most 67108864");
  refused("/decoder/width", Index{1} << 22, "must be in [1, 1048576]");
  refused("/decoder/layers", 1000000, "must be in [1, 1024]");
  refused("/decoder/kv_heads", 4, "does not divide heads, 6");
  refused("/decoder/head_size", 9, "odd");
  refused("/decoder/head_size", 1 << 19, "must be in [1, 1048576]");
  refused("/decoder/eps", 0, "above 0");
  refused("/decoder/rope_theta", -1, "above 0");
  refused("/decoder/logits_divisor", 0, "above 0");
  refused("/decoder/rope_theta", 1e300, "must be a float above 0");
  refused("/vit/eps", 1e-300, "must be a float above 0");
  refused("/decoder/embedding_multiplier", -1, "at least 0");
  refused("/decoder/tied", 1, "not true or false");
  refused("/vocabulary", Index{1} << 27, "must be at most 67108864");
  refused("/vit/heads", 3, "does not divide width, 40");
  refused("/vit/patch", 7, "does not divide image, 48");
  refused("/vit/image", 1 << 14, "must be in [1, 8192]");
  refused("/shuffle", 4, "does not divide 6, the patches per side");
  Json language = whole;
  language["kind"] = "language";  // without a ViT
  CHECK(contains(message_of(language.dump()), "shuffle: this key is not known"));
  CHECK(contains(message_of("{\"version\": 1"), "parse_json"));
  CHECK(contains(message_of("[1]"), "not an object"));
  CHECK(contains(message_of(text.substr(0, text.size() - 1) + ",\"version\":1}"), "twice"));
  CHECK(contains(message_of("{\"version\":1e999}"), "parse_json"));
}

TEST_CASE("a configuration that no model can have is not written") {
  auto c = custom(50);
  c.decoder.kv_heads = 4;
  CHECK(contains(error_of([&] { models::model_metadata(c, prompt); }), "decoder.kv_heads"));
  c = custom(50);
  c.vit.eps = std::numeric_limits<double>::quiet_NaN();
  CHECK(contains(error_of([&] { models::model_metadata(c, prompt); }), "vit.eps: is not finite"));
  CHECK(contains(error_of([&] { models::model_metadata(custom(0), prompt); }), "vocabulary"));
}

TEST_CASE("metadata, weights and tokeniser that disagree are one error that names both sides") {
  Saved saved("metadata_disagree");
  const std::string folder = saved.folder.path.string();
  const auto message = [&] { return error_of([&] { phyx::read_model_files(folder); }); };
  const auto with = [&](auto change) {
    auto c = saved.config;
    change(c);
    saved.save(models::model_metadata(c, prompt));
    return message();
  };
  CHECK(message().empty());
  const Index v = saved.config.vocabulary;
  CHECK(with([](auto& c) { ++c.vocabulary; }) ==
        "[gaze::load_model] " + saved.weights() + ": a model of " + std::to_string(v + 1) +
            " tokens, but " + saved.folder.file("tokenizer.json") + " has " + std::to_string(v));
  CHECK(contains(with([](auto& c) { c.decoder.mlp = 64; }),
                 "tensor 'decoder.0.gate_up.weight': shape [104,60], expected [128,60]"));
  CHECK(contains(with([](auto& c) { c.decoder.layers = 3; }),
                 "tensor 'decoder.2.qkv.weight': not in the file"));
  CHECK(contains(with([](auto& c) { c.vit.layers = 2; }), "tensor 'vit.1."));
  CHECK(contains(with([](auto& c) { c.decoder.tied = true; }),
                 "the model has no tensor named decoder.head"));
  CHECK(contains(with([](auto& c) { c.vit.image = 96; }), "tensor 'vit.position': shape [36,40]"));
  saved.save(models::model_metadata(saved.config, "<|user|>{question}"));
  CHECK(message() ==
        "[gaze::prompt] " + saved.weights() + ", prompt: must contain {image} exactly once");
}

}  // namespace test_model_metadata
