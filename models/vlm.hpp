// SPDX-License-Identifier: MIT
// The vision-language model: ViT, pixel shuffle, projector, decoder; and the policy that training,
// rollouts and GRPO see of it: logprobs(), prefill(), decode().
//
// All three are one forward over flat rows with different layouts, so the log-probability of a
// token is the same bits in a rollout and in the update that follows. A group's prompt and image
// are computed once for all its completions.
#pragma once
#include <optional>
#include <span>

#include "gaze/ops/logprob.hpp"
#include "models/decoder.hpp"
#include "models/slot_head.hpp"
#include "models/vit.hpp"

namespace gaze::models {

/// What a completion answers: token ids, in which image_tokens() consecutive ids are the image.
struct Prompt {
  std::vector<std::int32_t> tokens;
  std::shared_ptr<const std::vector<std::uint8_t>> rgb;  // S x S x 3 bytes; null: no image
  std::vector<std::uint8_t> region;  // per image token: 1 where the region of interest is
};

/// One prompt and the completions whose log-probabilities are wanted.
struct Group {
  const Prompt* prompt;
  std::vector<std::span<const std::int32_t>> completions;
};

/// Columns of observed attention, in this order.
enum class Mark { image, region, sink };
inline constexpr Index mark_count = 3;
/// What decode() watches: nothing, the Mark columns, or every image token by itself (for maps).
enum class Watch { nothing, marks, patches };

template <class T = float, class Device = Cpu>
class Vlm {
 public:
  using Prompt = models::Prompt;
  using Group = models::Group;

  /// Logits [rows, V] and what was watched: [rows][layer][head][column].
  struct Step {
    Tensor<T, Device> logits;
    std::vector<float> seen;
  };

  /// Where completions being generated keep their keys and values.
  struct State {
    struct Sequence {
      Index prefix_slot, prefix, own_slot;
    };
    std::deque<KeyValueStore<T, Device>> cache;
    Tensor<float, Device> marks;
    std::vector<Sequence> sequences;  // prompts x group, in order
    Index length = 0;                 // tokens that there is room for, in each
    Step first;                       // one row per prompt: the logits of the first token
  };

  /// The sequences of a state while they are generated on the device (device_rollout.hpp).
  struct Running {
    std::shared_ptr<TokenLayout> layout;  // of the first step; the arrays below move on
    Indices<Device> position, tokens;     // [sequences]
    std::int32_t* slot;
    KeyRange* keys;
    Index arithmetic_per_key;  // of one sequence, in all layers
  };

  /// Logits [sequences, V] and, per layer, what was watched.
  struct Logits {
    Tensor<T, Device> logits;
    std::vector<Tensor<T, Device>> seen;
  };

  /// `slots` labels per image for the vision stage; 0 without that stage.
  Vlm(const VlmConfig& config, std::int32_t image_token, std::uint64_t seed, Index slots = 0)
      : config_(config),
        image_token_(image_token),
        vit_(parameters_, config.vit),
        up_(parameters_, "projector.up", "projector",
            config.vit.width * config.shuffle * config.shuffle, config.decoder.width, true),
        down_(parameters_, "projector.down", "projector", config.decoder.width,
              config.decoder.width, true),
        decoder_(parameters_, config.decoder, config.vocabulary) {
    GAZE_CHECK(config.vocabulary > 0, "Vlm", "the vocabulary is empty");
    GAZE_CHECK(config.vit.grid() % config.shuffle == 0, "Vlm", config.vit.grid(),
               " patches a side do not shuffle by ", config.shuffle);
    if (slots > 0) slot_head_.emplace(parameters_, config, slots);
    parameters_.allocate(seed);
    if (config.bf16) parameters_.multiply_in_bf16();
  }

  const SlotHead<T, Device>& slot_head() const {
    GAZE_CHECK(slot_head_, "Vlm", "made without a slot head");
    return *slot_head_;
  }

  const VlmConfig& config() const { return config_; }
  Parameters<T, Device>& parameters() { return parameters_; }
  Index vocabulary() const { return config_.vocabulary; }

  /// Image tokens [images * image_tokens, C] of S x S x 3 byte pictures.
  Tensor<T, Device> encode_images(
      std::span<const std::shared_ptr<const std::vector<std::uint8_t>>> images) const {
    const VitConfig& c = config_.vit;
    const Index size = 3 * c.patch * c.patch, count = static_cast<Index>(images.size());
    std::vector<float> pixels(static_cast<std::size_t>(count * c.patches() * size));
    parallel_for(count, 8, [&](Index begin, Index end) {
      for (Index i = begin; i < end; ++i)
        patchify(images[static_cast<std::size_t>(i)]->data(), c, config_.shuffle,
                 pixels.data() + i * c.patches() * size);
    });
    const auto rows = Tensor<T, Device>::from({count * c.patches(), size},
                                              std::vector<T>(pixels.begin(), pixels.end()));
    const Index joined = config_.shuffle * config_.shuffle;
    const auto features = reshape(vit_(rows), {count * config_.image_tokens(), joined * c.width});
    return down_(gelu(up_(features)));
  }

  /// log p and entropy of every completion's tokens, group by group, at this temperature; [total].
  LogProb<T, Device> logprobs(std::span<const Group> groups, T temperature = T(1)) const {
    auto layout = std::make_shared<TokenLayout>();
    std::vector<std::int32_t> rows, targets;
    Rows batch;
    for (const Group& group : groups) {
      const Segment prompt = add_prompt(*group.prompt, *layout, batch);
      for (const auto& completion : group.completions) {
        GAZE_CHECK(!completion.empty(), "logprobs", "an empty completion");
        rows.push_back(prompt.row + prompt.length - 1);
        const Index rest = static_cast<Index>(completion.size()) - 1;
        if (rest > 0) {
          const Segment own = layout->add_continuation(prompt, rest);
          for (std::int32_t i = 0; i < own.length; ++i) rows.push_back(own.row + i);
          batch.add(completion.first(completion.size() - 1));
        }
        targets.insert(targets.end(), completion.begin(), completion.end());
      }
      layout->end_group();
    }
    auto context = make_context(layout);
    const auto hidden = decoder_(embed(batch), context);
    const Index total = static_cast<Index>(rows.size());
    const auto& w = decoder_.vocabulary();
    return linear_logprob(gather_rows(hidden, Indices<Device>::from({total}, rows)), w.value,
                          Indices<Device>::from({total}, targets), temperature, w.rounded());
  }

  /// Runs the prompts and makes room for `group` completions of each, of at most `length` tokens.
  State prefill(std::span<const Prompt* const> prompts, Index group, Index length,
                Watch watch) const {
    const NoGrad no_grad;
    auto layout = std::make_shared<TokenLayout>();
    std::vector<std::int32_t> last;
    Rows batch;
    State state;
    state.length = length;
    std::vector<Segment> segments;
    for (const Prompt* prompt : prompts) {
      const Segment s = add_prompt(*prompt, *layout, batch);
      layout->end_group();
      segments.push_back(s);
      last.push_back(s.row + s.length - 1);
      for (Index g = 0; g < group; ++g)
        state.sequences.push_back({s.slot, s.length, layout->reserve(length, s.length)});
    }
    const DecoderConfig& c = config_.decoder;
    const AttentionSizes sizes{c.heads, c.kv_heads, c.head_size, 1, config_.bf16};
    for (Index i = 0; i < c.layers; ++i) state.cache.emplace_back(sizes, layout->slots);
    state.marks = make_marks(prompts, segments, layout->slots, watch);
    auto context = make_context(layout);
    context.marks = state.marks;
    context.cache = &state.cache;
    const auto hidden = decoder_(embed(batch), context);
    state.first = step_of(hidden, context, last);
    return state;
  }

  /// All sequences of a state, about to be fed their first token by forward().
  Running begin(const State& state) const {
    auto layout = std::make_shared<TokenLayout>();
    for (const auto& s : state.sequences) layout->add_step(s.prefix_slot, s.prefix, s.own_slot, 0);
    layout->slots = state.cache.front().slots();
    layout->room = state.length - 1;
    const DecoderConfig& c = config_.decoder;
    const AttentionShape shape{c.heads, c.kv_heads, c.head_size, 0, 1, layout->slots};
    const LayoutArrays arrays = layout->template arrays<Device>(shape);
    auto position = Indices<Device>::from({layout->rows()}, layout->position);
    auto tokens = Indices<Device>::zeros({layout->rows()});
    // The arrays are the device's copy for this layout, which nobody else has.
    return {std::move(layout),
            std::move(position),
            std::move(tokens),
            const_cast<std::int32_t*>(arrays.slot),
            const_cast<KeyRange*>(arrays.keys.ranges),
            4 * c.layers * c.heads * c.head_size};
  }

  /// The logits after the tokens of all sequences: kernels only, so that it can be recorded.
  Logits forward(State& state, const Running& running) const {
    const NoGrad no_grad;
    DecoderContext<T, Device> context{running.layout, running.position};
    context.marks = state.marks;
    context.cache = &state.cache;
    const auto hidden = decoder_(decoder_.embed(running.tokens), context);
    return {logits(hidden), std::move(context.seen)};
  }

  /// Feeds token tokens[i], the `step`-th of completion sequences[i] (from 0), and gives the
  /// logits of the next.
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
    auto context = make_context(layout);
    context.marks = state.marks;
    context.cache = &state.cache;
    const Index n = static_cast<Index>(tokens.size());
    const auto ids = Indices<Device>::from({n}, {tokens.begin(), tokens.end()});
    return step_of(decoder_(decoder_.embed(ids), context), context, all);
  }

 private:
  static DecoderContext<T, Device> make_context(std::shared_ptr<TokenLayout> layout) {
    auto position = Indices<Device>::from({layout->rows()}, layout->position);
    return {std::move(layout), std::move(position)};
  }

  /// The tokens of a flat batch, and which row of the images' tokens stands in for which token.
  struct Rows {
    std::vector<std::int32_t> ids, image_row;  // -1: no token; -1: no image row
    std::vector<std::shared_ptr<const std::vector<std::uint8_t>>> images;

    void add(std::span<const std::int32_t> tokens) {
      ids.insert(ids.end(), tokens.begin(), tokens.end());
      image_row.resize(ids.size(), -1);
    }
  };

  Segment add_prompt(const Prompt& prompt, TokenLayout& layout, Rows& batch) const {
    const std::size_t begin = batch.ids.size();
    batch.add(prompt.tokens);
    const Index count = config_.image_tokens();
    Index seen = 0;
    for (std::size_t i = begin; prompt.rgb && i < batch.ids.size(); ++i) {
      if (batch.ids[i] != image_token_) continue;
      batch.ids[i] = -1;
      const auto before = static_cast<Index>(batch.images.size()) * count;
      batch.image_row[i] = checked_int32("Vlm", "the number of image tokens", before + seen++);
    }
    GAZE_CHECK(!prompt.rgb || seen == count, "Vlm", "a prompt holds ", seen,
               " image tokens, its image ", count);
    const Index size = config_.vit.image * config_.vit.image * 3;
    GAZE_CHECK(!prompt.rgb || static_cast<Index>(prompt.rgb->size()) == size, "Vlm", "an image of ",
               prompt.rgb ? prompt.rgb->size() : 0, " bytes, the model wants ", size);
    if (prompt.rgb) batch.images.push_back(prompt.rgb);
    return layout.add_sequence(static_cast<Index>(prompt.tokens.size()));
  }

  /// Token embeddings, with the images' rows where an image stands.
  Tensor<T, Device> embed(const Rows& batch) const {
    const Index n = static_cast<Index>(batch.ids.size());
    const auto words = decoder_.embed(Indices<Device>::from({n}, batch.ids));
    if (batch.images.empty()) return words;
    return add(words, gather_rows(encode_images(batch.images),
                                  Indices<Device>::from({n}, batch.image_row)));
  }

  Tensor<T, Device> logits(const Tensor<T, Device>& hidden) const {
    const auto& w = decoder_.vocabulary();
    return linear(hidden, w.value, {}, {}, w.rounded());
  }

  Step step_of(const Tensor<T, Device>& hidden, const DecoderContext<T, Device>& context,
               const std::vector<std::int32_t>& rows) const {
    const Index n = static_cast<Index>(rows.size());
    const auto last = gather_rows(hidden, Indices<Device>::from({n}, rows));
    Step out{logits(last), {}};
    if (context.seen.empty()) return out;
    const Index width = context.seen.front().size(1);
    out.seen.reserve(static_cast<std::size_t>(n * width) * context.seen.size());
    std::vector<Tensor<T, Cpu>> seen;
    for (const auto& layer : context.seen) seen.push_back(layer.host());
    for (const std::int32_t row : rows)
      for (const auto& layer : seen) {
        const T* from = layer.data() + row * width;
        out.seen.insert(out.seen.end(), from, from + width);
      }
    return out;
  }

  /// Mark columns over the slots of the store: see Mark and Watch.
  Tensor<float, Device> make_marks(std::span<const Prompt* const> prompts,
                                   const std::vector<Segment>& segments, Index slots,
                                   Watch watch) const {
    if (watch == Watch::nothing) return {};
    const Index columns = watch == Watch::marks ? mark_count : config_.image_tokens();
    std::vector<float> marks(static_cast<std::size_t>(slots * columns), 0.0f);
    for (std::size_t p = 0; p < prompts.size(); ++p) {
      const Prompt& prompt = *prompts[p];
      float* row = marks.data() + segments[p].slot * columns;
      if (watch == Watch::marks) row[static_cast<int>(Mark::sink)] = 1;
      std::size_t image_token = 0;
      if (!prompt.rgb) continue;  // image tokens without an image are ordinary ones
      for (std::size_t i = 0; i < prompt.tokens.size(); ++i, row += columns) {
        if (prompt.tokens[i] != image_token_) continue;
        if (watch == Watch::patches) {
          row[image_token] = 1;
        } else {
          row[static_cast<int>(Mark::image)] = 1;
          if (image_token < prompt.region.size())
            row[static_cast<int>(Mark::region)] = prompt.region[image_token];
        }
        ++image_token;
      }
    }
    return Tensor<float, Device>::from({slots, columns}, marks);
  }

  VlmConfig config_;
  std::int32_t image_token_;
  Parameters<T, Device> parameters_;
  Vit<T, Device> vit_;
  Linear<T, Device> up_, down_;
  Decoder<T, Device> decoder_;
  std::optional<SlotHead<T, Device>> slot_head_;
};

}  // namespace gaze::models
