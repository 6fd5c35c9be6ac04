// SPDX-License-Identifier: MIT
// Settings that kernels of every device take: functions and comparisons by name, checks of values,
// batches of matrices, the AdamW step.
#pragma once
#include <cmath>

#include "gaze/core/error.hpp"
#include "gaze/core/index.hpp"

namespace gaze {

/// Elementwise functions of one value; gelu is the tanh form.
enum class UnaryOp : int { exp, log, sqrt, tanh, sigmoid, silu, gelu, relu, square, neg };

// A float32 sum of so many values at most is one chain of additions per lane or column, whose error
// grows with its length; of more, sums of so many are added up in double.
inline constexpr Index kChainedColumns = 4096;       // along a row
inline constexpr Index kChainedBlocks = 65536 / 64;  // over rows: blocks of 64 rows
inline constexpr Index kChainedValues = 1024;        // one by one: what broadcasting stretched

/// Functions of two values that broadcast; kept_zero (kernels/scalar.hpp) is for derivatives.
enum class BroadcastOp { add, sub, mul, div, minimum, maximum, kept_zero };

/// Elementwise functions beside UnaryOp, with formulas in kernels/pointwise.hpp; pow takes one
/// exponent for all values.
enum class PointwiseOp { rsqrt, abs, erf, gelu_exact, pow };

/// Comparisons of two values. undercuts and exceeds say that minimum(b, a) and maximum(b, a) take
/// a: less and greater, but a NaN wins over any number.
enum class CompareOp {
  equal,
  not_equal,
  less,
  less_equal,
  greater,
  greater_equal,
  undercuts,
  exceeds
};

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

/// Throws where a step's numbers would make every weight NaN or infinite.
template <class T>
void check_adamw_step(const AdamWStep<T>& s, T correction1, T correction2, T grad_scale) {
  const auto finite = [](const char* name, T value) {
    GAZE_CHECK(std::isfinite(value) && value >= 0, "adamw_step", name,
               " must be finite and at least 0, got ", value);
  };
  finite("the learning rate", s.lr);
  finite("beta1", s.beta1);
  finite("beta2", s.beta2);
  finite("eps", s.eps);
  finite("the weight decay", s.weight_decay);
  finite("the gradient's scale", grad_scale);
  GAZE_CHECK(s.beta1 < 1 && s.beta2 < 1, "adamw_step", "beta1 ", s.beta1, " and beta2 ", s.beta2,
             " must be below 1");
  GAZE_CHECK(correction1 > 0 && correction2 > 0, "adamw_step",
             "bias corrections must be positive: ", correction1, ", ", correction2);
}

}  // namespace gaze
