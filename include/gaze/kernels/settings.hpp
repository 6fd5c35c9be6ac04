// SPDX-License-Identifier: MIT
// Settings that kernels of every device take: functions and comparisons by name, checks of values,
// batches of matrices, the AdamW step.
#pragma once
#include "gaze/core/index.hpp"

namespace gaze {

/// Elementwise functions of one value; gelu is the tanh form.
enum class UnaryOp : int { exp, log, sqrt, tanh, sigmoid, silu, gelu, relu, square, neg };

/// Functions of two values that broadcast.
enum class BroadcastOp { add, sub, mul, div, minimum, maximum };

/// Elementwise functions beside UnaryOp, with formulas in kernels/pointwise.hpp; pow takes one
/// exponent for all values.
enum class PointwiseOp { rsqrt, abs, erf, gelu_exact, pow };

/// Comparisons of two values.
enum class CompareOp { equal, not_equal, less, less_equal, greater, greater_equal };

/// What values must lie between, both outside, and what to throw where one does not: of operation
/// `op`, whose name lives as long as the program, the element `at`.
struct ValueCheck {
  const char* op;
  double low, high;
  void (*fail)(const ValueCheck& check, Index at, double value);
};

/// One operand of a batch of matrix products: matrix i begins at data + places[i] and has this row
/// stride. The places are in the host's memory.
template <class T>
struct MatrixBatch {
  T* data;
  const Index* places;
  Index stride;
};

/// What one AdamW step needs besides gradients and moments.
template <class T>
struct AdamWStep {
  T lr = T(1e-3), beta1 = T(0.9), beta2 = T(0.999), eps = T(1e-8), weight_decay = T(0);
};

}  // namespace gaze
