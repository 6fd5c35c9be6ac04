// SPDX-License-Identifier: MIT
// A head for the vision stage: predicts labels in a fixed order (slots) from all image tokens. It
// trains the ViT before there is a language loss, and is dropped afterwards.
#pragma once
#include "gaze/nn/layers.hpp"
#include "gaze/ops/logprob.hpp"
#include "models/presets.hpp"

namespace gaze::models {

template <class T, class Device>
class SlotHead {
 public:
  SlotHead(Parameters<T, Device>& all, const VlmConfig& c, Index slots)
      : slots_(slots),
        joined_(c.image_tokens() * c.decoder.width),
        up_(all, "slots.up", "slots", joined_, hidden, true),
        down_(all, "slots.down", "slots", hidden, slots * width, true),
        read_(all, "slots.read", "slots", c.decoder.width, width, true),
        words_(&all.add("slots.words", {c.vocabulary, width},
                        Init::normal(1 / std::sqrt(static_cast<double>(width))), "slots")) {}

  /// log p of each label [images * slots] from image tokens [images * image_tokens, C].
  Tensor<T, Device> operator()(const Tensor<T, Device>& image_tokens,
                               const Indices<Device>& labels) const {
    const Index images = image_tokens.numel() / joined_;
    const auto h = gelu(up_(reshape(image_tokens, {images, joined_})));
    return logprob(reshape(down_(h), {images * slots_, width}), labels);
  }

  /// log p of the label at each image token [images * image_tokens].
  Tensor<T, Device> texts(const Tensor<T, Device>& image_tokens,
                          const Indices<Device>& labels) const {
    return logprob(read_(image_tokens), labels);
  }

 private:
  Tensor<T, Device> logprob(const Tensor<T, Device>& x, const Indices<Device>& labels) const {
    return linear_logprob(x, words_->weight(), labels).logp;
  }

  static constexpr Index hidden = 256, width = 64;
  Index slots_, joined_;
  Linear<T, Device> up_, down_, read_;
  Parameter<T, Device>* words_;
};

}  // namespace gaze::models
