// SPDX-License-Identifier: MIT
// Axes: an operation along some dimensions of a tensor of any rank works on rows [R, n], where n
// runs over these axes and R over all others. The way there and back is by recorded views.
#pragma once
#include "gaze/ops/indices.hpp"
#include "gaze/ops/views.hpp"

namespace gaze {

/// The axes of a reduction: one number, or several in braces. Negative ones count from the end.
struct Axes : Shape {
  Axes() = default;                                         ///< none
  Axes(Index axis) : Shape({axis}) {}                       ///< one
  Axes(std::initializer_list<Index> axes) : Shape(axes) {}  ///< several
  Axes(const Shape& axes) : Shape(axes) {}                  ///< those that a shape lists
};

namespace detail {

/// The view of a tensor of one shape as rows.
struct AxisPlan {
  Shape order;    // of permute: first the other dimensions, then the axes
  Shape ordered;  // the sizes in this order
  Shape kept;     // the tensor's shape with its axes at size 1
  Index rows = 1, n = 1;
};

/// Error: an axis out of range or given twice.
inline AxisPlan plan_axes(const char* op, const Shape& shape, const Axes& axes) {
  AxisPlan plan{shape, shape, shape};
  unsigned chosen = 0;
  for (const Index axis : axes) {
    const Index d = axis < 0 ? axis + shape.rank() : axis;
    GAZE_CHECK(d >= 0 && d < shape.rank() && !(chosen >> d & 1u), op, "axes ", axes, " of ", shape);
    chosen |= 1u << d;
  }
  int at = 0;
  for (const bool pass : {false, true})
    for (int d = 0; d < shape.rank(); ++d) {
      if ((chosen >> d & 1u) != (pass ? 1u : 0u)) continue;
      plan.order[at] = d;
      plan.ordered[at++] = shape[d];
      (pass ? plan.n : plan.rows) *= shape[d];
      if (pass) plan.kept[d] = 1;
    }
  return plan;
}

inline Shape all_axes(const Shape& shape) {
  Shape axes = shape;
  for (int d = 0; d < shape.rank(); ++d) axes[d] = d;
  return axes;
}

/// permute() that records nothing if the order is already right.
template <class T, class Device>
Tensor<T, Device> moved(const Tensor<T, Device>& x, const Shape& order) {
  return order == all_axes(order) ? x : permute(x, order);
}

template <class T, class Device>
Tensor<T, Device> rows_of(const Tensor<T, Device>& x, const AxisPlan& plan) {
  return reshape(moved(x, plan.order), {plan.rows, plan.n});
}

/// The inverse of rows_of(); the last size becomes y.size(1).
template <class T, class Device>
Tensor<T, Device> from_rows(const Tensor<T, Device>& y, const AxisPlan& plan) {
  Shape shape = plan.ordered, back = plan.order;
  if (shape.rank() > 0 && y.size(1) != plan.n) shape[shape.rank() - 1] = y.size(1);
  for (int i = 0; i < back.rank(); ++i) back[static_cast<int>(plan.order[i])] = i;
  return moved(reshape(y, shape), back);
}

}  // namespace detail

}  // namespace gaze
