// SPDX-License-Identifier: MIT
// A model of our own in a folder, with random weights.
#pragma once
#include <filesystem>
#include <string>

#include "gaze/train/checkpoint.hpp"
#include "models/presets.hpp"
#include "phyx/data/prompt.hpp"
#include "phyx/eval/trained_model.hpp"
#include "tests/folder.hpp"

namespace gaze::test {

/// A model of random weights that sees.
inline std::string trained_folder(const Folder& place,
                                  const std::string& prompt = phyx::PromptTemplate().problem) {
  const auto tokenizer = text::Tokenizer::build({"what is it ? a = 5 m ."});
  std::filesystem::create_directories(place.path / "nano");
  tokenizer.save(place.file("nano/tokenizer.json"));
  auto config = models::preset("nano");
  config.vocabulary = tokenizer.vocab_size();
  phyx::Model<Cpu> model(config, tokenizer.image(), 5);
  save_weights(place.file("nano/model.safetensors"), model.parameters(),
               {{"model", "nano"}, {"prompt", prompt}});
  return place.file("nano");
}

}  // namespace gaze::test
