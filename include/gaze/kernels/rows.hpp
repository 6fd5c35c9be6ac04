// SPDX-License-Identifier: MIT
// Kernels over the rows of matrices: norms, rotary positions, statistics of logits, and moving rows
// by index.
#pragma once
#include <cstdint>

#include "gaze/core/bf16.hpp"
#include "gaze/core/index.hpp"

namespace gaze::args {

/// Per row of x [n,c]: y = x inv_rms weight with inv_rms = 1 / sqrt(mean x^2 + eps), which is kept
/// for backward as [n]. y may be x. Zhang & Sennrich 2019.
template <class T>
struct RmsNormForward {
  Index n, c;
  const T* x;       // [n,c]
  const T* weight;  // [c]
  GradOf<T> eps;
  T* y;                // [n,c]
  GradOf<T>* inv_rms;  // [n]
};

/// With s = inv_rms and g = dy weight: dx = s g - s^3 x mean(g x), dweight += sum over rows of
/// dy x s.
template <class T>
struct RmsNormBackward {
  Index n, c;
  const T* x;                // [n,c]
  const T* weight;           // [c]
  const GradOf<T>* inv_rms;  // [n]
  const GradOf<T>* dy;       // [n,c]
  GradOf<T>* dx;             // [n,c], may be dy
  GradOf<T>* dweight;        // [c] or null
  bool accumulate_dx = false;
};

/// Per row of x [n,c]: y = (x - mean) inv_std weight + bias with inv_std = 1 / sqrt(variance +
/// eps); mean and inv_std are kept for backward. y may be x. Ba, Kiros & Hinton 2016.
template <class T>
struct LayerNormForward {
  Index n, c;
  const T* x;       // [n,c]
  const T* weight;  // [c]
  const T* bias;    // [c]
  GradOf<T> eps;
  T* y;                // [n,c]
  GradOf<T>* mean;     // [n]
  GradOf<T>* inv_std;  // [n]
};

/// With u = (x - mean) inv_std and g = dy weight: dx = (g - mean(g) - u mean(g u)) inv_std,
/// dweight += sum over rows of dy u, dbias += sum over rows of dy.
template <class T>
struct LayerNormBackward {
  Index n, c;
  const T* x;                // [n,c]
  const T* weight;           // [c]
  const GradOf<T>* mean;     // [n]
  const GradOf<T>* inv_std;  // [n]
  const GradOf<T>* dy;       // [n,c]
  GradOf<T>* dx;             // [n,c], may be dy
  GradOf<T>* dweight;        // [c] or null
  GradOf<T>* dbias;          // [c] or null
  bool accumulate_dx = false;
};

/// Turns each pair (x_i, x_{i + D/2}) of every head by the angle position theta^(-2i/D), in place.
/// `inverse` turns back, which is also the backward. D = head_size is even, positions are 0 to
/// 2^20 - 1. Su et al. 2021.
template <class T>
struct Rotary {
  Index n, heads, head_size;
  Index stride;                  // elements from one row of x to the next
  const std::int32_t* position;  // [n]
  T theta;
  T* x;  // n rows of heads x head_size
  bool inverse = false;
};

/// Per row, with z = logits inv_temperature and p = softmax(z): lse = log sum e^z,
/// logp = z[target] - lse (0 where the target is -1), entropy = lse - sum p z. Logits may be -inf,
/// but not all of a row.
template <class T>
struct SoftmaxStats {
  Index n, v;
  const T* logits;  // n rows of v
  Index stride;     // elements from one row of logits to the next
  GradOf<T> inv_temperature;
  const std::int32_t* target;  // [n]
  GradOf<T>* logp;             // [n]
  GradOf<T>* entropy;          // [n]
  GradOf<T>* lse;              // [n]
};

/// Overwrites the logits with their gradient: with t = inv_temperature and H the entropy,
/// dlogits = t (dlogp (onehot(target) - p) - dentropy p (log p + H)). dlogp counts only where there
/// is a target; a row without any gradient becomes zeros.
template <class T>
struct SoftmaxStatsBackward {
  Index n, v;
  T* logits;  // n rows of v
  Index stride;
  GradOf<T> inv_temperature;
  const std::int32_t* target;  // [n]
  const GradOf<T>* lse;        // [n]
  const GradOf<T>* entropy;    // [n]
  const GradOf<T>* dlogp;      // [n] or null
  const GradOf<T>* dentropy;   // [n] or null
};

}  // namespace gaze::args

// clang-format off
#define GAZE_ROW_KERNELS(KERNEL, T)                                                                \
  KERNEL(void, rms_norm_forward, (const args::RmsNormForward<T>& a), (a))                          \
  KERNEL(void, rms_norm_backward, (const args::RmsNormBackward<T>& a), (a))                        \
  KERNEL(void, layer_norm_forward, (const args::LayerNormForward<T>& a), (a))                      \
  KERNEL(void, layer_norm_backward, (const args::LayerNormBackward<T>& a), (a))                    \
  KERNEL(void, rotary, (const args::Rotary<T>& a), (a))                                            \
  KERNEL(void, softmax_stats, (const args::SoftmaxStats<T>& a), (a))                               \
  KERNEL(void, softmax_stats_backward, (const args::SoftmaxStatsBackward<T>& a), (a))              \
  KERNEL(void, column_sum, (Index n, Index c, const T* x, T* y), (n, c, x, y))                     \
  KERNEL(void, gather_rows, (Index n, Index c, const T* table, const std::int32_t* index, T* y),   \
         (n, c, table, index, y))                                                                  \
  KERNEL(void, scatter_add_rows, (Index n, Index c, const T* x, const std::int32_t* index,         \
         Index table_rows, T* table), (n, c, x, index, table_rows, table))

// Float only: gather_rows from a table in bf16.
#define GAZE_ROUNDED_ROW_KERNELS(KERNEL, T)                                                        \
  KERNEL(void, gather_rounded_rows, (Index n, Index c, const bf16* table,                          \
         const std::int32_t* index, T* y), (n, c, table, index, y))
// clang-format on
