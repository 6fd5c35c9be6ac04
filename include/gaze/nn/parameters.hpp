// SPDX-License-Identifier: MIT
// Parameters: named weights, each a view into one pack per (part, decayed or not).
//
// A model declares its parameters, then allocate() lays them out: the values of a pack are
// contiguous, and so are their gradients, into which backward accumulates directly. Optimiser step,
// gradient norm and checkpointed moments need one call per pack.
#pragma once
#include <deque>
#include <optional>
#include <string>
#include <type_traits>

#include "gaze/core/bf16.hpp"
#include "gaze/core/parallel.hpp"
#include "gaze/core/philox.hpp"
#include "gaze/ops/views.hpp"
#include "gaze/ops/weight_products.hpp"

namespace gaze {

/// Initial values: a constant, or normal with a standard deviation.
struct Init {
  double constant = 0, deviation = 0;
  static Init zeros() { return {}; }     ///< all 0
  static Init ones() { return {1, 0}; }  ///< all 1
  /// Normal around 0 with this deviation.
  static Init normal(double deviation) { return {0, deviation}; }
};

template <class T, class Device>
struct Parameter;

/// The parameters of a weight's low-rank adapters, see LowRank; declared by add_lora() (lora.hpp).
template <class T, class Device>
struct LoraParameters {
  Parameter<T, Device>* down;
  std::vector<Parameter<T, Device>*> up;
  std::vector<Index> first;
  T factor;
  bool enabled = true;

  /// Their values, as linear() takes them.
  LowRank<T, Device> values() const {
    LowRank<T, Device> out{down->value, {}, first, factor};
    for (const auto* p : up) out.up.push_back(p->value);
    return out;
  }
};

/// A named weight: a view into its pack, and how it is used.
template <class T, class Device>
struct Parameter {
  std::string name;
  Shape shape;
  Init init;
  bool optional = false;  // may have no gradient in a step
  Tensor<T, Device> value;
  std::shared_ptr<GradNode<T, Device>> node;  // of its gradient; attached to `value` while trained
  bool multiplied_in_bf16 = false;
  bool keeps_value = false;  // in T whatever products use: it is also looked up or added
  bool in_pack = true;       // else held alone, and never trained
  std::optional<LoraParameters<T, Device>> lora;

  bool adapted() const { return lora && lora->enabled; }  ///< whether adapters add to it

  /// The weight of products: `value`, and rounded() where it is defined, with enabled adapters.
  Weight<T, Device> weight() const {
    Weight<T, Device> out{value, rounded()};
    if (adapted()) out.low_rank = lora->values();
    return out;
  }

  /// The value rounded to bf16, cached until it changes; undefined unless multiplied in bf16. It is
  /// all there is of a weight that is held alone.
  const Tensor<bf16, Device>& rounded() const {
    if constexpr (std::is_same_v<T, float>)
      if (multiplied_in_bf16 && value.defined() &&
          (!rounded_.defined() || rounded_from_ != value.version())) {
        rounded_ = Tensor<bf16, Device>(shape);
        Kernels<Device>::cast(value.numel(), value.data(), rounded_.data());
        rounded_from_ = value.version();
      }
    return rounded_;
  }

  /// Gives a weight that is held alone its values: `make(std::type_identity<U>())` returns a
  /// `Tensor<U>`, with U = T or, if it is multiplied in bf16, bf16.
  template <class Make>
  void hold(const Make& make) {
    if constexpr (std::is_same_v<T, float>)
      if (multiplied_in_bf16) {
        rounded_ = make(std::type_identity<bf16>());
        return;
      }
    value = make(std::type_identity<T>());
  }

 private:
  mutable Tensor<bf16, Device> rounded_;
  mutable std::uint64_t rounded_from_ = 0;  // version
};

/// Parameters that share an optimiser step: same part of the model, same weight decay.
template <class T, class Device>
struct Pack {
  std::string part;
  bool decayed = true;
  bool trained = true;
  Index size = 0;
  std::vector<Parameter<T, Device>*> members;
  Tensor<T, Device> values;
  Tensor<GradOf<T>, Device> gradients;  // allocated when first trained

  /// The part, and whether it is decayed.
  std::string name() const { return part + (decayed ? "" : ".undecayed"); }
};

/// All parameters of a model, in packs. add() declares them, allocate() gives them memory.
template <class T, class Device = Cpu>
class Parameters {
 public:
  using Param = Parameter<T, Device>;  ///< One of them.

  Parameters() = default;
  Parameters(const Parameters&) = delete;  // modules point into it
  Parameters& operator=(const Parameters&) = delete;

  /// Declares a parameter; vectors (norms, biases) are not decayed.
  Param& add(std::string name, const Shape& shape, Init init, const std::string& part) {
    GAZE_CHECK(!find(name), "Parameters", "two parameters named ", name);
    GAZE_CHECK(!allocated(), "Parameters", name, " was declared after allocate()");
    GAZE_CHECK(shape.numel("Parameters") <= Index{1} << 48, "Parameters", name, " of shape ", shape,
               " is too large for memory");
    Param& p = all_.emplace_back();
    p.name = std::move(name);
    p.shape = shape;
    p.init = init;
    pack(part, shape.rank() > 1).members.push_back(&p);
    return p;
  }

  /// Allocates and initialises all packs: the same seed and name give the same values.
  void allocate(std::uint64_t seed) {
    lay_out();
    for (Param& p : all_) initialise(p, seed);
    train_all();
  }

  /// Allocates weights of zero without gradients, to be read from a file; train_only() and
  /// train_all() add the gradients. Without `trainable`, matrices that need not keep their value in
  /// T are held alone, so that they may stay in the file or in bf16: they have no values until
  /// hold() and cannot be trained.
  void allocate_for_file(bool trainable) {
    for (Param& p : all_) p.in_pack = trainable || p.shape.rank() != 2 || p.keeps_value;
    lay_out();
  }

  /// The values that a part has after allocate(seed), in a model that was allocated for a file.
  void initialise(const std::string& part, std::uint64_t seed) {
    check_allocated("initialise");
    for (auto& pack : packs_)
      if (pack.part == part)
        for (Param* p : pack.members) initialise(*p, seed);
  }

  /// From now on only these parts get gradients and optimiser steps.
  void train_only(const std::vector<std::string>& parts) {
    check_allocated("train_only");
    for (const auto& part : parts)
      GAZE_CHECK(std::any_of(packs_.begin(), packs_.end(),
                             [&](const auto& pack) { return pack.part == part; }),
                 "train_only", "the model has no part named ", part);
    for (auto& pack : packs_) {
      pack.trained = std::find(parts.begin(), parts.end(), pack.part) != parts.end();
      for (const Param* p : pack.members)
        GAZE_CHECK(!pack.trained || p->in_pack, "train_only", p->name,
                   " was allocated as frozen and cannot be trained");
      if (pack.trained && !pack.gradients.defined()) allocate_gradients(pack);
      for (Param* p : pack.members)
        if (p->in_pack) p->value.set_node(pack.trained ? p->node : nullptr);
    }
  }
  /// Trains every part.
  void train_all() {
    std::vector<std::string> parts;
    for (const auto& pack : packs_) parts.push_back(pack.part);
    train_only(parts);
  }

  /// From now on matrix products round their operands to bf16 and sum in float32. The weights that
  /// the optimiser updates stay in T.
  void multiply_in_bf16() {
    for (Param& p : all_) p.multiplied_in_bf16 = p.shape.rank() == 2;
  }

  /// Whether any weight is multiplied in bf16.
  bool multiplies_in_bf16() const {
    return std::any_of(all_.begin(), all_.end(),
                       [](const Param& p) { return p.multiplied_in_bf16; });
  }

  /// Discards all gradients, also unfinished ones.
  void clear_gradients() {
    for (auto& pack : packs_)
      for (Param* p : pack.members)
        if (p->node) p->node->clear();
  }

  /// Has a gradient arrived since clear_gradients()?
  bool any_gradient() const {
    return std::any_of(all_.begin(), all_.end(),
                       [](const Param& p) { return p.node && p.node->defined; });
  }

  /// Throws the names of trained parameters without a gradient since clear_gradients(), or with an
  /// unfinished one from a backward() that failed. Missing gradients of optional ones become 0.
  void check_reached() {
    check_allocated("step");
    std::string missing, unfinished;
    std::vector<Param*> zero;
    for (auto& pack : packs_) {
      if (!pack.trained) continue;
      for (Param* p : pack.members) {
        if (!p->node->whole()) unfinished += " " + p->name;
        if (p->node->defined) continue;
        zero.push_back(p);
        if (!p->optional) missing += " " + p->name;
      }
    }
    GAZE_CHECK(unfinished.empty(), "step", "a backward() failed and left unfinished gradients in",
               unfinished, "; call clear_gradients() first");
    GAZE_CHECK(missing.empty(), "step", "no gradient reached", missing);
    for (Param* p : zero) p->node->accumulator();
  }

  /// The Euclidean norm of all trained gradients.
  double gradient_norm() const {
    check_allocated("gradient_norm");
    double squares = 0;
    for (const auto& pack : packs_)
      if (pack.trained) squares += Kernels<Device>::sum_squares(pack.size, pack.gradients.data());
    return std::sqrt(squares);
  }

  /// Throws before allocate().
  void check_allocated(const char* where) const {
    GAZE_CHECK(packs_.empty() || allocated(), where, "call allocate() first: ", all_.size(),
               " parameters have no values yet");
  }

  /// The parameter of this name, or null.
  Param* find(const std::string& name) {
    for (auto& p : all_)
      if (p.name == name) return &p;
    return nullptr;
  }
  std::deque<Param>& all() { return all_; }              ///< in the order of their declaration
  const std::deque<Param>& all() const { return all_; }  ///< the same, only read
  /// In the order of their first parameters.
  std::vector<Pack<T, Device>>& packs() { return packs_; }
  const std::vector<Pack<T, Device>>& packs() const { return packs_; }  ///< the same, only read

  /// Elements that n values occupy in a pack: each parameter starts on a cache line.
  static constexpr Index padded(Index n) { return (n + 15) / 16 * 16; }

  /// Number of weights.
  Index count() const {
    Index n = 0;
    for (const auto& p : all_) n += p.shape.numel();
    return n;
  }

 private:
  bool allocated() const { return !packs_.empty() && packs_.back().values.defined(); }

  /// Allocates all packs with zeros.
  void lay_out() {
    GAZE_CHECK(!allocated(), "Parameters", "allocate() was already called");
    for (auto& pack : packs_) {
      pack.trained = false;
      for (Param* p : pack.members)
        if (p->in_pack) pack.size = checked_sum("Parameters", pack.size, padded(p->shape.numel()));
      pack.values = Tensor<T, Device>({pack.size});
      Kernels<Device>::fill(pack.size, T(0), pack.values.data());
      Index at = 0;
      for (Param* p : pack.members) {
        if (!p->in_pack) continue;
        p->value = pack.values.view(at, p->shape, contiguous_strides(p->shape));
        at += padded(p->shape.numel());
      }
    }
  }

  Pack<T, Device>& pack(const std::string& part, bool decayed) {
    for (auto& p : packs_)
      if (p.part == part && p.decayed == decayed) return p;
    auto& p = packs_.emplace_back();
    p.part = part;
    p.decayed = decayed;
    return p;
  }

  void allocate_gradients(Pack<T, Device>& pack) {
    pack.gradients = Tensor<GradOf<T>, Device>({pack.size});
    Kernels<Device>::fill(pack.size, GradOf<T>(0), pack.gradients.data());
    Index at = 0;
    for (Param* p : pack.members) {
      p->value.requires_grad();
      p->node = p->value.node();
      p->node->slot = pack.gradients.view(at, p->shape, contiguous_strides(p->shape));
      at += padded(p->shape.numel());
    }
  }

  static void initialise(Param& p, std::uint64_t seed) {
    std::uint64_t key = 1469598103934665603u;  // FNV-1a of the name
    for (const char c : p.name) key = (key ^ static_cast<unsigned char>(c)) * 1099511628211u;
    const Philox random(seed, Purpose::init);
    std::vector<T> values(static_cast<std::size_t>(p.shape.numel()),
                          static_cast<T>(p.init.constant));
    if (p.init.deviation > 0)
      parallel_for(p.shape.numel(), 4096, [&](Index begin, Index end) {
        for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i)
          values[i] += static_cast<T>(p.init.deviation * random.normal(key, i));
      });
    Allocator<Device>::copy_in(p.value.data(), values.data(), values.size() * sizeof(T));
    p.value.changed();
  }

  std::deque<Param> all_;
  std::vector<Pack<T, Device>> packs_;
};

}  // namespace gaze
