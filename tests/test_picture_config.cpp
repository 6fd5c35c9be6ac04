// SPDX-License-Identifier: MIT
// preprocessor_config.json of published checkpoints: the forms that transformers 4 and 5 write, and
// what is refused.
#include <array>
#include <string>
#include <variant>

#include "gaze/image/tile_plan.hpp"
#include "gaze/io/json.hpp"
#include "models/hf/picture_config.hpp"
#include "tests/folder.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_picture_config {
namespace {

using namespace gaze::models::hf;
using gaze::image::AnyresTiling;
using gaze::image::Size;
using gaze::image::SplitTiling;
using gaze::io::Json;
using gaze::test::contains;
using gaze::test::error_of;

/// As transformers 5.24 writes it.
Json smolvlm() {
  return Json::parse(R"({"do_convert_rgb": true, "do_image_splitting": true, "do_normalize": true,
    "do_pad": true, "do_rescale": true, "do_resize": true, "image_mean": [0.5, 0.5, 0.5],
    "image_processor_type": "SmolVLMImageProcessor", "image_std": [0.5, 0.5, 0.5],
    "max_image_size": {"longest_edge": 512}, "resample": 1,
    "rescale_factor": 0.00392156862745098, "size": {"longest_edge": 2048}})");
}
Json llava() {
  return Json::parse(R"({"crop_size": {"height": 336, "width": 336}, "do_center_crop": true,
    "do_convert_rgb": true, "do_normalize": true, "do_pad": true, "do_rescale": true,
    "do_resize": true, "image_grid_pinpoints": [[336, 672], [672, 336], [1008, 336]],
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_processor_type": "LlavaNextImageProcessor",
    "image_std": [0.26862954, 0.26130258, 0.27577711], "resample": 3,
    "rescale_factor": 0.00392156862745098, "size": {"shortest_edge": 336}})");
}

PictureConfig read(const Json& json) { return read_picture_config(ConfigObject(json, "p.json")); }

/// The error of a configuration with some keys replaced.
std::string error_with(Json json, const char* changes) {
  json.merge_patch(Json::parse(changes));
  return error_of([&] { read(json); });
}

}  // namespace

TEST_CASE("the processor of SmolVLM and Idefics3 is read") {
  for (const char* type : {"SmolVLMImageProcessor", "Idefics3ImageProcessor",
                           "SmolVLMImageProcessorFast", "Idefics3ImageProcessorPil"}) {
    Json json = smolvlm();
    json["image_processor_type"] = type;
    const PictureConfig c = read(json);
    const auto& tiling = std::get<SplitTiling>(c.tiling);
    CHECK(tiling.longest_edge == 2048);
    CHECK(tiling.side == 512);
    CHECK(tiling.split);
    CHECK(c.normalization.mean == std::array{0.5f, 0.5f, 0.5f});
    CHECK(c.normalization.std == std::array{0.5f, 0.5f, 0.5f});
    CHECK(c.normalization.rescale == 1.0 / 255);
    CHECK(plan_tiles(c, {640, 480}).tiles() == 13);
  }
  Json json = smolvlm();
  json["do_image_splitting"] = false;
  CHECK(plan_tiles(read(json), {640, 480}).tiles() == 1);
}

TEST_CASE("the processor of LLaVA-NeXT is read") {
  Json json = llava();
  for (const char* size : {R"({"shortest_edge": 336})", R"({"height": 336, "width": 336})"}) {
    json["size"] = Json::parse(size);
    const PictureConfig c = read(json);
    const auto& tiling = std::get<AnyresTiling>(c.tiling);
    CHECK(tiling.side == 336);
    CHECK(tiling.resolutions == std::vector<Size>{{672, 336}, {336, 672}, {336, 1008}});
    CHECK(c.normalization.mean == std::array{0.48145466f, 0.4578275f, 0.40821073f});
    CHECK(c.normalization.std == std::array{0.26862954f, 0.26130258f, 0.27577711f});
    CHECK(plan_tiles(c, {300, 1000}).rows == 3);
  }
}

TEST_CASE("keys without effect on one picture are accepted") {
  Json json = smolvlm();
  json.merge_patch(Json::parse(R"({"processor_class": "SmolVLMProcessor", "do_pad": false,
    "data_format": "channels_first", "default_to_square": true, "video_sampling": {"fps": 1}})"));
  for (const char* key : {"crop_size", "device", "disable_grouping", "do_center_crop",
                          "input_data_format", "pad_size", "return_tensors"})
    json[key] = nullptr;
  CHECK_NOTHROW(read(json));
}

TEST_CASE("steps that are switched off leave the values as they are") {
  Json json = llava();
  json["do_rescale"] = false;
  CHECK(read(json).normalization.rescale == 1);
  json["do_normalize"] = false;
  CHECK(read(json).normalization.mean == std::array{0.0f, 0.0f, 0.0f});
  CHECK(read(json).normalization.std == std::array{1.0f, 1.0f, 1.0f});
}

TEST_CASE("processors that would be computed differently are refused by key") {
  const auto smol = [](const char* changes) { return error_with(smolvlm(), changes); };
  CHECK(contains(smol(R"({"image_processor_type": "CLIPImageProcessor"})"),
                 "p.json, image_processor_type: CLIPImageProcessor is not supported; known are"));
  CHECK(contains(smol(R"({"image_processor_type": null})"), "image_processor_type: missing"));
  CHECK(contains(smol(R"({"resample": 3})"), "resample: 3 is not supported, only 1"));
  CHECK(contains(smol(R"({"do_resize": false})"), "do_resize: false is not supported"));
  CHECK(contains(smol(R"({"do_convert_rgb": false})"), "do_convert_rgb: false is not supported"));
  CHECK(contains(smol(R"({"size": {"longest_edge": null, "height": 9}})"),
                 "p.json, size.longest_edge: missing"));
  CHECK(contains(smol(R"({"size": {"shortest_edge": 9}})"), "size.shortest_edge: this key is not"));
  CHECK(contains(smol(R"({"size": {"longest_edge": 2000000}})"), "must be at most 1048576"));
  CHECK(contains(smol(R"({"max_image_size": {"longest_edge": 5000}})"),
                 "max_image_size.longest_edge: must be at most 4096, got 5000"));
  CHECK(contains(smol(R"({"image_mean": [0.5, 0.5]})"), "image_mean: not a list of 3 numbers"));
  CHECK(contains(smol(R"({"image_mean": [0.5, 0.5, "0.5"]})"), "image_mean: not a number but"));
  CHECK(contains(smol(R"({"image_mean": [0.5, 1e300, 0.5]})"), "image_mean: must be from -1000"));
  CHECK(contains(smol(R"({"image_std": [0.5, 0, 0.5]})"), "image_std: must be from 0.001 to 1000"));
  CHECK(contains(smol(R"({"rescale_factor": 0})"), "rescale_factor: must be above 0"));
  CHECK(contains(smol(R"({"rescale_offset": true})"), "rescale_offset: this key is not known"));
  CHECK(contains(smol(R"({"image_grid_pinpoints": [[512, 512]]})"), "this key is not known"));
}

TEST_CASE("grids of LLaVA-NeXT that are not whole tiles, or too many, are refused by key") {
  const auto error = [](const char* changes) { return error_with(llava(), changes); };
  CHECK(contains(error(R"({"resample": 2})"), "resample: 2 is not supported, only 3"));
  CHECK(contains(error(R"({"crop_size": {"height": 224, "width": 224}})"),
                 "crop_size: 224 differs from size, 336"));
  CHECK(contains(error(R"({"crop_size": null})"), "crop_size: missing"));
  CHECK(contains(error(R"({"crop_size": {"width": 224}})"), "differs from the height, 336"));
  CHECK(contains(error(R"({"image_grid_pinpoints": [[336, 672], [336, 700]]})"),
                 "image_grid_pinpoints: 336x700 is not whole tiles of 336"));
  CHECK(contains(error(R"({"image_grid_pinpoints": [[5376, 5376]]})"),
                 "5376x5376 are 257 tiles; the limit is 256"));
  CHECK(contains(error(R"({"image_grid_pinpoints": []})"), "not a list of 1 to 1024 pairs"));
  CHECK(contains(error(R"({"image_grid_pinpoints": [[336]]})"), "not a pair but [336]"));
  CHECK(contains(error(R"({"image_grid_pinpoints": [[336, -336]]})"), "must be at least 1"));
  CHECK(contains(error(R"({"image_grid_pinpoints": [[336, 1e30]]})"), "not a whole number"));
  CHECK(contains(error(R"({"image_grid_pinpoints": "3x3"})"), "not a list of"));
}

TEST_CASE("a folder's processor is read from either file") {
  const gaze::test::Folder folder("picture_config");
  const auto load = [&] { return load_picture_config(folder.path.string()); };
  CHECK(contains(error_of(load), "no preprocessor_config.json"));
  folder.put("preprocessor_config.json", llava().dump());
  folder.put("processor_config.json", R"({"processor_class": "SmolVLMProcessor"})");
  CHECK(std::holds_alternative<AnyresTiling>(load().tiling));
  folder.put("processor_config.json", Json{{"image_processor", smolvlm()}}.dump());
  CHECK(std::holds_alternative<SplitTiling>(load().tiling));
  Json wrong = smolvlm();
  wrong["size"] = 5;
  folder.put("processor_config.json", Json{{"image_processor", wrong}}.dump());
  CHECK(contains(error_of(load), "processor_config.json, image_processor.size: not an object"));
}

}  // namespace test_picture_config
