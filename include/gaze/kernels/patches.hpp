// SPDX-License-Identifier: MIT
// Where the patches of an image lie: the index arithmetic of unfold and fold, for every device.
#pragma once
#include "gaze/core/index.hpp"

namespace gaze {

/// Sizes in rows and columns of the image.
struct Window {
  Index kernel_h, kernel_w, stride_h = 1, stride_w = 1, padding_h = 0, padding_w = 0;
};

/// Patches of images [B, C, H, W], as rows [B, P, C kh kw]; P runs over the image's rows, then its
/// columns.
struct PatchGrid {
  Window w;
  Index images, c, height, width;

  constexpr Index rows() const { return (height + 2 * w.padding_h - w.kernel_h) / w.stride_h + 1; }
  constexpr Index columns() const {
    return (width + 2 * w.padding_w - w.kernel_w) / w.stride_w + 1;
  }
  constexpr Index patch() const { return c * w.kernel_h * w.kernel_w; }
  constexpr Index count() const { return rows() * columns(); }
};

}  // namespace gaze
