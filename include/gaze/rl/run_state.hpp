// SPDX-License-Identifier: MIT
// State of a GRPO run beyond weights and moments, saved and restored with them: the reference that
// follows the policy, and the coefficient of the adaptive entropy bonus.
#pragma once
#include <charconv>
#include <optional>

#include "gaze/rl/grpo_settings.hpp"
#include "gaze/train/loop.hpp"

namespace gaze::rl {

/// State of a GRPO run besides the policy's: the reference that follows, the adaptive entropy.
template <class T, class Device = Cpu>
class RunState {
 public:
  /// `reference` may be null; it and `policy` must outlive the state.
  RunState(const GrpoSettings& s, Parameters<T, Device>* reference,
           const Parameters<T, Device>& policy)
      : sync_(s.reference_sync), reference_(reference), policy_(policy) {
    if (s.adaptive_entropy) adaptive_ = s.adaptive;
  }
  RunState(const RunState&) = delete;  // carried() refers to it
  RunState& operator=(const RunState&) = delete;

  /// Call before step number `done` (from 0): synchronises the reference when it is due. Doing so
  /// before a step, not after, makes the state saved after any step the right one to resume from.
  void begin_step(Index done) {
    if (reference_ && sync_.due(done)) synchronise(*reference_, policy_, sync_.alpha);
  }

  /// Null if the bonus is fixed.
  AdaptiveEntropy* adaptive() { return adaptive_ ? &*adaptive_ : nullptr; }

  /// The callbacks for RunFolder::carried (train/loop.hpp); this object must outlive them.
  CarriedState carried() {
    return {[this](TensorsToWrite& tensors, io::Metadata& m) { save(tensors, m); },
            [this](const io::SafetensorsFile& file) { restore(file); }};
  }

 private:
  bool follows() const { return reference_ && sync_.every > 0; }
  static std::string tensor_name(const Pack<T, Device>& pack) { return "reference." + pack.name(); }

  void save(TensorsToWrite& tensors, io::Metadata& m) const {
    if (follows())
      for (const auto& pack : reference_->packs()) tensors.add(tensor_name(pack), pack.values);
    if (!adaptive_) return;
    m["entropy_coefficient"] = exact_text(adaptive_->coefficient);
    m["entropy_last"] = exact_text(adaptive_->last);
  }

  void restore(const io::SafetensorsFile& file) {
    if (follows())
      for (auto& pack : reference_->packs()) read_tensor(file, tensor_name(pack), pack.values);
    if (!adaptive_) return;
    adaptive_->coefficient = exact_number(file, "entropy_coefficient");
    adaptive_->last = exact_number(file, "entropy_last");
  }

  /// The shortest text that reads back to the same bits; "inf" before the first update.
  static std::string exact_text(double value) {
    char text[32];
    return {text, std::to_chars(text, text + sizeof text, value).ptr};
  }
  static double exact_number(const io::SafetensorsFile& file, const std::string& key) {
    const std::string& text = saved_text(file, key);
    double value = 0;
    const char* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, value);
    GAZE_CHECK(read.ec == std::errc() && read.ptr == end && value >= 0, "resume", file.path(), ", ",
               key, ": not a number: '", text, "'");
    return value;
  }

  ReferenceSync sync_;
  Parameters<T, Device>* reference_;
  const Parameters<T, Device>& policy_;
  std::optional<AdaptiveEntropy> adaptive_;
};

}  // namespace gaze::rl
