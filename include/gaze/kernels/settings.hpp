// SPDX-License-Identifier: MIT
// Settings that kernels of every device take: elementwise functions by name, the AdamW step.
#pragma once

namespace gaze {

/// Elementwise functions of one value; gelu is the tanh form.
enum class UnaryOp : int { exp, log, sqrt, tanh, sigmoid, silu, gelu, relu, square, neg };

/// Functions of two values that broadcast.
enum class BroadcastOp { add, sub, mul, div, minimum, maximum };

/// What one AdamW step needs besides gradients and moments.
template <class T>
struct AdamWStep {
  T lr = T(1e-3), beta1 = T(0.9), beta2 = T(0.999), eps = T(1e-8), weight_decay = T(0);
};

}  // namespace gaze
