// SPDX-License-Identifier: MIT
// The three products of y = x w^T, in the type of the values or of operands rounded to bf16.
//
// With rounded operands, sums and gradients stay float32; the derivative of rounding is the
// identity, as usual in mixed-precision training. x is then kept for backward in half the size.
#pragma once
#include <optional>
#include <type_traits>
#include <utility>

#include "gaze/core/bf16.hpp"
#include "gaze/ops/low_rank.hpp"
#include "gaze/ops/multiply.hpp"
#include "gaze/ops/views.hpp"

namespace gaze {

/// A weight [O, C] of y = x w^T. With `rounded`, its values in bf16, x and dy are rounded too, and
/// `value` is only there to be trained: a frozen weight may be held in bf16 alone. The products of
/// its adapters are of T in any case.
template <class T, class Device>
struct Weight {
  Tensor<T, Device> value;
  Tensor<bf16, Device> rounded;
  std::optional<LowRank<T, Device>> low_rank = {};

  /// Values, and their rounding if products round; implicit, so that a tensor is a weight.
  Weight(Tensor<T, Device> values, Tensor<bf16, Device> in_bf16 = {})  // implicit
      : value(std::move(values)), rounded(std::move(in_bf16)) {}

  /// Whether it has values of either type.
  bool defined() const { return value.defined() || rounded.defined(); }
  /// For operations that know no adapters.
  void refuse_adapters(const char* op) const {
    GAZE_CHECK(!low_rank, op, "a weight of shape ", shape(), " has adapters, which have no effect");
  }
  /// [O, C]
  const Shape& shape() const { return value.defined() ? value.shape() : rounded.shape(); }
  Index size(int axis) const { return shape()[axis]; }  ///< O or C
};

namespace detail {

template <class T, class Device>
class WeightProducts {
 public:
  /// x [N,C] and w [O,C], both contiguous.
  WeightProducts(const char* op, const Tensor<T, Device>& x, const Weight<T, Device>& w)
      : c_(x.size(1)), o_(w.size(0)), is_rounded_(w.rounded.defined()) {
    GAZE_CHECK(!is_rounded_ || w.rounded.shape() == w.shape(), op, "weight ", w.shape(),
               ", rounded to ", w.rounded.shape());
    if constexpr (std::is_same_v<T, float>) {
      if (is_rounded_) {
        rounded_x_ = {op, round(x.shape(), x.data())};
        rounded_w_ = {op, w.rounded};
        return;
      }
    }
    GAZE_CHECK(!is_rounded_, op, "products of bf16 are for float32 values");
    x_ = {op, x};
    w_ = {op, w.value};
  }

  /// y[rows,O] = start + x[at.., C] w^T; start as in args::Gemm.
  void forward(Index at, Index rows, T* y, bool accumulate, const T* bias = nullptr) const {
    const auto product = [&](const auto* x, const auto* w) {
      multiply<Device>(rows, o_, c_, Operand{x + at * c_, c_}, {w, c_, true}, y, accumulate, bias);
    };
    if constexpr (std::is_same_v<T, float>)
      if (is_rounded_) return product(rounded_x_.data(), rounded_w_.data());
    product(x_.data(), w_.data());
  }

  /// Gradients from dy[rows,O] of the rows from `at` on: dx[at.., C] = dy w and dw = dy^T x, or +=
  /// if the target accumulates. A target without data is skipped.
  using Target = typename GradNode<T, Device>::Target;
  void backward(Index at, Index rows, const T* dy, const Target& dx, const Target& dw) const {
    const auto products = [&](const auto* g, const auto* x, const auto* w) {
      if (dw.data)
        multiply<Device>(o_, c_, rows, Operand{g, o_, true}, {x + at * c_, c_}, dw.data,
                         dw.accumulate);
      if (dx.data)
        multiply<Device>(rows, c_, o_, Operand{g, o_}, {w, c_}, dx.data + at * c_, dx.accumulate);
    };
    if constexpr (std::is_same_v<T, float>)
      if (is_rounded_) {
        const auto g = round(Shape({rows, o_}), dy);
        return products(g.data(), rounded_x_.data(), rounded_w_.data());
      }
    products(dy, x_.data(), w_.data());
  }

 private:
  static Tensor<bf16, Device> round(const Shape& shape, const T* x) {
    Tensor<bf16, Device> y(shape);
    Kernels<Device>::cast(y.numel(), x, y.data());
    return y;
  }

  Index c_, o_;
  bool is_rounded_;
  Saved<T, Device> x_, w_;
  Saved<bf16, Device> rounded_x_, rounded_w_;
};

}  // namespace detail

}  // namespace gaze
