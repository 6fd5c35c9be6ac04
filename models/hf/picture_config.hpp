// SPDX-License-Identifier: MIT
// preprocessor_config.json of a published checkpoint: how a picture becomes tiles and their bytes
// become a tower's input. Source: the image processors of Idefics3, SmolVLM and LLaVA-NeXT in
// transformers 4.49 to 5.24.
//
// One configuration has several implementations there, which differ by up to 3 of 255 levels. The
// one with Pillow is computed, also for the names of the others ("...Fast": torchvision, which
// lacks Lanczos for tensors).
#pragma once
#include <array>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/core/index.hpp"
#include "gaze/core/printable.hpp"
#include "gaze/image/resize.hpp"
#include "gaze/image/tile_plan.hpp"
#include "gaze/io/json.hpp"
#include "models/hf/config_file.hpp"

namespace gaze::models::hf {

struct PictureConfig {
  std::variant<image::SplitTiling, image::AnyresTiling> tiling;
  image::Normalization normalization;
};

/// The tiles of a picture of this size.
inline image::TilePlan plan_tiles(const PictureConfig& config, image::Size picture) {
  return std::visit([&](const auto& t) { return image::plan_tiles(t, picture); }, config.tiling);
}

namespace detail {

/// Pillow's numbers of filters, the values of `resample`.
inline constexpr int kPillowLanczos = 1, kPillowBicubic = 3;

/// A side in pixels, of a tile or of what is split into tiles.
inline int read_side(ConfigObject& c, const char* key, Index most = image::kMostSplitEdge) {
  const Index side = c.count(key);
  GAZE_CHECK(side <= most, "checkpoint", c.where(key), ": must be at most ", most, ", got ", side);
  return static_cast<int>(side);
}

/// {"height": n, "width": n}, or {"shortest_edge": n}, which is the same for a square.
inline int read_square(ConfigObject size) {
  if (size.has("shortest_edge")) {
    const int side = read_side(size, "shortest_edge");
    size.finish();
    return side;
  }
  const int height = read_side(size, "height"), width = read_side(size, "width");
  GAZE_CHECK(height == width, "checkpoint", size.where("width"), ": ", width,
             " differs from the height, ", height);
  size.finish();
  return height;
}

inline int read_longest_edge(ConfigObject size, Index most) {
  const int edge = read_side(size, "longest_edge", most);
  size.finish();
  return edge;
}

/// A number from `least` to `most` for each channel.
inline std::array<float, 3> read_channels(ConfigObject& c, const char* key, double least,
                                          double most) {
  const std::vector<double> values = c.numbers(key, 3);
  std::array<float, 3> out{};
  for (std::size_t i = 0; i < 3; ++i) {
    GAZE_CHECK(values[i] >= least && values[i] <= most, "checkpoint", c.where(key),
               ": must be from ", least, " to ", most, ", got ", values[i]);
    out[i] = static_cast<float>(values[i]);
  }
  return out;
}

inline image::Normalization read_normalization(ConfigObject& c) {
  image::Normalization out;
  out.rescale = c.number("rescale_factor", out.rescale);
  GAZE_CHECK(out.rescale > 0 && out.rescale <= 1, "checkpoint", c.where("rescale_factor"),
             ": must be above 0 and at most 1, got ", out.rescale);
  out.mean = read_channels(c, "image_mean", -1000, 1000);
  out.std = read_channels(c, "image_std", 1e-3, 1000);
  if (!c.flag("do_rescale", true)) out.rescale = 1;
  if (!c.flag("do_normalize", true)) {
    out.mean = {0, 0, 0};
    out.std = {1, 1, 1};
  }
  return out;
}

inline image::SplitTiling read_split_tiling(ConfigObject& c) {
  image::SplitTiling out;
  out.longest_edge = read_longest_edge(c.object("size"), image::kMostLongestEdge);
  out.side = read_longest_edge(c.object("max_image_size"), image::kMostSplitEdge);
  out.split = c.flag("do_image_splitting", true);
  c.must_be("resample", kPillowLanczos);
  // Not used by these processors, or for videos.
  c.ignore({"crop_size", "do_center_crop", "return_row_col_info", "video_sampling"});
  return out;
}

inline image::AnyresTiling read_anyres_tiling(ConfigObject& c) {
  image::AnyresTiling out;
  out.side = read_square(c.object("size"));
  const int crop = read_square(c.object("crop_size"));
  GAZE_CHECK(crop == out.side, "checkpoint", c.where("crop_size"), ": ", crop,
             " differs from size, ", out.side, "; only equal ones are supported");
  constexpr std::size_t most_pinpoints = 1024;
  for (const auto& [height, width] : c.pairs("image_grid_pinpoints", most_pinpoints)) {
    GAZE_CHECK(height % out.side == 0 && width % out.side == 0, "checkpoint",
               c.where("image_grid_pinpoints"), ": ", height, "x", width, " is not whole tiles of ",
               out.side);
    const Index tiles = height / out.side * (width / out.side) + 1;
    GAZE_CHECK(tiles <= image::kMostTiles, "checkpoint", c.where("image_grid_pinpoints"), ": ",
               height, "x", width, " are ", tiles, " tiles; the limit is ", image::kMostTiles);
    out.resolutions.push_back({static_cast<int>(width), static_cast<int>(height)});
  }
  c.must_be("resample", kPillowBicubic);
  c.ignore({"do_center_crop"});  // a tile has the crop's size
  return out;
}

/// The processor's name without the suffix of an implementation.
inline std::string_view picture_processor(std::string_view type) {
  for (const std::string_view suffix : {"Fast", "Pil"})
    if (type.ends_with(suffix)) return type.substr(0, type.size() - suffix.size());
  return type;
}

}  // namespace detail

/// The object of a processor.
inline PictureConfig read_picture_config(ConfigObject c) {
  const std::string type = c.text("image_processor_type");
  const std::string_view processor = detail::picture_processor(type);
  PictureConfig out;
  if (processor == "Idefics3ImageProcessor" || processor == "SmolVLMImageProcessor") {
    out.tiling = detail::read_split_tiling(c);
  } else if (processor == "LlavaNextImageProcessor") {
    out.tiling = detail::read_anyres_tiling(c);
  } else {
    GAZE_FAIL("checkpoint", c.where("image_processor_type"), ": ", printable(type, kShownBytes),
              " is not supported; known are Idefics3ImageProcessor, SmolVLMImageProcessor and "
              "LlavaNextImageProcessor");
  }
  out.normalization = detail::read_normalization(c);
  c.must_be("do_resize", true);
  c.must_be("do_convert_rgb", true);
  // Names, padding of a batch (a picture's tiles are of one size), forms of a call's result.
  c.ignore({"processor_class", "_valid_processor_keys", "do_pad", "pad_size", "data_format",
            "input_data_format", "default_to_square", "device", "disable_grouping",
            "return_tensors", "image_seq_length"});
  c.finish();
  return out;
}

/// A folder's preprocessor_config.json, or the object image_processor of its
/// processor_config.json, which transformers 5 writes and prefers.
inline PictureConfig load_picture_config(const std::string& folder) {
  const std::string whole = folder + "/processor_config.json";
  if (std::filesystem::exists(whole)) {
    ConfigObject processor(io::read_json_object(whole), whole);
    if (processor.has("image_processor"))
      return read_picture_config(processor.object("image_processor"));
  }
  const std::string own = folder + "/preprocessor_config.json";
  GAZE_CHECK(std::filesystem::exists(own), "checkpoint", folder,
             ": no preprocessor_config.json, nor a processor_config.json with an image_processor");
  return read_picture_config(ConfigObject(io::read_json_object(own), own));
}

}  // namespace gaze::models::hf
