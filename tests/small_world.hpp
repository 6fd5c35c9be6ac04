// SPDX-License-Identifier: MIT
// A few synthetic problems with their examples, tokeniser and model, made once per process.
#pragma once
#include <memory>
#include <vector>

#include "phyx/synth/suite.hpp"
#include "phyx/train/examples.hpp"
#include "phyx/train/vocabulary.hpp"

namespace gaze::test::small_world {

using namespace phyx;

/// A few problems of every template in both forms, a tokeniser, and a nano model.
struct World {
  std::vector<Problem> problems;
  text::Tokenizer tokenizer;
  models::VlmConfig config = models::preset("nano");
  std::unique_ptr<ExampleMaker> maker;
  std::vector<Example> examples;
  std::unique_ptr<Model<Cpu>> model;

  World() : problems(make()), tokenizer(build_tokenizer(problems)) {
    config.vocabulary = tokenizer.vocab_size();
    maker = std::make_unique<ExampleMaker>(tokenizer, config);
    for (const Problem& p : problems) examples.push_back((*maker)(p));
    model = std::make_unique<Model<Cpu>>(config, tokenizer.image(), 7, slot_count);
  }

  static std::vector<Problem> make() {
    std::vector<Problem> out;
    for (const Form form : {Form::mc, Form::oe})
      for (auto& p : synth::make_split("train", form, 30, 5)) out.push_back(std::move(p));
    return out;
  }
};

inline const World& world() {
  static const World w;
  return w;
}

}  // namespace gaze::test::small_world
