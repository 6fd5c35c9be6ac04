// SPDX-License-Identifier: MIT
// Patches of images as rows and back on the CPU: with the GEMM, they make a convolution.
#pragma once
#include "gaze/core/parallel.hpp"
#include "gaze/kernels/patches.hpp"

namespace gaze::cpu {

namespace detail {

/// Calls f(element of the patches, element of the image or -1 beyond its edges) for all elements of
/// every image's patches, images in parallel.
template <class Function>
void for_patch_elements(const PatchGrid& g, Function f) {
  const Index grain = 65536 / (g.count() * g.patch() + 1) + 1;  // images per thread, at least
  parallel_for(g.images, grain, [&](Index image, Index end) {
    Index at = image * g.count() * g.patch();
    for (; image < end; ++image)
      for (Index i = 0; i < g.rows(); ++i)
        for (Index j = 0; j < g.columns(); ++j)
          for (Index c = 0; c < g.c; ++c)
            for (Index kh = 0; kh < g.w.kernel_h; ++kh) {
              const Index y = i * g.w.stride_h - g.w.padding_h + kh;
              const Index x = j * g.w.stride_w - g.w.padding_w;
              const Index row = ((image * g.c + c) * g.height + y) * g.width;
              const bool inside = y >= 0 && y < g.height;
              for (Index kw = 0; kw < g.w.kernel_w; ++kw, ++at)
                f(at, inside && x + kw >= 0 && x + kw < g.width ? row + x + kw : -1);
            }
  });
}

}  // namespace detail

/// patches [B, P, C kh kw] of x [B, C, H, W]; beyond the edges are zeros.
template <class T>
void unfold(const PatchGrid& grid, const T* x, T* patches) {
  detail::for_patch_elements(
      grid, [=](Index to, Index from) { patches[to] = from < 0 ? T(0) : x[from]; });
}

/// Adds every patch to its place in x, in ascending order of the patches.
template <class T>
void fold_add(const PatchGrid& grid, const T* patches, T* x) {
  detail::for_patch_elements(grid, [=](Index from, Index to) {
    if (to >= 0) x[to] += patches[from];
  });
}

}  // namespace gaze::cpu
