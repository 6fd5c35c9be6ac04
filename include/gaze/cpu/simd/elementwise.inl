// SPDX-License-Identifier: MIT
// Elementwise kernels in float, single-threaded: arithmetic, activations, sums, the AdamW step.
//
// Every element is computed on its own, so a piece may begin and end anywhere; only the sums have
// an order (ascending vectors, then a fixed tree over lanes) and their callers fix the pieces.

enum class BinaryOp : int { add, sub, mul };
using gaze::UnaryOp;

GAZE_INLINE vf neg(vf x) { return sub(set(0.0f), x); }
/// x limited to [-limit, limit]; NaN stays NaN.
GAZE_INLINE vf clamp(vf x, float limit) {
  return less_select(x, set(-limit), set(-limit), less_select(set(limit), x, set(limit), x));
}

// One struct per operation: y = value(x) and dy/dx = grad(x, y), side by side.
struct UnaryExp {
  static GAZE_INLINE vf value(vf x) { return exp(x); }
  static GAZE_INLINE vf grad(vf, vf y) { return y; }
};
struct UnaryLog {
  static GAZE_INLINE vf value(vf x) {
    float lane[W];
    store(lane, x);
    for (int i = 0; i < W; ++i) lane[i] = __builtin_logf(lane[i]);
    return load(lane);
  }
  static GAZE_INLINE vf grad(vf x, vf) { return div(set(1.0f), x); }
};
struct UnarySqrt {
  static GAZE_INLINE vf value(vf x) { return sqrt(x); }
  static GAZE_INLINE vf grad(vf, vf y) { return div(set(0.5f), y); }
};
struct UnaryTanh {
  static GAZE_INLINE vf value(vf x) { return tanh(x); }
  static GAZE_INLINE vf grad(vf, vf y) { return fma(neg(y), y, set(1.0f)); }
};
struct UnarySigmoid {
  static GAZE_INLINE vf value(vf x) { return sigmoid(x); }
  static GAZE_INLINE vf grad(vf, vf y) { return fma(neg(y), y, y); }
};
struct UnarySilu {
  static GAZE_INLINE vf value(vf x) { return mul(x, sigmoid(x)); }
  static GAZE_INLINE vf grad(vf x, vf) {
    const vf s = sigmoid(x);
    return mul(s, fma(x, sub(set(1.0f), s), set(1.0f)));
  }
};
// 0.5 x (1 + tanh u) = x sigmoid(2u), 2u = x (a + b x^2): no cancellation for very negative x.
struct UnaryGelu {
  static constexpr float a = 1.5957691216057308f, b = 0.0713548162726002f;
  static GAZE_INLINE vf gate(vf x) { return sigmoid(mul(x, fma(mul(x, x), set(b), set(a)))); }
  static GAZE_INLINE vf value(vf x) { return mul(x, gate(x)); }
  static GAZE_INLINE vf grad(vf x, vf) {
    const vf limited = clamp(x, 20.0f);  // beyond, the gate is 0 or 1; x^3 must not overflow
    const vf s = gate(limited), x_du = mul(limited, fma(mul(limited, limited), set(3 * b), set(a)));
    return mul(s, fma(x_du, sub(set(1.0f), s), set(1.0f)));
  }
};
struct UnaryRelu {
  static GAZE_INLINE vf value(vf x) { return less_select(x, set(0.0f), set(0.0f), x); }
  static GAZE_INLINE vf grad(vf x, vf) { return less_select(set(0.0f), x, set(1.0f), set(0.0f)); }
};
struct UnarySquare {
  static GAZE_INLINE vf value(vf x) { return mul(x, x); }
  static GAZE_INLINE vf grad(vf x, vf) { return add(x, x); }
};
struct UnaryNeg {
  static GAZE_INLINE vf value(vf x) { return mul(x, set(-1.0f)); }
  static GAZE_INLINE vf grad(vf, vf) { return set(-1.0f); }
};

template <class Op>
GAZE_INLINE void unary_forward_loop(Index n, const float* x, float* y) {
  for (Index i = 0; i < n; i += W) row_store(y + i, Op::value(row_load(x + i, n - i)), n - i);
}
/// `grad` where dy is not 0, else 0 (scalar::kept_zero): 0 times infinity is NaN.
GAZE_INLINE vf grad_for(vf dy, vf grad) {
  return less_select(set(0.0f), max(dy, neg(dy)), grad, set(0.0f));
}

template <class Op>
GAZE_INLINE void unary_backward_loop(Index n, const float* x, const float* y, const float* dy,
                                     float* dx, bool accumulate) {
  for (Index i = 0; i < n; i += W) {
    const Index left = n - i;
    const vf d = row_load(dy + i, left);
    const vf grad = grad_for(d, Op::grad(row_load(x + i, left), row_load(y + i, left)));
    const vf before = accumulate ? row_load(dx + i, left) : set(0.0f);
    row_store(dx + i, fma(d, grad, before), left);
  }
}

GAZE_FN void unary_forward(int op, Index n, const float* x, float* y) {
  switch (static_cast<UnaryOp>(op)) {
    case UnaryOp::exp:
      return unary_forward_loop<UnaryExp>(n, x, y);
    case UnaryOp::log:
      return unary_forward_loop<UnaryLog>(n, x, y);
    case UnaryOp::sqrt:
      return unary_forward_loop<UnarySqrt>(n, x, y);
    case UnaryOp::tanh:
      return unary_forward_loop<UnaryTanh>(n, x, y);
    case UnaryOp::sigmoid:
      return unary_forward_loop<UnarySigmoid>(n, x, y);
    case UnaryOp::silu:
      return unary_forward_loop<UnarySilu>(n, x, y);
    case UnaryOp::gelu:
      return unary_forward_loop<UnaryGelu>(n, x, y);
    case UnaryOp::relu:
      return unary_forward_loop<UnaryRelu>(n, x, y);
    case UnaryOp::square:
      return unary_forward_loop<UnarySquare>(n, x, y);
    case UnaryOp::neg:
      return unary_forward_loop<UnaryNeg>(n, x, y);
    default:  // the formulas of kernels/scalar.hpp
      return;
  }
}

GAZE_FN void unary_backward(int op, Index n, const float* x, const float* y, const float* dy,
                            float* dx, bool accumulate) {
  switch (static_cast<UnaryOp>(op)) {
    case UnaryOp::exp:
      return unary_backward_loop<UnaryExp>(n, x, y, dy, dx, accumulate);
    case UnaryOp::log:
      return unary_backward_loop<UnaryLog>(n, x, y, dy, dx, accumulate);
    case UnaryOp::sqrt:
      return unary_backward_loop<UnarySqrt>(n, x, y, dy, dx, accumulate);
    case UnaryOp::tanh:
      return unary_backward_loop<UnaryTanh>(n, x, y, dy, dx, accumulate);
    case UnaryOp::sigmoid:
      return unary_backward_loop<UnarySigmoid>(n, x, y, dy, dx, accumulate);
    case UnaryOp::silu:
      return unary_backward_loop<UnarySilu>(n, x, y, dy, dx, accumulate);
    case UnaryOp::gelu:
      return unary_backward_loop<UnaryGelu>(n, x, y, dy, dx, accumulate);
    case UnaryOp::relu:
      return unary_backward_loop<UnaryRelu>(n, x, y, dy, dx, accumulate);
    case UnaryOp::square:
      return unary_backward_loop<UnarySquare>(n, x, y, dy, dx, accumulate);
    case UnaryOp::neg:
      return unary_backward_loop<UnaryNeg>(n, x, y, dy, dx, accumulate);
    default:  // the formulas of kernels/scalar.hpp
      return;
  }
}

GAZE_INLINE vf binary_value(BinaryOp op, vf a, vf b) {
  return op == BinaryOp::add   ? add(a, b)
         : op == BinaryOp::sub ? sub(a, b)
                               : mul(a, b);
}
template <BinaryOp op>
GAZE_INLINE void binary_loop(Index n, const float* a, const float* b, float* out) {
  for (Index i = 0; i < n; i += W)
    row_store(out + i, binary_value(op, row_load(a + i, n - i), row_load(b + i, n - i)), n - i);
}
GAZE_FN void binary(int op, Index n, const float* a, const float* b, float* out) {
  switch (static_cast<BinaryOp>(op)) {
    case BinaryOp::add:
      return binary_loop<BinaryOp::add>(n, a, b, out);
    case BinaryOp::sub:
      return binary_loop<BinaryOp::sub>(n, a, b, out);
    case BinaryOp::mul:
      return binary_loop<BinaryOp::mul>(n, a, b, out);
  }
}

GAZE_FN void axpy(Index n, float alpha, const float* x, float* y) {
  for (Index i = 0; i < n; i += W)
    row_store(y + i, fma(set(alpha), row_load(x + i, n - i), row_load(y + i, n - i)), n - i);
}
GAZE_FN void scale(Index n, float alpha, const float* x, float* y) {
  for (Index i = 0; i < n; i += W) row_store(y + i, mul(set(alpha), row_load(x + i, n - i)), n - i);
}

/// One row is [gate (c) | up (c)]; y = silu(gate) up.
GAZE_FN void swiglu_forward(Index n, Index c, const float* gate_up, float* y) {
  for (Index r = 0; r < n; ++r, gate_up += 2 * c, y += c)
    for (Index j = 0; j < c; j += W) {
      const vf gate = row_load(gate_up + j, c - j), up = row_load(gate_up + c + j, c - j);
      row_store(y + j, mul(UnarySilu::value(gate), up), c - j);
    }
}
GAZE_FN void swiglu_backward(Index n, Index c, const float* gate_up, const float* dy,
                             float* dgate_up) {
  for (Index r = 0; r < n; ++r, gate_up += 2 * c, dy += c, dgate_up += 2 * c)
    for (Index j = 0; j < c; j += W) {
      const Index left = c - j;
      const vf gate = row_load(gate_up + j, left), up = row_load(gate_up + c + j, left);
      const vf d = row_load(dy + j, left), s = sigmoid(gate);
      const vf grad = mul(s, fma(gate, sub(set(1.0f), s), set(1.0f)));
      row_store(dgate_up + j, mul(mul(d, up), grad), left);
      row_store(dgate_up + c + j, mul(d, mul(gate, s)), left);
    }
}

GAZE_FN float sum_piece(Index n, const float* x) {
  vf total = set(0.0f);
  for (Index i = 0; i < n; i += W) total = add(total, row_load(x + i, n - i));
  return sum(total);
}
GAZE_FN float sum_squares_piece(Index n, const float* x) {
  vf total = set(0.0f);
  for (Index i = 0; i < n; i += W) {
    const vf v = row_load(x + i, n - i);
    total = fma(v, v, total);
  }
  return sum(total);
}
GAZE_FN void adamw_step(Index n, float* param, const float* grad, float* m, float* v, float lr,
                        float beta1, float beta2, float eps, float weight_decay,
                        float inv_correction1, float inv_root_correction2, float grad_scale) {
  const vf keep1 = set(beta1), take1 = set(1.0f - beta1);
  const vf keep2 = set(beta2), take2 = set(1.0f - beta2);
  for (Index i = 0; i < n; i += W) {
    const Index left = n - i;
    const vf g = mul(row_load(grad + i, left), set(grad_scale));
    const vf mean = fma(take1, g, mul(keep1, row_load(m + i, left)));
    const vf square = fma(mul(take2, g), g, mul(keep2, row_load(v + i, left)));
    const vf root = fma(sqrt(square), set(inv_root_correction2), set(eps));
    const vf step = div(mul(mean, set(inv_correction1)), root);
    const vf p = row_load(param + i, left);
    row_store(m + i, mean, left);
    row_store(v + i, square, left);
    row_store(param + i, fma(set(-lr), fma(set(weight_decay), p, step), p), left);
  }
}
