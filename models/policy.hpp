// SPDX-License-Identifier: MIT
// The policy that training, rollouts and GRPO use: logprobs(), prefill(), decode().
//
// All three are one forward over flat rows with different layouts, so the log-probability of a
// token is the same bits in a rollout and in the update that follows. A group's prompt (and its
// pictures) are computed once for all its completions.
#pragma once
#include <algorithm>
#include <deque>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "gaze/ops/logprob.hpp"
#include "models/decoder.hpp"
#include "models/generation.hpp"
#include "models/packing.hpp"

namespace gaze::models {

/// The policy functions of a model with a decoder. `Self` has decoder(), embed(batch) for the rows
/// of a batch, pictures() and multiplies_in_bf16().
template <class Self, class T, class Device>
class DecoderPolicy {
 public:
  using Prompt = models::Prompt;
  using Group = models::Group;
  using Step = DecodeStep<T, Device>;
  using State = GenerationState<T, Device>;
  using Running = RunningSequences<Device>;
  using Part = RunningPart;

  /// Logits [sequences, V] and, per layer, the observed attention.
  struct Logits {
    Tensor<T, Device> logits;
    std::vector<Tensor<T, Device>> seen;
  };

  /// logprobs() with the attention of the row that predicts each token: per layer [total, H * M],
  /// differentiable.
  struct Watched : LogProb<T, Device> {
    std::vector<Tensor<T, Device>> seen;
  };

  /// log p and entropy [total] of every completion's tokens, group by group, at this temperature.
  LogProb<T, Device> logprobs(std::span<const Group> groups, T temperature = T(1)) const {
    return logprobs(groups, temperature, Watch::nothing);
  }

  Watched logprobs(std::span<const Group> groups, T temperature, Watch watch) const {
    PackedBatch batch(self().pictures());
    std::vector<std::int32_t> rows, targets;  // row i predicts target i
    std::vector<const Prompt*> prompts;
    std::vector<Segment> segments;
    for (const Group& group : groups) {
      const Segment prompt = batch.add_prompt(*group.prompt);
      prompts.push_back(group.prompt);
      segments.push_back(prompt);
      for (const auto& completion : group.completions) {
        GAZE_CHECK(!completion.empty(), "logprobs", "an empty completion");
        rows.push_back(prompt.row + prompt.length - 1);
        if (completion.size() > 1) {
          const Segment own =
              batch.add_continuation(prompt, completion.first(completion.size() - 1));
          for (std::int32_t i = 0; i < own.length; ++i) rows.push_back(own.row + i);
        }
        targets.insert(targets.end(), completion.begin(), completion.end());
      }
      batch.end_group();
    }
    auto context = make_context(batch.layout());
    if (watch != Watch::nothing)
      context.marks = marks_of(prompts, segments, batch.layout()->slots, watch);
    const auto hidden = self().decoder()(self().embed(batch), context);
    const Index total = static_cast<Index>(rows.size());
    const auto index = Indices<Device>::from({total}, rows);
    const auto& w = self().decoder().vocabulary();
    Watched out{linear_logprob(gather_rows(hidden, index), w.weight(),
                               Indices<Device>::from({total}, targets), temperature),
                {}};
    for (const auto& layer : context.seen) out.seen.push_back(gather_rows(layer, index));
    return out;
  }

  /// The logits of all rows of the prompts [rows, V], prompt by prompt, differentiable.
  Tensor<T, Device> all_logits(std::span<const Prompt* const> prompts) const {
    return logits(all_rows(prompts));
  }

  /// log p and entropy [rows] of targets [rows] after all rows of the prompts, prompt by prompt,
  /// differentiable. A target need not be the next token; -1 is none and has log p 0.
  LogProb<T, Device> all_logprobs(std::span<const Prompt* const> prompts,
                                  std::span<const std::int32_t> targets) const {
    const auto index = Indices<Device>::from({static_cast<Index>(targets.size())},
                                             {targets.begin(), targets.end()});
    return linear_logprob(all_rows(prompts), self().decoder().vocabulary().weight(), index);
  }

  /// Runs the prompts and reserves slots for `group` completions of each, of up to `length` tokens.
  State prefill(std::span<const Prompt* const> prompts, Index group, Index length,
                Watch watch) const {
    const NoGrad no_grad;
    PackedBatch batch(self().pictures());
    const auto& layout = batch.layout();
    State state;
    state.length = length;
    std::vector<std::int32_t> last;
    std::vector<Segment> segments;
    for (const Prompt* prompt : prompts) {
      const Segment s = batch.add_prompt(*prompt);
      batch.end_group();
      segments.push_back(s);
      last.push_back(s.row + s.length - 1);
      for (Index g = 0; g < group; ++g)
        state.sequences.push_back({s.slot, s.length, layout->reserve(length, s.length)});
    }
    state.cache = stores(layout->slots);
    if (watch != Watch::nothing) state.marks = marks_of(prompts, segments, layout->slots, watch);
    auto context = make_context(layout, &state);
    const auto hidden = self().decoder()(self().embed(batch), context);
    state.first = step_of(hidden, context, last);
    return state;
  }

  /// A state without sequences, with room for `slots` keys, a multiple of kKeyLanes; for advance().
  State open(Index slots) const {
    GAZE_CHECK(slots > 0 && slots % kKeyLanes == 0, "decode", slots,
               " slots, not a positive multiple of ", kKeyLanes);
    State state;
    state.cache = stores(slots);
    return state;
  }

  /// The columns of Watch::patches that a prompt needs: its image tokens. Throws Error if the last
  /// token is one of them: the row that predicts an answer's first token must follow the picture.
  Index image_tokens(const Prompt& prompt) const {
    if (!prompt.sees()) return 0;
    const std::int32_t token = self().pictures().token;
    GAZE_CHECK(prompt.tokens.back() != token, "decode",
               "a prompt that ends with its picture cannot be observed");
    return std::count(prompt.tokens.begin(), prompt.tokens.end(), token);
  }

  /// Has advance() observe the image tokens of prompts whose keys lie from these slots on, and of
  /// no others. Sequences see only their own slots, so their marks share columns.
  void observe(State& state, std::span<const std::pair<const Prompt*, Index>> sequences) const {
    state.marks = {};
    if (sequences.empty()) return;
    std::vector<const Prompt*> prompts;
    std::vector<Segment> segments;
    for (const auto& [prompt, slot] : sequences) {
      prompts.push_back(prompt);
      segments.push_back({.slot = static_cast<std::int32_t>(slot)});
    }
    state.marks = marks_of(prompts, segments, state.cache.front().slots(), Watch::patches);
  }

  /// Runs parts of sequences together, whole prompts, pieces of them or single tokens. Returns the
  /// logits [wanted, V] after the last row of each part with `wanted`, and, if `observed`, their
  /// attention on the columns that observe() chose.
  Step advance(State& state, std::span<const Part> parts, const std::vector<bool>& wanted,
               bool observed = false) const {
    const NoGrad no_grad;
    PackedBatch batch(self().pictures());
    std::vector<std::int32_t> last;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const Part& p = parts[i];
      const std::int32_t row = batch.add_running(p.tokens, p.position, p.slot, p.prompt);
      if (wanted[i]) last.push_back(row);
    }
    batch.layout()->slots = state.cache.front().slots();
    auto context = make_context(batch.layout(), &state);
    if (!observed) context.marks = {};
    const auto hidden = self().decoder()(self().embed(batch), context);
    return last.empty() ? Step{} : step_of(hidden, context, last);
  }

  /// All sequences of a state, ready for forward() of their first token.
  Running begin(const State& state) const {
    auto layout = std::make_shared<TokenLayout>();
    for (const auto& s : state.sequences) layout->add_step(s.prefix_slot, s.prefix, s.own_slot, 0);
    layout->slots = state.cache.front().slots();
    layout->room = state.length - 1;
    const DecoderConfig& c = self().decoder().config();
    const AttentionShape shape{c.heads, c.kv_heads, c.head_size, 0, 1, layout->slots};
    const LayoutArrays arrays = layout->template arrays<Device>(shape);
    auto position = Indices<Device>::from({layout->rows()}, layout->position);
    auto tokens = Indices<Device>::zeros({layout->rows()});
    // The arrays are the device's own copy for this new layout, so they may be changed.
    return {std::move(layout),
            std::move(position),
            std::move(tokens),
            const_cast<std::int32_t*>(arrays.slot),
            const_cast<KeyRange*>(arrays.keys.ranges),
            4 * c.layers * c.heads * c.head_size};
  }

  /// The logits after the tokens of all sequences. Runs kernels only, so it can be recorded.
  Logits forward(State& state, const Running& running) const {
    const NoGrad no_grad;
    DecoderContext<T, Device> context{running.layout, running.position, state.marks, &state.cache};
    const auto hidden = self().decoder()(self().decoder().embed(running.tokens), context);
    return {logits(hidden), std::move(context.seen)};
  }

  /// Feeds token tokens[i], number `step` (from 0) of completion sequences[i]; returns the logits
  /// of the next.
  Step decode(State& state, std::span<const std::int32_t> tokens,
              std::span<const std::int32_t> sequences, Index step) const {
    const NoGrad no_grad;
    auto layout = std::make_shared<TokenLayout>();
    std::vector<std::int32_t> all;
    GAZE_CHECK(tokens.size() == sequences.size(), "decode", tokens.size(), " tokens for ",
               sequences.size(), " sequences");
    GAZE_CHECK(step >= 0 && step < state.length, "decode", "step ", step, ", room for ",
               state.length, " tokens");
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      GAZE_CHECK(static_cast<std::size_t>(sequences[i]) < state.sequences.size(), "decode",
                 "sequence ", sequences[i], " of ", state.sequences.size());
      const auto& s = state.sequences[static_cast<std::size_t>(sequences[i])];
      layout->add_step(s.prefix_slot, s.prefix, s.own_slot, step);
      all.push_back(static_cast<std::int32_t>(i));
    }
    layout->slots = state.cache.front().slots();
    auto context = make_context(layout, &state);
    const Index n = static_cast<Index>(tokens.size());
    const auto ids = Indices<Device>::from({n}, {tokens.begin(), tokens.end()});
    return step_of(self().decoder()(self().decoder().embed(ids), context), context, all);
  }

 private:
  const Self& self() const { return static_cast<const Self&>(*this); }

  /// The decoder's output for all rows of the prompts [rows, C].
  Tensor<T, Device> all_rows(std::span<const Prompt* const> prompts) const {
    PackedBatch batch(self().pictures());
    for (const Prompt* prompt : prompts) {
      batch.add_prompt(*prompt);
      batch.end_group();
    }
    auto context = make_context(batch.layout());
    return self().decoder()(self().embed(batch), context);
  }

  /// Empty stores of keys and values, one for each layer.
  std::deque<KeyValueStore<T, Device>> stores(Index slots) const {
    const DecoderConfig& c = self().decoder().config();
    const AttentionSizes sizes{c.heads, c.kv_heads, c.head_size, 1, self().multiplies_in_bf16()};
    std::deque<KeyValueStore<T, Device>> out;
    for (Index i = 0; i < c.layers; ++i) out.emplace_back(sizes, slots);
    return out;
  }

  Tensor<float, Device> marks_of(std::span<const Prompt* const> prompts,
                                 const std::vector<Segment>& segments, Index slots,
                                 Watch watch) const {
    const PictureRows pictures = self().pictures();
    Index columns = watch == Watch::marks ? mark_count : pictures.tokens;
    if (watch == Watch::patches)
      for (const Prompt* p : prompts)
        columns = std::max<Index>(columns,
                                  std::count(p->tokens.begin(), p->tokens.end(), pictures.token));
    return Tensor<float, Device>::from(
        {slots, columns}, mark_columns(prompts, segments, slots, columns, watch, pictures.token));
  }

  /// `state`: decode with its cache and marks; null: the rows see each other.
  static DecoderContext<T, Device> make_context(std::shared_ptr<TokenLayout> layout,
                                                State* state = nullptr) {
    auto position = Indices<Device>::from({layout->rows()}, layout->position);
    if (!state) return {std::move(layout), std::move(position)};
    return {std::move(layout), std::move(position), state->marks, &state->cache};
  }

  Tensor<T, Device> logits(const Tensor<T, Device>& hidden) const {
    const auto& w = self().decoder().vocabulary();
    return linear(hidden, w.weight());
  }

  Step step_of(const Tensor<T, Device>& hidden, const DecoderContext<T, Device>& context,
               const std::vector<std::int32_t>& rows) const {
    const Index n = static_cast<Index>(rows.size());
    return {logits(gather_rows(hidden, Indices<Device>::from({n}, rows))),
            seen_by_rows(context.seen, rows)};
  }
};

}  // namespace gaze::models
