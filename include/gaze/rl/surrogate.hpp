// SPDX-License-Identifier: MIT
// The per-token parts of the policy loss: KL estimators and objectives of ratio and advantage.
//
// Each function returns a value and its gradient: its derivative times dy, the derivative of the
// loss with respect to that value.
#pragma once
#include <algorithm>
#include <cmath>

#include "gaze/rl/loss_settings.hpp"

namespace gaze::rl {

/// A value and dy times its derivative.
template <class T>
struct WithGrad {
  T value, grad;
};

/// KL(policy || reference) of a token from d = ref - lp and e = exp(d); the gradient is with
/// respect to lp. k1: -d; k2: d^2 / 2; k3: e^d - d - 1; absolute: |d|.
template <class T>
WithGrad<T> kl_estimate(T d, T e, KlEstimator estimator, T dy) {
  switch (estimator) {
    case KlEstimator::k1:
      return {-d, dy};
    case KlEstimator::k2:
      return {d * d * T(0.5), -(dy * d)};
    case KlEstimator::absolute:
      return {std::abs(d), d < 0 ? dy : d > 0 ? -dy : T(0)};
    case KlEstimator::k3:
      break;
  }
  return {e - d - T(1), dy - dy * e};
}

/// A token's KL term under the limits of the settings, on d and on the value; the gradient is 0
/// beyond a limit.
template <class T>
WithGrad<T> kl_term(T d, T e, const LossSettings& s, T dy) {
  const bool limited = std::abs(d) > static_cast<T>(s.kl_log_limit);
  const T inside = limited ? std::copysign(static_cast<T>(s.kl_log_limit), d) : d;
  auto y = kl_estimate(inside, e, s.estimator, dy);
  if (s.kl_k2_gradient) y.grad = -(dy * inside);
  if (limited) y.grad = 0;
  if (std::abs(y.value) > static_cast<T>(s.kl_limit))
    y = {std::copysign(static_cast<T>(s.kl_limit), y.value), s.kl_k2_gradient ? y.grad : T(0)};
  return y;
}

/// The objective of a token (to be maximised), with its gradients through the log-ratio l and with
/// respect to the log-probability directly.
template <class T>
struct Objective {
  T value, ratio_grad = 0, logp_grad = 0;
  bool dual = false;  // dual clip decided
  T weight = 1;       // of the log-probability, in `weighted` objectives
};

/// The clip interval [low, high] of the ratio.
template <class T>
struct ClipRange {
  T low, high;
  /// [1 - clip_low, 1 + clip_high], or the settings themselves as bounds.
  explicit ClipRange(const LossSettings& s)
      : low(static_cast<T>(s.bounds == Bounds::absolute ? s.clip_low : 1 - s.clip_low)),
        high(static_cast<T>(s.bounds == Bounds::absolute ? s.clip_high : 1 + s.clip_high)) {}
  T cut(T r) const { return std::min(std::max(r, low), high); }  ///< r limited to the interval
  bool holds(T r) const { return r >= low && r <= high; }        ///< whether r is in the interval
};

/// min(min(r, delta) A, clip(r) A), and at least dual_clip A where A < 0. dr/dl = r where the
/// branch that decides still depends on r.
template <class T>
Objective<T> clipped(T r, T a, const LossSettings& s, T dy) {
  const ClipRange<T> range(s);
  const T delta = static_cast<T>(s.delta), floor = static_cast<T>(s.dual_clip) * a;
  const bool above = delta > 0 && r > delta;
  const T plain = (above ? delta : r) * a, cut = range.cut(r) * a;
  Objective<T> y{std::min(plain, cut)};
  const bool depends = cut < plain ? range.holds(r) : !above;
  y.dual = s.dual_clip > 0 && a < 0 && y.value < floor;
  if (y.dual) y.value = floor;
  if (depends && !y.dual) y.ratio_grad = (dy * a) * r;
  return y;
}

/// w A lp, with a weight w that has no gradient.
template <class T>
Objective<T> weighted(T w, T logp, T a, T dy) {
  Objective<T> y{w * a * logp};
  y.logp_grad = dy * w * a;
  y.weight = w;
  return y;
}

/// (4 / tau) sigmoid(tau (r - 1)) A.
template <class T>
Objective<T> soft_gated(T r, T a, const LossSettings& s, T dy) {
  const T tau = static_cast<T>(a > 0 ? s.soft_positive : s.soft_negative);
  const T gate = T(1) / (T(1) + std::exp(-tau * (r - T(1))));
  Objective<T> y{T(4) / tau * gate * a};
  y.ratio_grad = dy * T(4) * gate * (T(1) - gate) * r * a;
  return y;
}

/// phi(w) = e^lambda w^k e^(-lambda w) of the sequence's w = e^l, so that phi(1) = 1.
template <class T>
T gamma_weight(T l, T a, const LossSettings& s) {
  const auto& [k, lambda] = a >= 0 ? s.gamma_positive : s.gamma_negative;
  const double log_w = std::max(static_cast<double>(l), std::log(1e-8));
  return static_cast<T>(std::exp(lambda + k * log_w - lambda * std::exp(log_w)));
}

/// Log-space clipping before the mean over a completion: min(d, high) where A > 0, max(d, -low)
/// where A < 0. The gradient is 1 or 0.
template <class T>
WithGrad<T> clipped_log_ratio(T d, T a, const LossSettings& s) {
  const T low = static_cast<T>(-s.clip_low), high = static_cast<T>(s.clip_high);
  if (a > 0 && d > high) return {high, 0};
  if (a <= 0 && d < low) return {low, 0};
  return {d, 1};
}

/// The objective selected by the settings.
template <class T>
Objective<T> objective(T l, T r, T logp, T a, const LossSettings& s, T dy) {
  switch (s.surrogate) {
    case Surrogate::weight:
      return weighted(ClipRange<T>(s).cut(r), logp, a, dy);
    case Surrogate::gamma:
      return weighted(gamma_weight(l, a, s), logp, a, dy);
    case Surrogate::soft:
      return soft_gated(r, a, s, dy);
    case Surrogate::log_clip:
      return {r * a, (dy * a) * r};
    case Surrogate::clip:
      break;
  }
  return clipped(r, a, s, dy);
}

}  // namespace gaze::rl
