// SPDX-License-Identifier: MIT
// einsum: sums of products named by letters, as in "bhtd,bhsd->bhts". Every pair of operands
// becomes one (batched) matrix product or one broadcast product, so the derivative is theirs.
#pragma once
#include <string>

#include "gaze/ops/gemm.hpp"
#include "gaze/ops/reduce.hpp"

namespace gaze {

namespace detail {

/// A tensor with one letter per dimension.
template <class T, class Device>
struct Labelled {
  std::string labels;
  Tensor<T, Device> x;

  Index size(char label) const { return x.shape().at(static_cast<int>(labels.find(label))); }
};

inline bool has(const std::string& labels, char c) { return labels.find(c) != std::string::npos; }

/// The letters of `from` for which keep(letter) is true.
template <class Keep>
std::string letters(const std::string& from, Keep keep) {
  std::string out;
  for (const char c : from)
    if (keep(c)) out += c;
  return out;
}

/// Equal letters within an operand: its diagonal, as a view.
template <class T, class Device>
Labelled<T, Device> diagonal(const Labelled<T, Device>& a) {
  const std::string labels = letters(a.labels, [&, seen = std::string()](char c) mutable {
    return !has(seen, c) && (seen += c, true);
  });
  if (labels == a.labels) return a;
  const Tensor<T, Device>& x = a.x;
  const Shape dense = contiguous_strides(x.shape());
  Shape shape = Shape::filled(static_cast<int>(labels.size()), 0), strides = shape, grad = shape;
  for (int d = 0; d < x.rank(); ++d) {
    const int to = static_cast<int>(labels.find(a.labels[static_cast<std::size_t>(d)]));
    shape[to] = x.shape()[d];
    strides[to] += x.strides()[d];
    grad[to] += dense[d];
  }
  Tensor<T, Device> y = x.view(0, shape, strides);
  if (recorded(x))
    record(
        "einsum", y, [to = x.node(), grad](const auto& dy) { add_through_view(*to, dy, 0, grad); },
        x);
  return {labels, y};
}

/// The same values with their dimensions in another order; `labels` names all of them.
template <class T, class Device>
Tensor<T, Device> in_order(const Labelled<T, Device>& a, const std::string& labels) {
  Shape order = a.x.shape();
  for (std::size_t i = 0; i < labels.size(); ++i)
    order[static_cast<int>(i)] = static_cast<Index>(a.labels.find(labels[i]));
  return moved(a.x, order);
}

/// Sums over the letters that are not among `kept`.
template <class T, class Device>
Labelled<T, Device> sum_letters(const Labelled<T, Device>& a, const std::string& kept) {
  const std::string stay = letters(a.labels, [&](char c) { return has(kept, c); });
  if (stay == a.labels) return a;
  Shape axes = Shape::filled(static_cast<int>(a.labels.size() - stay.size()), 0);
  Shape shape = Shape::filled(static_cast<int>(stay.size()), 0);
  int axis = 0, at = 0;
  for (int d = 0; d < a.x.rank(); ++d)
    if (has(kept, a.labels[static_cast<std::size_t>(d)]))
      shape[at++] = a.x.shape()[d];
    else
      axes[axis++] = d;
  return {stay, reshape(sum(a.x, axes), shape)};
}

/// The product of two operands, summed over the letters that are not among `kept`.
template <class T, class Device>
Labelled<T, Device> product(Labelled<T, Device> a, Labelled<T, Device> b, const std::string& kept) {
  a = sum_letters(a, kept + b.labels);
  b = sum_letters(b, kept + a.labels);
  const auto shared = [&](bool stays) {
    return letters(a.labels, [&](char c) { return has(b.labels, c) && has(kept, c) == stays; });
  };
  const std::string batch = shared(true), inner = shared(false);
  const std::string left = letters(a.labels, [&](char c) { return !has(b.labels, c); });
  const std::string right = letters(b.labels, [&](char c) { return !has(a.labels, c); });
  const std::string labels = batch + left + right;
  Shape shape = Shape::filled(static_cast<int>(labels.size()), 0);
  for (std::size_t i = 0; i < labels.size(); ++i)
    shape[static_cast<int>(i)] = has(a.labels, labels[i]) ? a.size(labels[i]) : b.size(labels[i]);
  const auto volume = [](const Labelled<T, Device>& of, const std::string& over) {
    Index n = 1;
    for (const char c : over) n *= of.size(c);
    return n;
  };
  const Index groups = volume(a, batch), m = volume(a, left), k = volume(a, inner);
  const Index n = volume(b, right);
  if (inner.empty()) {
    const auto x = reshape(in_order(a, batch + left), {groups, m, 1});
    return {labels, reshape(mul(x, reshape(in_order(b, batch + right), {groups, 1, n})), shape)};
  }
  // A transposed operand is left to the GEMM instead of being copied.
  const bool turn_a = a.labels == batch + inner + left && !left.empty();
  const bool turn_b = b.labels == batch + right + inner && !right.empty();
  const auto x = in_order(a, turn_a ? batch + inner + left : batch + left + inner);
  const auto z = in_order(b, turn_b ? batch + right + inner : batch + inner + right);
  const Shape of_x = turn_a ? Shape{groups, k, m} : Shape{groups, m, k};
  const Shape of_z = turn_b ? Shape{groups, n, k} : Shape{groups, k, n};
  const auto matrix = [](const Shape& s) { return Shape{s[1], s[2]}; };
  const auto y = batch.empty()
                     ? matmul(reshape(x, matrix(of_x)), reshape(z, matrix(of_z)), turn_a, turn_b)
                     : matmul(reshape(x, of_x), reshape(z, of_z), turn_a, turn_b);
  return {labels, reshape(y, shape)};
}

/// A parsed equation: the letters of the operands and of the result.
struct EinsumPlan {
  std::vector<std::string> inputs;
  std::string output;
};

inline EinsumPlan parse_einsum(const std::string& equation) {
  EinsumPlan plan;
  plan.inputs.emplace_back();
  const std::size_t arrow = equation.find("->");
  std::string used;
  for (std::size_t i = 0; i < equation.size(); ++i) {
    const char c = equation[i];
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (i == arrow) {
      ++i;
    } else if (c == ',' && i < arrow) {
      plan.inputs.emplace_back();
    } else if (letter) {
      (i < arrow ? plan.inputs.back() : plan.output) += c;
      if (i < arrow) used += c;
    } else {
      GAZE_CHECK(c == ' ', "einsum", "'", equation, "': letters, commas and one -> only");
    }
  }
  if (arrow == std::string::npos) {  // letters that occur once, in alphabetical order
    plan.output = letters(used, [&](char c) { return used.find(c) == used.rfind(c); });
    std::sort(plan.output.begin(), plan.output.end());
  }
  for (const char c : plan.output)
    GAZE_CHECK(has(used, c) && plan.output.find(c) == plan.output.rfind(c), "einsum", "'", equation,
               "': ", c, " of the result is in no operand, or twice in the result");
  return plan;
}

}  // namespace detail

/// The sum of products over all letters that the result lacks: "ij,jk->ik" is a matrix product,
/// "bi,bi->b" dot products by row, "ii->i" a diagonal, "ij->ji" a transpose.
///
/// Without "->" the result has the letters that occur once, in alphabetical order. Several operands
/// are multiplied from the left, and the derivatives are those of these products. Sizes of one
/// letter must agree; no ellipsis, no broadcasting.
template <class T, class Device>
Tensor<T, Device> einsum(const std::string& equation,
                         const std::vector<Tensor<T, Device>>& operands) {
  const auto plan = detail::parse_einsum(equation);
  GAZE_CHECK(plan.inputs.size() == operands.size(), "einsum", "'", equation, "' has ",
             plan.inputs.size(), " operands, got ", operands.size());
  std::vector<detail::Labelled<T, Device>> terms;
  std::string names;
  std::vector<Index> sizes;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const auto& x = operands[i];
    detail::check_defined("einsum", x);
    const std::string& labels = plan.inputs[i];
    GAZE_CHECK(x.rank() == static_cast<int>(labels.size()), "einsum", "'", equation, "': ", labels,
               " does not name the dimensions of ", x.shape());
    for (int d = 0; d < x.rank(); ++d) {
      const char c = labels[static_cast<std::size_t>(d)];
      if (!detail::has(names, c)) names += c, sizes.push_back(x.shape()[d]);
      GAZE_CHECK(sizes[names.find(c)] == x.shape()[d], "einsum", "'", equation, "': sizes of ", c,
                 " differ: ", sizes[names.find(c)], " and ", x.shape()[d], " in ", x.shape());
    }
    terms.push_back(detail::diagonal(detail::Labelled<T, Device>{labels, x}));
  }
  detail::Labelled<T, Device> y = terms.front();
  for (std::size_t i = 1; i < terms.size(); ++i) {
    std::string kept = plan.output;
    for (std::size_t j = i + 1; j < terms.size(); ++j) kept += terms[j].labels;
    y = detail::product(y, terms[i], kept);
  }
  return detail::in_order(detail::sum_letters(y, plan.output), plan.output);
}

}  // namespace gaze
