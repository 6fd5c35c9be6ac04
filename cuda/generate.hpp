// SPDX-License-Identifier: MIT
// Kernels<Cuda> for generating without the host: drawing tokens, keeping what was drawn, moving a
// layout on by one token. Used by gaze/generate/device_rollout.hpp. Defined in generate.cu.
#pragma once
#include <cstdint>

#include "gaze/core/philox.hpp"
#include "gaze/kernels/attention_layout.hpp"

namespace gaze::cuda {

/// What is cut from the tail, as in SamplingSettings (gaze/generate/sampling.hpp).
struct TailCut {
  int top_k = 0;
  double top_p = 1, min_p = 0;
};

struct GenerateKernels {
  /// token[r] drawn from softmax(logits[r] inv_temperature), whose lse is given, with the random
  /// number at (sample[r], *step); the likeliest one, the first on a tie, if greedy. -1 where no
  /// token has any probability, which gather_rows() takes for no row.
  template <class T>
  static void draw_tokens(Index n, Index v, const T* logits, T inv_temperature, const T* lse,
                          bool greedy, const Philox& random, const std::uint64_t* sample,
                          const std::int32_t* step, std::int32_t* token);

  /// The same, not greedy, from what top_k, top_p and min_p leave of the probabilities.
  template <class T>
  static void draw_cut_tokens(Index n, Index v, const T* logits, T inv_temperature, const T* lse,
                              const TailCut& cut, const Philox& random, const std::uint64_t* sample,
                              const std::int32_t* step, std::int32_t* token);

  /// all[*step] = x, for all [steps, n].
  template <class T>
  static void keep(Index n, const T* x, const std::int32_t* step, T* all);

  /// Every row's position and slot are the next ones, it sees one more key of its own; ++*step.
  static void advance(Index n, std::int32_t* position, std::int32_t* slot, KeyRange* keys,
                      std::int32_t* step);
};

}  // namespace gaze::cuda
