// SPDX-License-Identifier: MIT
// The reference policy of a KL term: a snapshot of the policy, updated or not, or the policy itself
// with its adapters off.
#pragma once
#include <functional>

#include "gaze/nn/parameters.hpp"

namespace gaze::rl {

/// reference <- alpha policy + (1 - alpha) reference, weight by weight (TR-DPO: Gorbatovski et al.
/// 2024). alpha = 1 takes a snapshot. Both must be the same model.
template <class T, class Device>
void synchronise(Parameters<T, Device>& reference, const Parameters<T, Device>& policy,
                 double alpha) {
  GAZE_CHECK(alpha >= 0 && alpha <= 1, "synchronise", "alpha must be in [0, 1], got ", alpha);
  reference.check_allocated("synchronise");
  policy.check_allocated("synchronise");
  auto& to = reference.packs();
  const auto& from = policy.packs();
  GAZE_CHECK(to.size() == from.size(), "synchronise", "the reference has ", to.size(),
             " packs of weights, the policy ", from.size());
  for (std::size_t i = 0; i < to.size(); ++i)
    GAZE_CHECK(to[i].name() == from[i].name() && to[i].size == from[i].size, "synchronise",
               "the reference's ", to[i].name(), " with ", to[i].size, " weights is not the ",
               "policy's ", from[i].name(), " with ", from[i].size);
  for (std::size_t i = 0; i < to.size(); ++i) {
    const T* p = from[i].values.data();
    T* r = to[i].values.data();
    if (alpha == 1) {
      Kernels<Device>::copy(to[i].size, p, r);
    } else {
      Kernels<Device>::scale(to[i].size, static_cast<T>(1 - alpha), r, r);
      Kernels<Device>::axpy(to[i].size, static_cast<T>(alpha), p, r);
    }
    to[i].values.changed();
  }
}

/// The source of reference log-probabilities. `adapters`, if set, is called with false before they
/// are computed and with true afterwards: a policy with LoRA (nn/lora.hpp) is then its own
/// reference, without a second set of weights.
template <class Policy>
struct Reference {
  const Policy* policy = nullptr;
  std::function<void(bool on)> adapters = {};

  /// A policy of its own weights; implicit. Null: none.
  Reference(const Policy* p = nullptr) : policy(p) {}  // implicit: a plain policy is a reference
  /// The trained policy itself with its adapters off.
  Reference(const Policy* p, std::function<void(bool)> switched)
      : policy(p), adapters(std::move(switched)) {}
};

/// Turns the reference's adapters off for its lifetime.
class AdaptersOff {
 public:
  /// Turns them off; nothing to do for an empty function.
  explicit AdaptersOff(const std::function<void(bool)>& adapters) : adapters_(adapters) {
    if (adapters_) adapters_(false);
  }
  /// Turns them on again.
  ~AdaptersOff() {
    if (adapters_) adapters_(true);
  }
  AdaptersOff(const AdaptersOff&) = delete;
  AdaptersOff& operator=(const AdaptersOff&) = delete;

 private:
  const std::function<void(bool)>& adapters_;
};

/// TRL's defaults of sync_ref_model: every 512 steps, alpha 0.6.
struct ReferenceSync {
  Index every = 0;  // steps; 0: never
  double alpha = 0.6;

  /// Throws an Error that names a setting out of range.
  void check() const {
    GAZE_CHECK(every >= 0 && alpha >= 0 && alpha <= 1, "grpo", "reference_sync.every ", every,
               " must be at least 0 and reference_sync.alpha ", alpha, " in [0, 1]");
  }
  /// Whether the reference follows after this many steps.
  bool due(Index steps_done) const {
    return every > 0 && steps_done > 0 && steps_done % every == 0;
  }
};

}  // namespace gaze::rl
