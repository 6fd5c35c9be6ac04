// SPDX-License-Identifier: MIT
// Launches the kernels of patches.cuh.
#include "cuda/patches.cuh"

#include "cuda/patches.hpp"

namespace gaze::cuda {

template <class T>
void PatchKernels::unfold(const PatchGrid& grid, const T* x, T* patches) {
  for_each("unfold", grid.images * grid.count() * grid.patch(), Unfold<T>{grid, x, patches});
}
template <class T>
void PatchKernels::fold_add(const PatchGrid& grid, const T* patches, T* x) {
  for_each("fold_add", grid.images * grid.c * grid.height * grid.width,
           FoldAdd<T>{grid, patches, x});
}

#define GAZE_INSTANTIATE(T)                                           \
  template void PatchKernels::unfold(const PatchGrid&, const T*, T*); \
  template void PatchKernels::fold_add(const PatchGrid&, const T*, T*);
GAZE_INSTANTIATE(float)
GAZE_INSTANTIATE(double)
#undef GAZE_INSTANTIATE

}  // namespace gaze::cuda
