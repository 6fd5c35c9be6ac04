// SPDX-License-Identifier: MIT
// gaze info --model: what is printed about published checkpoints and trained models, that the
// memory forecast is right, and that broken files are one line.
#include <filesystem>
#include <string>
#include <vector>

#include "gaze/cpu/kernels.hpp"
#include "gaze/generate/rollout.hpp"
#include "gaze/ops/reduce.hpp"
#include "gaze/text/byte_alphabet.hpp"
#include "gaze/train/checkpoint.hpp"
#include "models/hf/adapter.hpp"
#include "models/hf/chat.hpp"
#include "models/hf/llama.hpp"
#include "models/hf/load.hpp"
#include "models/language_model.hpp"
#include "models/memory.hpp"
#include "models/model_metadata.hpp"
#include "models/vlm.hpp"
#include "phyx/eval/model_info.hpp"
#include "phyx/eval/trained_model.hpp"
#include "tests/data.hpp"
#include "tests/folder.hpp"
#include "tests/program.hpp"
#include "tests/small_model.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_info {
namespace {

using namespace gaze;
using gaze::test::contains;
using gaze::test::error_of;
using gaze::test::Folder;
namespace fs = std::filesystem;

std::string golden_folder(const std::string& name) {
  return gaze::test::golden_path("hf/llama/" + name);
}

/// A copy of a golden folder, with files of this test.
struct Copy : Folder {
  explicit Copy(const std::string& name, const std::string& of = "tied") : Folder(name) {
    fs::copy(golden_folder(of), path, fs::copy_options::recursive);
  }
  std::string info() const { return phyx::model_info(path.string()); }

  /// Changes one key of a JSON file; a discarded value removes it.
  void change(const std::string& name, const std::string& key, const io::Json& value) const {
    io::Json j = fs::exists(file(name)) ? io::read_json_object(file(name)) : io::Json::object();
    if (value.is_discarded())
      j.erase(key);
    else
      j[key] = value;
    put(name, j.dump());
  }
};

/// A byte-level tokenizer.json of 256 bytes and two control tokens.
std::string byte_tokenizer() {
  io::Json file = gaze::test::golden_json("byte_pair_golden.json")["tokenizer"];
  file["model"]["vocab"] = io::Json::object();
  file["model"]["merges"] = io::Json::array();
  file["added_tokens"] = io::Json::array();
  for (int byte = 0; byte < 64; ++byte)
    file["model"]["vocab"][text::byte_character(static_cast<unsigned char>(byte))] = byte;
  for (const char* name : {"<|a|>", "<|\x1b[2J|>"})
    file["added_tokens"].push_back({{"id", 64 + file["added_tokens"].size()},
                                    {"content", name},
                                    {"single_word", false},
                                    {"lstrip", false},
                                    {"rstrip", false},
                                    {"normalized", false},
                                    {"special", true}});
  return file.dump();
}

void check_lines(const std::string& text, const std::vector<std::string>& lines) {
  INFO(text);
  for (const auto& line : lines) {
    INFO("should contain: " << line);
    CHECK(contains("\n" + text, "\n" + line + "\n"));
  }
}

models::LanguageConfig language(bool bf16) {
  models::LanguageConfig c{{96, 3, 6, 2, 16, 256}, 800, bf16};
  return c;
}

void check_ratio(Index forecast, std::size_t used) {
  const double ratio = static_cast<double>(forecast) / static_cast<double>(used);
  INFO("forecast " << forecast << ", used " << used << ", ratio " << ratio);
  CHECK(ratio > 0.9);
  CHECK(ratio < 1.1);
}

}  // namespace

TEST_CASE("info describes a published checkpoint in one file") {
  const std::string text = phyx::model_info(golden_folder("tied"));
  check_lines(
      text,
      {"family        llama, a published checkpoint for text", "files         model.safetensors",
       "stored        20 tensors of F32, 71,296 bytes", "not used      no tensors",
       "parameters    17,824 in 14 tensors", "  layers                               2",
       "  width                               32", "  heads                                4",
       "  key-value heads                      2", "  head size                            8",
       "  MLP width                           44", "  epsilon of the norms             1e-05",
       "  vocabulary                          96", "  tied head                          yes",
       "  base of rotary positions        100000", "  embeddings times                     1",
       "tokeniser     none: the folder has no tokenizer.json", "chat template none",
       "end tokens    2"});
  CHECK(contains(text, "prompts of 256 tokens, answers of 64)"));
  CHECK(contains(text, "eval, 48 problems with 4 samples"));
  CHECK(contains(text, "GRPO, LoRA of rank 16, 12 prompts in groups of 8"));
}

TEST_CASE("info describes shards and bfloat16") {
  check_lines(phyx::model_info(golden_folder("untied")),
              {"files         model-00001-of-00007.safetensors",
               "              model-00007-of-00007.safetensors",
               "stored        21 tensors of F32, 89,728 bytes",
               "  tied head                           no"});
  check_lines(phyx::model_info(golden_folder("bf16")),
              {"stored        20 tensors of BF16, 39,744 bytes"});
}

TEST_CASE("info names tensors without use, the tokeniser, the template and the end tokens") {
  const Copy copy("info_more");
  std::vector<io::TensorEntry> tensors;
  {
    const io::SafetensorsFile file(copy.file("model.safetensors"));
    for (const auto& [name, info] : file.tensors()) tensors.push_back(file.read(name));
  }
  tensors.push_back({"model.rotary.inv_\x1b[2J", "F16", {2, 1}, std::vector<std::byte>(4)});
  tensors.push_back({"extra", "F16", {}, std::vector<std::byte>(2)});
  io::write_safetensors(copy.file("model.safetensors"), tensors);
  copy.put("tokenizer.json", byte_tokenizer());
  copy.change("generation_config.json", "eos_token_id", {64, 65, 95});
  copy.change("tokenizer_config.json", "chat_template",
              std::string(models::hf::chat_templates[1].text));
  check_lines(copy.info(),
              {"stored        2 tensors of F16, 6 bytes; 20 tensors of F32, 71,296 bytes",
               "not used      extra F16 []", "              model.rotary.inv_\\x1b[2J F16 [2,1]",
               "tokeniser     byte-level BPE, 66 tokens", "control       <|a|> 64, <|\\x1b[2J|> 65",
               "chat template chatml", "end tokens    <|a|> 64, <|\\x1b[2J|> 65"});
  copy.change("tokenizer_config.json", "chat_template", "{{ messages }}");
  check_lines(copy.info(), {"chat template not known, so gaze ask refuses to write it"});
}

TEST_CASE("info describes a trained model of a custom size and one for text") {
  const Folder folder("info_own");
  const auto words = text::Tokenizer::build({"a ball of 3 kg falls 7 m"});
  words.save(folder.file("tokenizer.json"));
  models::VlmConfig c{{48, 8, 40, 1, 5, 56, 3e-6}, 3, {60, 2, 6, 3, 10, 52}};
  c.vocabulary = words.vocab_size();
  c.bf16 = true;
  phyx::Model<Cpu> model(c, words.image(), 9);
  save_weights(folder.file("model.safetensors"), model.parameters(),
               models::model_metadata(c, "<|user|>{image}{question}\x1b"));
  const std::string text = phyx::model_info(folder.path.string());
  const std::string v = std::to_string(c.vocabulary);
  check_lines(text,
              {"family        gaze, a trained model with a ViT, size custom, bf16 products",
               "  layers                               2           1",
               "  key-value heads                      3           5",
               "  head size                           10           8",
               "  epsilon of the norms             1e-05       3e-06",
               "  patches per image token                          9",
               "  image tokens                                     4", "not used      no tensors",
               "tokeniser     words, characters, bytes, " + v + " tokens",
               "control       <|pad|> 0, <|end|> 1, <|user|> 2, <|assistant|> 3, <|image|> 4",
               "prompt        <|user|>{image}{question}\\x1b", "end tokens    <|end|> 1"});
  CHECK(contains(text, "prompts of 256 tokens and a picture's 4 in 1 tile, answers of 64)"));
  const models::LanguageConfig l = language(false);
  models::LanguageModel<float> plain(l, 1);
  save_weights(folder.file("text.safetensors"), plain.parameters(), models::model_metadata(l, ""));
  check_lines(
      phyx::model_info(folder.file("text.safetensors")),
      {"family        gaze, a trained model for text, float32", "files         text.safetensors"});
  phyx::MemoryBatches many;
  many.tiles = 2;
  const auto refused = [&](const std::string& path) {
    return error_of([&] { phyx::model_info(path, many); });
  };
  CHECK(contains(refused(folder.path.string()), ": a picture is one tile"));
  CHECK(contains(refused(folder.file("text.safetensors")), ": the model reads text only; --tiles"));
  CHECK(contains(refused(golden_folder("tied")), ": the model reads text only; --tiles"));
}

TEST_CASE("info reports a broken folder in one line") {
  const Copy copy("info_broken");
  const auto refused = [&](const std::string& part) {
    const std::string message = error_of([&] { copy.info(); });
    INFO(message);
    CHECK(contains(message, part));
    CHECK_FALSE(contains(message, "\n"));
  };
  const io::Json missing(io::Json::value_t::discarded);
  copy.change("config.json", "num_hidden_layers", 3);
  refused(": no tensor model.layers.2.input_layernorm.weight (and 8 more)");
  copy.change("config.json", "num_hidden_layers", 1 << 20);
  refused(copy.file("config.json") + ", num_hidden_layers: must be at most 1024, got 1048576");
  copy.change("config.json", "num_hidden_layers", 2);
  copy.change("config.json", "vocab_size", std::int64_t{1} << 40);
  refused(copy.file("config.json") + ", vocab_size: must be at most 67108864");
  copy.change("config.json", "vocab_size", 96);
  copy.change("config.json", "intermediate_size", 48);
  refused("tensor 'model.layers.0.mlp.gate_proj.weight': shape [44,32], expected [48,32]");
  copy.change("config.json", "intermediate_size", 44);
  copy.change("config.json", "hidden_size", missing);
  refused(copy.file("config.json") + ", hidden_size: missing");
  copy.change("config.json", "hidden_size", 32);
  copy.put("tokenizer.json", "{\"model\":");
  refused(copy.file("tokenizer.json"));
  copy.put("tokenizer.json", byte_tokenizer());
  copy.change("config.json", "eos_token_id", "end");
  refused("eos_token_id");
  copy.change("config.json", "eos_token_id", 2);
  CHECK_FALSE(copy.info().empty());
  copy.put("model.safetensors", "short");
  refused(copy.file("model.safetensors"));
  fs::remove(copy.file("model.safetensors"));
  refused(copy.file("model.safetensors") + ": cannot open");
  CHECK(contains(error_of([] { phyx::model_info("/no/such/place"); }), "/no/such/place"));
}

TEST_CASE("the program prints about a model, and bad input is one line with its path") {
  if (!test::have_program()) return;
  const auto info =
      test::gaze_run({"info", "--model", golden_folder("tied"), "--prompt-tokens", "1000"});
  INFO(info.err);
  CHECK(info.code == 0);
  CHECK(contains(info.out, "parameters    17,824 in 14 tensors\n"));
  CHECK(contains(info.out, "prompts of 1000 tokens"));
  test::refused({"info", "--model", "/no/such/place"}, {"/no/such/place: no such file or folder"});
  test::refused({"info", "--model", golden_folder("tied"), "--rewards"}, {"--rewards"});
  test::refused({"info", "--model", golden_folder("tied"), "--prompt-tokens", "0"},
                {"--prompt-tokens"});
  test::refused({"info", "--model", golden_folder("../granite"), "--tiles", "0"}, {"--tiles"});
  test::refused({"info", "--tiles", "2"}, {"--model"});
  const Folder folder("info_program");
  test::refused({"info", "--model", folder.path.string()}, {folder.path.string()});
  io::write_safetensors(folder.file("model.safetensors"), std::vector<io::TensorEntry>{});
  test::refused({"info", "--model", folder.path.string()},
                {folder.file("model.safetensors"), "metadata has neither gaze.model nor model"});
}

TEST_CASE("the memory forecast of a text model's answers and steps is right within a tenth",
          "[memory]") {
  for (const bool bf16 : {false, true}) {
    const models::LanguageConfig c = language(bf16);
    const auto sizes = models::without_vision(c);
    {
      const std::size_t before = Allocator<Cpu>::in_use();
      auto model = models::LanguageModel<float>::for_file(c, false);
      for (auto& p : model.parameters().all())
        if (!p.in_pack)
          p.hold([&]<class U>(std::type_identity<U>) { return Tensor<U>::zeros(p.shape); });
      models::DeclaredLanguageModel declared(c);
      models::freeze(declared.all);
      CHECK(models::parameter_bytes(declared.all, false) ==
            models::parameter_bytes(model.parameters(), false));
      models::BatchSizes one;
      one.add_rollout(300, false, 1, 40);
      SamplingSettings s;
      s.max_tokens = 40;
      Allocator<Cpu>::reset_peak();
      const models::Prompt p = {std::vector<std::int32_t>(300, 7), nullptr, {}};
      const models::Prompt* prompts[] = {&p};
      const std::uint64_t ids[] = {0};
      rollout(model, std::span<const models::Prompt* const>(prompts), 1, s, -1,
              Philox(1, Purpose::sampling), ids, models::Watch::nothing);
      check_ratio(
          models::parameter_bytes(declared.all, false) + models::rollout_bytes(sizes, one, 0),
          Allocator<Cpu>::peak() - before);
    }
    const std::size_t before = Allocator<Cpu>::in_use();
    models::LanguageModel<float> model(c, 3);
    const models::Prompt p = {std::vector<std::int32_t>(90, 7), nullptr, {}};
    const std::vector<std::int32_t> answer(30, 9);
    std::vector<models::Group> groups(4, {&p, {answer, answer, answer}});
    models::BatchSizes update;
    for (int i = 0; i < 4; ++i) update.add_group(90, false, std::vector<Index>(3, 30));
    Allocator<Cpu>::reset_peak();
    for (int step = 0; step < 2; ++step) {
      backward(neg(mean(model.logprobs(groups).logp)));
      model.parameters().clear_gradients();
    }
    check_ratio(
        models::parameter_bytes(model.parameters(), false) + models::training_bytes(sizes, update),
        Allocator<Cpu>::peak() - before);
  }
}

TEST_CASE("the memory forecast of a question about a picture of many tiles is right within a tenth",
          "[memory]") {
  for (const bool bf16 : {false, true}) {
    models::VlmConfig c{{96, 8, 96, 3, 3, 384}, 2, {128, 2, 4, 2, 32, 256}, 500, bf16};
    const std::size_t before = Allocator<Cpu>::in_use();
    auto model = models::Vlm<float>::for_file(c, 1, false, false);
    for (auto& p : model.parameters().all())
      if (!p.in_pack)
        p.hold([&]<class U>(std::type_identity<U>) { return Tensor<U>::zeros(p.shape); });
    constexpr Index tiles = 11;
    const auto rows = static_cast<std::size_t>(tiles * c.image_tokens());
    models::Prompt p = {std::vector<std::int32_t>(rows, 1), nullptr, {}};
    p.values = std::make_shared<const std::vector<float>>(tiles * 3 * 96 * 96, 0.5f);
    models::BatchSizes sizes, one;
    sizes.frozen = one.frozen = true;
    sizes.add_rollout(tiles * c.image_tokens(), tiles, 1, 40);
    SamplingSettings s;
    s.max_tokens = 40;
    Allocator<Cpu>::reset_peak();
    const models::Prompt* prompts[] = {&p};
    const std::uint64_t ids[] = {0};
    rollout(model, std::span<const models::Prompt* const>(prompts), 1, s, -1,
            Philox(1, Purpose::sampling), ids, models::Watch::nothing);
    check_ratio(
        models::parameter_bytes(model.parameters(), false) + models::rollout_bytes(c, sizes, 0),
        Allocator<Cpu>::peak() - before);
    one.add_rollout(c.image_tokens(), 1, 1, 40);
    CHECK(models::rollout_bytes(c, one, 0) < models::rollout_bytes(c, sizes, 0));
  }
}

TEST_CASE("info forecasts the memory of the most tiles of a picture, or of as many as asked") {
  const std::string folder = golden_folder("../granite");
  CHECK(contains(phyx::model_info(folder), " in 5 tiles, answers of 64)"));
  phyx::MemoryBatches one;
  one.tiles = 1;
  CHECK(contains(phyx::model_info(folder, one), " in 1 tile, answers of 64)"));
}

TEST_CASE("the memory forecast of training adapters is right within a tenth", "[memory]") {
  for (const auto& [bf16, recompute] :
       {std::pair(false, false), {true, false}, {false, true}, {true, true}}) {
    INFO((bf16 ? "bf16" : "float32") << (recompute ? ", blocks computed again" : ""));
    const models::LanguageConfig c = language(bf16);
    const auto plan =
        models::hf::new_adapter(models::hf::decoder_weights(c.decoder, c.vocabulary, "model."),
                                {.rank = 16})
            .plan;
    const models::VlmConfig sizes = models::without_vision(c);
    const std::size_t before = Allocator<Cpu>::in_use();
    auto model = models::Vlm<float>::for_file(sizes, -1, false, false, plan);
    for (auto& p : model.parameters().all())
      if (!p.in_pack)
        p.hold([&]<class U>(std::type_identity<U>) { return Tensor<U>::zeros(p.shape); });
    model.parameters().train_only({lora_part});
    model.checkpoint_blocks(recompute);
    const models::Prompt p = {std::vector<std::int32_t>(90, 7), nullptr, {}};
    const std::vector<std::int32_t> answer(30, 9);
    const std::vector<models::Group> groups(4, {&p, {answer, answer, answer}});
    models::BatchSizes update;
    for (int i = 0; i < 4; ++i) update.add_group(90, false, std::vector<Index>(3, 30));
    Allocator<Cpu>::reset_peak();
    backward(neg(mean(model.logprobs(groups).logp)));
    check_ratio(models::parameter_bytes(model.parameters(), false) +
                    models::lora_training_bytes(sizes, update, 16, recompute),
                Allocator<Cpu>::peak() - before);
  }
}

TEST_CASE("the forecast of training adapters counts them, and not the frozen weights' gradients",
          "[memory]") {
  const models::LanguageConfig c = language(false);
  models::DeclaredLanguageModel plain(c), adapted(c);
  models::freeze(plain.all);
  models::freeze(adapted.all);
  add_lora(adapted.all,
           models::hf::new_adapter(models::hf::decoder_weights(c.decoder, c.vocabulary, "model."),
                                   {.rank = 4})
               .plan);
  const Index qkv = 3 * 96 + 96 + 2 * 32, out = 96 + 96, gate_up = 2 * 96 + 512, down = 256 + 96;
  const Index weights = 3 * 4 * (qkv + out + gate_up + down);
  CHECK(adapted.all.count() - plain.all.count() == weights);
  const Index bytes =
      models::parameter_bytes(adapted.all, true) - models::parameter_bytes(plain.all, true);
  CHECK(bytes >= 4 * 4 * weights);
  CHECK(bytes < 5 * 4 * weights);
  phyx::MemoryBatches few, many;
  few.prompts = 2;
  CHECK(phyx::model_memory(c, few).lora < phyx::model_memory(c, many).lora);
  CHECK(phyx::model_memory(c, few).ask == phyx::model_memory(c, many).ask);
  many.text *= 4;
  CHECK(phyx::model_memory(c, few).eval < phyx::model_memory(c, many).eval);
}

}  // namespace test_info
