// SPDX-License-Identifier: MIT
// Layers: each declares its parameters and applies one operation.
#pragma once
#include "gaze/nn/parameters.hpp"
#include "gaze/ops/elementwise.hpp"
#include "gaze/ops/gemm.hpp"
#include "gaze/ops/rows.hpp"

namespace gaze {

/// y = x w^T (+ bias or residual); w [out, in] starts normal with standard deviation
/// gain / sqrt(in).
template <class T, class Device>
class Linear {
 public:
  /// Declares name.weight [out,in] and, with `bias`, name.bias [out].
  Linear(Parameters<T, Device>& all, const std::string& name, const std::string& part, Index in,
         Index out, bool bias, double gain = 1)
      : weight_(&all.add(name + ".weight", {out, in},
                         Init::normal(gain / std::sqrt(static_cast<double>(in))), part)),
        bias_(bias ? &all.add(name + ".bias", {out}, Init::zeros(), part) : nullptr) {}

  /// y [N,out] from x [N,in], plus the residual [N,out] if it is defined.
  Tensor<T, Device> operator()(const Tensor<T, Device>& x,
                               const Tensor<T, Device>& residual = {}) const {
    if (!bias_) return linear(x, weight_->weight(), {}, residual);
    const auto y = linear(x, weight_->weight(), bias_->value);
    return residual.defined() ? add(residual, y) : y;
  }

  /// Whether its product rounds to bf16.
  bool multiplies_in_bf16() const { return weight_->multiplied_in_bf16; }

 private:
  Parameter<T, Device>*weight_, *bias_;
};

/// RMS norm with a weight that starts at 1.
template <class T, class Device>
class RmsNorm {
 public:
  /// Declares name.weight [c].
  RmsNorm(Parameters<T, Device>& all, const std::string& name, const std::string& part, Index c,
          double eps)
      : weight_(&all.add(name + ".weight", {c}, Init::ones(), part)), eps_(static_cast<T>(eps)) {}

  /// y [N,c] from x [N,c].
  Tensor<T, Device> operator()(const Tensor<T, Device>& x) const {
    return rms_norm(x, weight_->value, eps_);
  }

 private:
  Parameter<T, Device>* weight_;
  T eps_;
};

/// Layer norm with a weight that starts at 1 and a bias that starts at 0.
template <class T, class Device>
class LayerNorm {
 public:
  /// Declares name.weight [c] and name.bias [c].
  LayerNorm(Parameters<T, Device>& all, const std::string& name, const std::string& part, Index c,
            double eps)
      : weight_(&all.add(name + ".weight", {c}, Init::ones(), part)),
        bias_(&all.add(name + ".bias", {c}, Init::zeros(), part)),
        eps_(static_cast<T>(eps)) {}

  /// y [N,c] from x [N,c].
  Tensor<T, Device> operator()(const Tensor<T, Device>& x) const {
    return layer_norm(x, weight_->value, bias_->value, eps_);
  }

 private:
  Parameter<T, Device>*weight_, *bias_;
  T eps_;
};

}  // namespace gaze
