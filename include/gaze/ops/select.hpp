// SPDX-License-Identifier: MIT
// Comparisons, and choosing between values by them. Truth is a whole number, 1 or 0, so a mask is
// a tensor like any other: views of it work, and cast<float>() makes it a factor.
#pragma once
#include "gaze/ops/elementwise.hpp"
#include "gaze/ops/rows.hpp"

namespace gaze {

/// 1 where something holds, 0 elsewhere; whatever is not 0 counts as true.
template <class Device = Cpu>
using Mask = Indices<Device>;

namespace detail {
template <class T, class Device>
Mask<Device> compare(CompareOp op, const char* name, const Tensor<T, Device>& a,
                     const Tensor<T, Device>& b) {
  check_defined(name, a, b);
  refuse_gradient(name, a, b);
  const Shape shape = broadcast(a.shape(), b.shape(), name);
  const auto x = stretched(a, shape), y = stretched(b, shape);
  Mask<Device> mask(shape);
  Kernels<Device>::compare(op, mask.numel(), x.data(), y.data(), mask.data());
  return mask;
}
}  // namespace detail

// With broadcasting. They have no derivative and throw where an input requires one.
#define GAZE_COMPARISON(NAME, OP)                                             \
  template <class T, class Device>                                            \
  Mask<Device> NAME(const Tensor<T, Device>& a, const Tensor<T, Device>& b) { \
    return detail::compare(OP, #NAME, a, b);                                  \
  }
GAZE_COMPARISON(equal, CompareOp::equal)
GAZE_COMPARISON(not_equal, CompareOp::not_equal)
GAZE_COMPARISON(less, CompareOp::less)
GAZE_COMPARISON(less_equal, CompareOp::less_equal)
GAZE_COMPARISON(greater, CompareOp::greater)
GAZE_COMPARISON(greater_equal, CompareOp::greater_equal)
#undef GAZE_COMPARISON

namespace detail {
template <class T, class Device>
Tensor<T, Device> choose(const char* op, const Mask<Device>& mask, const Tensor<T, Device>& a,
                         const Tensor<T, Device>& b) {
  check_defined(op, mask, a, b);
  const Shape shape = broadcast(broadcast(mask.shape(), a.shape(), op), b.shape(), op);
  const auto m = stretched(mask, shape);
  const auto x = stretched(a, shape), z = stretched(b, shape);
  Tensor<T, Device> y(shape);
  Kernels<Device>::choose(y.numel(), m.data(), x.data(), z.data(), y.data());
  if (recorded(a, b))
    record(
        op, y,
        [m = SavedIndices<Device>(op, m), to_a = a.node(), to_b = b.node()](const auto& dy) {
          if (to_a) add_unbroadcast(*to_a, kept_where(m.get(), true, dy));
          if (to_b) add_unbroadcast(*to_b, kept_where(m.get(), false, dy));
        },
        a, b);
  return y;
}
}  // namespace detail

/// a where the mask holds, else b; all three broadcast. The gradient goes to the chosen one. What
/// was not chosen may be infinite or NaN, with such a derivative, without spoiling it, as in
/// where(greater(x, zero), sqrt(x), x), as long as it was made by functions of single values: they
/// pass on no gradient where none comes in. Sums, products of matrices, norms and softmax mix
/// values; before them choose a harmless input too: sum(f(where(mask, x, one))).
template <class T, class Device>
Tensor<T, Device> where(const Mask<Device>& mask, const Tensor<T, Device>& a,
                        const Tensor<T, Device>& b) {
  return detail::choose("where", mask, a, b);
}

/// x with `value` where the mask, which broadcasts to x, holds; no gradient flows from there.
template <class T, class Device>
Tensor<T, Device> masked_fill(const Tensor<T, Device>& x, const Mask<Device>& mask,
                              std::type_identity_t<T> value) {
  detail::check_defined("masked_fill", x, mask);
  GAZE_CHECK(broadcast(mask.shape(), x.shape(), "masked_fill") == x.shape(), "masked_fill", "mask ",
             mask.shape(), " for x ", x.shape());
  return detail::choose("masked_fill", mask, Tensor<T, Device>::scalar(value), x);
}

}  // namespace gaze
