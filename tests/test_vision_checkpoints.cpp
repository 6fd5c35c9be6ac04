// SPDX-License-Identifier: MIT
// Published checkpoints that see: tiny random ones of each family against transformers' logits and
// gradients (tests/golden/make_vision_golden.py), through `gaze logits`.
#include <cstring>
#include <string>
#include <vector>

#include "gaze/io/safetensors.hpp"
#include "gaze/io/weight_files.hpp"
#include "models/hf/checkpoint.hpp"
#include "models/hf/load.hpp"
#include "phyx/eval/logits.hpp"
#include "tests/data.hpp"
#include "tests/folder.hpp"
#include "tests/golden_tensors.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_vision_checkpoints {
namespace {

using namespace gaze;
using gaze::test::contains;
using gaze::test::doubles;
using gaze::test::error_of;
using gaze::test::Folder;
using gaze::test::norm;
using gaze::test::relative;

std::string golden_folder(const std::string& name) { return test::golden_path("hf/" + name); }

/// `gaze logits` on a golden file's inputs.
io::SafetensorsFile computed(const std::string& name, const Folder& place,
                             const std::string& precision, bool gradients) {
  phyx::write_logits({.model = golden_folder(name),
                      .inputs = golden_folder(name) + "/golden.safetensors",
                      .out = place.file("out"),
                      .precision = precision,
                      .gradients = gradients});
  return io::SafetensorsFile(place.file("out"));
}

}  // namespace

TEST_CASE("tiny checkpoints that see give transformers' logits and gradients") {
  for (const std::string name : {"idefics3", "granite"}) {
    INFO(name);
    const Folder place("vision_checkpoints");
    const io::SafetensorsFile golden(golden_folder(name) + "/golden.safetensors");
    const auto ours = computed(name, place, "", true);
    for (const char* tensor : {"logits", "logp", "loss"}) {
      INFO(tensor);
      CHECK(relative(doubles(ours, tensor), doubles(golden, tensor)) < 1e-5);
    }
    std::size_t compared = 0;
    for (const auto& [tensor, info] : golden.tensors()) {
      if (tensor.rfind("grad.", 0) != 0) continue;
      INFO(tensor);
      REQUIRE(ours.contains(tensor));
      CHECK(ours.info(tensor).shape == info.shape);
      ++compared;
      const auto key = tensor.find("k_proj.bias");
      if (key == tensor.npos) {
        CHECK(relative(doubles(ours, tensor), doubles(golden, tensor)) < 1e-4);
      } else {  // softmax does not change with a bias of all keys, so its gradient is rounding
        std::string query = tensor;
        query[key] = 'q';
        CHECK(norm(doubles(ours, tensor)) < 1e-5 * norm(doubles(golden, query)));
      }
    }
    const auto checkpoint = models::hf::open_checkpoint(golden_folder(name));
    const io::WeightFiles files(golden_folder(name));
    CHECK(compared == models::hf::tensor_names(files, checkpoint.weights).size());
  }
}

TEST_CASE("pictures that do not fit the tokens or the model are refused") {
  const Folder place("vision_refused");
  const auto error = [&](const std::string& inputs, const std::string& model, const auto& change) {
    const io::SafetensorsFile golden(golden_folder(inputs) + "/golden.safetensors");
    std::vector<io::TensorEntry> tensors;
    for (const char* name : {"input_ids", "attention_mask", "pixel_values", "image_sizes"})
      if (golden.contains(name)) tensors.push_back(golden.read(name));
    change(tensors);
    io::write_safetensors(place.file("in"), tensors);
    return error_of([&] {
      phyx::write_logits({.model = golden_folder(model),
                          .inputs = place.file("in"),
                          .out = place.file("out"),
                          .precision = "",
                          .gradients = false});
    });
  };
  const auto same = [](auto&) {};
  CHECK(error("idefics3", "idefics3", same).empty());
  CHECK(contains(error("idefics3", "llama/tied", same), "the model reads text only"));
  CHECK(contains(error("granite", "granite", [](auto& t) { t.pop_back(); }), "image_sizes"));
  CHECK(contains(error("granite", "granite",
                       [](auto& t) {
                         const std::int64_t tall = 1;  // another height of the first picture
                         std::memcpy(t[3].data.data(), &tall, sizeof tall);
                       }),
                 "input_ids: row 0 has"));
  CHECK(contains(error("idefics3", "idefics3",
                       [](auto& t) {
                         t[2].shape = {2, 3, 3, 16, 64};
                       }),
                 "pixel_values: F32 [2,3,3,16,64], expected F32 [2,3,3,32,32]"));
  CHECK(contains(error("idefics3", "idefics3",
                       [](auto& t) {
                         const std::int64_t word = 5;  // in place of an image token
                         std::memcpy(t[0].data.data() + 6 * sizeof word, &word, sizeof word);
                       }),
                 "input_ids: row 0 has 11 image tokens, its pictures take 8"));
}

TEST_CASE("products in bf16 of checkpoints that see are within their rounding of transformers") {
  for (const std::string name : {"idefics3", "granite"}) {
    INFO(name);
    const Folder place("vision_checkpoints_bf16");
    const io::SafetensorsFile golden(golden_folder(name) + "/golden.safetensors");
    CHECK(relative(doubles(computed(name, place, "bf16", false), "logits"),
                   doubles(golden, "logits")) < 2e-2);
  }
}

}  // namespace test_vision_checkpoints
