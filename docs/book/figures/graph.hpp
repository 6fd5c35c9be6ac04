// SPDX-License-Identifier: MIT
// Figures of recorded graphs: the nodes of a loss as the engine recorded them, with the gradients
// that its backward pass computed.
#pragma once
#include <map>
#include <memory>
#include <set>

#include "docs/book/figures/svg.hpp"
#include "gaze/gaze.hpp"

namespace figures {

using gaze::Index;
using gaze::Tensor;
using Values = Tensor<double>;
using ValueNode = gaze::GradNode<double, gaze::Cpu>;

/// A graph under observation: what each node is called, and what the backward pass did.
class Graph {
 public:
  /// Names the value of a tensor; returns the tensor.
  Values name(const Values& x, const std::string& words) {
    names_[x.node().get()] = words;
    return x;
  }

  /// Runs backward() with every node's function wrapped: it notes the gradient that arrives, and
  /// what the node adds to the gradient of each parent.
  void run_backward(const Values& loss) {
    collect(loss.node());
    for (const auto& node : nodes_) {
      if (!node->backward) continue;
      for (const auto& parent : node->parents) edges_.push_back({node.get(), parent.get(), 0});
      node->backward = [this, node = node.get(), run = node->backward] { visit(node, run); };
    }
    gaze::backward(loss);
    for (const auto& node : nodes_)
      if (node->leaf) gradient_[node.get()] = total(*node);
  }

  /// Nodes in columns by depth: the first leaf and what was made from it in one row, a second leaf
  /// below, with lines up to where it is used. `second` is a box's second line.
  template <class Second>
  Svg draw(Second second, bool edge_values) const {
    const double column = box_width + (edge_values ? 68 : 26);
    Svg svg(40 + static_cast<double>(nodes_.back()->depth) * column + box_width, 206);
    std::map<const gaze::Node*, Point> at;
    for (const auto& node : nodes_) {
      const bool second_leaf = node->leaf && node != nodes_.front();
      at[node.get()] = {20 + static_cast<double>(node->depth) * column, second_leaf ? low : top};
    }
    for (const auto& e : edges_) {
      const Point from{at[e.parent].x + box_width, at[e.parent].y + box_height / 2};
      const Point to{at[e.node].x, top + box_height / 2}, below{to.x + box_width / 2, from.y};
      const bool level = from.y == to.y;
      if (level)
        svg.arrow({from, to}, grey);
      else
        svg.arrow({from, below, {below.x, top + box_height}}, grey);
      const Point beside = level ? Point{(from.x + to.x) / 2, to.y - 8}
                                 : Point{below.x + 8, (top + box_height + low) / 2 + 8};
      if (edge_values)
        svg.text(beside, number(e.added, 3), level ? Svg::Align::middle : Svg::Align::start, orange,
                 12);
    }
    for (const auto& node : nodes_) {
      const Point p = at[node.get()];
      svg.box(p, box_width, box_height, node->leaf ? light_blue : white, node->leaf ? blue : ink,
              5);
      svg.text({p.x + box_width / 2, p.y + 19}, label(*node), Svg::Align::middle, ink, 13, true);
      svg.text({p.x + box_width / 2, p.y + 37}, second(*node), Svg::Align::middle, orange, 12);
    }
    return svg;
  }

  double gradient(const ValueNode& node) const { return gradient_.at(&node); }
  int order(const ValueNode& node) const { return order_.count(&node) ? order_.at(&node) : 0; }

 private:
  static constexpr double top = 24, low = 112, box_width = 108, box_height = 46;

  struct Edge {
    const gaze::Node *node, *parent;
    double added;
  };

  std::string label(const gaze::Node& node) const {
    const auto at = names_.find(&node);
    return at == names_.end() ? node.op : at->second;
  }

  static double total(const ValueNode& node) {
    double sum = 0;
    if (node.defined)
      for (const double g : node.slot.to_vector()) sum += g;
    return sum;
  }

  void collect(const std::shared_ptr<ValueNode>& node) {
    if (!known_.insert(node.get()).second) return;
    for (const auto& parent : node->parents) collect(std::static_pointer_cast<ValueNode>(parent));
    nodes_.push_back(node);
  }

  void visit(ValueNode* node, const std::function<void()>& run) {
    order_[node] = ++visits_;
    gradient_[node] = total(*node);
    std::map<const gaze::Node*, double> before;
    for (const auto& parent : node->parents)
      before[parent.get()] = total(static_cast<const ValueNode&>(*parent));
    run();
    for (Edge& e : edges_)
      if (e.node == node)
        e.added = total(static_cast<const ValueNode&>(*e.parent)) - before[e.parent];
  }

  std::map<const gaze::Node*, std::string> names_;
  std::map<const gaze::Node*, double> gradient_;
  std::map<const gaze::Node*, int> order_;
  std::set<const gaze::Node*> known_;
  std::vector<std::shared_ptr<ValueNode>> nodes_;
  std::vector<Edge> edges_;
  int visits_ = 0;
};

inline Values leaf(const gaze::Shape& shape, std::vector<double> values) {
  auto x = Values::from(shape, std::move(values));
  x.requires_grad();
  return x;
}

/// Chapter 1: y = tanh(x w + w) w, with each value, its gradient, and what each edge adds.
inline Svg scalar_graph() {
  Graph graph;
  const auto named = [&](const Values& x, const std::string& words) {
    return graph.name(x, words + " = " + number(x.item(), 3));
  };
  const auto x = named(leaf({}, {0.5}), "x"), w = named(leaf({}, {-0.7}), "w");
  const auto a = named(mul(x, w), "x w"), b = named(add(a, w), "+ w");
  const auto t = named(tanh(b), "tanh"), y = named(mul(t, w), "y");
  graph.run_backward(y);
  Svg svg = graph.draw(
      [&](const ValueNode& n) { return "gradient " + number(graph.gradient(n), 3); }, true);
  svg.text({20, 190},
           "On an arrow: what the node to its right adds to the gradient of the node to its left.",
           Svg::Align::start, grey, 12);
  return svg;
}

/// Chapter 2: the loss of a network with two layers: shapes, and the order of the visits.
inline Svg tensor_graph() {
  Graph graph;
  const auto x = Values::from({4, 3}, std::vector<double>(12, 0.5));
  const auto target = Values::from({4, 1}, std::vector<double>(4, 1));
  const auto u = graph.name(leaf({3, 5}, std::vector<double>(15, 0.1)), "U");
  const auto v = graph.name(leaf({5, 1}, std::vector<double>(5, 0.2)), "V");
  const auto product = graph.name(matmul(x, u), "matmul(x, U)");
  const auto h = graph.name(tanh(product), "tanh");
  const auto out = graph.name(matmul(h, v), "matmul(h, V)");
  const auto squares = graph.name(square(graph.name(sub(out, target), "sub")), "square");
  const auto loss = graph.name(mean(squares), "mean");
  graph.run_backward(loss);
  Svg svg = graph.draw(
      [&](const ValueNode& n) {
        std::string words;
        for (int d = 0; d < n.shape.rank(); ++d)
          words += (d ? "," : "") + std::to_string(n.shape[d]);
        const int visit = graph.order(n);
        return "[" + words + "]" + (visit ? ", visit " + std::to_string(visit) : ", leaf");
      },
      false);
  svg.text({20, 190},
           "Arrows: forward. backward() visits the nodes in the opposite order, the deepest first.",
           Svg::Align::start, grey, 12);
  return svg;
}

}  // namespace figures
