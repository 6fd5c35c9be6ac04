// SPDX-License-Identifier: MIT
// Fuzz target: preprocessor_config.json of a published checkpoint, and the tiles of a picture.
#include <string>
#include <string_view>

#include "models/hf/picture_config.hpp"
#include "tests/fuzz/target.hpp"

namespace fuzz_picture_config {

void run(std::string_view input) {
  static const gaze::fuzz::Folder folder;
  folder.put("preprocessor_config.json", input);
  const auto config = gaze::models::hf::load_picture_config(folder.path());
  for (const gaze::image::Size size : {gaze::image::Size{640, 480}, {1, 16384}, {3000, 1}})
    gaze::models::hf::plan_tiles(config, size);
}

const gaze::fuzz::Target target("picture_config", run);

}  // namespace fuzz_picture_config
