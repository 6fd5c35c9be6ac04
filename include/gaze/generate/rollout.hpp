// SPDX-License-Identifier: MIT
// Rollouts: completions sampled from a policy with a key-value cache, without padding.
//
// A policy provides prefill() and decode() (see models/vlm.hpp). Completions that have ended leave
// the batch; by the engine's contract this changes no bit of the others.
#pragma once
#include <numeric>
#include <span>

#include "gaze/generate/choice.hpp"
#include "gaze/generate/device_rollout.hpp"
#include "gaze/ops/rows.hpp"

namespace gaze {

namespace detail {

/// A rollout that chooses tokens on the host. Completion i belongs to prompt i / group and starts
/// from row i / group of state.first; its random numbers are keyed by sample[i].
template <class Policy>
class HostRollout {
 public:
  using Step = decltype(Policy::State::first);
  using T = typename decltype(Step::logits)::value_type;
  using Device = typename decltype(Step::logits)::device_type;

  HostRollout(const Policy& policy, typename Policy::State& state,
              std::span<const typename Policy::Prompt* const> prompts, Index group,
              const SamplingSettings& settings, const Philox& random,
              const std::vector<std::uint64_t>& sample)
      : policy_(policy),
        state_(state),
        prompts_(prompts),
        group_(static_cast<std::size_t>(group)),
        settings_(settings),
        random_(random),
        sample_(sample),
        out_(sample.size()),
        active_(sample.size()) {
    std::iota(active_.begin(), active_.end(), 0);
  }

  std::vector<SampledTokens> run(const EndTokens& ends) {
    if (active_.empty()) return {};
    Step step = first_step();  // row i of a step is of completion active_[i]
    std::vector<std::int32_t> token;
    std::vector<T> logp;
    for (Index t = 0; !active_.empty(); ++t) {
      std::vector<std::uint64_t> sample;
      for (const std::int32_t a : active_) sample.push_back(sample_[static_cast<std::size_t>(a)]);
      choose(
          step.logits, settings_, random_, sample, static_cast<std::uint64_t>(t),
          [this](std::size_t i) { return tokens_seen(i); }, token, logp);
      const auto fed = append(token, logp, step.seen, t, ends);
      if (!active_.empty()) step = policy_.decode(state_, fed, active_, t);
    }
    return std::move(out_);
  }

 private:
  /// The prefill's step with each prompt's row repeated for its group.
  Step first_step() const {
    const Step& first = state_.first;
    const auto width = static_cast<std::ptrdiff_t>(first.seen.size()) /
                       static_cast<std::ptrdiff_t>(prompts_.size());
    std::vector<std::int32_t> rows;
    Step out;
    for (std::size_t i = 0; i < out_.size(); ++i) {
      const std::size_t row = i / group_;
      rows.push_back(static_cast<std::int32_t>(row));
      const auto seen = first.seen.begin() + static_cast<std::ptrdiff_t>(row) * width;
      out.seen.insert(out.seen.end(), seen, seen + width);
    }
    const auto n = static_cast<Index>(rows.size());
    out.logits = gather_rows(first.logits, Indices<Device>::from({n}, rows));
    return out;
  }

  /// The tokens that the repetition penalty acts on for active_[i]: of the prompt and its own.
  std::vector<std::int32_t> tokens_seen(std::size_t i) const {
    const auto completion = static_cast<std::size_t>(active_[i]);
    std::vector<std::int32_t> seen = prompts_[completion / group_]->tokens;
    const auto& own = out_[completion].tokens;
    seen.insert(seen.end(), own.begin(), own.end());
    return seen;
  }

  /// Appends token number t to the active completions. Those that have ended or are full become
  /// inactive; returns the tokens to feed for the others.
  std::vector<std::int32_t> append(const std::vector<std::int32_t>& token,
                                   const std::vector<T>& logp, const std::vector<float>& seen,
                                   Index t, const EndTokens& ends) {
    const std::size_t width = seen.size() / active_.size();
    std::vector<std::int32_t> remaining, fed;
    for (std::size_t i = 0; i < active_.size(); ++i) {
      SampledTokens& c = out_[static_cast<std::size_t>(active_[i])];
      c.tokens.push_back(token[i]);
      c.logp.push_back(static_cast<float>(logp[i]));
      const auto from = seen.begin() + static_cast<std::ptrdiff_t>(width * i);
      c.seen.insert(c.seen.end(), from, from + static_cast<std::ptrdiff_t>(width));
      c.ended = ends.contains(token[i]);
      if (c.ended || t + 1 == settings_.max_tokens) continue;
      remaining.push_back(active_[i]);
      fed.push_back(token[i]);
    }
    active_ = std::move(remaining);
    return fed;
  }

  const Policy& policy_;
  typename Policy::State& state_;
  std::span<const typename Policy::Prompt* const> prompts_;
  std::size_t group_;
  const SamplingSettings& settings_;
  const Philox& random_;
  const std::vector<std::uint64_t>& sample_;
  std::vector<SampledTokens> out_;
  std::vector<std::int32_t> active_;  // completions that have not ended
};

}  // namespace detail

/// `group` completions of each prompt, prompt by prompt. Completion g of prompt p draws its random
/// numbers at sample_ids[p] * group + g, so they do not depend on the rest of the batch.
template <class Policy>
std::vector<SampledTokens> rollout(const Policy& policy,
                                   std::span<const typename Policy::Prompt* const> prompts,
                                   Index group, const SamplingSettings& settings,
                                   const EndTokens& ends, const Philox& random,
                                   std::span<const std::uint64_t> sample_ids, auto watch) {
  settings.check();
  GAZE_CHECK(group > 0 && sample_ids.size() == prompts.size(), "rollout", prompts.size(),
             " prompts, ", sample_ids.size(), " sample ids, group ", group);
  checked_int32("rollout", "the number of completions",
                checked_product("rollout", static_cast<Index>(prompts.size()), group), kMostKeys);
  std::vector<std::uint64_t> sample;
  for (const std::uint64_t id : sample_ids)
    for (Index g = 0; g < group; ++g)
      sample.push_back(id * static_cast<std::uint64_t>(group) + static_cast<std::uint64_t>(g));
  auto state = policy.prefill(prompts, group, settings.max_tokens, watch);
  using Host = detail::HostRollout<Policy>;
  if constexpr (!std::is_same_v<typename Host::Device, Cpu>)
    if (detail::drawn_on_device(settings))
      return detail::DeviceRollout<Policy>(policy, state, group, settings, random, sample)
          .run(ends);
  return Host(policy, state, prompts, group, settings, random, sample).run(ends);
}

}  // namespace gaze
