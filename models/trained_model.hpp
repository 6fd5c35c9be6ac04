// SPDX-License-Identifier: MIT
// A model that `gaze` has trained, from its files: weights whose metadata describe it
// (model_metadata.hpp), and the tokeniser.
//
//   const models::TrainedModel<> trained("out/arms/accuracy/seed0");
//   const auto prompt = trained.prompt("What is the spring's energy?", &picture);
//   const auto done = rollout(trained.model(), ..., trained.ends(), ...);
//   std::puts(trained.text(done.front()).c_str());
#pragma once
#include <filesystem>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/generate/sampled_tokens.hpp"
#include "gaze/generate/sampling.hpp"
#include "gaze/io/folders.hpp"
#include "gaze/io/safetensors.hpp"
#include "gaze/text/tokenizer.hpp"
#include "gaze/train/checkpoint.hpp"
#include "models/memory.hpp"
#include "models/model_metadata.hpp"
#include "models/trained_prompt.hpp"
#include "models/vlm.hpp"

namespace gaze::models {

/// Everything in a trained model's files except the weights.
struct TrainedFiles {
  text::Tokenizer tokenizer;
  VlmConfig config;
  std::string prompt;  // template, see trained_prompt.hpp
  std::string weights_file, tokenizer_file;
};

/// The file of weights that `path` means: itself, or model.safetensors in the folder `path`. Throws
/// Error if there is nothing at `path`.
inline std::string weights_file_of(const std::string& path) {
  GAZE_CHECK(io::exists(path), "load_model", path, ": no such file or folder");
  return std::filesystem::is_directory(path) ? path + "/model.safetensors" : path;
}

namespace detail {

/// tokenizer.json next to the weights, or in the nearest folder above.
inline std::string tokenizer_file_of(const std::string& weights) {
  auto folder = std::filesystem::absolute(weights).parent_path();
  while (!io::exists((folder / "tokenizer.json").string())) {
    GAZE_CHECK(folder.has_relative_path(), "load_model", weights,
               ": no tokenizer.json in its folder or above it");
    folder = folder.parent_path();
  }
  return (folder / "tokenizer.json").string();
}

}  // namespace detail

/// `path`: a .safetensors file, or a folder with model.safetensors. tokenizer.json is searched
/// there and in the folders above, where an ablation stores it. Throws Error for missing files and
/// metadata, for a prompt that check_prompt_template() refuses, and where weights, metadata and
/// tokeniser do not fit each other.
inline TrainedFiles read_trained_files(const std::string& path) {
  const std::string weights = weights_file_of(path);
  const io::SafetensorsFile file(weights);
  ModelMetadata saved = read_model_metadata(file);
  const auto* config = std::get_if<VlmConfig>(&saved.config);
  GAZE_CHECK(config, "load_model", weights,
             ": a model for text alone; only gaze info and gaze logits read these");
  const std::string words = detail::tokenizer_file_of(weights);
  TrainedFiles out{text::Tokenizer::load(words), *config, std::move(saved.prompt), weights, words};
  const Index tokens = out.tokenizer.vocab_size();
  GAZE_CHECK(config->vocabulary == 0 || config->vocabulary == tokens, "load_model", weights,
             ": a model of ", config->vocabulary, " tokens, but ", words, " has ", tokens);
  out.config.vocabulary = tokens;
  check_prompt_template(out.prompt, weights + ", prompt");
  DeclaredVlm declared(out.config);
  check_weights(file, declared.all);
  return out;
}

/// A trained model with its weights, frozen, on a device.
template <class Device = Cpu>
class TrainedModel {
 public:
  /// `path` and errors as for read_trained_files().
  explicit TrainedModel(const std::string& path) : TrainedModel(read_trained_files(path)) {}

  explicit TrainedModel(TrainedFiles files)
      : files_(std::move(files)),
        model_(Vlm<float, Device>::for_file(files_.config, files_.tokenizer.image(), false)) {
    read_weights(files_.weights_file, model_.parameters());
  }

  const TrainedFiles& files() const { return files_; }
  const Vlm<float, Device>& model() const { return model_; }
  EndTokens ends() const { return files_.tokenizer.end(); }

  /// The prompt of a question, with a picture unless it is null. `options`, "A: 2 N B: 4 N", are
  /// for a template with {options}.
  Prompt prompt(const std::string& question, const image::Image* picture,
                const std::string& options = "") const {
    Prompt out;
    if (picture) out.rgb = image_bytes(*picture, files_.config.vit.image);
    out.tokens =
        fill_prompt(files_.tokenizer, files_.prompt, picture ? files_.config.image_tokens() : 0,
                    {{"{question}", question}, {"{options}", options}});
    return out;
  }

  /// The text of an answer.
  std::string text(const SampledTokens& answer) const {
    std::vector<std::int32_t> words = answer.tokens;
    if (answer.ended) words.pop_back();
    return files_.tokenizer.decode(words);
  }

 private:
  TrainedFiles files_;
  Vlm<float, Device> model_;
};

}  // namespace gaze::models
