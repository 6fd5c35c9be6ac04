// SPDX-License-Identifier: MIT
// The products of a weight's low-rank adapters (LoRA, Hu et al. 2021, arXiv 2106.09685).
//
// The rows of a weight [O, C] are stacked parts, of which some have an adapter: A [r, C] and
// B [rows of the part, r]. Each adds to its columns of y: y_p += factor (x A^T) B^T. With the A of
// all parts below each other, z = factor x A^T [N, R] is one product, and the others lie within z
// and y, so that nothing of the size of y is copied.
//   dB = dy_p^T z_p, dz_p = dy_p B, dA = factor dz^T x, dx += factor dz A.
#pragma once
#include <algorithm>
#include <cstddef>
#include <vector>

#include "gaze/ops/multiply.hpp"
#include "gaze/ops/views.hpp"

namespace gaze {

/// The adapters of a weight [O, C]: `down`, the A of all adapted parts [R, C], and of each part its
/// B [rows, r] and the weight's row where it begins.
template <class T, class Device>
struct LowRank {
  Tensor<T, Device> down;
  std::vector<Tensor<T, Device>> up;
  std::vector<Index> first;
  T factor = T(1);
};

namespace detail {

template <class T, class Device>
class LowRankProducts {
 public:
  using Target = typename GradNode<T, Device>::Target;

  /// None: forward() and backward() do nothing.
  LowRankProducts() = default;

  /// x [N,C] is contiguous; o: rows of the weight.
  LowRankProducts(const char* op, const Tensor<T, Device>& x, const LowRank<T, Device>& a, Index o)
      : n_(x.size(0)), c_(x.size(1)), o_(o), first_(a.first), factor_(a.factor) {
    check(op, a);
    inputs_.push_back(contiguous(a.down));
    for (const auto& up : a.up) inputs_.push_back(contiguous(up));
    for (const auto& input : inputs_) saved_.emplace_back(op, input);
    x_ = {op, x};
    Tensor<T, Device> z({n_, rank()});
    multiply<Device>(n_, rank(), c_, Operand{x.data(), c_}, {saved_[0].data(), c_, true}, z.data(),
                     false);
    Kernels<Device>::scale(z.numel(), factor_, z.data(), z.data());
    z_ = z;
  }

  bool needs_grad() const {
    return std::any_of(inputs_.begin(), inputs_.end(),
                       [](const auto& t) { return t.needs_grad(); });
  }
  /// A and every B.
  const std::vector<Tensor<T, Device>>& inputs() const { return inputs_; }

  /// Adds to y [N,O].
  void forward(T* y) const {
    each_part([&](std::size_t i, Index at, Index rows, Index r) {
      const T* const z = z_.data();
      multiply<Device>(n_, rows, r, Operand{z + at, rank()}, {saved_[i].data(), r, true},
                       y + first_[i - 1], true, nullptr, o_);
    });
  }

  /// Adds to the gradients of A and every B, and to dx [N,C] if it has data; dy [N,O].
  void backward(const T* dy, const Target& dx) const {
    if (inputs_.empty()) return;
    const T* const z = z_.data();
    Tensor<T, Device> dz(z_.shape());
    each_part([&](std::size_t i, Index at, Index rows, Index r) {
      const T* const g = dy + first_[i - 1];
      if (const auto& to = inputs_[i].node()) {
        const Target t = to->target();
        multiply<Device>(rows, r, n_, Operand{g, o_, true}, {z + at, rank()}, t.data, t.accumulate);
      }
      multiply<Device>(n_, r, rows, Operand{g, o_}, {saved_[i].data(), r}, dz.data() + at, false,
                       nullptr, rank());
    });
    Kernels<Device>::scale(dz.numel(), factor_, dz.data(), dz.data());
    const Operand<T> across(dz.data(), rank(), true), along(dz.data(), rank());
    if (const auto& to = inputs_[0].node()) {
      const Target t = to->target();
      multiply<Device>(rank(), c_, n_, across, {x_.data(), c_}, t.data, t.accumulate);
    }
    if (dx.data)
      multiply<Device>(n_, c_, rank(), along, {saved_[0].data(), c_}, dx.data, dx.accumulate);
  }

 private:
  Index rank() const { return inputs_[0].size(0); }

  /// use(number of B in inputs_, first column of its part in z, rows, rank).
  template <class Use>
  void each_part(const Use& use) const {
    Index at = 0;
    for (std::size_t i = 1; i < inputs_.size(); ++i) {
      use(i, at, inputs_[i].size(0), inputs_[i].size(1));
      at += inputs_[i].size(1);
    }
  }

  void check(const char* op, const LowRank<T, Device>& a) const {
    check_defined(op, a.down);
    Index ranks = 0;
    GAZE_CHECK(a.up.size() == a.first.size() && !a.up.empty(), op, a.up.size(), " B of ",
               a.first.size(), " adapted parts");
    for (std::size_t i = 0; i < a.up.size(); ++i) {
      check_defined(op, a.up[i]);
      GAZE_CHECK(a.up[i].rank() == 2 && a.first[i] >= 0 && a.first[i] + a.up[i].size(0) <= o_, op,
                 "B ", a.up[i].shape(), " at row ", a.first[i], " of a weight with ", o_, " rows");
      ranks += a.up[i].size(1);
    }
    GAZE_CHECK(a.down.shape() == Shape({ranks, c_}), op, "A ", a.down.shape(), " for x [N,", c_,
               "] and B of ranks that sum to ", ranks);
  }

  Index n_ = 0, c_ = 0, o_ = 0;
  std::vector<Index> first_;
  T factor_ = T(1);
  std::vector<Tensor<T, Device>> inputs_;
  std::vector<Saved<T, Device>> saved_;
  Saved<T, Device> x_;
  Tensor<T, Device> z_;
};

}  // namespace detail

}  // namespace gaze
