// SPDX-License-Identifier: MIT
// Launches the kernels of generate.cuh.
#include "cuda/sampling.cuh"

#include "cuda/generate.hpp"

namespace gaze::cuda {

template <class T>
void GenerateKernels::draw_tokens(Index n, Index v, const T* logits, T inv_temperature,
                                  const T* lse, bool greedy, const Philox& random,
                                  const std::uint64_t* sample, const std::int32_t* step,
                                  std::int32_t* token) {
  if (n <= 0) return;
  const DrawInputs<T> in{n, v, logits, inv_temperature, lse, random, sample, step};
  launch({"draw_tokens", blocks_for(n, kDrawWarps), dim3(kDrawThreads)}, draw_tokens_kernel<T>, in,
         greedy, token);
}

template <class T>
void GenerateKernels::draw_cut_tokens(Index n, Index v, const T* logits, T inv_temperature,
                                      const T* lse, const TailCut& cut, const Philox& random,
                                      const std::uint64_t* sample, const std::int32_t* step,
                                      std::int32_t* token) {
  if (n <= 0) return;
  const Storage<Cuda> room(static_cast<std::size_t>(n * v) * sizeof(float));
  const DrawInputs<T> in{n, v, logits, inv_temperature, lse, random, sample, step};
  launch({"draw_cut_tokens", blocks_for(n, 1), dim3(kSampleThreads)}, draw_cut_tokens_kernel<T>, in,
         CutInputs{cut, static_cast<float*>(room.data()), token});
}

template <class T>
void GenerateKernels::keep(Index n, const T* x, const std::int32_t* step, T* all) {
  for_each("keep", n, Keep<T>{n, x, step, all});
}

void GenerateKernels::advance(Index n, std::int32_t* position, std::int32_t* slot, KeyRange* keys,
                              std::int32_t* step) {
  for_each("advance", n, Advance{position, slot, keys});
  for_each("next_step", 1, NextStep{step});
}

#define GAZE_INSTANTIATE(T)                                                                     \
  template void GenerateKernels::draw_tokens(Index, Index, const T*, T, const T*, bool,         \
                                             const Philox&, const std::uint64_t*,               \
                                             const std::int32_t*, std::int32_t*);               \
  template void GenerateKernels::draw_cut_tokens(                                               \
      Index, Index, const T*, T, const T*, const TailCut&, const Philox&, const std::uint64_t*, \
      const std::int32_t*, std::int32_t*);                                                      \
  template void GenerateKernels::keep(Index, const T*, const std::int32_t*, T*);
GAZE_INSTANTIATE(float)
GAZE_INSTANTIATE(double)
#undef GAZE_INSTANTIATE
template void GenerateKernels::keep(Index, const std::int32_t*, const std::int32_t*, std::int32_t*);

}  // namespace gaze::cuda
