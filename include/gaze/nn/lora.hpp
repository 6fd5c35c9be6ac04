// SPDX-License-Identifier: MIT
// LoRA (Hu et al. 2021): a small trained correction beside a weight that stays as it is.
//
//   Linear<float, Cpu> up(all, "up", "base", 256, 1024, false);
//   Lora<float, Cpu> adapter(all, "up", "lora", 256, 1024, 8, 16);
//   all.allocate(seed);
//   all.train_only({"lora"});
//   auto y = adapter(x, up(x));      // x W^T + (alpha / rank) (x A^T) B^T
#pragma once
#include "gaze/nn/parameters.hpp"
#include "gaze/ops/elementwise.hpp"
#include "gaze/ops/gemm.hpp"

namespace gaze {

/// A [rank, in] starts normal with deviation 1 / sqrt(in), B [out, rank] with zeros, so that
/// nothing changes before the first step. As a part of its own, the adapter can be trained alone.
template <class T, class Device>
class Lora {
 public:
  Lora(Parameters<T, Device>& all, const std::string& name, const std::string& part, Index in,
       Index out, Index rank, double alpha)
      : down_(&all.add(name + ".lora_a", {rank, in},
                       Init::normal(1 / std::sqrt(static_cast<double>(in))), part)),
        up_(&all.add(name + ".lora_b", {out, rank}, Init::zeros(), part)),
        factor_(static_cast<T>(alpha / static_cast<double>(rank))) {
    GAZE_CHECK(rank > 0, "Lora", name, ": the rank must be above 0, got ", rank);
  }

  /// y + (alpha / rank) (x A^T) B^T for y [N, out], what the weight made of x [N, in]; y itself
  /// while switched off.
  Tensor<T, Device> operator()(const Tensor<T, Device>& x, const Tensor<T, Device>& y) const {
    if (!enabled_) return y;
    return linear(scale(linear(x, down_->value), factor_), up_->value, {}, y);
  }

  /// Off, the layer is its weight alone: for a reference policy without a second model. Parameters
  /// that are trained meanwhile get no gradient, which the optimiser reports by name.
  void enable(bool on) { enabled_ = on; }
  bool enabled() const { return enabled_; }

  /// (alpha / rank) B A [out, in]: what to add to the weight to do without the adapter.
  Tensor<T, Device> delta() const { return scale(matmul(up_->value, down_->value), factor_); }

 private:
  Parameter<T, Device>*down_, *up_;
  T factor_;
  bool enabled_ = true;
};

}  // namespace gaze
