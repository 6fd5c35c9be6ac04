// SPDX-License-Identifier: MIT
// Index arithmetic of image patches (unfold and fold) for every device.
#pragma once
#include "gaze/core/index.hpp"

namespace gaze {

/// Sizes in rows and columns of the image; widths are heights by default. {3, 3} is a window of 3
/// by 3, {3, 3, 2} one with strides of 2, {.kernel_h = 3, .padding_h = 1} one with a border of
/// zeros.
struct Window {
  Index kernel_h, kernel_w = kernel_h;
  Index stride_h = 1, stride_w = stride_h;
  Index padding_h = 0, padding_w = padding_h;
};

/// The range of windows that contain element `at` >= 0, of `count` windows of `kernel` elements at
/// every `stride`.
constexpr Index first_window(Index at, Index kernel, Index stride) {
  return at < kernel ? 0 : (at - kernel) / stride + 1;
}
/// One past the last window that contains element `at`.
constexpr Index end_window(Index at, Index stride, Index count) {
  return at / stride + 1 < count ? at / stride + 1 : count;
}

/// Patches of images [B, C, H, W], as rows [B, P, C kh kw]; P runs over the image's rows, then its
/// columns.
struct PatchGrid {
  Window w;
  Index images, c, height, width;

  /// Patches from top to bottom.
  constexpr Index rows() const { return (height + 2 * w.padding_h - w.kernel_h) / w.stride_h + 1; }
  /// Patches from left to right.
  constexpr Index columns() const {
    return (width + 2 * w.padding_w - w.kernel_w) / w.stride_w + 1;
  }
  constexpr Index patch() const { return c * w.kernel_h * w.kernel_w; }  ///< elements of a patch
  constexpr Index count() const { return rows() * columns(); }           ///< patches of an image

  /// The image element at element `at` of the patches; -1 beyond the edges.
  constexpr Index image_element(Index at) const {
    const Index kw = at % w.kernel_w, kh = at / w.kernel_w % w.kernel_h;
    const Index channel = at / (w.kernel_w * w.kernel_h) % c, place = at / patch();
    const Index i = place / columns() % rows(), j = place % columns();
    const Index y = i * w.stride_h - w.padding_h + kh, x = j * w.stride_w - w.padding_w + kw;
    if (y < 0 || y >= height || x < 0 || x >= width) return -1;
    return ((place / count() * c + channel) * height + y) * width + x;
  }

  /// Calls f(at), ascending, for the elements of the patches that are element `of` of the images.
  template <class Function>
  constexpr void for_patch_elements(Index of, Function f) const {
    const Index x = of % width + w.padding_w, y = of / width % height + w.padding_h;
    const Index channel = of / (width * height) % c, image = of / (width * height * c);
    for (Index i = first_window(y, w.kernel_h, w.stride_h); i < end_window(y, w.stride_h, rows());
         ++i)
      for (Index j = first_window(x, w.kernel_w, w.stride_w);
           j < end_window(x, w.stride_w, columns()); ++j) {
        const Index place = image * count() + i * columns() + j;
        const Index kh = y - i * w.stride_h, kw = x - j * w.stride_w;
        f(((place * c + channel) * w.kernel_h + kh) * w.kernel_w + kw);
      }
  }
};

}  // namespace gaze
