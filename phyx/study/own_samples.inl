// SPDX-License-Identifier: MIT
// Sampling a warm start's own answers, on any device.
#pragma once
#include <algorithm>
#include <span>

#include "gaze/core/arithmetic.hpp"
#include "gaze/generate/rollout.hpp"
#include "phyx/eval/attempt.hpp"
#include "phyx/study/own_samples.hpp"
#include "phyx/study/task.inl"

namespace gaze::phyx {

template <class Device>
OwnSamples draw_own_samples(const Model<Device>& model, const PhyxTask<Device>& source,
                            const AblationSettings& own, std::uint64_t seed,
                            const Listener& listener) {
  const Index all = own.rft.prompts > 0 ? own.rft.prompts : own.grpo.prompts * own.grpo_steps;
  const Index group = own.rft.samples > 0 ? own.rft.samples : own.grpo.group;
  const Philox random(seed, Purpose::sampling);
  const Index before = arithmetic();
  OwnSampleFilter filter(own.rft.keep);
  OwnSamples out;
  for (Index step = 0; out.prompts < all; ++step) {
    const auto prompts = source.prompts(step, 0, std::min(own.grpo.prompts, all - out.prompts));
    std::vector<const models::Prompt*> pointers;
    std::vector<std::uint64_t> ids;
    for (const auto& p : prompts) {
      pointers.push_back(p.prompt);
      ids.push_back(p.id);
    }
    const auto done =
        rollout(model, std::span<const models::Prompt* const>(pointers), group, own.grpo.sampling,
                source.codec().ends(), random, ids, models::Watch::nothing);
    for (std::size_t i = 0; i < done.size(); ++i) {
      const std::size_t index = prompts[i / static_cast<std::size_t>(group)].index;
      const Example& e = source.examples()[index];
      const auto c = source.codec().completion(done[i], e.prompt);
      filter.take(index, e.problem, done[i].tokens, c, out);
    }
    out.prompts += static_cast<Index>(prompts.size());
    out.sampled += static_cast<Index>(done.size());
    if (listener.progress)
      listener.progress(static_cast<std::size_t>(out.prompts), static_cast<std::size_t>(all),
                        "problems sampled");
    if (listener.stop && listener.stop()) throw Interrupted("stopped while sampling");
  }
  out.arithmetic = arithmetic() - before;
  return out;
}

}  // namespace gaze::phyx
