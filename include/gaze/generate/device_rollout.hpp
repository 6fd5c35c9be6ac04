// SPDX-License-Identifier: MIT
// Rollouts on the device: it draws the tokens, and one step (draw, keep, forward, advance) is
// recorded as a graph and launched once per token. Every few steps the host checks whether all
// completions have ended; tokens after an end are discarded.
//
// For devices whose kernels have draw_tokens, keep, advance and Graph (kernels/sampling.hpp), and
// policies with begin() and forward() (models/vlm.hpp). Draws the same random numbers as
// HostRollout.
#pragma once
#include <span>

#include "gaze/core/arithmetic.hpp"
#include "gaze/core/philox.hpp"
#include "gaze/generate/sampled_tokens.hpp"
#include "gaze/generate/sampling.hpp"
#include "gaze/ops/rows.hpp"

namespace gaze::detail {

/// Can the device draw with these settings? It has no repetition penalty.
inline bool drawn_on_device(const SamplingSettings& s) {
  return s.greedy || s.repetition_penalty == 1;
}

inline bool cuts_tail(const SamplingSettings& s) {
  return !s.greedy && (s.top_k > 0 || s.top_p < 1 || s.min_p > 0);
}

/// A rollout of n completions. Completion i starts from row i / group of state.first; its random
/// numbers are keyed by sample[i].
template <class Policy>
class DeviceRollout {
 public:
  using Values = decltype(decltype(Policy::State::first)::logits);  // Tensor<T, Device>
  using T = typename Values::value_type;
  using Device = typename Values::device_type;
  using K = Kernels<Device>;

  DeviceRollout(const Policy& policy, typename Policy::State& state, Index group,
                const SamplingSettings& settings, const Philox& random,
                const std::vector<std::uint64_t>& sample)
      : policy_(policy),
        state_(state),
        settings_(settings),
        random_(random),
        running_(policy.begin(state)),
        n_(static_cast<Index>(sample.size())),
        sample_(Tensor<std::uint64_t, Device>::from({n_}, sample)),
        step_(Indices<Device>::zeros({1})),
        none_(Indices<Device>::full({n_}, -1)),
        logits_(gather_rows(state.first.logits, Indices<Device>::from({n_}, first_rows(group)))),
        width_(static_cast<Index>(state.first.seen.size()) / state.first.logits.size(0)),
        seen_(first_seen(group)),
        lse_({n_}),
        entropy_({n_}),
        logp_({n_}),
        tokens_(Indices<Device>::zeros({settings.max_tokens, n_})),
        all_logp_({settings.max_tokens, n_}),
        all_seen_({settings.max_tokens, n_ * width_}) {}

  std::vector<SampledTokens> run(const EndTokens& ends) {
    constexpr Index check_every = 8;  // steps
    std::vector<SampledTokens> out(static_cast<std::size_t>(n_));
    std::unique_ptr<typename K::Graph> graph;
    Index collected = 0;
    for (Index t = 0; t < settings_.max_tokens; ++t) {
      if (t == 1) graph = std::make_unique<typename K::Graph>([this] { step(); });
      if (graph) {
        graph->launch();
        count_arithmetic(t * n_ * running_.arithmetic_per_key);  // t keys more than recorded
      } else {
        step();
      }
      if (t + 1 < settings_.max_tokens && (t + 1) % check_every != 0) continue;
      collect(out, collected, t + 1, ends);
      collected = t + 1;
      if (std::all_of(out.begin(), out.end(), [](const auto& c) { return c.ended; })) break;
    }
    return out;
  }

 private:
  /// One token of every completion, and the logits of the next.
  void step() {
    const NoGrad no_grad;
    const T inverse = settings_.greedy ? T(1) : T(1) / static_cast<T>(settings_.temperature);
    const std::int32_t* const at = step_.data();
    const Index v = logits_.size(1);
    const T* const logits = logits_.data();
    std::int32_t* const token = running_.tokens.data();
    const auto stats = [&](const std::int32_t* target) {
      K::softmax_stats(args::SoftmaxStats<T>{.n = n_,
                                             .v = v,
                                             .logits = logits,
                                             .stride = v,
                                             .inv_temperature = inverse,
                                             .target = target,
                                             .logp = logp_.data(),
                                             .entropy = entropy_.data(),
                                             .lse = lse_.data()});
    };
    stats(none_.data());
    const args::DrawTokens<T> drawn{.n = n_,
                                    .v = v,
                                    .logits = logits,
                                    .inv_temperature = inverse,
                                    .lse = lse_.data(),
                                    .greedy = settings_.greedy,
                                    .cut = {settings_.top_k, settings_.top_p, settings_.min_p},
                                    .random = random_,
                                    .sample = sample_.data(),
                                    .step = at,
                                    .token = token};
    if (cuts_tail(settings_))
      K::draw_cut_tokens(drawn);
    else
      K::draw_tokens(drawn);
    stats(token);
    K::keep(n_, token, at, tokens_.data());
    K::keep(n_, logp_.data(), at, all_logp_.data());
    if (width_) K::keep(n_ * width_, seen_.data(), at, all_seen_.data());
    const auto next = policy_.forward(state_, running_);
    K::copy(n_ * v, next.logits.data(), logits_.data());
    for (std::size_t i = 0; i < next.seen.size(); ++i) {
      const Index c = next.seen[i].size(1);
      K::copy_rows(n_, c, next.seen[i].data(), c, seen_.data() + static_cast<Index>(i) * c, width_);
    }
    K::advance(n_, running_.position.data(), running_.slot, running_.keys, step_.data());
  }

  /// Adds the tokens of steps [from, to) to the completions that have not ended.
  void collect(std::vector<SampledTokens>& out, Index from, Index to, const EndTokens& ends) const {
    const auto part = [&](const auto& all, Index width) {
      return all.view(from * width, {to - from, width}, {width, 1}).to_vector();
    };
    const auto tokens = part(tokens_, n_);
    const auto logp = part(all_logp_, n_);
    const auto seen = width_ ? part(all_seen_, n_ * width_) : std::vector<T>{};
    for (Index t = 0; t < to - from; ++t)
      for (Index i = 0; i < n_; ++i) {
        SampledTokens& c = out[static_cast<std::size_t>(i)];
        if (c.ended) continue;
        const auto at = static_cast<std::size_t>(t * n_ + i);
        if (tokens[at] < 0) check_sum(0);  // the device had nothing to draw from
        check_logp(static_cast<double>(logp[at]));
        c.tokens.push_back(tokens[at]);
        c.logp.push_back(static_cast<float>(logp[at]));
        const auto first = seen.begin() + static_cast<std::ptrdiff_t>((t * n_ + i) * width_);
        c.seen.insert(c.seen.end(), first, first + static_cast<std::ptrdiff_t>(width_));
        c.ended = ends.contains(tokens[at]);
      }
  }

  std::vector<std::int32_t> first_rows(Index group) const {
    std::vector<std::int32_t> rows;
    for (Index i = 0; i < n_; ++i) rows.push_back(static_cast<std::int32_t>(i / group));
    return rows;
  }

  /// The attention observed by the prompts' last rows, for each completion: [n * width].
  Values first_seen(Index group) const {
    std::vector<T> seen;
    for (const std::int32_t r : first_rows(group)) {
      const auto first = state_.first.seen.begin() + static_cast<std::ptrdiff_t>(r * width_);
      seen.insert(seen.end(), first, first + static_cast<std::ptrdiff_t>(width_));
    }
    return Values::from({n_ * width_}, seen);
  }

  const Policy& policy_;
  typename Policy::State& state_;
  const SamplingSettings& settings_;
  const Philox& random_;
  typename Policy::Running running_;
  Index n_;
  Tensor<std::uint64_t, Device> sample_;
  Indices<Device> step_, none_;
  Values logits_;
  Index width_;
  Values seen_, lse_, entropy_, logp_;
  Indices<Device> tokens_;
  Values all_logp_, all_seen_;
};

}  // namespace gaze::detail
