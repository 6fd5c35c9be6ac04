// SPDX-License-Identifier: MIT
// LoRA adapters of published checkpoints in PEFT's format: tiny ones of each family against
// transformers and PEFT (tests/golden/make_adapter_golden.py), reading, writing, merging, and what
// is refused.
#include <cstring>
#include <string>
#include <vector>

#include "gaze/cpu/kernels.hpp"
#include "gaze/io/json.hpp"
#include "gaze/io/safetensors.hpp"
#include "models/hf/adapter.hpp"
#include "models/hf/checkpoint.hpp"
#include "models/vlm.hpp"
#include "phyx/eval/logits.hpp"
#include "phyx/eval/model_info.hpp"
#include "tests/adapted_checkpoint.hpp"
#include "tests/folder.hpp"
#include "tests/golden_tensors.hpp"
#include "tests/program.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"
#include "tests/tiny_checkpoint.hpp"

namespace test_adapters {
namespace {

using namespace gaze;
using namespace gaze::test;
using models::hf::adapter_config_file;
using models::hf::adapter_weights_file;

/// `gaze logits` of a golden checkpoint with adapters, on its own inputs.
io::SafetensorsFile computed(const GoldenAdapter& g, const Folder& place,
                             const std::string& adapter, bool gradients = false,
                             bool merged = false, const std::string& precision = "") {
  phyx::write_logits({.model = g.checkpoint(),
                      .inputs = g.checkpoint() + "/golden.safetensors",
                      .out = place.file("out"),
                      .precision = precision,
                      .adapter = adapter,
                      .merge_adapter = merged,
                      .gradients = gradients});
  return io::SafetensorsFile(place.file("out"));
}

/// A copy of a golden adapter's folder.
std::string copied(const GoldenAdapter& g, const Folder& place) {
  for (const char* name : {"adapter_config.json", "adapter_model.safetensors"})
    place.put(std::string("copy/") + name, io::read_file(g.folder() + "/" + name));
  return place.file("copy");
}

}  // namespace

TEST_CASE("adapters of PEFT give the logits and gradients of transformers") {
  for (const GoldenAdapter& g : golden_adapters) {
    INFO(g.name);
    const Folder place("adapters");
    const io::SafetensorsFile golden(g.folder() + "/golden.safetensors");
    const io::SafetensorsFile weights(adapter_weights_file(g.folder()));
    const auto ours = computed(g, place, g.folder(), true);
    CHECK(relative(doubles(ours, "logits"), doubles(golden, "logits")) < 1e-5);
    CHECK(relative(doubles(ours, "loss"), doubles(golden, "loss")) < 1e-5);
    for (const auto& [name, info] : weights.tensors()) {
      INFO(name);
      REQUIRE(ours.contains("grad." + name));
      CHECK(ours.info("grad." + name).shape == info.shape);
      CHECK(relative(doubles(ours, "grad." + name), doubles(golden, "grad." + name)) < 1e-4);
    }
    CHECK(ours.tensors().size() ==
          weights.tensors().size() + 3);  // logits, loss, logp; not the base
    const auto rounded = computed(g, place, g.folder(), false, false, "bf16");
    CHECK(relative(doubles(rounded, "logits"), doubles(golden, "logits")) < 2e-2);
  }
}

TEST_CASE("merged adapters give the logits of those beside the weights") {
  for (const GoldenAdapter& g : golden_adapters) {
    INFO(g.name);
    const Folder place("adapters_merged");
    const io::SafetensorsFile golden(g.folder() + "/golden.safetensors");
    const auto base = computed(g, place, "");
    CHECK(relative(doubles(base, "logits"), doubles(golden, "logits")) > 0.05);
    const auto merged = computed(g, place, g.folder(), false, true);
    CHECK(relative(doubles(merged, "logits"), doubles(golden, "logits")) < 1e-5);
    const auto rounded = computed(g, place, g.folder(), false, true, "bf16");
    CHECK(relative(doubles(rounded, "logits"), doubles(golden, "logits")) < 2e-2);
    CHECK(contains(error_of([&] { computed(g, place, g.folder(), true, true); }),
                   "merged adapters have no gradients"));
  }
}

TEST_CASE("written adapters read back the same bits") {
  for (const GoldenAdapter& g : golden_adapters) {
    INFO(g.name);
    const Folder place("adapters_written");
    AdaptedModel read(g);
    models::hf::write_adapter(place.file("new/one"), read.adapter, "base", read.parameters());
    const io::SafetensorsFile before(adapter_weights_file(g.folder())),
        after(adapter_weights_file(place.file("new/one")));
    REQUIRE(after.tensors().size() == before.tensors().size());
    for (const auto& [name, info] : before.tensors()) {
      INFO(name);
      const auto a = before.read(name), b = after.read(name);
      CHECK((a.dtype == b.dtype && a.shape == b.shape && a.data == b.data));
    }
    const auto again =
        models::hf::open_adapter(place.file("new/one"), read.checkpoint.weights).settings;
    const auto& settings = read.adapter.settings;
    CHECK(again.rank == settings.rank);
    CHECK(again.alpha == settings.alpha);
    CHECK(again.rank_stabilised == settings.rank_stabilised);
    CHECK(again.targets.size() == before.tensors().size() / 2);  // one by one
    CHECK(relative(doubles(computed(g, place, place.file("new/one")), "logits"),
                   doubles(computed(g, place, g.folder()), "logits")) == 0);
  }
}

TEST_CASE("new adapters are chosen by the names of modules and change no logit") {
  for (const GoldenAdapter& g : golden_adapters) {
    INFO(g.name);
    const auto weights = models::hf::open_checkpoint(g.checkpoint()).weights;
    const auto count = [&](const models::hf::LoraSettings& s) {
      return models::hf::detail::modules_of(models::hf::new_adapter(weights, s)).size();
    };
    CHECK(count({}) == 14);  // seven in two layers
    CHECK(count({.targets = {"q_proj", "mlp.down_proj"}}) == 4);
    CHECK(count({.targets = {"layers.1.self_attn.o_proj"}}) == 1);
    const std::size_t all = count({.pictures = true});
    CHECK(all == (g.name == "idefics3" ? 14 + 12 + 1 : g.name == "granite" ? 14 + 24 + 2 : 14));
    CHECK(contains(error_of([&] {
                     count({.targets = {"q_proj", "wq"}});
                   }),
                   "no linear module is named wq; there are down_proj, gate_proj, k_proj, o_proj, "
                   "q_proj, up_proj, v_proj, or all-linear"));
    CHECK(contains(error_of([&] { count({.targets = {}}); }), "no target modules"));
    CHECK(contains(error_of([&] { count({.rank = 0}); }), "rank 0"));

    const Folder place("adapters_new");
    AdaptedModel fresh(g, models::hf::LoraSettings{.rank = 2, .pictures = true});
    models::hf::write_adapter(place.file("new"), fresh.adapter, "base", fresh.parameters());
    CHECK(doubles(computed(g, place, place.file("new")), "logits") ==
          doubles(computed(g, place, ""), "logits"));
  }
}

TEST_CASE("options and tensors that are not supported are refused by name") {
  const GoldenAdapter& g = golden_adapters[0];
  const auto refused = [&](const char* key, const io::Json& value) {
    const Folder place("adapters_refused");
    io::Json config = io::read_json_object(adapter_config_file(g.folder()));
    config[key] = value;
    const std::string folder = copied(g, place);
    place.put("copy/adapter_config.json", config.dump());
    const std::string error = error_of([&] { AdaptedModel(g, folder); });
    CHECK(error.find('\n') == error.npos);
    return contains(error, "adapter_config.json") && contains(error, key);
  };
  CHECK(refused("peft_type", "IA3"));
  CHECK(refused("bias", "all"));
  CHECK(refused("use_dora", true));
  CHECK(refused("fan_in_fan_out", true));
  CHECK(refused("modules_to_save", {"lm_head"}));
  CHECK(refused("rank_pattern", {{"q_proj", 8}}));
  CHECK(refused("alpha_pattern", {{"q_proj", 8}}));
  CHECK(refused("layer_replication", {{0, 1}}));
  CHECK(refused("init_lora_weights", "pissa"));
  CHECK(refused("r", 0));
  CHECK(refused("r", "3"));
  CHECK(refused("r", 4));
  CHECK(refused("lora_alpha", -1));
  CHECK(refused("target_modules", 3));
  CHECK(refused("new_option", 1));
  CHECK_FALSE(refused("target_modules", ".*_proj"));
  CHECK_FALSE(refused("lora_dropout", 0.1));
  CHECK_FALSE(refused("init_lora_weights", "gaussian"));
}

TEST_CASE("tensors that do not fit the model are refused by name") {
  const GoldenAdapter& g = golden_adapters[0];
  const auto error = [&](const auto& change) {
    const Folder place("adapters_tensors");
    const std::string folder = copied(g, place);
    const io::SafetensorsFile file(adapter_weights_file(g.folder()));
    std::vector<io::TensorEntry> tensors;
    for (const auto& [name, info] : file.tensors()) tensors.push_back(file.read(name));
    change(tensors);
    io::write_safetensors(adapter_weights_file(folder), tensors);
    return error_of([&] { AdaptedModel(g, folder); });
  };
  CHECK(error([](auto&) {}).empty());
  CHECK(contains(error([](auto& t) { t[0].name += "s"; }), "down_proj.lora_A.weights"));
  CHECK(contains(error([](auto& t) { t.erase(t.begin()); }), "down_proj.lora_B.weight"));
  CHECK(contains(error([](auto& t) { t.erase(t.begin() + 1); }), "down_proj.lora_B.weight"));
  CHECK(contains(error([](auto& t) { t[0].shape = {6, 22}; }), "down_proj.lora_A.weight"));
  CHECK(contains(error([](auto& t) { t[0].shape = {3, 22, 2}; }), "down_proj.lora_A.weight"));
  CHECK(contains(error([](auto& t) { t[1].shape = {3, 32}; }), "down_proj.lora_B.weight"));
  CHECK(contains(error([](auto& t) { t.clear(); }), "no adapters"));
  CHECK(contains(error_of([&] { AdaptedModel(g, golden_adapters[2].folder()); }),
                 "not an adapter of a linear module of this model"));
}

TEST_CASE("adapters with the names of older versions of transformers are read") {
  const GoldenAdapter& g = golden_adapters[3];
  const Folder place("adapters_older");
  const std::string folder = copied(g, place);
  const io::SafetensorsFile file(adapter_weights_file(g.folder()));
  std::vector<io::TensorEntry> tensors;
  for (const auto& [name, info] : file.tensors()) {
    auto& t = tensors.emplace_back(file.read(name));
    for (const auto& [now, before] : {std::pair("model.language_model.", "language_model.model."),
                                      {"model.vision_tower.", "vision_tower.vision_model."},
                                      {"model.multi_modal_projector.", "multi_modal_projector."}}) {
      const std::string lead = "base_model.model.";
      if (t.name.rfind(lead + now, 0) == 0) t.name.replace(lead.size(), std::strlen(now), before);
    }
  }
  io::write_safetensors(adapter_weights_file(folder), tensors);
  CHECK(doubles(computed(g, place, folder), "logits") ==
        doubles(computed(g, place, g.folder()), "logits"));
}

TEST_CASE("gaze info describes adapters") {
  const GoldenAdapter& g = golden_adapters[1];
  const std::string text = phyx::model_info(g.checkpoint(), {}, g.folder());
  CHECK(contains(text, "LoRA of rank 4, alpha 3 (rank-stabilised), 14 modules, 3,808 parameters"));
}

TEST_CASE("the program answers with adapters", "[cli]") {
  if (!have_program()) return;
  const Folder place("adapters_program");
  const std::string model = tiny_checkpoint(place), adapter = golden_adapters[0].folder();
  const auto ask = [&](const Words& options) {
    Words words{"ask", "--model", model, "--max-tokens", "8", "Why?"};
    words.insert(words.begin() + 1, options.begin(), options.end());
    return gaze_run(words);
  };
  const auto base = ask({}), adapted = ask({"--adapter", adapter}),
             merged = ask({"--adapter", adapter, "--merge-adapter"});
  CHECK(adapted.code == 0);
  CHECK(adapted.out != base.out);
  CHECK(merged.out == adapted.out);
  CHECK(ask({"--merge-adapter"}).code != 0);
  CHECK(contains(gaze_run({"info", "--model", model, "--adapter", adapter}).out, "of rank 3"));
}

}  // namespace test_adapters
