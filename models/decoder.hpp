// SPDX-License-Identifier: MIT
// The decoder: RMS norm, rotary positions, grouped-query attention, SwiGLU, tied embeddings.
#pragma once
#include <deque>

#include "gaze/compiled.hpp"
#include "gaze/nn/layers.hpp"
#include "gaze/ops/attention.hpp"
#include "gaze/ops/elementwise.hpp"
#include "gaze/ops/rows.hpp"
#include "gaze/ops/views.hpp"
#include "models/presets.hpp"

namespace gaze::models {

/// Inputs of a forward pass beyond the rows: the layout, marks to observe, a cache when decoding.
template <class T, class Device>
struct DecoderContext {
  std::shared_ptr<const TokenLayout> layout;
  Indices<Device> position;
  Tensor<float, Device> marks = {};                       // [slots, M] or undefined
  std::deque<KeyValueStore<T, Device>>* cache = nullptr;  // one store per layer
  std::vector<Tensor<T, Device>> seen = {};               // out: [N, H*M] per layer, with marks
};

/// h = x + r out(attention(rotary(qkv(norm1(x))))), y = h + r down(swiglu(gate_up(norm2(h)))); x
/// and y [N, C], r the residual multiplier.
template <class T, class Device>
class DecoderBlock {
 public:
  DecoderBlock(Parameters<T, Device>& all, const std::string& name, const DecoderConfig& c)
      : sizes_{c.heads, c.kv_heads, c.head_size, c.attention_scale()},
        residual_(static_cast<T>(c.residual_multiplier)),
        theta_(static_cast<T>(c.rope_theta)),
        norm1_(all, name + ".norm1", "decoder", c.width, c.eps),
        qkv_(all, name + ".qkv", "decoder", c.width, sizes_.columns(), false),
        out_(all, name + ".out", "decoder", c.heads * c.head_size, c.width, false, 0.3),
        norm2_(all, name + ".norm2", "decoder", c.width, c.eps),
        gate_up_(all, name + ".gate_up", "decoder", c.width, 2 * c.mlp, false),
        down_(all, name + ".down", "decoder", c.mlp, c.width, false, 0.3) {}

  Tensor<T, Device> operator()(const Tensor<T, Device>& x, DecoderContext<T, Device>& context,
                               KeyValueStore<T, Device>* cache) const {
    auto [y, seen] = run(x, context, cache);
    if (seen.defined()) context.seen.push_back(seen);
    return y;
  }

  /// The same, computed again in backward instead of kept for it. Only x is kept.
  Tensor<T, Device> checkpointed(const Tensor<T, Device>& x,
                                 DecoderContext<T, Device>& context) const {
    const auto both = checkpoint(
        [this, again = DecoderContext<T, Device>{context.layout, context.position, context.marks}](
            const Tensor<T, Device>& in) {
          const auto [y, seen] = run(in, again, nullptr);
          return seen.defined() ? concatenate<T, Device>({y, seen}, 1) : y;
        },
        x);
    const Index width = x.size(1);
    if (both.size(1) == width) return both;
    context.seen.push_back(slice(both, 1, width, both.size(1)));
    return slice(both, 1, 0, width);
  }

 private:
  struct Output {
    Tensor<T, Device> y, seen;  // seen: [N, H*M], with marks
  };

  Output run(const Tensor<T, Device>& x, const DecoderContext<T, Device>& context,
             KeyValueStore<T, Device>* cache) const {
    const auto qkv = rotary(qkv_(norm1_(x)), sizes_.heads + sizes_.kv_heads, sizes_.head_size,
                            theta_, context.position);
    const auto sizes = sizes_.with_bf16(qkv_.multiplies_in_bf16());
    const auto seen = attention(qkv, sizes, context.layout, context.marks, cache);
    const auto h = added(x, out_, seen.out);
    return {added(h, down_, swiglu(gate_up_(norm2_(h)))), seen.marks};
  }

  /// x + r layer(z). With r = 1 the sum is part of the product.
  Tensor<T, Device> added(const Tensor<T, Device>& x, const Linear<T, Device>& layer,
                          const Tensor<T, Device>& z) const {
    return residual_ == T(1) ? layer(z, x) : add(x, scale(layer(z), residual_));
  }

  AttentionSizes sizes_;
  T residual_, theta_;
  RmsNorm<T, Device> norm1_;
  Linear<T, Device> qkv_, out_;
  RmsNorm<T, Device> norm2_;
  Linear<T, Device> gate_up_, down_;
};

template <class T, class Device>
class Decoder {
 public:
  Decoder(Parameters<T, Device>& all, const DecoderConfig& c, Index vocabulary)
      : config_(c),
        embedding_(
            &all.add("decoder.embedding", {vocabulary, c.width}, Init::normal(0.04), "decoder")),
        norm_(all, "decoder.norm", "decoder", c.width, c.eps) {
    for (Index i = 0; i < c.layers; ++i)
      blocks_.emplace_back(all, "decoder." + std::to_string(i), c);
    head_ = c.tied ? embedding_
                   : &all.add("decoder.head", {vocabulary, c.width}, Init::normal(0.04), "decoder");
  }

  const DecoderConfig& config() const { return config_; }

  /// From now on backward computes each block again: of a block, only its input is kept. Same bits.
  void checkpoint_blocks(bool on) { checkpointed_ = on; }

  /// Token embeddings stay in T where products use bf16, as training looks them up.
  void keep_embedding() { embedding_->keeps_value = true; }

  /// Rows of token embeddings; an id of -1 gives zeros (a row that an image fills).
  Tensor<T, Device> embed(const Indices<Device>& ids) const {
    const auto rows = embedding_->value.defined() ? gather_rows(embedding_->value, ids)
                                                  : gather_rows(embedding_->weight(), ids);
    const auto by = static_cast<T>(config_.embedding_scale());
    return by == T(1) ? rows : scale(rows, by);
  }

  /// The last hidden state [N, C] of rows [N, C], normalised and divided by the logits' divisor:
  /// linear_logprob's input.
  Tensor<T, Device> operator()(Tensor<T, Device> h, DecoderContext<T, Device>& context) const {
    for (std::size_t i = 0; i < blocks_.size(); ++i)
      h = checkpointed_ && !context.cache
              ? blocks_[i].checkpointed(h, context)
              : blocks_[i](h, context, context.cache ? &(*context.cache)[i] : nullptr);
    h = norm_(h);
    return config_.logits_divisor == 1 ? h : scale(h, static_cast<T>(1 / config_.logits_divisor));
  }

  /// The vocabulary projection [V, C]: the embedding matrix if they are tied.
  const Parameter<T, Device>& vocabulary() const { return *head_; }

 private:
  DecoderConfig config_;
  bool checkpointed_ = false;
  Parameter<T, Device>*embedding_, *head_ = nullptr;
  RmsNorm<T, Device> norm_;
  std::deque<DecoderBlock<T, Device>> blocks_;
};

#ifdef GAZE_CPU_COMPILED  // in cmake/cpu_engine.cpp
extern template class DecoderBlock<float, Cpu>;
extern template class Decoder<float, Cpu>;
#endif

}  // namespace gaze::models
