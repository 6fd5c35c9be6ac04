// SPDX-License-Identifier: MIT
// The parameters of gelu_mlp (ops/gelu_mlp.hpp), named as two linear layers would be.
#pragma once
#include <cmath>

#include "gaze/nn/parameters.hpp"
#include "gaze/ops/elementwise.hpp"
#include "gaze/ops/gelu_mlp.hpp"
#include "gaze/ops/gemm.hpp"

namespace gaze {

/// down(gelu(up(x))), both layers with a bias; weights start normal with deviation 1 / sqrt(in),
/// down's times `gain`.
template <class T, class Device>
class GeluMlp {
 public:
  GeluMlp(Parameters<T, Device>& all, const std::string& name, const std::string& part, Index width,
          Index hidden, double gain = 1)
      : up_(&all.add(name + ".up.weight", {hidden, width}, normal(width, 1), part)),
        up_bias_(&all.add(name + ".up.bias", {hidden}, Init::zeros(), part)),
        down_(&all.add(name + ".down.weight", {width, hidden}, normal(hidden, gain), part)),
        down_bias_(&all.add(name + ".down.bias", {width}, Init::zeros(), part)) {}

  Tensor<T, Device> operator()(const Tensor<T, Device>& x) const {
    if (up_->rounded().defined()) {  // products of bf16 have no gelu in them
      const auto h = gelu(linear(x, up_->value, up_bias_->value, {}, up_->rounded()));
      return linear(h, down_->value, down_bias_->value, {}, down_->rounded());
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
