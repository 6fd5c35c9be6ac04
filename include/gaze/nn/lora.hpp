// SPDX-License-Identifier: MIT
// LoRA (Hu et al. 2021): a small trained correction of a frozen weight.
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

/// A [rank, in] starts normal with standard deviation 1 / sqrt(in), B [out, rank] as zeros, so that
/// the output is unchanged before the first step. With its own part, the adapter can be trained
/// alone.
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

  /// y + (alpha / rank) (x A^T) B^T, with y [N, out] the weight's output for x [N, in]; y while
  /// disabled.
  Tensor<T, Device> operator()(const Tensor<T, Device>& x, const Tensor<T, Device>& y) const {
    if (!enabled_) return y;
    return linear(scale(linear(x, down_->value), factor_), up_->value, {}, y);
  }

  /// Off, only the frozen weight acts: for a reference policy without a second model. In training,
  /// the optimiser then reports the adapter's parameters as having no gradient.
  void enable(bool on) { enabled_ = on; }
  bool enabled() const { return enabled_; }

  /// (alpha / rank) B A [out, in]: add it to the weight to merge the adapter.
  Tensor<T, Device> delta() const { return scale(matmul(up_->value, down_->value), factor_); }

 private:
  Parameter<T, Device>*down_, *up_;
  T factor_;
  bool enabled_ = true;
};

}  // namespace gaze
