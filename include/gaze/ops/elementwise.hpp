// SPDX-License-Identifier: MIT
// Elementwise operations with their derivatives: arithmetic with broadcasting, functions of one
// value, powers and SwiGLU.
#pragma once
#include <type_traits>

#include "gaze/kernels/elementwise.hpp"
#include "gaze/ops/views.hpp"

namespace gaze {

namespace detail {

/// op(a, b) of contiguous or stretched values, not recorded.
template <class T, class Device>
Tensor<T, Device> binary_values(BroadcastOp op, const char* name, const Tensor<T, Device>& a,
                                const Tensor<T, Device>& b) {
  using K = Kernels<Device>;
  check_defined(name, a, b);
  const Shape shape = broadcast(a.shape(), b.shape(), name);
  Tensor<T, Device> y(shape);
  const T *pa = a.data(), *pb = b.data();
  const bool plain = a.shape() == b.shape() && a.contiguous() && b.contiguous();
  if (plain && op == BroadcastOp::add) {
    K::add(y.numel(), pa, pb, y.data());
  } else if (plain && op == BroadcastOp::sub) {
    K::sub(y.numel(), pa, pb, y.data());
  } else if (plain && op == BroadcastOp::mul) {
    K::mul(y.numel(), pa, pb, y.data());
  } else {
    K::broadcast(args::Broadcast<T>{.op = op,
                                    .shape = shape,
                                    .a = pa,
                                    .a_strides = broadcast_strides(a.shape(), a.strides(), shape),
                                    .b = pb,
                                    .b_strides = broadcast_strides(b.shape(), b.strides(), shape),
                                    .y = y.data()});
  }
  return y;
}

/// dy times a derivative, 0 where dy is 0: scalar::kept_zero.
template <class T, class Device>
Tensor<T, Device> kept_zero(const char* name, const Tensor<T, Device>& dy,
                            const Tensor<T, Device>& grad) {
  return binary_values(BroadcastOp::kept_zero, name, dy, grad);
}

/// Adds g, of a broadcast shape, to a gradient, summed over the stretched axes.
template <class T, class Device>
void add_unbroadcast(GradNode<T, Device>& to, Tensor<T, Device> g) {
  if (g.shape() == to.shape) return to.take(std::move(g));
  const Shape strides = broadcast_strides(to.shape, contiguous_strides(to.shape), g.shape());
  Kernels<Device>::add_strided(g.shape(), g.data(), to.accumulator(), strides);
}

/// The values of x stretched to a shape, contiguous and outside the graph.
template <class T, class Device>
Tensor<T, Device> stretched(const Tensor<T, Device>& x, const Shape& shape) {
  const auto plain = x.detach();
  return contiguous(plain.shape() == shape ? plain : expand(plain, shape));
}

/// dy where the mask, of dy's shape, is true (or, with `holds` false, is not), 0 elsewhere.
template <class T, class Device>
Tensor<T, Device> kept_where(const Tensor<std::int32_t, Device>& mask, bool holds,
                             const Tensor<T, Device>& dy) {
  Tensor<T, Device> g(dy.shape());
  const T *const none = nullptr, *const from = dy.data();
  Kernels<Device>::choose(g.numel(), mask.data(), holds ? from : none, holds ? none : from,
                          g.data());
  return g;
}

}  // namespace detail

/// a + b; da = db = dy.
template <class T, class Device>
Tensor<T, Device> add(const Tensor<T, Device>& a, const Tensor<T, Device>& b) {
  auto y = detail::binary_values(BroadcastOp::add, "add", a, b);
  if (recorded(a, b))
    record(
        "add", y,
        [to_a = a.node(), to_b = b.node()](const auto& dy) {
          for (const auto& to : {to_a, to_b}) {
            if (!to) continue;
            if (to->shape == dy.shape())
              to->add(dy);
            else
              detail::add_unbroadcast(*to, dy);
          }
        },
        a, b);
  return y;
}

/// a - b; da = dy, db = -dy.
template <class T, class Device>
Tensor<T, Device> sub(const Tensor<T, Device>& a, const Tensor<T, Device>& b) {
  auto y = detail::binary_values(BroadcastOp::sub, "sub", a, b);
  if (recorded(a, b))
    record(
        "sub", y,
        [to_a = a.node(), to_b = b.node()](const auto& dy) {
          const auto times = [&dy](T factor) {
            Tensor<T, Device> g(dy.shape());
            Kernels<Device>::scale(g.numel(), factor, dy.data(), g.data());
            return g;
          };
          if (to_a) detail::add_unbroadcast(*to_a, times(T(1)));
          if (to_b) detail::add_unbroadcast(*to_b, times(T(-1)));
        },
        a, b);
  return y;
}

/// a * b; da = dy b, db = dy a.
template <class T, class Device>
Tensor<T, Device> mul(const Tensor<T, Device>& a, const Tensor<T, Device>& b) {
  using S = Saved<T, Device>;
  auto y = detail::binary_values(BroadcastOp::mul, "mul", a, b);
  if (recorded(a, b))
    record(
        "mul", y,
        [a = S("mul", a), b = S("mul", b), to_a = a.node(), to_b = b.node()](const auto& dy) {
          const auto product = [&dy](const Tensor<T, Device>& other) {
            return detail::kept_zero("mul", dy,
                                     detail::binary_values(BroadcastOp::mul, "mul", dy, other));
          };
          if (to_a) detail::add_unbroadcast(*to_a, product(b.get()));
          if (to_b) detail::add_unbroadcast(*to_b, product(a.get()));
        },
        a, b);
  return y;
}

/// a / b; da = dy / b, db = -dy a / b^2.
template <class T, class Device>
Tensor<T, Device> div(const Tensor<T, Device>& a, const Tensor<T, Device>& b) {
  using S = Saved<T, Device>;
  auto y = detail::binary_values(BroadcastOp::div, "div", a, b);
  if (recorded(a, b))
    record(
        "div", y,
        [a = S("div", a), b = S("div", b), to_a = a.node(), to_b = b.node()](const auto& dy) {
          const auto da = detail::binary_values(BroadcastOp::div, "div", dy, b.get());
          if (to_b) {
            auto db = detail::binary_values(
                BroadcastOp::div, "div",
                detail::binary_values(BroadcastOp::mul, "div", da, a.get()), b.get());
            Kernels<Device>::scale(db.numel(), T(-1), db.data(), db.data());
            detail::add_unbroadcast(*to_b, detail::kept_zero("div", dy, db));
          }
          if (to_a) detail::add_unbroadcast(*to_a, detail::kept_zero("div", dy, da));
        },
        a, b);
  return y;
}

namespace detail {

/// 1 where minimum or maximum, stretched to `shape`, chose b: not on a tie, nor if both are NaN.
template <class T, class Device>
Tensor<std::int32_t, Device> second_chosen(BroadcastOp op, const Tensor<T, Device>& a,
                                           const Tensor<T, Device>& b, const Shape& shape) {
  const auto x = stretched(a, shape), y = stretched(b, shape);
  Tensor<std::int32_t, Device> mask(shape);
  Kernels<Device>::compare(op == BroadcastOp::minimum ? CompareOp::undercuts : CompareOp::exceeds,
                           mask.numel(), y.data(), x.data(), mask.data());
  return mask;
}

template <class T, class Device>
Tensor<T, Device> select(BroadcastOp op, const char* name, const Tensor<T, Device>& a,
                         const Tensor<T, Device>& b) {
  using S = Saved<T, Device>;
  auto y = binary_values(op, name, a, b);
  if (recorded(a, b))
    record(
        name, y,
        [op, a = S(name, a), b = S(name, b), to_a = a.node(), to_b = b.node()](const auto& dy) {
          const auto second = second_chosen(op, a.get(), b.get(), dy.shape());
          if (to_a) add_unbroadcast(*to_a, kept_where(second, false, dy));
          if (to_b) add_unbroadcast(*to_b, kept_where(second, true, dy));
        },
        a, b);
  return y;
}

}  // namespace detail

/// min(a, b) element by element; the gradient goes to the chosen one, on a tie to a.
///
/// A NaN counts as the smallest.
template <class T, class Device>
Tensor<T, Device> minimum(const Tensor<T, Device>& a, const Tensor<T, Device>& b) {
  return detail::select(BroadcastOp::minimum, "minimum", a, b);
}

/// max(a, b) element by element; the gradient goes to the chosen one, on a tie to a.
///
/// A NaN counts as the largest.
template <class T, class Device>
Tensor<T, Device> maximum(const Tensor<T, Device>& a, const Tensor<T, Device>& b) {
  return detail::select(BroadcastOp::maximum, "maximum", a, b);
}

/// min(max(x, low), high); dx = dy within and on the bounds, 0 outside.
///
/// NaN if x or a bound is NaN.
template <class T, class Device>
Tensor<T, Device> clamp(const Tensor<T, Device>& x, T low, T high) {
  detail::check_defined("clamp", x);
  return minimum(maximum(x, Tensor<T, Device>::scalar(low)), Tensor<T, Device>::scalar(high));
}

/// factor x; dx = factor dy.
template <class T, class Device>
Tensor<T, Device> scale(const Tensor<T, Device>& input, T factor) {
  detail::check_defined("scale", input);
  const auto x = contiguous(input);
  Tensor<T, Device> y(x.shape());
  Kernels<Device>::scale(y.numel(), factor, x.data(), y.data());
  if (recorded(x))
    record(
        "scale", y,
        [to = x.node(), factor](const auto& dy) {
          Tensor<T, Device> g(dy.shape());
          Kernels<Device>::scale(g.numel(), factor, dy.data(), g.data());
          to->take(std::move(g));
        },
        x);
  return y;
}

namespace detail {

/// f(x) for the functions of UnaryOp (derivatives: kernels/scalar.hpp); pow takes the exponent.
template <class T, class Device>
Tensor<T, Device> unary(UnaryOp op, const char* name, const Tensor<T, Device>& input,
                        T exponent = 0) {
  using K = Kernels<Device>;
  using S = Saved<T, Device>;
  check_defined(name, input);
  const auto x = contiguous(input);
  Tensor<T, Device> y(x.shape());
  K::unary_forward(args::UnaryForward<T>{
      .op = op, .n = x.numel(), .x = x.data(), .y = y.data(), .exponent = exponent});
  if (recorded(x))
    record(
        name, y,
        [op, exponent, x = S(name, x), y = S(name, y), to = x.node()](const auto& dy) {
          // data() throws where a saved value was changed: before the gradient is begun.
          args::UnaryBackward<T> a{.op = op,
                                   .n = dy.numel(),
                                   .x = x.data(),
                                   .y = y.data(),
                                   .dy = dy.data(),
                                   .dx = nullptr,
                                   .exponent = exponent};
          const auto dx = to->target();
          a.dx = dx.data;
          a.accumulate = dx.accumulate;
          K::unary_backward(a);
        },
        x);
  return y;
}

}  // namespace detail

#define GAZE_UNARY(NAME, OP)                           \
  template <class T, class Device>                     \
  Tensor<T, Device> NAME(const Tensor<T, Device>& x) { \
    return detail::unary(UnaryOp::OP, #NAME, x);       \
  }
/// e^x; dx = dy y.
GAZE_UNARY(exp, exp)
/// ln x; dx = dy / x.
GAZE_UNARY(log, log)
/// The square root of x; dx = dy / (2 y).
GAZE_UNARY(sqrt, sqrt)
/// 1 / sqrt(x); dx = -dy y^3 / 2.
GAZE_UNARY(rsqrt, rsqrt)
/// (e^x - e^-x) / (e^x + e^-x); dx = dy (1 - y^2).
GAZE_UNARY(tanh, tanh)
/// 1 / (1 + e^-x); dx = dy y (1 - y).
GAZE_UNARY(sigmoid, sigmoid)
/// x sigmoid(x); dx = dy (s + y (1 - s)), s = sigmoid(x).
GAZE_UNARY(silu, silu)
/// x/2 (1 + t), t = tanh(u), u = sqrt(2/pi) (x + 0.044715 x^3); dx = dy ((1 + t)/2 + x/2 (1 - t^2)
/// du/dx).
///
/// The tanh form of Hendrycks and Gimpel 2016.
GAZE_UNARY(gelu, gelu)
/// gelu(), the tanh form, by its full name.
GAZE_UNARY(gelu_tanh, gelu)
/// x Phi(x) through erf; dx = dy (Phi(x) + x phi(x)), Phi and phi of the standard normal.
GAZE_UNARY(gelu_exact, gelu_exact)
/// 2/sqrt(pi) times the integral of e^(-t^2) from 0 to x; dx = dy 2/sqrt(pi) e^(-x^2).
GAZE_UNARY(erf, erf)
/// max(x, 0); dx = dy where x > 0, else 0.
GAZE_UNARY(relu, relu)
/// |x|; dx = dy sign(x), 0 at 0.
GAZE_UNARY(abs, abs)
/// x^2; dx = 2 x dy.
GAZE_UNARY(square, square)
/// -x; dx = -dy.
GAZE_UNARY(neg, neg)
#undef GAZE_UNARY

/// x^p for one exponent; dx = dy p x^(p-1), 0 for p = 0.
template <class T, class Device>
Tensor<T, Device> pow(const Tensor<T, Device>& x, std::type_identity_t<T> p) {
  return detail::unary(UnaryOp::pow, "pow", x, p);
}

/// x^p with broadcasting; dx = dy p x^(p-1); dp = dy x^p log x, 0 where x = 0 and p >= 0.
template <class T, class Device>
Tensor<T, Device> pow(const Tensor<T, Device>& x, const Tensor<T, Device>& p) {
  using K = Kernels<Device>;
  using S = Saved<T, Device>;
  detail::check_defined("pow", x, p);
  const Shape shape = broadcast(x.shape(), p.shape(), "pow");
  Tensor<T, Device> y(shape);
  const auto base = detail::stretched(x, shape), exponent = detail::stretched(p, shape);
  K::power_forward(y.numel(), base.data(), exponent.data(), y.data());
  if (recorded(x, p))
    record(
        "pow", y,
        [x = S("pow", x), p = S("pow", p), to_x = x.node(), to_p = p.node()](const auto& dy) {
          const Shape& shape = dy.shape();
          const auto a = detail::stretched(x.get(), shape), b = detail::stretched(p.get(), shape);
          Tensor<T, Device> da, db;
          if (to_x) da = Tensor<T, Device>(shape);
          if (to_p) db = Tensor<T, Device>(shape);
          T* const none = nullptr;
          K::power_backward(dy.numel(), a.data(), b.data(), dy.data(), to_x ? da.data() : none,
                            to_p ? db.data() : none);
          if (to_x) detail::add_unbroadcast(*to_x, std::move(da));
          if (to_p) detail::add_unbroadcast(*to_p, std::move(db));
        },
        x, p);
  return y;
}

/// y [N,C] = silu(gate) up for rows (gate, up) of [N,2C]; dup = dy silu(gate), dgate = dy up
/// silu'(gate).
///
/// SwiGLU, Shazeer 2020.
template <class T, class Device>
Tensor<T, Device> swiglu(const Tensor<T, Device>& input) {
  using K = Kernels<Device>;
  detail::check_defined("swiglu", input);
  GAZE_CHECK(input.rank() == 2 && input.size(1) % 2 == 0, "swiglu", "needs [N, 2C], got ",
             input.shape());
  const auto x = contiguous(input);
  const Index n = x.size(0), c = x.size(1) / 2;
  Tensor<T, Device> y({n, c});
  K::swiglu_forward(n, c, x.data(), y.data());
  if (recorded(x))
    record(
        "swiglu", y,
        [n, c, x = Saved<T, Device>("swiglu", x), to = x.node()](const auto& dy) {
          Tensor<T, Device> dx({n, 2 * c});
          K::swiglu_backward(n, c, x.data(), dy.data(), dx.data());
          to->take(std::move(dx));
        },
        x);
  return y;
}

}  // namespace gaze
