// SPDX-License-Identifier: MIT
// Fuzz target: a safetensors file, read tensor by tensor, as floats where it can be and mapped.
#include <string>
#include <string_view>
#include <vector>

#include "gaze/core/bf16.hpp"
#include "gaze/io/safetensors.hpp"
#include "tests/fuzz/target.hpp"

namespace fuzz_safetensors {

using namespace gaze::io;
using gaze::fuzz::require;

template <class T>
void read_as(const SafetensorsFile& file, const std::string& name) {
  const auto& info = file.info(name);
  std::vector<T> values(static_cast<std::size_t>(info.elements()));
  try {
    file.read<T>(name, info.shape, values);
  } catch (const gaze::Error&) {  // of a type that is not converted
  }
}

void run(std::string_view input) {
  static const gaze::fuzz::Folder folder;
  const SafetensorsFile file(folder.put("model.safetensors", input));
  const auto mapped = file.map();
  for (const auto& [name, info] : file.tensors()) {
    require(info.begin <= info.end && info.end <= input.size(), "outside the file");
    const TensorEntry tensor = file.read(name);
    require(tensor.data.size() == info.bytes(), "not all bytes");
    const std::string_view bytes(reinterpret_cast<const char*>(tensor.data.data()),
                                 tensor.data.size());
    require(bytes == input.substr(info.begin, info.bytes()), "other bytes than in the file");
    read_as<float>(file, name);
    read_as<gaze::bf16>(file, name);
    read_as<std::int64_t>(file, name);
  }
}

const gaze::fuzz::Target target("safetensors", run);

}  // namespace fuzz_safetensors
