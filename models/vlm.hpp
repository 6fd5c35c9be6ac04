// SPDX-License-Identifier: MIT
// The vision-language model: ViT, projector, decoder, and the policy functions (policy.hpp).
// Without a ViT it is a language model for text.
#pragma once
#include <algorithm>
#include <functional>
#include <optional>
#include <span>

#include "gaze/nn/lora.hpp"
#include "models/feature_cache.hpp"
#include "models/image_encoder.hpp"
#include "models/policy.hpp"
#include "models/slot_head.hpp"

namespace gaze::models {

template <class T = float, class Device = Cpu>
class Vlm : public DecoderPolicy<Vlm<T, Device>, T, Device> {
 public:
  /// `slots`: labels per image of the vision stage's head; 0: no head.
  Vlm(const VlmConfig& config, std::int32_t image_token, std::uint64_t seed, Index slots = 0)
      : Vlm(config, image_token, Declared{slots, true}) {
    parameters_.allocate(seed);
  }

  /// Weights of zero, to be read from a file; `trainable`: see Parameters::allocate_for_file().
  /// `keep_embedding`: where products use bf16, tokens are looked up in T, as in training. `lora`:
  /// adapters, which can be trained in any case.
  static Vlm for_file(const VlmConfig& config, std::int32_t image_token, bool trainable,
                      bool keep_embedding = true, const LoraPlan& lora = {}) {
    return Vlm(config, image_token, ForFile{trainable}, Declared{0, keep_embedding, &lora});
  }

  const SlotHead<T, Device>& slot_head() const {
    GAZE_CHECK(slot_head_, "Vlm", "made without a slot head");
    return *slot_head_;
  }

  /// Switches the adapters, as rl::Reference wants it: without them, the policy is its own
  /// reference. The model must outlive it.
  std::function<void(bool)> adapters() {
    return [this](bool on) { enable_lora(parameters_, on); };
  }

  /// From now on backward computes the blocks of decoder and ViT again instead of keeping their
  /// values. Same bits; one more forward pass in time.
  void checkpoint_blocks(bool on) {
    decoder_.checkpoint_blocks(on);
    if (encoder_) encoder_->checkpoint_blocks(on);
  }

  const VlmConfig& config() const { return config_; }
  Parameters<T, Device>& parameters() { return parameters_; }
  Index vocabulary() const { return config_.vocabulary; }

  /// Image tokens [images * image_tokens, C].
  Tensor<T, Device> encode_images(std::span<const ImageBytes> images) const {
    std::vector<Tile> tiles;
    for (const ImageBytes& rgb : images) tiles.push_back({rgb, nullptr, 0});
    return encoder()(tiles);
  }

  const Decoder<T, Device>& decoder() const { return decoder_; }
  bool multiplies_in_bf16() const { return config_.bf16; }
  PictureRows pictures() const {
    if (!encoder_) return {};
    return {config_.image_tokens(), config_.vit.image, image_token_, encoder_->has_newline()};
  }

  /// Rows of a batch: token embeddings, with image tokens in the rows of images.
  Tensor<T, Device> embed(const PackedBatch& batch) const {
    const Index n = static_cast<Index>(batch.ids().size());
    const auto words = decoder_.embed(Indices<Device>::from({n}, batch.ids()));
    if (batch.tiles().empty()) return words;
    auto seen =
        gather_rows(features(batch.tiles()), Indices<Device>::from({n}, batch.image_rows()));
    if (!batch.newline_rows().empty())
      seen = add(
          seen, gather_rows(encoder().newline(), Indices<Device>::from({n}, batch.newline_rows())));
    const auto by = static_cast<T>(config_.connector.multiplier);
    return add(words, by == T(1) ? seen : scale(seen, by));
  }

 private:
  /// Image tokens of tiles, of a frozen model computed once for each picture.
  Tensor<T, Device> features(std::span<const Tile> tiles) const {
    if (!frozen_) return encoder()(tiles);
    return known_(tiles, config_.image_tokens(),
                  [&](std::span<const Tile> missing) { return encoder()(missing); });
  }

  using Encoder = std::optional<ImageEncoder<T, Device>>;

  const ImageEncoder<T, Device>& encoder() const {
    GAZE_CHECK(encoder_, "Vlm", "a picture, but the model reads text only");
    return *encoder_;
  }

  struct ForFile {
    bool trainable;
  };
  struct Declared {
    Index slots;
    bool keep_embedding;
    const LoraPlan* lora = nullptr;
  };

  Vlm(const VlmConfig& config, std::int32_t image_token, ForFile use, Declared form)
      : Vlm(config, image_token, form) {
    parameters_.allocate_for_file(use.trainable);
    frozen_ = !use.trainable && std::all_of(form.lora->begin(), form.lora->end(), [](auto& w) {
      return w.weight.rfind("decoder.", 0) == 0;
    });
  }

  Vlm(const VlmConfig& config, std::int32_t image_token, Declared form)
      : config_(config),
        image_token_(image_token),
        encoder_(config.sees() ? Encoder(std::in_place, parameters_, config) : Encoder()),
        decoder_(parameters_, config.decoder, config.vocabulary) {
    GAZE_CHECK(config.vocabulary > 0, "Vlm", "the vocabulary is empty");
    if (form.slots > 0) slot_head_.emplace(parameters_, config, form.slots);
    if (form.keep_embedding) decoder_.keep_embedding();
    if (config.bf16) parameters_.multiply_in_bf16();
    if (form.lora) add_lora(parameters_, *form.lora);
  }

  VlmConfig config_;
  std::int32_t image_token_;
  Parameters<T, Device> parameters_;
  Encoder encoder_;      // none: text alone
  bool frozen_ = false;  // tower and projector, without adapters
  mutable FeatureCache<T, Device> known_;
  Decoder<T, Device> decoder_;
  std::optional<SlotHead<T, Device>> slot_head_;
};

#ifdef GAZE_CPU_COMPILED  // in cmake/cpu_engine.cpp
extern template class DecoderPolicy<Vlm<float>, float, Cpu>;
extern template class Vlm<float>;
#endif

}  // namespace gaze::models
