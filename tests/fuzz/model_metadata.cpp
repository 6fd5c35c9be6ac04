// SPDX-License-Identifier: MIT
// Fuzz target: the metadata gaze.model of a trained model's weights. What is accepted is written
// and read again.
#include <string>
#include <string_view>
#include <variant>

#include "gaze/io/json.hpp"
#include "gaze/io/safetensors.hpp"
#include "models/model_metadata.hpp"
#include "tests/fuzz/safetensors_file.hpp"
#include "tests/fuzz/target.hpp"

namespace fuzz_model_metadata {

using namespace gaze;

models::ModelMetadata read(const std::string& text) {
  static const fuzz::Folder folder;
  const io::Json header = {{"__metadata__", {{models::metadata_key, text}}}};
  return models::read_model_metadata(
      io::SafetensorsFile(folder.put("model.safetensors", fuzz::safetensors_file(header))));
}

std::string written(const models::ModelMetadata& m) {
  return std::visit([&](const auto& c) { return models::model_metadata(c, m.prompt); }, m.config)
      .at(models::metadata_key);
}

void run(std::string_view input) {
  const std::string text = written(read(std::string(input)));
  fuzz::require(written(read(text)) == text, "other metadata when written and read again");
}

const fuzz::Target target("model_metadata", run);

}  // namespace fuzz_model_metadata
