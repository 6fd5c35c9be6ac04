// SPDX-License-Identifier: MIT
// Normalisation of rows: RMS norm (Zhang and Sennrich 2019) and layer norm (Ba et al. 2016).
#pragma once
#include "gaze/ops/views.hpp"

namespace gaze {

/// y = x / sqrt(mean(x^2) + eps) * weight, per row of x [N,C].
template <class T, class Device>
Tensor<T, Device> rms_norm(const Tensor<T, Device>& input, const Tensor<T, Device>& weight_input,
                           T eps) {
  using K = Kernels<Device>;
  using S = Saved<T, Device>;
  detail::check_defined("rms_norm", input, weight_input);
  GAZE_CHECK(input.rank() == 2 && weight_input.shape() == Shape({input.size(1)}), "rms_norm", "x ",
             input.shape(), ", weight ", weight_input.shape());
  const auto x = contiguous(input), weight = contiguous(weight_input);
  const Index n = x.size(0), c = x.size(1);
  Tensor<T, Device> y(x.shape()), inverse({n});
  K::rms_norm_forward(n, c, static_cast<const T*>(x.data()), static_cast<const T*>(weight.data()),
                      eps, y.data(), inverse.data());
  if (recorded(x, weight))
    record(
        "rms_norm", y,
        [n, c, x = S("rms_norm", x), weight = S("rms_norm", weight), inverse, to_x = x.node(),
         to_weight = weight.node()](const auto& dy) {
          Tensor<T, Device> unused;
          if (!to_x) unused = Tensor<T, Device>({n, c});
          const auto dx =
              to_x ? to_x->target() : typename GradNode<T, Device>::Target{unused.data(), false};
          T* const dweight = to_weight ? to_weight->accumulator() : nullptr;
          K::rms_norm_backward(n, c, x.data(), weight.data(), static_cast<const T*>(inverse.data()),
                               static_cast<const T*>(dy.data()), dx.data, dweight, dx.accumulate);
        },
        x, weight);
  return y;
}

/// y = (x - mean) / sqrt(variance + eps) * weight + bias, per row of x [N,C].
template <class T, class Device>
Tensor<T, Device> layer_norm(const Tensor<T, Device>& input, const Tensor<T, Device>& weight_input,
                             const Tensor<T, Device>& bias_input, T eps) {
  using K = Kernels<Device>;
  using S = Saved<T, Device>;
  detail::check_defined("layer_norm", input, weight_input, bias_input);
  GAZE_CHECK(input.rank() == 2 && weight_input.shape() == Shape({input.size(1)}) &&
                 bias_input.shape() == weight_input.shape(),
             "layer_norm", "x ", input.shape(), ", weight ", weight_input.shape(), ", bias ",
             bias_input.shape());
  const auto x = contiguous(input), weight = contiguous(weight_input);
  const auto bias = contiguous(bias_input);
  const Index n = x.size(0), c = x.size(1);
  Tensor<T, Device> y(x.shape()), mean({n}), inverse({n});
  K::layer_norm_forward(n, c, static_cast<const T*>(x.data()), static_cast<const T*>(weight.data()),
                        static_cast<const T*>(bias.data()), eps, y.data(), mean.data(),
                        inverse.data());
  if (recorded(x, weight, bias))
    record(
        "layer_norm", y,
        [n, c, x = S("layer_norm", x), weight = S("layer_norm", weight), mean, inverse,
         to_x = x.node(), to_weight = weight.node(), to_bias = bias.node()](const auto& dy) {
          Tensor<T, Device> unused;
          if (!to_x) unused = Tensor<T, Device>({n, c});
          const auto dx =
              to_x ? to_x->target() : typename GradNode<T, Device>::Target{unused.data(), false};
          K::layer_norm_backward(n, c, x.data(), weight.data(), static_cast<const T*>(mean.data()),
                                 static_cast<const T*>(inverse.data()),
                                 static_cast<const T*>(dy.data()), dx.data,
                                 to_weight ? to_weight->accumulator() : nullptr,
                                 to_bias ? to_bias->accumulator() : nullptr, dx.accumulate);
        },
        x, weight, bias);
  return y;
}

}  // namespace gaze
