// SPDX-License-Identifier: MIT
// The MLP layer of gelu_mlp (ops/gelu_mlp.hpp), with parameters named like two linear layers.
#pragma once
#include <cmath>

#include "gaze/nn/parameters.hpp"
#include "gaze/ops/elementwise.hpp"
#include "gaze/ops/gelu_mlp.hpp"
#include "gaze/ops/gemm.hpp"

namespace gaze {

/// down(gelu(up(x))), both layers with a bias. Weights start normal with standard deviation
/// 1 / sqrt(in), times `gain` for down.
template <class T, class Device>
class GeluMlp {
 public:
  /// Declares name.up.weight [hidden,width], name.up.bias, name.down.weight and name.down.bias.
  GeluMlp(Parameters<T, Device>& all, const std::string& name, const std::string& part, Index width,
          Index hidden, double gain = 1)
      : up_(&all.add(name + ".up.weight", {hidden, width}, normal(width, 1), part)),
        up_bias_(&all.add(name + ".up.bias", {hidden}, Init::zeros(), part)),
        down_(&all.add(name + ".down.weight", {width, hidden}, normal(hidden, gain), part)),
        down_bias_(&all.add(name + ".down.bias", {width}, Init::zeros(), part)) {}

  /// Y [N,width] from x [N,width].
  Tensor<T, Device> operator()(const Tensor<T, Device>& x) const {
    // Products of bf16 and those of adapters have no fused gelu.
    if (up_->rounded().defined() || up_->adapted() || down_->adapted()) {
      const auto h = gelu(linear(x, up_->weight(), up_bias_->value));
      return linear(h, down_->weight(), down_bias_->value);
    }
    return gelu_mlp(x, up_->value, up_bias_->value, down_->value, down_bias_->value);
  }

 private:
  static Init normal(Index in, double gain) {
    return Init::normal(gain / std::sqrt(static_cast<double>(in)));
  }

  Parameter<T, Device>*up_, *up_bias_, *down_, *down_bias_;
};

}  // namespace gaze
