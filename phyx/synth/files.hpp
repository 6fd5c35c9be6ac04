// SPDX-License-Identifier: MIT
// The synthetic suite as files in PhyX's TSV format, and the tokeniser made from its training part.
#pragma once
#include <filesystem>

#include "gaze/io/folder_lock.hpp"
#include "gaze/io/folders.hpp"
#include "gaze/io/sha256.hpp"
#include "gaze/text/tokenizer.hpp"
#include "phyx/answer/response.hpp"
#include "phyx/data/reader.hpp"
#include "phyx/synth/suite.hpp"
#include "phyx/train/examples.hpp"

namespace gaze::phyx {

inline std::string suite_file(const std::string& folder, const std::string& split, Form form) {
  return folder + "/synth_" + split + (form == Form::mc ? "_MC.tsv" : "_OE.tsv");
}

/// Writes one split in both forms, unless the files are there already.
inline void write_suite(const std::string& folder, const std::string& split, std::size_t scenes,
                        std::uint64_t seed, int image_size) {
  io::make_folders(folder);
  io::remove_leftovers(folder);
  for (const Form form : {Form::mc, Form::oe}) {
    const std::string path = suite_file(folder, split, form);
    if (io::exists(path)) continue;
    write_tsv(path, synth::make_split(split, form, scenes, seed, image_size));
  }
}

/// The SHA-256 of each file of these splits, by its name; a file that is not there is left out.
inline io::Json suite_digests(const std::string& folder, const std::vector<std::string>& splits) {
  io::Json out = io::Json::object();
  for (const auto& split : splits)
    for (const Form form : {Form::mc, Form::oe}) {
      const std::filesystem::path path = suite_file(folder, split, form);
      if (std::filesystem::exists(path))
        out[path.filename().string()] = io::sha256_file(path.string());
    }
  return out;
}

/// Reads both forms of a split, MC and OE of a scene one after the other.
inline std::vector<Problem> read_suite(const std::string& folder, const std::string& split) {
  auto mc = load_tsv(suite_file(folder, split, Form::mc)).problems;
  auto oe = load_tsv(suite_file(folder, split, Form::oe)).problems;
  std::vector<Problem> out;
  for (std::size_t i = 0; i < std::max(mc.size(), oe.size()); ++i) {
    if (i < mc.size()) out.push_back(std::move(mc[i]));
    if (i < oe.size()) out.push_back(std::move(oe[i]));
  }
  return out;
}

/// A tokeniser whose words are those of the training problems, their responses and captions.
inline text::Tokenizer build_tokenizer(const std::vector<Problem>& training) {
  std::vector<std::string> texts = {" describe letters ."};
  for (const Problem& p : training) {
    texts.push_back(" " + p.question);
    texts.push_back(gold_response(p));
    std::string scene = " " + p.scene.caption;
    for (const auto& slot : p.scene.slots) scene += " " + slot;
    texts.push_back(scene);
  }
  text::BuildOptions options;
  options.phrases = instruction_phrases();
  return text::Tokenizer::build(texts, options);
}

}  // namespace gaze::phyx
