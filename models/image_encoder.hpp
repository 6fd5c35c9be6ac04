// SPDX-License-Identifier: MIT
// From the tiles of pictures to rows of the decoder: tower, projector, newline row.
#pragma once
#include <span>
#include <vector>

#include "gaze/core/parallel.hpp"
#include "models/packing.hpp"
#include "models/projector.hpp"
#include "models/vit.hpp"

namespace gaze::models {

template <class T, class Device>
class ImageEncoder {
 public:
  ImageEncoder(Parameters<T, Device>& all, const VlmConfig& c)
      : vit_config_(c.vit),
        shuffle_(c.shuffle),
        vit_(all, c.vit, c.connector.taps),
        projector_(all, c),
        newline_(c.connector.newline ? &all.add("projector.newline", {c.decoder.width},
                                                Init::normal(0.02), "projector")
                                     : nullptr) {
    GAZE_CHECK(c.vit.grid() % c.shuffle == 0, "Vlm", c.vit.grid(),
               " patches per side are not divisible by shuffle ", c.shuffle);
  }

  void checkpoint_blocks(bool on) { vit_.checkpoint_blocks(on); }

  bool has_newline() const { return newline_ != nullptr; }

  /// The newline row [1, C].
  Tensor<T, Device> newline() const { return reshape(newline_->value, {1, newline_->shape[0]}); }

  /// Image tokens [tiles * tokens of a tile, C].
  Tensor<T, Device> operator()(std::span<const Tile> tiles) const {
    const VitConfig& c = vit_config_;
    const Index size = 3 * c.patch * c.patch, count = static_cast<Index>(tiles.size());
    std::vector<float> pixels(static_cast<std::size_t>(count * c.patches() * size));
    parallel_for(count, 8, [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i)
        cut(tiles[static_cast<std::size_t>(i)], pixels.data() + i * c.patches() * size);
    });
    const auto rows = Tensor<T, Device>::from({count * c.patches(), size},
                                              std::vector<T>(pixels.begin(), pixels.end()));
    return projector_(vit_(rows));
  }

 private:
  void cut(const Tile& tile, float* rows) const {
    const std::size_t from =
        tile.number * static_cast<std::size_t>(3 * vit_config_.image * vit_config_.image);
    if (tile.rgb)
      patchify(tile.rgb->data() + from, vit_config_, shuffle_, rows);
    else
      patchify(tile.values->data() + from, vit_config_, shuffle_, rows);
  }

  VitConfig vit_config_;
  Index shuffle_;
  Vit<T, Device> vit_;
  Projector<T, Device> projector_;
  Parameter<T, Device>* newline_;
};

}  // namespace gaze::models
