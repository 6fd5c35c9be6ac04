// SPDX-License-Identifier: MIT
// Published checkpoints: tiny random ones of each family against transformers' logits and
// gradients (tests/golden/make_llama_golden.py), and what is refused.
#include <cmath>
#include <string>
#include <vector>

#include "gaze/generate/rollout.hpp"
#include "gaze/io/weight_files.hpp"
#include "gaze/ops/elementwise.hpp"
#include "gaze/ops/reduce.hpp"
#include "models/hf/checkpoint.hpp"
#include "models/hf/load.hpp"
#include "models/language_model.hpp"
#include "tests/data.hpp"
#include "tests/folder.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_checkpoints {

using namespace gaze;
using namespace gaze::models;
using gaze::test::contains;
using gaze::test::error_of;
using gaze::test::Folder;

namespace {

std::string golden_folder(const std::string& name) {
  return gaze::test::golden_path("hf/llama/" + name);
}

/// A golden file's inputs: padded rows, their labels, the number of real tokens.
struct Golden {
  io::SafetensorsFile file;
  std::vector<std::int64_t> ids, mask, labels;
  Index rows = 0, columns = 0;

  explicit Golden(const std::string& folder) : file(folder + "/golden.safetensors") {
    const auto& shape = file.tensors().at("input_ids").shape;
    rows = shape[0];
    columns = shape[1];
    ids = integers("input_ids");
    mask = integers("attention_mask");
    labels = integers("labels");
  }
  std::vector<std::int64_t> integers(const std::string& name) const {
    std::vector<std::int64_t> out(static_cast<std::size_t>(rows * columns));
    file.read<std::int64_t>(name, std::vector<std::int64_t>{rows, columns}, std::span(out));
    return out;
  }
  std::vector<double> doubles(const std::string& name) const {
    const auto& shape = file.tensors().at(name).shape;
    std::size_t count = 1;
    for (const auto n : shape) count *= static_cast<std::size_t>(n);
    std::vector<double> out(count);
    if (file.tensors().at(name).dtype == "F64") {
      file.read<double>(name, shape, std::span(out));
    } else {
      std::vector<float> values(count);
      file.read<float>(name, shape, std::span(values));
      out.assign(values.begin(), values.end());
    }
    return out;
  }
  std::vector<std::int32_t> tokens(Index row) const {
    std::vector<std::int32_t> out;
    for (Index t = 0; t < columns; ++t)
      if (const auto i = static_cast<std::size_t>(row * columns + t); mask[i])
        out.push_back(static_cast<std::int32_t>(ids[i]));
    return out;
  }
};

double relative(const std::vector<double>& a, const std::vector<double>& b) {
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference += (a[i] - b[i]) * (a[i] - b[i]);
    size += b[i] * b[i];
  }
  return std::sqrt(difference / size);
}

template <class T>
struct Loaded {
  hf::Checkpoint checkpoint;
  LanguageModel<T> model;

  explicit Loaded(const std::string& folder, bool trained = true, bool bf16 = false)
      : checkpoint(opened(folder, bf16)),
        model(LanguageModel<T>::for_file(checkpoint.model.language(), trained)) {
    const io::WeightFiles files(folder);
    hf::load_weights(files, checkpoint.weights, model.parameters());
    CHECK(files.unused().empty());
    if (trained) model.parameters().train_all();
  }

  static hf::Checkpoint opened(const std::string& folder, bool bf16) {
    auto out = hf::open_checkpoint(folder);
    out.model.bf16 = bf16;
    return out;
  }
};

/// Log-probabilities of the labels as [B, T-1] with zeros elsewhere, and their loss.
template <class T>
struct Scored {
  std::vector<double> logp;
  Tensor<T> loss;
};

template <class T>
Scored<T> score(const LanguageModel<T>& model, const Golden& g) {
  std::vector<std::vector<std::int32_t>> rows;
  std::vector<Prompt> prompts;
  for (Index b = 0; b < g.rows; ++b) {
    rows.push_back(g.tokens(b));
    prompts.push_back({{rows.back().front()}, nullptr, {}});
  }
  std::vector<Group> groups;
  for (std::size_t b = 0; b < rows.size(); ++b)
    groups.push_back({&prompts[b], {std::span<const std::int32_t>(rows[b]).subspan(1)}});
  const auto y = model.logprobs(groups).logp;
  const auto values = y.to_vector();
  Scored<T> out;
  std::vector<T> weights;
  double count = 0;
  for (const auto label : g.labels) count += label >= 0;
  for (Index b = 0; b < g.rows; ++b) count -= g.labels[std::size_t(b * g.columns)] >= 0;
  std::size_t at = 0;
  for (Index b = 0; b < g.rows; ++b)
    for (Index t = 0; t + 1 < g.columns; ++t) {
      const bool real = t + 1 < static_cast<Index>(rows[std::size_t(b)].size());
      const bool kept = g.labels[static_cast<std::size_t>(b * g.columns + t + 1)] >= 0;
      out.logp.push_back(real && kept ? static_cast<double>(values[at]) : 0.0);
      if (!real) continue;
      weights.push_back(static_cast<T>(kept ? -1 / count : 0));
      ++at;
    }
  const auto n = static_cast<Index>(weights.size());
  out.loss = sum(mul(y, Tensor<T>::from({n}, std::move(weights))));
  return out;
}

}  // namespace

TEST_CASE("tiny llama checkpoints give transformers' log-probabilities and gradients") {
  for (const char* name : {"tied", "untied"}) {
    INFO(name);
    const Golden golden(golden_folder(name));
    Loaded<float> l(golden_folder(name));
    CHECK(l.checkpoint.model.decoder.tied == (std::string(name) == "tied"));
    CHECK(l.checkpoint.ends == std::vector<std::int32_t>{2});
    const auto y = score(l.model, golden);
    CHECK(relative(y.logp, golden.doubles("logp")) < 1e-5);
    CHECK(double(y.loss.item()) == Catch::Approx(golden.doubles("loss")[0]).epsilon(1e-5));
    backward(y.loss);
    std::size_t compared = 0;
    for (const hf::WeightRule& rule : l.checkpoint.weights) {
      const auto gradient = l.model.parameters().find(rule.parameter)->value.grad().to_vector();
      std::size_t at = 0;
      for (const hf::WeightPart& part : rule.parts) {
        INFO(part.name);
        const auto expected = golden.doubles("grad." + part.name);
        const std::vector<double> own(gradient.begin() + long(at),
                                      gradient.begin() + long(at + expected.size()));
        CHECK(relative(own, expected) < 1e-4);
        at += expected.size();
        ++compared;
      }
    }
    CHECK(compared == (std::string(name) == "tied" ? 2 + 2 * 9 : 3 + 2 * 9));
  }
}

TEST_CASE("tiny llama checkpoints give transformers' logits") {
  for (const char* name : {"tied", "untied"}) {
    INFO(name);
    const Golden golden(golden_folder(name));
    const Loaded<float> l(golden_folder(name), false);
    const auto v = static_cast<std::size_t>(l.model.vocabulary());
    const auto all = golden.doubles("logits");
    for (Index row = 0; row < golden.rows; ++row) {  // padded on the right
      const Prompt prompt{golden.tokens(row), nullptr, {}};
      const Prompt* one = &prompt;
      const auto own = l.model.all_logits(std::span(&one, 1)).to_vector();
      const auto from = all.begin() + long(std::size_t(row * golden.columns) * v);
      CHECK(relative(std::vector<double>(own.begin(), own.end()),
                     std::vector<double>(from, from + long(own.size()))) < 1e-5);
    }
  }
}

TEST_CASE("a bfloat16 checkpoint is within its rounding of transformers") {
  const Golden golden(golden_folder("bf16"));
  Loaded<float> l(golden_folder("bf16"));
  CHECK(relative(score(l.model, golden).logp, golden.doubles("logp")) < 2e-2);
}

TEST_CASE("products in bf16 are within their rounding of transformers") {
  for (const char* name : {"tied", "untied", "bf16"}) {
    INFO(name);
    const Golden golden(golden_folder(name));
    Loaded<float> l(golden_folder(name), false, true);
    CHECK(relative(score(l.model, golden).logp, golden.doubles("logp")) < 2e-2);
  }
}

TEST_CASE("frozen weights that are multiplied in bf16 are held once, and give the same bits") {
  const Golden golden(golden_folder("bf16"));  // nothing to round: its weights are bf16
  Loaded<float> frozen(golden_folder("bf16"), false, true);
  Loaded<float> trained(golden_folder("bf16"), true, true);
  CHECK(score(frozen.model, golden).logp == score(trained.model, golden).logp);
  std::size_t matrices = 0;
  for (const auto& p : frozen.model.parameters().all()) {
    INFO(p.name);
    const bool matrix = p.shape.rank() == 2;
    CHECK(p.value.defined() == !matrix);
    CHECK(p.rounded().defined() == matrix);
    matrices += matrix;
  }
  CHECK(matrices == 1 + 2 * 4);
  Index packed = 0;
  for (const auto& pack : frozen.model.parameters().packs()) packed += pack.size;
  CHECK(packed == (2 * 2 + 1) * 32);  // the norms
  CHECK(contains(error_of([&] { frozen.model.parameters().train_all(); }),
                 "decoder.embedding was allocated as frozen and cannot be trained"));
}

TEST_CASE("frozen weights of the products' type stay in their file, the others are copied") {
  const std::size_t before = Allocator<Cpu>::in_use();
  for (const auto& [name, bf16] : {std::pair("bf16", true), {"untied", false}, {"tied", true}}) {
    INFO(name);
    Loaded<float> frozen(golden_folder(name), false, bf16);
    Index mapped = 0, all = 0;
    for (const auto& p : frozen.model.parameters().all()) {
      if (p.shape.rank() != 2) continue;
      all += p.shape.numel();
      const bool joined = p.name.ends_with("qkv.weight") || p.name.ends_with("gate_up.weight");
      if (!joined) mapped += p.shape.numel();
    }
    const bool stored = std::string(name) != "tied";  // float32 in the file, bf16 in products
    const auto copied = static_cast<std::size_t>(stored ? all - mapped : all) * (bf16 ? 2 : 4);
    const std::size_t used = Allocator<Cpu>::in_use() - before;
    CHECK(used >= copied);
    CHECK(used < copied + (stored ? static_cast<std::size_t>(mapped) : 8192));
  }
}

TEST_CASE("prefill, decoding and the training forward of a text model are bit-equal") {
  Loaded<float> l(golden_folder("untied"));
  const Prompt prompt{{5, 9, 31, 7}, nullptr, {}};
  const Prompt* prompts[] = {&prompt};
  const std::uint64_t ids[] = {3};
  SamplingSettings s;
  s.max_tokens = 12;
  const auto done = rollout(l.model, std::span<const Prompt* const>(prompts), 3, s, 2,
                            Philox(1, Purpose::sampling), ids, Watch::nothing);
  Group group{&prompt, {}};
  std::vector<float> rolled;
  for (const auto& c : done) {
    group.completions.push_back(c.tokens);
    rolled.insert(rolled.end(), c.logp.begin(), c.logp.end());
  }
  CHECK(l.model.logprobs(std::span<const Group>(&group, 1)).logp.to_vector() == rolled);
}

TEST_CASE("a text model refuses a prompt with a picture") {
  Loaded<float> l(golden_folder("tied"));
  Prompt prompt{{5, 9}, std::make_shared<const std::vector<std::uint8_t>>(12), {}};
  const std::vector<std::int32_t> answer{4};
  const Group group{&prompt, {answer}};
  CHECK(contains(error_of([&] { l.model.logprobs(std::span<const Group>(&group, 1)); }),
                 "the model reads text only"));
}

TEST_CASE("configurations that this model cannot compute are refused with file and key") {
  const Folder folder("checkpoint_config");
  const auto config = io::read_json_object(golden_folder("untied") + "/config.json");
  const auto refused = [&](const std::string& key, const io::Json& value, const std::string& part) {
    io::Json changed = config;
    if (value.is_discarded())
      changed.erase(key);
    else
      changed[key] = value;
    folder.put("config.json", changed.dump());
    const std::string message = error_of([&] { hf::open_checkpoint(folder.path.string()); });
    INFO(key << ": " << message);
    CHECK(contains(message, folder.file("config.json")));
    CHECK(contains(message, key));
    CHECK(contains(message, part));
    CHECK_FALSE(contains(message, "\n"));
  };
  const io::Json missing(io::Json::value_t::discarded);
  refused("model_type", "mamba", "known are llama");
  refused("hidden_size", missing, "missing");
  refused("hidden_size", 31.5, "not a whole number");
  refused("hidden_size", -4, "at least 1");
  refused("hidden_act", "gelu", "only \"silu\"");
  refused("attention_bias", true, "only false");
  refused("rope_scaling", io::Json{{"type", "linear"}}, "only null");
  refused("num_key_value_heads", 3, "does not divide");
  refused("head_dim", 7, "odd");
  refused("sliding_window", 4096, "not known");
  refused("eos_token_id", 96, "not a token of 96");
  refused("tie_word_embeddings", "yes", "not true or false");
  refused("rope_parameters", io::Json{{"rope_type", "yarn"}, {"rope_theta", 1e4}}, "rope_type");
  for (const double number : {0.0, -1e-5, 1e-60, 1e60})
    refused("rms_norm_eps", number, "must be a float above 0, got ");
  const io::Json rope = {{"rope_type", "default"}, {"rope_theta", -1e4}};
  refused("rope_parameters", rope,
          "rope_parameters.rope_theta: must be a float above 0, got -10000");
  io::Json older = io::read_json_object(golden_folder("tied") + "/config.json");
  older["rope_theta"] = 0;
  folder.put("config.json", older.dump());
  CHECK(contains(error_of([&] { hf::open_checkpoint(folder.path.string()); }),
                 folder.file("config.json") + ", rope_theta: must be a float above 0, got 0"));
}

TEST_CASE("weights that do not fit the configuration are refused with the tensor's name") {
  const std::string source = golden_folder("tied");
  const hf::Checkpoint checkpoint = hf::open_checkpoint(source);
  auto wider = checkpoint.model;
  wider.decoder.mlp = 48;
  LanguageModel<float> model(wider.language(), 0);
  const io::WeightFiles files(source);
  CHECK(contains(
      error_of([&] { hf::load_weights(files, hf::llama_weights(wider), model.parameters()); }),
      "mlp.gate_proj.weight"));
  auto deeper = checkpoint.model;
  deeper.decoder.layers = 3;
  LanguageModel<float> other(deeper.language(), 0);
  CHECK(contains(
      error_of([&] { hf::load_weights(files, hf::llama_weights(deeper), other.parameters()); }),
      "no tensor model.layers.2."));
}

}  // namespace test_checkpoints
