// SPDX-License-Identifier: MIT
// Rollouts: completions sampled from a policy with a key-value cache, without padding.
//
// A policy offers prefill() and decode() (see models/vlm.hpp). Completions that have ended leave
// the batch; by the engine's contract that changes no bit of the others.
#pragma once
#include <span>

#include "gaze/core/parallel.hpp"
#include "gaze/core/philox.hpp"
#include "gaze/cpu/kernels.hpp"
#include "gaze/generate/device_rollout.hpp"

namespace gaze {

namespace detail {

/// Log-probabilities and choices for each row of logits; `sample[i]` and `position` address the
/// random numbers; tokens_seen(i) is asked only when there is a repetition penalty. The statistics
/// are the device's, as in logprobs(); tokens are drawn by the processor.
template <class T, class Device>
void choose(const Tensor<T, Device>& logits, const SamplingSettings& s, const Philox& random,
            std::span<const std::uint64_t> sample, std::uint64_t position, const auto& tokens_seen,
            std::vector<std::int32_t>& token, std::vector<T>& logp) {
  const Index n = logits.size(0), v = logits.size(1);
  checked_int32("rollout", "the size of the vocabulary", v);
  const T inverse = s.greedy ? T(1) : T(1) / static_cast<T>(s.temperature);  // as logprobs() does
  Tensor<T, Device> chosen({n}), entropy({n}), total({n});
  const auto stats = [&] {
    const auto target = Indices<Device>::from({n}, token);
    Kernels<Device>::softmax_stats(args::SoftmaxStats<T>{.n = n,
                                                         .v = v,
                                                         .logits = logits.data(),
                                                         .stride = v,
                                                         .inv_temperature = inverse,
                                                         .target = target.data(),
                                                         .logp = chosen.data(),
                                                         .entropy = entropy.data(),
                                                         .lse = total.data()});
  };
  token.assign(static_cast<std::size_t>(n), -1);
  std::vector<T> lse;
  if (!s.greedy) {
    stats();
    lse = total.to_vector();
  }
  const auto host = logits.host();
  parallel_for(n, 8, [&](Index begin, Index end) {
    std::vector<T> p(static_cast<std::size_t>(v));
    std::vector<float> weights(p.size());
    for (Index i = begin; i < end; ++i) {
      const auto r = static_cast<std::size_t>(i);
      const T* row = host.data() + i * v;
      if (s.greedy) {
        token[r] = static_cast<std::int32_t>(std::max_element(row, row + v) - row);
        continue;
      }
      if (s.repetition_penalty != 1) {
        const std::vector<double> wide(row, row + v);
        const auto filtered = filtered_probabilities(wide, s, tokens_seen(r));
        std::transform(filtered.begin(), filtered.end(), weights.begin(),
                       [](double x) { return static_cast<float>(x); });
      } else {
        for (std::size_t j = 0; j < p.size(); ++j) p[j] = row[j] * inverse - lse[r];
        using Host = Kernels<typename Tensor<T, Cpu>::device_type>;
        Host::unary_forward(
            args::UnaryForward<T>{.op = UnaryOp::exp, .n = v, .x = p.data(), .y = p.data()});
        std::copy(p.begin(), p.end(), weights.begin());
      }
      token[r] = draw(weights, random.uniform(sample[r], position), s);
    }
  });
  stats();
  logp = chosen.to_vector();
  for (const T value : logp) check_logp(static_cast<double>(value));
}

}  // namespace detail

/// `group` completions of each prompt, prompt by prompt. Completion g of prompt p draws its random
/// numbers at sample_ids[p] * group + g, so they do not depend on what else is in the batch.
template <class Policy>
std::vector<Completion> rollout(const Policy& policy,
                                std::span<const typename Policy::Prompt* const> prompts,
                                Index group, const SamplingSettings& settings, std::int32_t end,
                                const Philox& random, std::span<const std::uint64_t> sample_ids,
                                auto watch) {
  settings.check();
  GAZE_CHECK(group > 0 && sample_ids.size() == prompts.size(), "rollout", prompts.size(),
             " prompts, ", sample_ids.size(), " sample ids, group ", group);
  checked_int32("rollout", "the number of completions",
                checked_product("rollout", static_cast<Index>(prompts.size()), group), kMostKeys);
  auto state = policy.prefill(prompts, group, settings.max_tokens, watch);
  auto step = state.first;
  using T = typename decltype(step.logits)::value_type;
  std::vector<Completion> out(prompts.size() * static_cast<std::size_t>(group));
  std::vector<std::int32_t> active(out.size()), row(out.size()), token;
  std::vector<std::uint64_t> sample(out.size());
  std::vector<T> logp;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::size_t p = i / static_cast<std::size_t>(group);
    active[i] = static_cast<std::int32_t>(i);
    row[i] = static_cast<std::int32_t>(p);  // all of a group start from their prompt's logits
    sample[i] =
        sample_ids[p] * static_cast<std::uint64_t>(group) + i % static_cast<std::size_t>(group);
  }
  using Device = typename decltype(step.logits)::device_type;
  if constexpr (!std::is_same_v<Device, Cpu>)
    if (detail::drawn_on_device(settings))
      return detail::DeviceRollout<Policy, T, Device>(policy, state, row, settings, random, sample)
          .run(end);
  for (Index t = 0; !active.empty(); ++t) {
    Tensor<T, Device> logits = step.logits;
    const std::size_t width = step.seen.size() / static_cast<std::size_t>(logits.size(0));
    if (t == 0) {
      logits =
          gather_rows(step.logits, Indices<Device>::from({static_cast<Index>(row.size())}, row));
    }
    std::vector<std::uint64_t> ids;
    for (const std::int32_t a : active) ids.push_back(sample[static_cast<std::size_t>(a)]);
    const auto tokens_seen = [&](std::size_t i) {  // by the penalty: the prompt's and its own
      const auto completion = static_cast<std::size_t>(active[i]);
      std::vector<std::int32_t> seen =
          prompts[completion / static_cast<std::size_t>(group)]->tokens;
      const auto& own = out[completion].tokens;
      seen.insert(seen.end(), own.begin(), own.end());
      return seen;
    };
    detail::choose(logits, settings, random, ids, static_cast<std::uint64_t>(t), tokens_seen, token,
                   logp);
    std::vector<std::int32_t> next, fed;
    for (std::size_t i = 0; i < active.size(); ++i) {
      Completion& c = out[static_cast<std::size_t>(active[i])];
      c.tokens.push_back(token[i]);
      c.logp.push_back(static_cast<float>(logp[i]));
      const auto seen =
          step.seen.begin() +
          static_cast<std::ptrdiff_t>(
              width * static_cast<std::size_t>(t ? i : static_cast<std::size_t>(row[i])));
      c.seen.insert(c.seen.end(), seen, seen + static_cast<std::ptrdiff_t>(width));
      c.ended = token[i] == end;
      if (c.ended || t + 1 == settings.max_tokens) continue;
      next.push_back(active[i]);
      fed.push_back(token[i]);
    }
    active = std::move(next);
    if (!active.empty()) step = policy.decode(state, fed, active, t);
  }
  return out;
}

}  // namespace gaze
