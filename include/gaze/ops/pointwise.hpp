// SPDX-License-Identifier: MIT
// Functions of single values beside those of elementwise.hpp: rsqrt, abs, erf, pow and the exact
// GELU. Their derivatives stand beside them in kernels/pointwise.hpp.
#pragma once
#include <type_traits>

#include "gaze/ops/elementwise.hpp"

namespace gaze {

namespace detail {

/// y = op(x), dx = dy op'(x), element by element; p is the exponent of pow.
template <class T, class Device>
Tensor<T, Device> pointwise(PointwiseOp op, const char* name, const Tensor<T, Device>& input,
                            T p = 0) {
  using S = Saved<T, Device>;
  check_defined(name, input);
  const auto x = contiguous(input);
  Tensor<T, Device> y(x.shape());
  Kernels<Device>::pointwise_forward(op, x.numel(), p, x.data(), y.data());
  if (recorded(x))
    record(
        name, y,
        [op, p, x = S(name, x), y = S(name, y), to = x.node()](const auto& dy) {
          Tensor<T, Device> dx(dy.shape());
          Kernels<Device>::pointwise_backward(op, dx.numel(), p, x.data(), y.data(), dy.data(),
                                              dx.data());
          to->take(std::move(dx));
        },
        x);
  return y;
}

}  // namespace detail

/// 1 / sqrt(x); dx = -dy y^3 / 2.
template <class T, class Device>
Tensor<T, Device> rsqrt(const Tensor<T, Device>& x) {
  return detail::pointwise(PointwiseOp::rsqrt, "rsqrt", x);
}

/// |x|; the derivative at 0 is 0.
template <class T, class Device>
Tensor<T, Device> abs(const Tensor<T, Device>& x) {
  return detail::pointwise(PointwiseOp::abs, "abs", x);
}

/// The error function 2/sqrt(pi) integral of e^(-t^2) from 0 to x; dx = dy 2/sqrt(pi) e^(-x^2).
template <class T, class Device>
Tensor<T, Device> erf(const Tensor<T, Device>& x) {
  return detail::pointwise(PointwiseOp::erf, "erf", x);
}

/// x Phi(x), Phi being the normal distribution function (Hendrycks and Gimpel 2016), through erf;
/// dx = dy (Phi(x) + x phi(x)).
template <class T, class Device>
Tensor<T, Device> gelu_exact(const Tensor<T, Device>& x) {
  return detail::pointwise(PointwiseOp::gelu_exact, "gelu_exact", x);
}

/// The tanh form of GELU, by its full name; models call it gelu().
template <class T, class Device>
Tensor<T, Device> gelu_tanh(const Tensor<T, Device>& x) {
  return unary(UnaryOp::gelu, "gelu_tanh", x);
}

/// x^p for one exponent; dx = dy p x^(p-1), 0 for p = 0.
template <class T, class Device>
Tensor<T, Device> pow(const Tensor<T, Device>& x, std::type_identity_t<T> p) {
  return detail::pointwise(PointwiseOp::pow, "pow", x, p);
}

/// x^p with broadcasting. dx = dy p x^(p-1); dp = dy x^p log x, 0 where x = 0 and p >= 0.
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

}  // namespace gaze
