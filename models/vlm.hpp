// SPDX-License-Identifier: MIT
// The vision-language model: ViT, projector, decoder, and the policy functions (policy.hpp).
#pragma once
#include <optional>
#include <span>

#include "models/policy.hpp"
#include "models/projector.hpp"
#include "models/slot_head.hpp"
#include "models/vit.hpp"

namespace gaze::models {

template <class T = float, class Device = Cpu>
class Vlm : public DecoderPolicy<Vlm<T, Device>, T, Device> {
 public:
  /// `slots`: labels per image of the vision stage's head; 0: no head.
  Vlm(const VlmConfig& config, std::int32_t image_token, std::uint64_t seed, Index slots = 0)
      : Vlm(config, image_token, Declared{slots}) {
    parameters_.allocate(seed);
  }

  /// Weights of zero, to be read from a file; `trainable`: see Parameters::allocate_for_file().
  static Vlm for_file(const VlmConfig& config, std::int32_t image_token, bool trainable) {
    return Vlm(config, image_token, ForFile{trainable});
  }

  const SlotHead<T, Device>& slot_head() const {
    GAZE_CHECK(slot_head_, "Vlm", "made without a slot head");
    return *slot_head_;
  }

  const VlmConfig& config() const { return config_; }
  Parameters<T, Device>& parameters() { return parameters_; }
  Index vocabulary() const { return config_.vocabulary; }

  /// Image tokens [images * image_tokens, C].
  Tensor<T, Device> encode_images(std::span<const ImageBytes> images) const {
    const VitConfig& c = config_.vit;
    const Index size = 3 * c.patch * c.patch, count = static_cast<Index>(images.size());
    std::vector<float> pixels(static_cast<std::size_t>(count * c.patches() * size));
    parallel_for(count, 8, [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i)
        patchify(images[static_cast<std::size_t>(i)]->data(), c, config_.shuffle,
                 pixels.data() + i * c.patches() * size);
    });
    const auto rows = Tensor<T, Device>::from({count * c.patches(), size},
                                              std::vector<T>(pixels.begin(), pixels.end()));
    return projector_(vit_(rows));
  }

  const Decoder<T, Device>& decoder() const { return decoder_; }
  bool multiplies_in_bf16() const { return config_.bf16; }
  PictureRows pictures() const { return {config_.image_tokens(), config_.vit.image, image_token_}; }

  /// Rows of a batch: token embeddings, with image tokens in the rows of images.
  Tensor<T, Device> embed(const PackedBatch& batch) const {
    const Index n = static_cast<Index>(batch.ids().size());
    const auto words = decoder_.embed(Indices<Device>::from({n}, batch.ids()));
    if (batch.images().empty()) return words;
    return add(words, gather_rows(encode_images(batch.images()),
                                  Indices<Device>::from({n}, batch.image_rows())));
  }

 private:
  struct ForFile {
    bool trainable;
  };
  struct Declared {
    Index slots;
  };

  Vlm(const VlmConfig& config, std::int32_t image_token, ForFile use)
      : Vlm(config, image_token, Declared{0}) {
    parameters_.allocate_for_file(use.trainable);
  }

  Vlm(const VlmConfig& config, std::int32_t image_token, Declared head)
      : config_(config),
        image_token_(image_token),
        vit_(parameters_, config.vit),
        projector_(parameters_, config),
        decoder_(parameters_, config.decoder, config.vocabulary) {
    GAZE_CHECK(config.vocabulary > 0, "Vlm", "the vocabulary is empty");
    GAZE_CHECK(config.vit.grid() % config.shuffle == 0, "Vlm", config.vit.grid(),
               " patches per side are not divisible by shuffle ", config.shuffle);
    if (head.slots > 0) slot_head_.emplace(parameters_, config, head.slots);
    decoder_.keep_embedding();
    if (config.bf16) parameters_.multiply_in_bf16();
  }

  VlmConfig config_;
  std::int32_t image_token_;
  Parameters<T, Device> parameters_;
  Vit<T, Device> vit_;
  Projector<T, Device> projector_;
  Decoder<T, Device> decoder_;
  std::optional<SlotHead<T, Device>> slot_head_;
};

}  // namespace gaze::models
