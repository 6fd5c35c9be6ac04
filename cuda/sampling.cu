// SPDX-License-Identifier: MIT
// Launches the kernels of sampling.cuh.
#include "cuda/sampling.cuh"

#include "cuda/kernels.hpp"

namespace gaze::cuda {

template <class T>
void draw_tokens(const args::DrawTokens<T>& a) {
  if (a.n <= 0) return;
  launch({"draw_tokens", blocks_for(a.n, kDrawWarps), dim3(kDrawThreads)}, draw_tokens_kernel<T>,
         DrawArguments<T>{a});
}

template <class T>
void draw_cut_tokens(const args::DrawTokens<T>& a) {
  if (a.n <= 0) return;
  const Storage<Cuda> scratch(static_cast<std::size_t>(a.n * a.v) * sizeof(float));
  launch({"draw_cut_tokens", blocks_for(a.n, 1), dim3(kSampleThreads)}, draw_cut_tokens_kernel<T>,
         DrawArguments<T>{a}, static_cast<float*>(scratch.data()));
}

template <class T>
void keep(Index n, const T* x, const std::int32_t* step, T* all) {
  for_each("keep", n, Keep<T>{n, x, step, all});
}

void advance(Index n, std::int32_t* position, std::int32_t* slot, KeyRange* keys,
             std::int32_t* step) {
  for_each("advance", n, Advance{position, slot, keys});
  for_each("next_step", 1, NextStep{step});
}

GAZE_DRAW_KERNELS(GAZE_INSTANTIATE_KERNEL, float)
GAZE_DRAW_KERNELS(GAZE_INSTANTIATE_KERNEL, double)
GAZE_KEEP_KERNELS(GAZE_INSTANTIATE_KERNEL, float)
GAZE_KEEP_KERNELS(GAZE_INSTANTIATE_KERNEL, double)
GAZE_KEEP_KERNELS(GAZE_INSTANTIATE_KERNEL, std::int32_t)

}  // namespace gaze::cuda
