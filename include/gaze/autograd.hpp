// SPDX-License-Identifier: MIT
// Reverse-mode differentiation: a graph of values, recorded as operations run.
//
// Every tensor that needs a gradient has a node. An operation gives its result a node whose
// parents are its inputs' nodes and whose `backward` adds to the parents' gradients, given its
// own. backward(loss) visits the nodes from the deepest to the leaves (depth: the longest path to a
// leaf), so a node's gradient is complete when it is visited.
//
//   w.requires_grad();
//   auto loss = sum(square(matmul(x, w)));
//   backward(loss);                        // w.grad() is set
//
// First derivatives only. An operation without a derivative throws when an input needs one.
#pragma once
#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <unordered_set>
#include <utility>

#include "gaze/kernels/contract.hpp"
#include "gaze/tensor.hpp"

namespace gaze {

/// One value of the graph, of any type.
struct Node {
  const char* op = "leaf";
  std::uint64_t depth = 0;  // 0 for a leaf, else one more than the deepest parent's
  std::vector<std::shared_ptr<Node>> parents;
  std::function<void()> backward;  // empty for a leaf, and once it has run
  bool spent = false;              // whether a backward pass has visited it

  Node() = default;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  virtual ~Node() { forget(); }

  /// Releases the parents and, unless it is a leaf, the gradient.
  virtual void consume() {
    if (backward) spent = true;
    forget();
  }
  /// Whether it has any gradient.
  virtual bool reached() const { return true; }

  /// Adds an input of the operation.
  void add_parent(std::shared_ptr<Node> parent) {
    depth = std::max(depth, parent->depth + 1);
    parents.push_back(std::move(parent));
  }

 private:
  /// Releases the parents one at a time: a long chain must not recurse once per link. `backward`
  /// goes first because it refers to the parents too. Allocates nothing: it also runs when memory
  /// has run out.
  void forget() {
    backward = nullptr;
    std::shared_ptr<Node> dying;  // the first of those that have no other owner
    release_parents(dying);
    while (dying) {
      const std::shared_ptr<Node> first = std::move(dying);
      dying = std::move(first->next_dying_);
      first->backward = nullptr;
      first->release_parents(dying);
    }
  }
  /// Puts the parents without another owner before `dying`.
  void release_parents(std::shared_ptr<Node>& dying) {
    for (; !parents.empty(); parents.pop_back()) {
      std::shared_ptr<Node>& last = parents.back();
      if (last.use_count() > 1) continue;
      last->next_dying_ = std::move(dying);
      dying = std::move(last);
    }
  }

  std::shared_ptr<Node> next_dying_;  // see forget()
};

namespace detail {
/// The calls of backward() that make one gradient. Every node stores the last one that added to its
/// gradient: if that failed, the gradient is incomplete and must not be used.
struct BackwardPass {
  bool failed = false;
};
inline thread_local std::shared_ptr<BackwardPass> current_pass;
}  // namespace detail

/// From here to done(), all calls of backward() make one gradient, for instance those of a step's
/// micro-batches. If the scope ends without done(), because something threw, the gradients are
/// unfinished (see backward()). A nested scope is part of the outer one.
class WholeGradient {
 public:
  /// Begins a gradient, or becomes part of the outer one.
  WholeGradient() : outer_(!detail::current_pass) {
    if (outer_) detail::current_pass = std::make_shared<detail::BackwardPass>();
  }
  /// Ends it; without done() it stays unfinished.
  ~WholeGradient() {
    if (!done_) detail::current_pass->failed = true;
    if (outer_) detail::current_pass.reset();
  }
  WholeGradient(const WholeGradient&) = delete;
  WholeGradient& operator=(const WholeGradient&) = delete;
  void done() { done_ = true; }  ///< All calls succeeded.

 private:
  bool outer_, done_ = false;
};

/// The node of a Tensor<T, Device>, with its gradient.
template <class T, class Device>
struct GradNode : Node {
  using Grad = Tensor<GradOf<T>, Device>;  ///< The type of the gradient.

  Shape shape;
  Grad slot;             // contiguous; set in advance for parameters, else allocated when needed
  bool defined = false;  // whether anything was added since the last clear()
  bool leaf = false;

  bool reached() const override { return defined; }
  void consume() override {
    Node::consume();
    if (!leaf) release();
  }
  /// Moves the gradient out.
  Grad release() {
    defined = false;
    return std::exchange(slot, Grad());
  }
  /// Discards the gradient, which also allows another try after a backward pass that failed.
  void clear() { defined = false; }
  /// False if a failed backward pass left the gradient incomplete.
  bool whole() const { return !(defined && pass_ && pass_->failed); }

  /// The array that a kernel writes or, with `accumulate`, adds to.
  struct Target {
    GradOf<T>* data;
    bool accumulate;
  };
  /// The slot, allocated if needed, and whether it holds a sum already.
  Target target() {
    begin();
    if (!slot.defined()) slot = Grad(shape);
    return {slot.data(), std::exchange(defined, true)};
  }
  /// The same for kernels that can only add: filled with zeros at first.
  GradOf<T>* accumulator() {
    const Target t = target();
    if (!t.accumulate) Kernels<Device>::fill(slot.numel(), GradOf<T>(0), t.data);
    return t.data;
  }
  /// Adds a contiguous gradient.
  void add(const Grad& g) {
    check(g);
    const Target t = target();
    if (t.accumulate)
      Kernels<Device>::axpy(shape.numel(), GradOf<T>(1), g.data(), t.data);
    else
      Kernels<Device>::copy(shape.numel(), g.data(), t.data);
  }
  /// The same for a gradient without other users: the first one is moved, not copied.
  void take(Grad&& g) {
    check(g);
    if (slot.defined()) return add(g);
    begin();
    slot = std::move(g);
    defined = true;
  }

 private:
  void check(const Grad& g) const {
    GAZE_CHECK(g.shape() == shape, op, "gradient has shape ", g.shape(), ", the value ", shape);
  }
  /// Called before anything is added.
  void begin() {
    GAZE_CHECK(whole(), "backward", "the gradient of a tensor of shape ", shape,
               " was left unfinished by a backward() that failed; clear it first");
    pass_ = detail::current_pass;
  }

  std::shared_ptr<const detail::BackwardPass> pass_;  // the last one that added to the gradient
};

namespace detail {
inline thread_local bool recording = true;
}

/// Within its scope nothing is recorded: rollouts, evaluation, optimiser steps.
class NoGrad {
 public:
  NoGrad() : before_(std::exchange(detail::recording, false)) {}
  ~NoGrad() { detail::recording = before_; }
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;

 private:
  bool before_;
};

/// Within its scope operations are recorded again, also inside a NoGrad.
class Recording {
 public:
  Recording() : before_(std::exchange(detail::recording, true)) {}
  ~Recording() { detail::recording = before_; }
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

 private:
  bool before_;
};

template <class T, class Device>
Tensor<T, Device>& Tensor<T, Device>::requires_grad() {
  detail::check_defined("requires_grad", *this);
  GAZE_CHECK(!node_ || node_->leaf, "requires_grad", "not a leaf: made by ", node_->op);
  if (!node_) {
    node_ = std::make_shared<GradNode<T, Device>>();
    node_->shape = shape_;
    node_->leaf = true;
  }
  return *this;
}

template <class T, class Device>
Tensor<GradOf<T>, Device> Tensor<T, Device>::grad() const {
  if (!node_ || !node_->defined) return {};
  GAZE_CHECK(node_->whole(), "grad", "the gradient of a tensor of shape ", shape_,
             " was left unfinished by a backward() that failed");
  return node_->slot;
}

/// Whether the operation must be recorded: recording is on and a (defined) input needs a gradient.
template <class... Tensors>
bool recorded(const Tensors&... inputs) {
  return detail::recording && (inputs.needs_grad() || ...);
}

/// A value kept for backward; reading it after it was changed in place throws.
template <class T, class Device>
class Saved {
 public:
  Saved() = default;
  /// Keeps a value for operation `op`, which errors name; it may be undefined.
  Saved(const char* op, const Tensor<T, Device>& value)
      : op_(op), value_(value.detach()), version_(value.defined() ? value.version() : 0) {}

  /// The value outside the graph. Error: it was changed in place since.
  const Tensor<T, Device>& get() const {
    GAZE_CHECK(!value_.defined() || value_.version() == version_, op_,
               "a value that backward needs, of shape ", value_.shape(),
               ", was changed in place after the forward pass");
    return value_;
  }
  /// its first element, null if undefined; errors as get()
  const T* data() const { return get().defined() ? value_.data() : nullptr; }

 private:
  const char* op_ = "";
  Tensor<T, Device> value_;
  std::uint64_t version_ = 0;
};

namespace detail {
template <class T, class Device>
void link(Node& node, const Tensor<T, Device>& input) {
  if (input.needs_grad()) node.add_parent(input.node());
}
template <class T, class Device>
void link(Node& node, const std::vector<Tensor<T, Device>>& inputs) {
  for (const auto& input : inputs) link(node, input);
}
}  // namespace detail

/// Creates the node of `out`. `backward(dy)` receives the contiguous gradient of `out`; it must not
/// capture `out` itself (a cycle), but may capture Saved values and the inputs' nodes. Inputs are
/// tensors or vectors of tensors.
template <class T, class Device, class Backward, class... Inputs>
void record(const char* op, Tensor<T, Device>& out, Backward backward, const Inputs&... inputs) {
  auto node = std::make_shared<GradNode<T, Device>>();
  node->op = op;
  node->shape = out.shape();
  (detail::link(*node, inputs), ...);
  node->backward = [self = node.get(), backward = std::move(backward)] { backward(self->slot); };
  out.set_node(std::move(node));
}

/// The same for an operation with two results. In `backward`, the gradient of a result that the
/// loss does not depend on is undefined.
template <class T, class Device, class Backward, class... Inputs>
void record2(const char* op, Tensor<T, Device>& a, Tensor<T, Device>& b, Backward backward,
             const Inputs&... inputs) {
  using Grad = Tensor<GradOf<T>, Device>;
  auto joint = std::make_shared<Node>();
  joint->op = op;
  (detail::link(*joint, inputs), ...);
  // Each result, when visited, stores its gradient for the joint node, which is visited later.
  const auto gradients = std::make_shared<std::array<Grad, 2>>();
  std::size_t i = 0;
  for (Tensor<T, Device>* out : {&a, &b}) {
    auto node = std::make_shared<GradNode<T, Device>>();
    node->op = op;
    node->shape = out->shape();
    node->add_parent(joint);
    node->backward = [self = node.get(), gradients, i] { (*gradients)[i] = self->release(); };
    out->set_node(std::move(node));
    ++i;
  }
  joint->backward = [gradients, backward = std::move(backward)] {
    const auto both = std::exchange(*gradients, {});
    if (both[0].defined() || both[1].defined()) backward(both[0], both[1]);
  };
}

/// For operations without a derivative. Error: an input that needs a gradient.
template <class... Tensors>
void refuse_gradient(const char* op, const Tensors&... inputs) {
  GAZE_CHECK(!recorded(inputs...), op,
             "has no derivative, but an input requires one; detach() it first");
}

namespace detail {
inline std::vector<std::shared_ptr<Node>> reachable(std::shared_ptr<Node> root) {
  std::vector<std::shared_ptr<Node>> nodes, todo{std::move(root)};
  std::unordered_set<const Node*> seen{todo.front().get()};
  while (!todo.empty()) {
    auto node = std::move(todo.back());
    todo.pop_back();
    for (const auto& parent : node->parents)
      if (seen.insert(parent.get()).second) todo.push_back(parent);
    nodes.push_back(std::move(node));
  }
  std::stable_sort(nodes.begin(), nodes.end(),
                   [](const auto& a, const auto& b) { return a->depth < b->depth; });
  return nodes;
}

/// Error: a spent node, which would silently lose gradients.
inline void check_unspent(const Node& node) {
  GAZE_CHECK(!node.spent, "backward", "a result of ", node.op,
             " was walked before, by another backward() or by a checkpoint that captured it");
}
}  // namespace detail

/// Adds d(sum of out * seed)/d(leaf) to every leaf's gradient. Intermediate values and gradients
/// are freed as they are used, so a graph can be walked once. If it throws (out of memory, for
/// instance), the gradients that it had begun to add to are unfinished: reading them, adding to
/// them and AdamW::step() throw until they are cleared (Parameters::clear_gradients(), or
/// node()->clear()). In a WholeGradient this applies to all of its calls.
template <class T, class Device>
void backward(const Tensor<T, Device>& out, const Tensor<GradOf<T>, Device>& seed) {
  detail::check_defined("backward", out, seed);
  GAZE_CHECK(out.needs_grad(), "backward", "nothing was recorded for this tensor");
  GAZE_CHECK(seed.shape() == out.shape(), "backward", "seed has shape ", seed.shape(),
             ", the value ", out.shape());
  GAZE_CHECK(seed.contiguous(), "backward", "the seed must be contiguous");
  const NoGrad no_grad;
  WholeGradient gradient;
  auto nodes = detail::reachable(out.node());
  for (const auto& node : nodes) detail::check_unspent(*node);
  out.node()->add(seed);
  while (!nodes.empty()) {
    const auto node = std::move(nodes.back());
    nodes.pop_back();
    detail::check_unspent(*node);
    if (node->backward && node->reached()) node->backward();
    node->consume();
  }
  gradient.done();
}

/// backward() of a single number, with seed 1.
template <class T, class Device>
void backward(const Tensor<T, Device>& loss) {
  detail::check_defined("backward", loss);
  GAZE_CHECK(loss.numel() == 1, "backward", "the loss must be one number, got shape ",
             loss.shape());
  Tensor<GradOf<T>, Device> one(loss.shape());
  Kernels<Device>::fill(1, GradOf<T>(1), one.data());
  backward(loss, one);
}

namespace detail {

/// 64-bit hash that detects recomputation with different bits.
template <class T>
std::uint64_t fingerprint(const Tensor<T, Cpu>& x) {
  const std::vector<T> copy = x.contiguous() ? std::vector<T>() : x.to_vector();
  const auto* bytes =
      reinterpret_cast<const unsigned char*>(x.contiguous() ? x.data() : copy.data());
  const std::size_t size = static_cast<std::size_t>(x.numel()) * sizeof(T);
  std::uint64_t hash = 1469598103934665603u;
  for (std::size_t i = 0; i < size; i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes + i, std::min<std::size_t>(8, size - i));
    hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
    hash ^= hash >> 32;
  }
  return hash;
}
/// Other devices do not promise the same bits: nothing to compare.
template <class T, class Device>
std::uint64_t fingerprint(const Tensor<T, Device>&) {
  return 0;
}

}  // namespace detail

/// f(x), run again in backward, so that only x is kept meanwhile.
///
/// Activation checkpointing, Chen et al. 2016. Without a gradient to compute it is f(x). Leaves
/// that f captures receive their gradients as usual; it must not capture recorded results that
/// anything else uses (backward throws). f must return the same values again: on the CPU backward
/// throws if it does not, because it is not deterministic or something it captured was changed in
/// place.
template <class T, class Device, class Function>
Tensor<T, Device> checkpoint(const Function& f, const Tensor<T, Device>& x) {
  detail::check_defined("checkpoint", x);
  if (!detail::recording) return f(x);
  Tensor<T, Device> y = f(x);
  if (!y.needs_grad()) return y;
  y = y.detach();
  record(
      "checkpoint", y,
      [f, x = Saved<T, Device>("checkpoint", x), to = x.node(),
       before = detail::fingerprint(y)](const auto& dy) {
        const Recording recording;
        Tensor<T, Device> input = x.get().detach();
        if (to) input.requires_grad();
        const bool shared = to && to->defined;  // f adds to it in the order without a checkpoint
        if (shared) {
          to->target();
          input.node()->slot = to->slot;
          input.node()->defined = true;
        }
        const Tensor<T, Device> again = f(input);
        GAZE_CHECK(detail::fingerprint(again) == before, "checkpoint",
                   "the function gave other values in backward: it is not deterministic, or "
                   "something it captured was changed in place after the forward pass");
        gaze::backward(again, dy);
        if (to && !shared && input.node()->defined) to->take(input.node()->release());
      },
      x);
  return y;
}

}  // namespace gaze
