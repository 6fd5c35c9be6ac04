// SPDX-License-Identifier: MIT
// Kernels for sampling completions on a device without the host (generate/device_rollout.hpp). A
// device without them samples on the host (generate/sampling.hpp).
#pragma once
#include <cstdint>

#include "gaze/core/philox.hpp"
#include "gaze/kernels/attention_layout.hpp"

namespace gaze {

/// Limits on the tail of the distribution, as in SamplingSettings (generate/sampling.hpp).
struct TailCut {
  int top_k = 0;
  double top_p = 1, min_p = 0;
};

namespace args {

/// token[r] is drawn from softmax(logits[r] inv_temperature) with the random number at
/// (sample[r], *step): draw_tokens from all of it, or the likeliest one if `greedy` (the first on a
/// tie); draw_cut_tokens from what `cut` leaves. It is -1 where no token has any probability.
template <class T>
struct DrawTokens {
  Index n, v;
  const T* logits;  // [n,v]
  T inv_temperature;
  const T* lse;  // [n], of logits inv_temperature
  bool greedy;
  TailCut cut;
  Philox random;
  const std::uint64_t* sample;  // [n]
  const std::int32_t* step;     // [1]
  std::int32_t* token;          // [n]
};

}  // namespace args
}  // namespace gaze

// clang-format off
#define GAZE_DRAW_KERNELS(KERNEL, T)                                                               \
  KERNEL(void, draw_tokens, (const args::DrawTokens<T>& a), (a))                                   \
  KERNEL(void, draw_cut_tokens, (const args::DrawTokens<T>& a), (a))
// clang-format on

// all [steps, n]: all[*step] = x. Values of any type.
// clang-format off
#define GAZE_KEEP_KERNELS(KERNEL, T)                                                               \
  KERNEL(void, keep, (Index n, const T* x, const std::int32_t* step, T* all), (n, x, step, all))
// clang-format on
