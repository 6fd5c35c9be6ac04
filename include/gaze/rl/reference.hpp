// SPDX-License-Identifier: MIT
// The reference policy of a KL term: a snapshot of the policy, which may follow it, or the policy
// itself with its adapters off.
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

/// Where reference log-probabilities come from. `adapters`, where it is given, is called with
/// false before the policy is asked and with true afterwards: a policy with LoRA (nn/lora.hpp) is
/// its own reference then, without a second set of weights.
template <class Policy>
struct Reference {
  const Policy* policy = nullptr;
  std::function<void(bool on)> adapters = {};

  Reference(const Policy* p = nullptr) : policy(p) {}  // implicit: a plain policy is a reference
  Reference(const Policy* p, std::function<void(bool)> switched)
      : policy(p), adapters(std::move(switched)) {}
};

/// While it lives, the reference's adapters are off.
class AdaptersOff {
 public:
  explicit AdaptersOff(const std::function<void(bool)>& adapters) : adapters_(adapters) {
    if (adapters_) adapters_(false);
  }
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
  Index every = 0;  // steps; 0: the reference stays as it is
  double alpha = 0.6;

  void check() const {
    GAZE_CHECK(every >= 0 && alpha >= 0 && alpha <= 1, "grpo", "synchronising every ", every,
               " steps with alpha ", alpha, ", which must be in [0, 1]");
  }
  bool due(Index steps_done) const {
    return every > 0 && steps_done > 0 && steps_done % every == 0;
  }
};

}  // namespace gaze::rl
