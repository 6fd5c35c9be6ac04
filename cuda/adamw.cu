// SPDX-License-Identifier: MIT
// Launches the AdamW kernels.
#include "cuda/adamw.cuh"

#include "cuda/kernels.hpp"
#include "cuda/vectorised.hpp"

namespace gaze::cuda {

template <class T>
void adamw_step(const args::AdamW<T>& a) {
  check_adamw_step(a);
  if constexpr (std::is_same_v<T, float>)
    if (in_vectors(a.n, a.param, a.grad, a.m, a.v)) return vectorised::adamw_step(a, nullptr);
  for_each("adamw_step", a.n,
           AdamWElement<T>{a.settings, 1 / a.bias_correction1, 1 / std::sqrt(a.bias_correction2),
                           a.grad_scale, a.param, a.grad, a.m, a.v});
}

GAZE_ADAMW_KERNELS(GAZE_INSTANTIATE_KERNEL, float)
GAZE_ADAMW_KERNELS(GAZE_INSTANTIATE_KERNEL, double)

namespace vectorised {

void adamw_step(const args::AdamW<float>& a, bf16* copy) {
  check_columns<float>("adamw_step", a.n);
  check_adamw_step(a);
  for_each("adamw_step", a.n / wide<float>,
           AdamWVector{a.settings, 1 / a.bias_correction1, 1 / std::sqrt(a.bias_correction2),
                       a.grad_scale, a.param, a.grad, a.m, a.v, copy});
}

}  // namespace vectorised

}  // namespace gaze::cuda
