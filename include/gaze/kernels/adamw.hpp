// SPDX-License-Identifier: MIT
// The AdamW step (Loshchilov & Hutter 2019).
#pragma once
#include <cmath>

#include "gaze/core/error.hpp"
#include "gaze/core/index.hpp"

namespace gaze {

/// Settings of one AdamW step.
template <class T>
struct AdamWStep {
  T lr = T(1e-3), beta1 = T(0.9), beta2 = T(0.999), eps = T(1e-8), weight_decay = T(0);
};

namespace args {

/// One step for n parameters with their moments m and v. The corrections are 1 - beta^t of step t,
/// counted from 1; gradients are multiplied by grad_scale first (clipping, averaging).
template <class T>
struct AdamW {
  Index n;
  T* param;
  const T* grad;
  T* m;
  T* v;
  AdamWStep<T> settings;
  T bias_correction1, bias_correction2, grad_scale;
};

}  // namespace args

/// Throws where a step's numbers would make every weight NaN or infinite.
template <class T>
void check_adamw_step(const args::AdamW<T>& a) {
  const AdamWStep<T>& s = a.settings;
  const auto finite = [](const char* name, T value) {
    GAZE_CHECK(std::isfinite(value) && value >= 0, "adamw_step", name,
               " must be finite and at least 0, got ", value);
  };
  finite("the learning rate", s.lr);
  finite("beta1", s.beta1);
  finite("beta2", s.beta2);
  finite("eps", s.eps);
  finite("the weight decay", s.weight_decay);
  finite("the gradient's scale", a.grad_scale);
  GAZE_CHECK(s.beta1 < 1 && s.beta2 < 1, "adamw_step", "beta1 ", s.beta1, " and beta2 ", s.beta2,
             " must be below 1");
  GAZE_CHECK(a.bias_correction1 > 0 && a.bias_correction2 > 0, "adamw_step",
             "bias corrections must be positive: ", a.bias_correction1, ", ", a.bias_correction2);
}

}  // namespace gaze

// clang-format off
#define GAZE_ADAMW_KERNELS(KERNEL, T)                                                              \
  KERNEL(void, adamw_step, (const args::AdamW<T>& a), (a))
// clang-format on
