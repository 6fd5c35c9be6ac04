// SPDX-License-Identifier: MIT
// Gradient cases of casts, selection, reductions and operations along one axis; and the cases of
// operations without a derivative. (Functions of one or two values: op_cases.hpp.)
#pragma once
#include "gaze/ops/cast.hpp"
#include "gaze/ops/creation.hpp"
#include "gaze/ops/reduce.hpp"
#include "gaze/ops/select.hpp"
#include "tests/op_case.hpp"

namespace gaze::test {

/// A mask of one shape with every third element set.
inline Mask<> thirds(const Shape& shape) {
  Mask<> mask(shape);
  for (Index i = 0; i < shape.numel(); ++i) mask.data()[i] = i % 3 == 0;
  return mask;
}

inline void add_choice_cases(OpCases& to) {
  add_case(to, "where", "given mask", {{2, 3, 4}, {2, 3, 4}}, [](const auto& x) {
    return where(beside(x, thirds({2, 3, 4})), x[0], x[1]);
  });
  add_case(to, "where", "mask stretches", {{2, 3, 4}, {4}}, [](const auto& x) {
    return where(beside(x, thirds({3, 1})), x[0], x[1]);
  });
  add_case(to, "where", "mask is the largest", {{}, {3}}, [](const auto& x) {
    return where(beside(x, thirds({4, 3})), x[0], x[1]);
  });
  add_case(to, "where", "mask is a view", {{4, 3}, {3, 4}}, [](const auto& x) {
    return where(permute(beside(x, thirds({4, 3})), {1, 0}), permute(x[0], {1, 0}), x[1]);
  });
  add_case(to, "masked_fill", "plain", {{3, 4}}, [](const auto& x) {
    return masked_fill(x[0], beside(x, thirds({3, 4})), -1.5);
  });
  add_case(to, "masked_fill", "mask stretches", {{2, 3, 4}}, [](const auto& x) {
    return masked_fill(mul(x[0], x[0]), beside(x, thirds({3, 1})), 7);
  });
  add_case(to, "masked_fill", "before a softmax", {{3, 4}}, [](const auto& x) {
    return softmax(
        masked_fill(x[0], beside(x, thirds({3, 4})), -std::numeric_limits<float>::infinity()), 1);
  });
  add_case(to, "masked_fill", "view", {{4, 3}}, [](const auto& x) {
    return masked_fill(permute(x[0], {1, 0}), permute(beside(x, thirds({4, 1})), {1, 0}), 0);
  });
  add_case(to, "masked_fill", "empty", {{0, 4}},
           [](const auto& x) { return masked_fill(x[0], beside(x, thirds({4})), 1); });
  const auto there_and_back = [](const auto& x) {
    using T = typename std::decay_t<decltype(x[0])>::value_type;
    const auto wide = cast<double>(x[0]);
    return cast<T>(mul(wide, wide));
  };
  add_case(to, "cast", "to double and back", {{3, 4}}, there_and_back);
  add_case(to, "cast", "scalar", {{}}, there_and_back);
  add_case(to, "cast", "empty", {{2, 0}}, there_and_back);
  add_case(to, "cast", "view", {{3, 4}}, [=](const auto& x) {
    return there_and_back(std::decay_t<decltype(x)>{permute(x[0], {1, 0})});
  });
}

/// f(x, axes) over one, several, all and no axes, of views and of empty tensors.
template <class F>
void add_axes_cases(OpCases& to, const std::string& op, F f) {
  const auto over = [&](const std::string& what, const Shape& shape, const Axes& axes) {
    add_case(to, op, what, {shape}, [=](const auto& x) { return f(x[0], axes); });
  };
  over("axis first", {3, 4, 2}, {0});
  over("axis middle", {3, 4, 2}, 1);
  over("axis last", {3, 5}, -1);
  over("outer axes", {2, 3, 4}, {0, -1});
  over("inner axes", {2, 3, 4}, {2, 1});
  over("all axes", {3, 4}, {0, 1});
  over("no axes", {3, 2}, {});
  over("axis of size 1", {3, 1, 2}, {1});
  over("no rows", {0, 3}, {1});
  over("long rows", {3, 70}, {1});
  add_case(to, op, "view by axis", {{4, 2, 3}}, [=](const auto& x) {
    return f(permute(slice(x[0], 0, 1, 4), {2, 0, 1}), Axes{0, 2});
  });
  add_case(to, op, "input twice by axis", {{3, 4}},
           [=](const auto& x) { return mul(x[0], f(x[0], 1)); });
}

inline void add_reduction_cases(OpCases& to) {
  add_axes_cases(to, "sum", [](const auto& x, const Axes& axes) { return sum(x, axes); });
  add_axes_cases(to, "mean", [](const auto& x, const Axes& axes) { return mean(x, axes); });
  add_axes_cases(to, "max", [](const auto& x, const Axes& axes) { return max(x, axes); });
  add_axes_cases(to, "min", [](const auto& x, const Axes& axes) { return min(x, axes); });
  add_axes_cases(to, "logsumexp",
                 [](const auto& x, const Axes& axes) { return logsumexp(x, axes); });
  add_axes_cases(to, "variance", [](const auto& x, const Axes& axes) { return variance(x, axes); });
  add_case(to, "variance", "unbiased", {{3, 5}},
           [](const auto& x) { return variance(x[0], {1}, 1); });
  add_case(to, "max", "all", {{3, 4}}, [](const auto& x) { return max(x[0]); });
  add_case(to, "min", "all", {{3, 4}}, [](const auto& x) { return min(x[0]); });
  add_case(to, "variance", "all", {{3, 4}}, [](const auto& x) { return variance(x[0]); });
  add_case(to, "logsumexp", "all", {{3, 4}}, [](const auto& x) { return logsumexp(x[0]); });
  add_case(to, "logsumexp", "no elements of a row", {{2, 0}, {2, 1}},
           [](const auto& x) { return exp(add(logsumexp(x[0], {1}), x[1])); });
}

template <class F>
void add_along_cases(OpCases& to, const std::string& op, F f) {
  const auto along = [&](const std::string& what, const Shape& shape, int axis) {
    add_case(to, op, what, {shape}, [=](const auto& x) { return f(x[0], axis); });
  };
  along("first axis", {4, 3}, 0);
  along("middle axis", {2, 4, 3}, 1);
  along("last axis", {3, 5}, -1);
  along("vector", {6}, 0);
  along("axis of size 1", {3, 1}, 1);
  along("long axis", {2, 70}, 1);
  along("no rows", {0, 3}, 1);
  along("no elements", {3, 0}, 1);
  add_case(to, op, "view", {{4, 2, 3}}, [=](const auto& x) {
    return f(permute(slice(x[0], 0, 1, 4), {2, 0, 1}), 1);
  });
  add_case(to, op, "squared", {{3, 4}}, [=](const auto& x) { return square(f(x[0], 0)); });
}

inline void add_element_cases(OpCases& to) {
  add_choice_cases(to);
  add_reduction_cases(to);
  add_along_cases(to, "softmax", [](const auto& x, int axis) { return softmax(x, axis); });
  add_along_cases(to, "log_softmax", [](const auto& x, int axis) { return log_softmax(x, axis); });
  add_along_cases(to, "cumsum", [](const auto& x, int axis) { return cumsum(x, axis); });
}

/// Values without a derivative, as numbers of the inputs' type.
inline OpCases make_value_cases() {
  OpCases to;
  const auto compare = [&to](const std::string& op, auto f) {
    const auto number = [f](const auto& a, const auto& b) {
      return cast<typename std::decay_t<decltype(a)>::value_type>(f(a, b));
    };
    add_case(to, op, "broadcast", {{3, 4}, {4}}, [=](const auto& x) { return number(x[0], x[1]); });
    add_case(to, op, "ties and views", {{4, 5}}, [=](const auto& x) {
      const auto turned = permute(x[0], {1, 0});
      return number(turned, slice(turned, 0, 0, 1));
    });
    add_case(to, op, "whole numbers", {{3, 4}, {3, 1}}, [=](const auto& x) {
      using T = typename std::decay_t<decltype(x[0])>::value_type;
      return cast<T>(f(cast<std::int32_t>(x[0]), cast<std::int32_t>(x[1])));
    });
    add_case(to, op, "empty", {{0, 4}, {4}}, [=](const auto& x) { return number(x[0], x[1]); });
  };
  compare("equal", [](const auto& a, const auto& b) { return equal(a, b); });
  compare("not_equal", [](const auto& a, const auto& b) { return not_equal(a, b); });
  compare("less", [](const auto& a, const auto& b) { return less(a, b); });
  compare("less_equal", [](const auto& a, const auto& b) { return less_equal(a, b); });
  compare("greater", [](const auto& a, const auto& b) { return greater(a, b); });
  compare("greater_equal", [](const auto& a, const auto& b) { return greater_equal(a, b); });
  const auto place = [&to](const std::string& op, auto f) {
    const auto number = [f](const auto& x, int axis) {
      return cast<typename std::decay_t<decltype(x)>::value_type>(f(x, axis));
    };
    add_case(to, op, "first axis", {{4, 3}}, [=](const auto& x) { return number(x[0], 0); });
    add_case(to, op, "middle axis", {{2, 4, 3}}, [=](const auto& x) { return number(x[0], 1); });
    add_case(to, op, "last axis", {{3, 5}}, [=](const auto& x) { return number(x[0], -1); });
    add_case(to, op, "no rows", {{0, 5}}, [=](const auto& x) { return number(x[0], 1); });
    add_case(to, op, "view", {{4, 3}}, [=](const auto& x) {
      return number(permute(slice(x[0], 0, 1, 4), {1, 0}), 1);
    });
  };
  place("argmax", [](const auto& x, int axis) { return argmax(x, axis); });
  place("argmin", [](const auto& x, int axis) { return argmin(x, axis); });
  return to;
}

inline const OpCases& value_cases() {
  static const OpCases cases = make_value_cases();
  return cases;
}

}  // namespace gaze::test
