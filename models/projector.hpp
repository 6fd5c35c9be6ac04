// SPDX-License-Identifier: MIT
// The projector: ViT features become image tokens of the decoder.
#pragma once
#include <optional>

#include "gaze/nn/layers.hpp"
#include "gaze/ops/elementwise.hpp"
#include "models/presets.hpp"

namespace gaze::models {

/// Joins shuffle x shuffle neighbouring patches (pixel shuffle) and maps them to the decoder's
/// width: down(gelu(up(x))), or up(x) alone.
template <class T, class Device>
class Projector {
 public:
  Projector(Parameters<T, Device>& all, const VlmConfig& c)
      : form_(c.connector.projector),
        joined_(c.joined_width()),
        up_(all, "projector.up", "projector", joined_, c.decoder.width,
            form_ != ProjectorForm::linear) {
    if (form_ != ProjectorForm::linear)
      down_.emplace(all, "projector.down", "projector", c.decoder.width, c.decoder.width, true);
  }

  /// Image tokens [images * image_tokens, C] of features [images * patches, width]. The patches of
  /// a token must be adjacent rows, as patchify() orders them.
  Tensor<T, Device> operator()(const Tensor<T, Device>& features) const {
    const auto up = up_(reshape(features, {features.numel() / joined_, joined_}));
    if (!down_) return up;
    return (*down_)(form_ == ProjectorForm::mlp ? gelu(up) : gelu_exact(up));
  }

 private:
  ProjectorForm form_;
  Index joined_;
  Linear<T, Device> up_;
  std::optional<Linear<T, Device>> down_;
};

}  // namespace gaze::models
