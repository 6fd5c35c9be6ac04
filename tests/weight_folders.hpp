// SPDX-License-Identifier: MIT
// Folders of weights in Hugging Face's layout, and their tensors, for tests.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gaze/io/weight_files.hpp"
#include "tests/folder.hpp"

namespace gaze::test::weights {

using Shape = std::vector<std::int64_t>;

inline const std::string first = "model-00001-of-00002.safetensors",
                         second = "model-00002-of-00002.safetensors",
                         index_name = "model.safetensors.index.json";

template <class T>
io::TensorEntry entry(const std::string& name, Shape shape, const std::vector<T>& values) {
  const auto bytes = std::as_bytes(std::span(values));
  return {name, std::string(io::dtype_of<T>()), std::move(shape), {bytes.begin(), bytes.end()}};
}

/// An index with these tensors and files.
inline std::string index_of(const std::vector<std::pair<std::string, std::string>>& weight_map) {
  io::Json index;
  index["metadata"]["total_size"] = 1;  // wrong, as in some published files
  for (const auto& [tensor, file] : weight_map) index["weight_map"][tensor] = file;
  return io::dump_json(index, "index");
}

/// A folder with two shards and their index.
inline void write_shards(const Folder& folder) {
  io::write_safetensors(folder.file(first), {entry<float>("a", {2, 3}, {1, 2, 3, 4, 5, 6}),
                                             entry<std::int64_t>("ids", {2}, {-7, 1LL << 40})});
  io::write_safetensors(folder.file(second), {entry<std::int32_t>("b", {}, {5})});
  folder.put(index_name, index_of({{"a", first}, {"b", second}, {"ids", first}}));
}

template <class T>
std::vector<T> read(const io::WeightFiles& files, const std::string& name, Shape shape) {
  std::vector<T> out(files.info(name).elements());
  files.read<T>(name, shape, out);
  return out;
}

}  // namespace gaze::test::weights
