// SPDX-License-Identifier: MIT
// Fuzz target: a folder of weights: an index and the two files that it may name, a.safetensors and
// b.safetensors.
#include <string>
#include <string_view>
#include <vector>

#include "gaze/io/weight_files.hpp"
#include "tests/fuzz/target.hpp"

namespace fuzz_weight_folder {

using gaze::fuzz::require;

void run(std::string_view input) {
  static const gaze::fuzz::Folder folder;
  gaze::fuzz::Pieces pieces{input};
  folder.put("model.safetensors.index.json", pieces.next());
  folder.put("a.safetensors", pieces.next());
  folder.put("b.safetensors", pieces.rest);
  const gaze::io::WeightFiles files(folder.path());
  require(files.missing(files.names()).empty(), "a tensor of the index is missing");
  for (const std::string& name : files.names()) {
    const auto& info = files.info(name);
    const auto mapped = files.map<float>(name, info.shape);
    if (!mapped) continue;
    std::vector<float> values(static_cast<std::size_t>(info.elements()));
    files.read<float>(name, info.shape, values);
    require(values.size() == mapped->values.size(), "another size mapped than read");
  }
}

const gaze::fuzz::Target target("weight_folder", run);

}  // namespace fuzz_weight_folder
