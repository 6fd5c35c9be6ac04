// SPDX-License-Identifier: MIT
// AdamW (Loshchilov and Hutter 2019) over parameter packs, with clipping by the global norm.
//
//   g <- g min(1, clip / |g|)
//   m <- beta1 m + (1 - beta1) g          v <- beta2 v + (1 - beta2) g^2
//   w <- w - rate (m' / (sqrt(v') + eps) + weight_decay w)
//
// with m' = m / (1 - beta1^t) and v' = v / (1 - beta2^t) at step t = 1, 2, ...
#pragma once
#include <cmath>
#include <utility>

#include "gaze/kernels/adamw.hpp"
#include "gaze/nn/parameters.hpp"

namespace gaze {

/// Settings of AdamW, one for all packs.
struct AdamWSettings {
  double beta1 = 0.9, beta2 = 0.98, eps = 1e-8, weight_decay = 0.01;
  double clip = 1;  // maximum gradient norm; 0: no clipping

  /// Throws an Error that names a setting out of range.
  void check() const {
    for (const auto& [name, beta] : {std::pair("beta1", beta1), std::pair("beta2", beta2)})
      GAZE_CHECK(beta >= 0 && beta < 1, "AdamW", name, " must be in [0, 1), got ", beta);
    GAZE_CHECK(std::isfinite(eps) && eps > 0, "AdamW", "eps must be finite and above 0, got ", eps);
    GAZE_CHECK(std::isfinite(weight_decay) && weight_decay >= 0, "AdamW",
               "the weight decay must be finite and at least 0, got ", weight_decay);
    GAZE_CHECK(std::isfinite(clip) && clip >= 0, "AdamW",
               "the clip norm must be finite and at least 0, got ", clip);
  }
};

/// AdamW (Loshchilov and Hutter 2019) over the trained packs, with clipping by the global norm.
template <class T, class Device = Cpu>
class AdamW {
 public:
  /// First and second moments of one pack, as float tensors of its size.
  struct Moments {
    Tensor<GradOf<T>, Device> first, second;
  };

  /// Moments of 0 for the packs that are trained now. Error: a setting out of range.
  AdamW(Parameters<T, Device>& parameters, AdamWSettings settings)
      : parameters_(parameters), settings_(settings) {
    settings_.check();
    parameters_.check_allocated("AdamW");
    for (const auto& pack : parameters_.packs()) {
      Moments& m = moments_.emplace_back();
      if (!pack.trained) continue;
      m.first = Tensor<GradOf<T>, Device>::zeros({pack.size});
      m.second = Tensor<GradOf<T>, Device>::zeros({pack.size});
    }
  }

  /// One step at this learning rate, which clears the gradients. Returns the gradient norm before
  /// clipping. Throws, before it changes anything, if norm or rate is not finite.
  double step(double learning_rate) {
    using G = GradOf<T>;
    GAZE_CHECK(learning_rate >= 0 && std::isfinite(static_cast<G>(learning_rate)), "AdamW",
               "the learning rate must be finite and at least 0, got ", learning_rate, " at step ",
               steps_);
    parameters_.check_reached();
    const double norm = parameters_.gradient_norm();
    GAZE_CHECK(std::isfinite(norm), "AdamW", "the gradient's norm is ", norm, " at step ", steps_);
    for (std::size_t i = 0; i < moments_.size(); ++i)
      GAZE_CHECK(!parameters_.packs()[i].trained || moments_[i].first.defined(), "AdamW",
                 parameters_.packs()[i].name(), " was not trained when the optimiser was made");
    ++steps_;
    const double scale = settings_.clip > 0 && norm > settings_.clip ? settings_.clip / norm : 1;
    for (std::size_t i = 0; i < moments_.size(); ++i) {
      auto& pack = parameters_.packs()[i];
      if (!pack.trained) continue;
      const AdamWStep<G> s{static_cast<G>(learning_rate), static_cast<G>(settings_.beta1),
                           static_cast<G>(settings_.beta2), static_cast<G>(settings_.eps),
                           static_cast<G>(pack.decayed ? settings_.weight_decay : 0)};
      Kernels<Device>::adamw_step(args::AdamW<G>{.n = pack.size,
                                                 .param = pack.values.data(),
                                                 .grad = pack.gradients.data(),
                                                 .m = moments_[i].first.data(),
                                                 .v = moments_[i].second.data(),
                                                 .settings = s,
                                                 .bias_correction1 = correction(settings_.beta1),
                                                 .bias_correction2 = correction(settings_.beta2),
                                                 .grad_scale = static_cast<G>(scale)});
      pack.values.changed();
    }
    parameters_.clear_gradients();
    return norm;
  }

  Index steps() const { return steps_; }           ///< taken so far
  void set_steps(Index steps) { steps_ = steps; }  ///< of a resumed run
  /// One per pack, undefined where not trained.
  std::vector<Moments>& moments() { return moments_; }

 private:
  GradOf<T> correction(double beta) const {
    return static_cast<GradOf<T>>(1 - std::pow(beta, static_cast<double>(steps_)));
  }

  Parameters<T, Device>& parameters_;
  AdamWSettings settings_;
  std::vector<Moments> moments_;
  Index steps_ = 0;
};

}  // namespace gaze
