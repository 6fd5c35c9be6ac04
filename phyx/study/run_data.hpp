// SPDX-License-Identifier: MIT
// The problems of an ablation: files in data/, written unless they are there and bound to the run
// by their digests; and what is made of them: tokeniser, examples, the model's configuration.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "gaze/io/json.hpp"
#include "gaze/text/tokenizer.hpp"
#include "models/vlm.hpp"
#include "phyx/study/run_paths.hpp"
#include "phyx/study/settings.hpp"
#include "phyx/train/examples.hpp"

namespace gaze::phyx {

class RunData {
 public:
  /// Settings and paths must outlive it.
  RunData(const AblationSettings& settings, const RunPaths& paths) : s_(settings), at_(paths) {}
  RunData(const RunData&) = delete;  // examples are made with references into it
  RunData& operator=(const RunData&) = delete;

  /// The files that the run was begun with, by name with their SHA-256; an Error names the first
  /// one that is there and is another.
  void expect(const io::Json& files);

  /// Writes the files that are not there, and takes the digests of all. `say` hears of files that
  /// were there before the run.
  void write(const std::function<void(const std::string&)>& say);

  /// Reads what was written: tokenizer.json is made, and the examples. An Error where a problem of
  /// the test occurs twice.
  void read();

  const io::Json& files() const { return files_; }
  const models::VlmConfig& config() const { return config_; }
  const text::Tokenizer& tokenizer() const { return *tokenizer_; }
  const ExampleMaker& maker() const { return *maker_; }
  const std::vector<Example>& train() const { return train_; }
  const std::vector<Example>& test() const { return test_; }

 private:
  /// The parts of the suite that are evaluated.
  std::vector<std::string> test_parts() const;

  /// The digests of the problems' files that are there; an Error names the first that is not the
  /// file which config.json has.
  io::Json digests() const;

  const AblationSettings& s_;
  const RunPaths& at_;
  io::Json files_ = io::Json::object();  // of data/: name, SHA-256
  models::VlmConfig config_{};
  std::optional<text::Tokenizer> tokenizer_;
  std::optional<ExampleMaker> maker_;
  std::vector<Example> train_, test_;
};

}  // namespace gaze::phyx
