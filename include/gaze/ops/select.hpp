// SPDX-License-Identifier: MIT
// Comparisons, and choosing between values by them. Truth is a whole number, 1 or 0, so a mask is
// a tensor like any other: views of it work, and cast<float>() makes it a factor.
#pragma once
#include "gaze/ops/pointwise.hpp"
#include "gaze/ops/rows.hpp"

namespace gaze {

/// 1 where something holds, 0 elsewhere; whatever is not 0 counts as true.
using Mask = Indices<Cpu>;

namespace detail {
template <class T, class Compare>
Mask compare(const char* op, const Tensor<T>& a, const Tensor<T>& b, Compare holds) {
  refuse_gradient(op, a, b);
  const Shape shape = broadcast(a.shape(), b.shape(), op);
  const auto x = stretched(a, shape), y = stretched(b, shape);
  Mask mask(shape);
  parallel_for(mask.numel(), pointwise_grain, [&](Index i, Index end) {
    for (; i < end; ++i) mask.data()[i] = holds(x.data()[i], y.data()[i]) ? 1 : 0;
  });
  return mask;
}
}  // namespace detail

// With broadcasting. They have no derivative and throw where an input requires one.
#define GAZE_COMPARISON(NAME, OP)                                         \
  template <class T>                                                      \
  Mask NAME(const Tensor<T>& a, const Tensor<T>& b) {                     \
    return detail::compare(#NAME, a, b, [](T x, T y) { return x OP y; }); \
  }
GAZE_COMPARISON(equal, ==)
GAZE_COMPARISON(not_equal, !=)
GAZE_COMPARISON(less, <)
GAZE_COMPARISON(less_equal, <=)
GAZE_COMPARISON(greater, >)
GAZE_COMPARISON(greater_equal, >=)
#undef GAZE_COMPARISON

namespace detail {
template <class T>
Tensor<T> choose(const char* op, const Mask& mask, const Tensor<T>& a, const Tensor<T>& b) {
  const Shape shape = broadcast(broadcast(mask.shape(), a.shape(), op), b.shape(), op);
  const auto m = stretched(mask, shape);
  const auto pick = [](const Mask& from, const T* yes, const T* no, T* out) {
    parallel_for(from.numel(), pointwise_grain, [&](Index i, Index end) {
      for (; i < end; ++i) out[i] = from.data()[i] ? yes ? yes[i] : T(0) : no ? no[i] : T(0);
    });
  };
  const auto x = stretched(a, shape), z = stretched(b, shape);
  Tensor<T> y(shape);
  pick(m, x.data(), z.data(), y.data());
  if (recorded(a, b))
    record(
        op, y,
        [pick, m = SavedIndices<Cpu>(op, m), to_a = a.node(), to_b = b.node()](const auto& dy) {
          for (const bool first : {true, false}) {
            const auto& to = first ? to_a : to_b;
            if (!to) continue;
            Tensor<T> g(dy.shape());
            pick(m.get(), first ? dy.data() : nullptr, first ? nullptr : dy.data(), g.data());
            add_unbroadcast(*to, std::move(g));
          }
        },
        a, b);
  return y;
}
}  // namespace detail

/// a where the mask holds, else b; all three broadcast. The gradient goes to the chosen one, and
/// what was not chosen may be infinite or NaN without spoiling it.
template <class T>
Tensor<T> where(const Mask& mask, const Tensor<T>& a, const Tensor<T>& b) {
  return detail::choose("where", mask, a, b);
}

/// x with `value` where the mask, which broadcasts to x, holds; no gradient flows from there.
template <class T>
Tensor<T> masked_fill(const Tensor<T>& x, const Mask& mask, std::type_identity_t<T> value) {
  GAZE_CHECK(broadcast(mask.shape(), x.shape(), "masked_fill") == x.shape(), "masked_fill", "mask ",
             mask.shape(), " for x ", x.shape());
  return detail::choose("masked_fill", mask, Tensor<T>::scalar(value), x);
}

}  // namespace gaze
