// SPDX-License-Identifier: MIT
// A decoder alone: a language model for text, with the policy functions (policy.hpp).
//
//   models::LanguageModel<float> model({models::preset("nano").decoder, vocabulary}, seed);
#pragma once
#include "models/policy.hpp"

namespace gaze::models {

template <class T = float, class Device = Cpu>
class LanguageModel : public DecoderPolicy<LanguageModel<T, Device>, T, Device> {
 public:
  /// Random weights, all of them trained.
  LanguageModel(const LanguageConfig& config, std::uint64_t seed) : LanguageModel(config) {
    parameters_.allocate(seed);
  }

  /// Weights of zero, to be read from a file; `trainable`: see Parameters::allocate_for_file().
  static LanguageModel for_file(const LanguageConfig& config, bool trainable) {
    return LanguageModel(config, ForFile{trainable});
  }

  const LanguageConfig& config() const { return config_; }
  Parameters<T, Device>& parameters() { return parameters_; }
  Index vocabulary() const { return config_.vocabulary; }
  const Decoder<T, Device>& decoder() const { return decoder_; }
  bool multiplies_in_bf16() const { return config_.bf16; }
  PictureRows pictures() const { return {}; }

  /// Rows of a batch.
  Tensor<T, Device> embed(const PackedBatch& batch) const {
    const Index n = static_cast<Index>(batch.ids().size());
    return decoder_.embed(Indices<Device>::from({n}, batch.ids()));
  }

 private:
  struct ForFile {
    bool trainable;
  };

  LanguageModel(const LanguageConfig& config, ForFile use) : LanguageModel(config) {
    parameters_.allocate_for_file(use.trainable);
  }

  explicit LanguageModel(const LanguageConfig& config)
      : config_(config), decoder_(parameters_, config.decoder, config.vocabulary) {
    GAZE_CHECK(config.vocabulary > 0, "LanguageModel", "the vocabulary is empty");
    if (config.bf16) parameters_.multiply_in_bf16();
  }

  LanguageConfig config_;
  Parameters<T, Device> parameters_;
  Decoder<T, Device> decoder_;
};

#ifdef GAZE_CPU_COMPILED  // in cmake/cpu_engine.cpp
extern template class DecoderPolicy<LanguageModel<float>, float, Cpu>;
extern template class LanguageModel<float>;
#endif

}  // namespace gaze::models
