// SPDX-License-Identifier: MIT
// Writing, reading and hashing the suite's files.
#include "phyx/synth/files.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "gaze/io/folder_lock.hpp"
#include "gaze/io/folders.hpp"
#include "gaze/io/sha256.hpp"
#include "phyx/data/reader.hpp"
#include "phyx/data/writer.hpp"
#include "phyx/synth/suite.hpp"

namespace gaze::phyx {

std::string suite_file(const std::string& folder, const std::string& split, Form form) {
  return folder + "/synth_" + split + (form == Form::mc ? "_MC.tsv" : "_OE.tsv");
}

void write_suite(const std::string& folder, const std::string& split, std::size_t scenes,
                 std::uint64_t seed, int image_size, const SuiteOptions& options) {
  io::make_folders(folder);
  io::remove_leftovers(folder);
  for (const Form form : {Form::mc, Form::oe}) {
    const std::string path = suite_file(folder, split, form);
    if (io::exists(path)) continue;
    write_tsv(path, synth::make_split(split, form, scenes, seed, image_size, options));
  }
}

io::Json suite_digests(const std::string& folder, const std::vector<std::string>& splits) {
  io::Json out = io::Json::object();
  for (const auto& split : splits)
    for (const Form form : {Form::mc, Form::oe}) {
      const std::filesystem::path path = suite_file(folder, split, form);
      if (std::filesystem::exists(path))
        out[path.filename().string()] = io::sha256_file(path.string());
    }
  return out;
}

std::vector<Problem> read_suite(const std::string& folder, const std::string& split) {
  auto mc = load_tsv(suite_file(folder, split, Form::mc)).problems;
  auto oe = load_tsv(suite_file(folder, split, Form::oe)).problems;
  std::vector<Problem> out;
  for (std::size_t i = 0; i < std::max(mc.size(), oe.size()); ++i) {
    if (i < mc.size()) out.push_back(std::move(mc[i]));
    if (i < oe.size()) out.push_back(std::move(oe[i]));
  }
  return out;
}

}  // namespace gaze::phyx
