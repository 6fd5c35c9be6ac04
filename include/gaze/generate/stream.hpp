// SPDX-License-Identifier: MIT
// One completion, token by token while it is generated.
#pragma once
#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "gaze/core/philox.hpp"
#include "gaze/generate/choice.hpp"

namespace gaze {

/// Samples one completion of a prompt and calls `use(token, logp)` for each token until one of
/// `ends`, which is passed too, max_tokens, or `use` returns false. The tokens are those of
/// rollout() with a group of one and the same random numbers. Returns whether an end was reached.
template <class Policy, class Use>
bool stream(const Policy& policy, const typename Policy::Prompt& prompt,
            const SamplingSettings& settings, std::span<const std::int32_t> ends,
            const Philox& random, std::uint64_t sample_id, auto watch, Use&& use) {
  settings.check();
  using Step = decltype(Policy::State::first);
  using T = typename decltype(Step::logits)::value_type;
  const typename Policy::Prompt* one = &prompt;
  auto state = policy.prefill(std::span<const typename Policy::Prompt* const>(&one, 1), 1,
                              settings.max_tokens, watch);
  std::vector<std::int32_t> seen = prompt.tokens, token;
  std::vector<T> logp;
  Step step = state.first;
  const std::int32_t only = 0;
  for (Index t = 0; t < settings.max_tokens; ++t) {
    detail::choose(
        step.logits, settings, random, std::span(&sample_id, 1), static_cast<std::uint64_t>(t),
        [&](std::size_t) { return seen; }, token, logp);
    const bool end = std::find(ends.begin(), ends.end(), token[0]) != ends.end();
    if (!use(token[0], static_cast<double>(logp[0])) || end) return end;
    seen.push_back(token[0]);
    if (t + 1 < settings.max_tokens) step = policy.decode(state, token, std::span(&only, 1), t);
  }
  return false;
}

}  // namespace gaze
