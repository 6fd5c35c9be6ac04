// SPDX-License-Identifier: MIT
// One thread per element of the result, without barriers: unfold writes an element of a patch,
// which is one of the image or beyond its edge (image_element); fold_add adds to an element of the
// image those of the patches that hold it (PatchGrid::windows), in ascending order, as the CPU
// does.
#pragma once
#include "cuda/elements.cuh"
#include "gaze/kernels/patches.hpp"

namespace gaze::cuda {

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
