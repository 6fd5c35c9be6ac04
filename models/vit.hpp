// SPDX-License-Identifier: MIT
// The vision transformer (Dosovitskiy et al. 2021): patches, learned positions, pre-norm blocks.
#pragma once
#include <deque>

#include "gaze/nn/gelu_mlp.hpp"
#include "gaze/nn/layers.hpp"
#include "gaze/ops/attention.hpp"
#include "models/presets.hpp"

namespace gaze::models {

/// Cuts an RGB image of S x S x 3 bytes into rows [patches, patch * patch * 3].
///
/// Patches are ordered by blocks of shuffle x shuffle, so that joining the patches of a block (the
/// pixel shuffle of Shi et al. 2016, inverted) is a reshape. Values are scaled to [-1, 1].
inline void patchify(const std::uint8_t* rgb, const VitConfig& vit, Index shuffle, float* rows) {
  const Index side = vit.grid() / shuffle;
  for (Index block = 0; block < side * side; ++block)
    for (Index part = 0; part < shuffle * shuffle; ++part) {
      const Index top = (block / side * shuffle + part / shuffle) * vit.patch;
      const Index left = (block % side * shuffle + part % shuffle) * vit.patch;
      for (Index y = 0; y < vit.patch; ++y)
        for (Index x = 0; x < vit.patch; ++x)
          for (Index c = 0; c < 3; ++c)
            *rows++ = rgb[((top + y) * vit.image + left + x) * 3 + c] / 127.5f - 1.0f;
    }
}

/// h = x + out(attention(qkv(norm1(x)))), y = h + mlp(norm2(h)); x and y [N, width]. Attention is
/// bidirectional within an image.
template <class T, class Device>
class VitBlock {
 public:
  VitBlock(Parameters<T, Device>& all, const std::string& name, const VitConfig& c)
      : sizes_{c.heads, c.heads, c.width / c.heads,
               1 / std::sqrt(static_cast<double>(c.width / c.heads))},
        norm1_(all, name + ".norm1", "vit", c.width, c.eps),
        qkv_(all, name + ".qkv", "vit", c.width, sizes_.columns(), true),
        out_(all, name + ".out", "vit", c.width, c.width, true, 0.3),
        norm2_(all, name + ".norm2", "vit", c.width, c.eps),
        mlp_(all, name, "vit", c.width, c.mlp, 0.3) {}

  Tensor<T, Device> operator()(const Tensor<T, Device>& x,
                               const std::shared_ptr<const TokenLayout>& layout) const {
    const auto sizes = sizes_.with_bf16(qkv_.multiplies_in_bf16());
    const auto h = out_(attention(qkv_(norm1_(x)), sizes, layout).out, x);
    return add(h, mlp_(norm2_(h)));
  }

 private:
  AttentionSizes sizes_;
  LayerNorm<T, Device> norm1_;
  Linear<T, Device> qkv_, out_;
  LayerNorm<T, Device> norm2_;
  GeluMlp<T, Device> mlp_;
};

template <class T, class Device>
class Vit {
 public:
  Vit(Parameters<T, Device>& all, const VitConfig& c)
      : config_(c),
        embed_(all, "vit.embed", "vit", 3 * c.patch * c.patch, c.width, true),
        position_(&all.add("vit.position", {c.patches(), c.width}, Init::normal(0.02), "vit")),
        norm_(all, "vit.norm", "vit", c.width, c.eps) {
    position_->keeps_value = true;
    for (Index i = 0; i < c.layers; ++i) blocks_.emplace_back(all, "vit." + std::to_string(i), c);
  }

  /// Features [images * patches, width] of patch rows [images * patches, 3 * patch^2].
  Tensor<T, Device> operator()(const Tensor<T, Device>& rows) const {
    const Index p = config_.patches(), images = rows.size(0) / p;
    auto layout = std::make_shared<TokenLayout>();
    for (Index i = 0; i < images; ++i) {
      layout->add_bidirectional(p);
      layout->end_group();
    }
    const auto embedded = reshape(embed_(rows), {images, p, config_.width});
    auto h = reshape(add(embedded, position_->value), {images * p, config_.width});
    for (const auto& block : blocks_) h = block(h, layout);
    return norm_(h);
  }

 private:
  VitConfig config_;
  Linear<T, Device> embed_;
  Parameter<T, Device>* position_;
  LayerNorm<T, Device> norm_;
  std::deque<VitBlock<T, Device>> blocks_;
};

}  // namespace gaze::models
