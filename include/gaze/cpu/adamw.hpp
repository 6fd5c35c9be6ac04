// SPDX-License-Identifier: MIT
// The AdamW step on the CPU: one fused pass over a pack of parameters.
//
//   g = grad_scale grad,  m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) g^2
//   param -= lr (m / c1 / (sqrt(v / c2) + eps) + weight_decay param),  c1 = 1 - b1^t, c2 = 1 - b2^t
//
// The decay is decoupled from the gradient: Loshchilov & Hutter 2019.
#pragma once
#include <cmath>

#include "gaze/core/index.hpp"
#include "gaze/cpu/loops.hpp"
#include "gaze/kernels/adamw.hpp"

namespace gaze::cpu {

namespace reference {

template <class T>
void adamw_step(Index n, T* param, const T* grad, T* m, T* v, T lr, T beta1, T beta2, T eps,
                T weight_decay, T inv_correction1, T inv_root_correction2, T grad_scale) {
  for (Index i = 0; i < n; ++i) {
    const T g = grad[i] * grad_scale;
    m[i] = beta1 * m[i] + (1 - beta1) * g;
    v[i] = beta2 * v[i] + (1 - beta2) * g * g;
    const T step = m[i] * inv_correction1 / (std::sqrt(v[i]) * inv_root_correction2 + eps);
    param[i] -= lr * (step + weight_decay * param[i]);
  }
}

}  // namespace reference

template <class T>
void adamw_step(const args::AdamW<T>& a) {
  check_adamw_step(a);
  const AdamWStep<T> s = a.settings;
  const T inverse1 = 1 / a.bias_correction1, inverse2 = 1 / std::sqrt(a.bias_correction2);
  parallel_for(a.n, 16384, [&](Index i, Index end) {
    GAZE_PICK(adamw_step, end - i, a.param + i, a.grad + i, a.m + i, a.v + i, s.lr, s.beta1,
              s.beta2, s.eps, s.weight_decay, inverse1, inverse2, a.grad_scale);
  });
}

}  // namespace gaze::cpu
