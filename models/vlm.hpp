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
      : config_(config),
        image_token_(image_token),
        vit_(parameters_, config.vit, config.connector.taps),
        projector_(parameters_, config),
        newline_(config.connector.newline ? &parameters_.add("projector.newline",
                                                             {config.decoder.width},
                                                             Init::normal(0.02), "projector")
                                          : nullptr),
        decoder_(parameters_, config.decoder, config.vocabulary) {
    GAZE_CHECK(config.vocabulary > 0, "Vlm", "the vocabulary is empty");
    GAZE_CHECK(config.vit.grid() % config.shuffle == 0, "Vlm", config.vit.grid(),
               " patches per side are not divisible by shuffle ", config.shuffle);
    if (slots > 0) slot_head_.emplace(parameters_, config, slots);
    parameters_.allocate(seed);
    if (config.bf16) parameters_.multiply_in_bf16();
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
    std::vector<Tile> tiles;
    for (const ImageBytes& rgb : images) tiles.push_back({rgb, nullptr, 0});
    return encode_tiles(tiles);
  }
  Tensor<T, Device> encode_tiles(std::span<const Tile> tiles) const {
    const VitConfig& c = config_.vit;
    const Index size = 3 * c.patch * c.patch, count = static_cast<Index>(tiles.size());
    std::vector<float> pixels(static_cast<std::size_t>(count * c.patches() * size));
    parallel_for(count, 8, [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i) {
        const Tile& tile = tiles[static_cast<std::size_t>(i)];
        const std::size_t from = tile.number * static_cast<std::size_t>(3 * c.image * c.image);
        float* const to = pixels.data() + i * c.patches() * size;
        if (tile.rgb)
          patchify(tile.rgb->data() + from, c, config_.shuffle, to);
        else
          patchify(tile.values->data() + from, c, config_.shuffle, to);
      }
    });
    const auto rows = Tensor<T, Device>::from({count * c.patches(), size},
                                              std::vector<T>(pixels.begin(), pixels.end()));
    return projector_(vit_(rows));
  }

  const Decoder<T, Device>& decoder() const { return decoder_; }
  bool multiplies_in_bf16() const { return config_.bf16; }
  PictureRows pictures() const {
    return {config_.image_tokens(), config_.vit.image, image_token_, newline_ != nullptr};
  }

  /// Rows of a batch: token embeddings, with image tokens in the rows of images.
  Tensor<T, Device> embed(const PackedBatch& batch) const {
    const Index n = static_cast<Index>(batch.ids().size());
    const auto words = decoder_.embed(Indices<Device>::from({n}, batch.ids()));
    if (batch.tiles().empty()) return words;
    auto seen = gather_rows(encode_tiles(batch.tiles()),
                            Indices<Device>::from({n}, batch.image_rows()));
    if (!batch.newline_rows().empty())
      seen = add(seen, gather_rows(reshape(newline_->value, {1, config_.decoder.width}),
                                   Indices<Device>::from({n}, batch.newline_rows())));
    const auto by = static_cast<T>(config_.connector.multiplier);
    return add(words, by == T(1) ? seen : scale(seen, by));
  }

 private:
  VlmConfig config_;
  std::int32_t image_token_;
  Parameters<T, Device> parameters_;
  Vit<T, Device> vit_;
  Projector<T, Device> projector_;
  Parameter<T, Device>* newline_ = nullptr;
  Decoder<T, Device> decoder_;
  std::optional<SlotHead<T, Device>> slot_head_;
};

}  // namespace gaze::models
