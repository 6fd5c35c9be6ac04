// SPDX-License-Identifier: MIT
// The vision transformer (Dosovitskiy et al. 2021): patches, learned positions, pre-norm blocks.
#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "gaze/nn/gelu_mlp.hpp"
#include "gaze/nn/layers.hpp"
#include "gaze/ops/attention.hpp"
#include "gaze/ops/views.hpp"
#include "models/presets.hpp"

namespace gaze::models {

/// The patches of a picture in the order of their rows, as numbers row by row of the picture.
///
/// They are ordered by blocks of shuffle x shuffle, so that joining the patches of a block (the
/// pixel shuffle of Shi et al. 2016, inverted) is a reshape.
inline std::vector<std::int32_t> patch_order(const VitConfig& vit, Index shuffle) {
  const Index side = vit.grid() / shuffle;
  std::vector<std::int32_t> out;
  for (Index block = 0; block < side * side; ++block)
    for (Index part = 0; part < shuffle * shuffle; ++part)
      out.push_back(
          static_cast<std::int32_t>((block / side * shuffle + part / shuffle) * vit.grid() +
                                    block % side * shuffle + part % shuffle));
  return out;
}

/// Cuts a picture into rows [patches, patch * patch * 3], pixel by pixel; `value(y, x, channel)`.
/// Pixels at the right and bottom that do not fill a patch are left out.
template <class Value>
void cut_patches(const Value& value, const VitConfig& vit, Index shuffle, float* rows) {
  for (const std::int32_t patch : patch_order(vit, shuffle)) {
    const Index top = patch / vit.grid() * vit.patch, left = patch % vit.grid() * vit.patch;
    for (Index y = top; y < top + vit.patch; ++y)
      for (Index x = left; x < left + vit.patch; ++x)
        for (Index c = 0; c < 3; ++c) *rows++ = value(y, x, c);
  }
}

/// The rows of S x S x 3 bytes, scaled to [-1, 1].
inline void patchify(const std::uint8_t* rgb, const VitConfig& vit, Index shuffle, float* rows) {
  cut_patches(
      [&](Index y, Index x, Index c) { return rgb[(y * vit.image + x) * 3 + c] / 127.5f - 1.0f; },
      vit, shuffle, rows);
}

/// The rows of normalised values 3 x S x S.
inline void patchify(const float* values, const VitConfig& vit, Index shuffle, float* rows) {
  cut_patches(
      [&](Index y, Index x, Index c) { return values[(c * vit.image + y) * vit.image + x]; }, vit,
      shuffle, rows);
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
  Vit(Parameters<T, Device>& all, const VitConfig& c, const Taps& taps = {})
      : config_(c),
        taps_(taps),
        embed_(all, "vit.embed", "vit", 3 * c.patch * c.patch, c.width, true),
        position_(&all.add("vit.position", {c.patches(), c.width}, Init::normal(0.02), "vit")) {
    position_->keeps_value = true;
    if (taps.count == 0) norm_.emplace(all, "vit.norm", "vit", c.width, c.eps);
    for (Index i = 0; i < c.layers; ++i) blocks_.emplace_back(all, "vit." + std::to_string(i), c);
  }

  /// See Decoder::checkpoint_blocks().
  void checkpoint_blocks(bool on) { checkpointed_ = on; }

  /// Features [images * patches, width], or [.., taps * width], of patch rows
  /// [images * patches, 3 * patch^2].
  Tensor<T, Device> operator()(const Tensor<T, Device>& rows) const {
    const Index p = config_.patches(), images = rows.size(0) / p;
    auto layout = std::make_shared<TokenLayout>();
    for (Index i = 0; i < images; ++i) {
      layout->add_bidirectional(p);
      layout->end_group();
    }
    const auto embedded = reshape(embed_(rows), {images, p, config_.width});
    auto h = reshape(add(embedded, position_->value), {images * p, config_.width});
    std::vector<Tensor<T, Device>> tapped(static_cast<std::size_t>(taps_.count));
    const auto tap = [&](Index blocks) {
      for (std::size_t i = 0; i < tapped.size(); ++i)
        if (taps_.block[i] == blocks) tapped[i] = h;
    };
    tap(0);
    Index done = 0;
    for (const auto& block : blocks_) {
      h = checkpointed_
              ? checkpoint([&block, layout](const auto& x) { return block(x, layout); }, h)
              : block(h, layout);
      tap(++done);
    }
    return norm_ ? (*norm_)(h) : concatenate(tapped, 1);
  }

 private:
  VitConfig config_;
  Taps taps_;
  bool checkpointed_ = false;
  Linear<T, Device> embed_;
  Parameter<T, Device>* position_;
  std::optional<LayerNorm<T, Device>> norm_;
  std::deque<VitBlock<T, Device>> blocks_;
};

}  // namespace gaze::models
