// SPDX-License-Identifier: MIT
// Patches of images, one thread per element of the result, without barriers. unfold writes an
// element of a patch, 0 beyond the image's edge; fold_add adds to an element of the image the patch
// elements that show it, in ascending order, as on the CPU.
#pragma once
#include "cuda/device/loops.cuh"
#include "gaze/kernels/patches.hpp"

namespace gaze::cuda {

/// patches[i] = the element of the image that it shows.
template <class T>
struct Unfold {
  PatchGrid grid;
  const T* x;
  T* patches;
  __device__ void operator()(Index i) const {
    const Index from = grid.image_element(i);
    patches[i] = from < 0 ? T(0) : x[from];
  }
  void pointers(auto f) { f(x), f(patches); }
};

/// x[i] += the sum of the patch elements that show it: the derivative of unfold.
template <class T>
struct FoldAdd {
  PatchGrid grid;
  const T* patches;
  T* x;
  __device__ void operator()(Index i) const {
    T sum = x[i];
    grid.for_patch_elements(i, [&](Index at) { sum += patches[at]; });
    x[i] = sum;
  }
  void pointers(auto f) { f(patches), f(x); }
};

}  // namespace gaze::cuda
