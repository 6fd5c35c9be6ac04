// SPDX-License-Identifier: MIT
// Rollouts that stay on the device: tokens are drawn there, and one step (draw, keep, forward, move
// on) is recorded as a graph and launched once per token. The host looks only now and then whether
// all completions have ended; those that have go on meanwhile, unseen.
//
// For devices whose kernels have draw_tokens, keep, advance and Graph (cuda/generate.hpp), and
// policies with begin() and forward() (models/vlm.hpp). The numbers are those of rollout().
#pragma once
#include <span>

#include "gaze/core/arithmetic.hpp"
#include "gaze/core/philox.hpp"
#include "gaze/generate/completion.hpp"
#include "gaze/generate/sampling.hpp"
#include "gaze/ops/indices.hpp"

namespace gaze::detail {

/// Can the device draw by these settings? What looks back is the host's work.
inline bool drawn_on_device(const SamplingSettings& s) {
  return s.greedy || s.repetition_penalty == 1;
}

inline bool cuts_tail(const SamplingSettings& s) {
  return !s.greedy && (s.top_k > 0 || s.top_p < 1 || s.min_p > 0);
}

/// A rollout under way: n completions, logits of the next token, what has been drawn so far.
template <class Policy, class T, class Device>
class DeviceRollout {
 public:
  using K = Kernels<Device>;
  using Values = Tensor<T, Device>;

  /// `row[i]` is the row of state.first from which completion i starts.
  DeviceRollout(const Policy& policy, typename Policy::State& state,
                const std::vector<std::int32_t>& row, const SamplingSettings& settings,
                const Philox& random, const std::vector<std::uint64_t>& sample)
      : policy_(policy),
        state_(state),
        settings_(settings),
        random_(random),
        running_(policy.begin(state)),
        n_(static_cast<Index>(row.size())),
        sample_(Tensor<std::uint64_t, Device>::from({n_}, sample)),
        step_(Indices<Device>::zeros({1})),
        none_(Indices<Device>::full({n_}, -1)),
        logits_(gather_rows(state.first.logits, Indices<Device>::from({n_}, row))),
        width_(static_cast<Index>(state.first.seen.size()) / state.first.logits.size(0)),
        seen_(starting_seen(row)),
        lse_({n_}),
        entropy_({n_}),
        logp_({n_}),
        tokens_(Indices<Device>::zeros({settings.max_tokens, n_})),
        all_logp_({settings.max_tokens, n_}),
        all_seen_({settings.max_tokens, n_ * width_}) {}

  std::vector<gaze::Completion> run(std::int32_t end) {
    constexpr Index look_every = 8;
    std::vector<gaze::Completion> out(static_cast<std::size_t>(n_));
    std::unique_ptr<typename K::Graph> graph;
    Index looked = 0;
    for (Index t = 0; t < settings_.max_tokens; ++t) {
      if (t == 1) graph = std::make_unique<typename K::Graph>([this] { step(); });
      if (graph) {
        graph->launch();
        count_arithmetic(t * n_ * running_.arithmetic_per_key);  // a key more than when recorded
      } else {
        step();
      }
      if (t + 1 < settings_.max_tokens && (t + 1) % look_every != 0) continue;
      collect(out, looked, t + 1, end);
      looked = t + 1;
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
  void collect(std::vector<gaze::Completion>& out, Index from, Index to, std::int32_t end) const {
    const auto part = [&](const auto& all, Index width) {
      return all.view(from * width, {to - from, width}, {width, 1}).to_vector();
    };
    const auto tokens = part(tokens_, n_);
    const auto logp = part(all_logp_, n_);
    const auto seen = width_ ? part(all_seen_, n_ * width_) : std::vector<T>{};
    for (Index t = 0; t < to - from; ++t)
      for (Index i = 0; i < n_; ++i) {
        gaze::Completion& c = out[static_cast<std::size_t>(i)];
        if (c.ended) continue;
        const auto at = static_cast<std::size_t>(t * n_ + i);
        if (tokens[at] < 0) check_sum(0);  // as the device says that there was nothing to draw from
        check_logp(static_cast<double>(logp[at]));
        c.tokens.push_back(tokens[at]);
        c.logp.push_back(static_cast<float>(logp[at]));
        const auto first = seen.begin() + static_cast<std::ptrdiff_t>((t * n_ + i) * width_);
        c.seen.insert(c.seen.end(), first, first + static_cast<std::ptrdiff_t>(width_));
        c.ended = tokens[at] == end;
      }
  }

  /// What the prompts' last rows saw, for each completion: [n * width].
  Values starting_seen(const std::vector<std::int32_t>& row) const {
    std::vector<T> seen;
    for (const std::int32_t r : row) {
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
