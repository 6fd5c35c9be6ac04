// SPDX-License-Identifier: MIT
// The problems of an ablation, as files in data/ that are created if missing, or one's own rows.
// Both are tied to the run by their digests; tokeniser, examples and model configuration are made
// from them.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "gaze/io/json.hpp"
#include "gaze/text/tokenizer.hpp"
#include "models/vlm.hpp"
#include "phyx/eval/published_text.hpp"
#include "phyx/study/own_data.hpp"
#include "phyx/study/run_paths.hpp"
#include "phyx/study/settings.hpp"
#include "phyx/synth/options.hpp"
#include "phyx/synth/words.hpp"
#include "phyx/train/examples.hpp"

namespace gaze::phyx {

class RunData {
 public:
  /// Settings and paths must outlive it.
  RunData(const AblationSettings& settings, const RunPaths& paths) : s_(settings), at_(paths) {}
  RunData(const RunData&) = delete;  // maker_ refers to tokenizer_
  RunData& operator=(const RunData&) = delete;

  /// Reads and checks one's own rows, if the settings name any. Call before the other functions.
  /// Throws the Error of OwnData.
  void survey();

  /// Sets the SHA-256 by name of the files that the run was started with. Throws Error for the
  /// first existing file that differs.
  void expect(const io::Json& files);

  /// Creates missing files and stores the digests of all; for one's own rows, writes the split.
  /// Calls `say` if files existed before the run.
  void write(const std::function<void(const std::string&)>& say);

  /// Reads the files, builds the examples and writes tokenizer.json. Throws Error if a test problem
  /// occurs twice.
  void read();

  /// The weights that every warm start begins with; "" for random ones.
  std::string start_weights() const;

  const io::Json& files() const { return files_; }
  const models::VlmConfig& config() const { return config_; }
  /// Of a run on a published checkpoint; else null.
  const PublishedText* published() const { return published_ ? &*published_ : nullptr; }
  const ProblemCodec& codec() const {
    return published_ ? static_cast<const ProblemCodec&>(*codec_) : *maker_;
  }
  /// Of our own models alone.
  const text::Tokenizer& tokenizer() const { return *tokenizer_; }
  const ExampleMaker& maker() const { return *maker_; }
  const std::vector<Example>& train() const { return train_; }  // of supervised training
  /// The training problems of a condition.
  const std::vector<Example>& pool(const Condition& c) const {
    return c.pool() == Pool::sft || rl_.empty() ? train_ : rl_;
  }
  const std::vector<Example>& test() const { return test_; }

  /// The problems that GRPO arms are validated on while they train: both forms of up to
  /// validate_scenes scenes of the split val, spread evenly, without layout-only templates. Empty
  /// without validation.
  const std::vector<Example>& validation() const { return validation_; }

 private:
  /// Reads one's own rows.
  void read_own();

  /// Reads the text parts of a published checkpoint.
  void open_checkpoint();
  void read_word_suite();
  /// The parts of the word problems that the run reads, with their sizes and seeds.
  std::vector<WordFile> word_files() const;
  /// A problem with its prompts.
  Example example(Problem problem);

  void set_tokenizer(text::Tokenizer tokenizer);

  /// The parts of the suite that are evaluated.
  std::vector<std::string> test_parts() const;

  /// The folder of the problems of rft and grpo, if they have their own.
  std::string rl_folder() const { return at_.data() + "/rl"; }

  /// Templates and cues of a split; `rl`: of the problems of rft and grpo.
  SuiteOptions suite_options(const std::string& split, bool rl) const;
  /// All parts of the suite that the run reads.
  std::vector<std::string> all_parts() const;

  void read_validation();

  /// The digests of existing files. Throws Error for the first that differs from config.json.
  io::Json digests() const;

  const AblationSettings& s_;
  const RunPaths& at_;
  io::Json files_ = io::Json::object();  // SHA-256 by name
  models::VlmConfig config_{};
  std::optional<OwnData> own_;
  std::optional<text::Tokenizer> tokenizer_;
  std::optional<ExampleMaker> maker_;
  std::optional<PublishedText> published_;
  std::optional<PublishedCodec> codec_;
  std::vector<Example> train_, rl_, test_, validation_;
};

}  // namespace gaze::phyx
