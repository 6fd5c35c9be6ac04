// SPDX-License-Identifier: MIT
// Two-dimensional convolution, as patches times weights: with stride = kernel size it is the patch
// embedding of a vision transformer (Dosovitskiy et al. 2021).
//
// Images are [B, C, H, W]. unfold lays every patch out as a row, conv2d multiplies the rows by the
// weights with the GEMM, so their derivatives are those of these two steps.
#pragma once
#include "gaze/ops/matmul.hpp"

namespace gaze {

/// Sizes in rows and columns of the image.
struct Window {
  Index kernel_h, kernel_w, stride_h = 1, stride_w = 1, padding_h = 0, padding_w = 0;
};

namespace detail {

struct PatchGrid {
  Window w;
  Index images, c, height, width;

  Index rows() const { return (height + 2 * w.padding_h - w.kernel_h) / w.stride_h + 1; }
  Index columns() const { return (width + 2 * w.padding_w - w.kernel_w) / w.stride_w + 1; }
  Index patch() const { return c * w.kernel_h * w.kernel_w; }
  Index count() const { return rows() * columns(); }
  Index grain() const { return 65536 / (count() * patch() + 1) + 1; }  // images worth a thread
};

inline PatchGrid patch_grid(const char* op, const Shape& x, const Window& w) {
  GAZE_CHECK(x.rank() == 4, op, "needs images [B,C,H,W], got ", x);
  GAZE_CHECK(w.kernel_h > 0 && w.kernel_w > 0 && w.stride_h > 0 && w.stride_w > 0 &&
                 w.padding_h >= 0 && w.padding_w >= 0,
             op, "kernel ", w.kernel_h, "x", w.kernel_w, ", stride ", w.stride_h, "x", w.stride_w,
             ", padding ", w.padding_h, "x", w.padding_w);
  GAZE_CHECK(w.kernel_h <= x[2] + 2 * w.padding_h && w.kernel_w <= x[3] + 2 * w.padding_w, op,
             "a kernel of ", w.kernel_h, "x", w.kernel_w, " is larger than ", x, " with padding ",
             w.padding_h, "x", w.padding_w);
  return {w, x[0], x[1], x[2], x[3]};
}

/// Calls f(element of the image, element of the patches) for all that lie within an image.
template <class Function>
void for_patch_elements(const PatchGrid& g, Index image, Function f) {
  Index at = image * g.count() * g.patch();
  for (Index i = 0; i < g.rows(); ++i)
    for (Index j = 0; j < g.columns(); ++j)
      for (Index c = 0; c < g.c; ++c)
        for (Index kh = 0; kh < g.w.kernel_h; ++kh) {
          const Index y = i * g.w.stride_h - g.w.padding_h + kh;
          const Index x = j * g.w.stride_w - g.w.padding_w;
          const Index row = ((image * g.c + c) * g.height + y) * g.width;
          for (Index kw = 0; kw < g.w.kernel_w; ++kw, ++at)
            if (y >= 0 && y < g.height && x + kw >= 0 && x + kw < g.width) f(row + x + kw, at);
        }
}

}  // namespace detail

/// Patches as rows: y [B, P, C kh kw], P running over the image's rows, then its columns, from
/// x [B, C, H, W]; beyond the edges are zeros. dx adds up where patches overlap.
template <class T>
Tensor<T> unfold(const Tensor<T>& input, const Window& window) {
  const auto g = detail::patch_grid("unfold", input.shape(), window);
  const auto x = contiguous(input);
  auto y = Tensor<T>::zeros({g.images, g.count(), g.patch()});
  parallel_for(g.images, g.grain(), [&](Index image, Index end) {
    for (; image < end; ++image)
      detail::for_patch_elements(g, image,
                                 [&](Index from, Index to) { y.data()[to] = x.data()[from]; });
  });
  if (recorded(x))
    record(
        "unfold", y,
        [g, to = x.node()](const auto& dy) {
          T* const dx = to->accumulator();
          parallel_for(g.images, g.grain(), [&](Index image, Index end) {
            for (; image < end; ++image)
              detail::for_patch_elements(g, image,
                                         [&](Index from, Index at) { dx[from] += dy.data()[at]; });
          });
        },
        x);
  return y;
}

/// y [B, O, H', W'] = sum over a window of x [B, C, H, W] times w [O, C, kh, kw] (+ bias [O] or
/// undefined): a cross-correlation, as everywhere in deep learning. The window's kernel size must
/// be the weights'.
template <class T>
Tensor<T> conv2d(const Tensor<T>& x, const Tensor<T>& w, const Tensor<T>& bias,
                 const Window& window) {
  const auto g = detail::patch_grid("conv2d", x.shape(), window);
  GAZE_CHECK(w.rank() == 4 && w.size(1) == g.c && w.size(2) == window.kernel_h &&
                 w.size(3) == window.kernel_w,
             "conv2d", "x ", x.shape(), ", weight ", w.shape(), ", kernel ", window.kernel_h, "x",
             window.kernel_w);
  const Index o = w.size(0);
  GAZE_CHECK(!bias.defined() || bias.shape() == Shape({o}), "conv2d", "bias ", bias.shape(),
             " for weight ", w.shape());
  const auto patches = reshape(unfold(x, window), {g.images * g.count(), g.patch()});
  const auto y = linear(patches, reshape(w, {o, g.patch()}), bias);
  return permute(reshape(y, {g.images, g.rows(), g.columns(), o}), {0, 3, 1, 2});
}

}  // namespace gaze
