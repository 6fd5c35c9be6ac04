// SPDX-License-Identifier: MIT
// The projector: ViT features become image tokens of the decoder.
#pragma once
#include "gaze/nn/layers.hpp"
#include "models/presets.hpp"

namespace gaze::models {

/// Joins shuffle x shuffle neighbouring patches (pixel shuffle) and maps them to the decoder's
/// width: down(gelu(up(x))).
template <class T, class Device>
class Projector {
 public:
  Projector(Parameters<T, Device>& all, const VlmConfig& c)
      : joined_(c.vit.width * c.shuffle * c.shuffle),
        up_(all, "projector.up", "projector", joined_, c.decoder.width, true),
        down_(all, "projector.down", "projector", c.decoder.width, c.decoder.width, true) {}

  /// Image tokens [images * image_tokens, C] of features [images * patches, width]. The patches of
  /// a token must be adjacent rows, as patchify() orders them.
  Tensor<T, Device> operator()(const Tensor<T, Device>& features) const {
    return down_(gelu(up_(reshape(features, {features.numel() / joined_, joined_}))));
  }

 private:
  Index joined_;
  Linear<T, Device> up_, down_;
};

}  // namespace gaze::models
