// SPDX-License-Identifier: MIT
// Two-dimensional convolution, as patches times weights: with stride = kernel size it is the patch
// embedding of a vision transformer (Dosovitskiy et al. 2021).
//
// Images are [B, C, H, W]. unfold lays every patch out as a row, conv2d multiplies the rows by the
// weights with the GEMM, so their derivatives are those of these two steps.
#pragma once
#include "gaze/kernels/patches.hpp"
#include "gaze/ops/gemm.hpp"

namespace gaze {

namespace detail {

inline PatchGrid patch_grid(const char* op, const Shape& x, const Window& w) {
  GAZE_CHECK(x.rank() == 4, op, "needs images [B,C,H,W], got ", x);
  GAZE_CHECK(w.kernel_h > 0 && w.kernel_w > 0 && w.stride_h > 0 && w.stride_w > 0 &&
                 w.padding_h >= 0 && w.padding_w >= 0,
             op, "kernel ", w.kernel_h, "x", w.kernel_w, ", stride ", w.stride_h, "x", w.stride_w,
             ", padding ", w.padding_h, "x", w.padding_w);
  const auto padded = [op](Index size, Index padding) {
    return checked_sum(op, size, checked_product(op, 2, padding));
  };
  GAZE_CHECK(w.kernel_h <= padded(x[2], w.padding_h) && w.kernel_w <= padded(x[3], w.padding_w), op,
             "a kernel of ", w.kernel_h, "x", w.kernel_w, " is larger than ", x, " with padding ",
             w.padding_h, "x", w.padding_w);
  const PatchGrid grid{w, x[0], x[1], x[2], x[3]};
  Shape{x[0], grid.rows(), grid.columns(), x[1], w.kernel_h, w.kernel_w}.numel(op);
  return grid;
}

}  // namespace detail

/// Patches as rows: y [B, P, C kh kw], P running over the image's rows, then its columns, from
/// x [B, C, H, W], with zeros beyond the edges; dx is the sum of dy where patches overlap.
template <class T, class Device>
Tensor<T, Device> unfold(const Tensor<T, Device>& input, const Window& window) {
  detail::check_defined("unfold", input);
  const auto g = detail::patch_grid("unfold", input.shape(), window);
  const auto x = contiguous(input);
  Tensor<T, Device> y({g.images, g.count(), g.patch()});
  Kernels<Device>::unfold(g, x.data(), y.data());
  if (recorded(x))
    record(
        "unfold", y,
        [g, to = x.node()](const auto& dy) {
          Kernels<Device>::fold_add(g, dy.data(), to->accumulator());
        },
        x);
  return y;
}
/// unfold() with square windows at every place.
template <class T, class Device>
Tensor<T, Device> unfold(const Tensor<T, Device>& x, Index side) {
  return unfold(x, Window{side});
}

/// y [B, O, H', W'] = sum over a window of x [B, C, H, W] times w [O, C, kh, kw] (+ bias [O] or
/// undefined): a cross-correlation, as usual in deep learning; its derivatives are those of
/// unfold() and linear().
///
/// Error: the window's kernel size is not that of the weights.
template <class T, class Device>
Tensor<T, Device> conv2d(const Tensor<T, Device>& x, const Tensor<T, Device>& w,
                         const Tensor<T, Device>& bias, const Window& window) {
  detail::check_defined("conv2d", x, w);
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
/// conv2d() with a square window at every place.
template <class T, class Device>
Tensor<T, Device> conv2d(const Tensor<T, Device>& x, const Tensor<T, Device>& w,
                         const Tensor<T, Device>& bias, Index side) {
  return conv2d(x, w, bias, Window{side});
}

}  // namespace gaze
