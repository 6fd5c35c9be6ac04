// SPDX-License-Identifier: MIT
// Gradient cases for every operation of the op table: random and degenerate shapes, broadcasting,
// non-contiguous views, empty sizes. This file has elementwise operations, views, sums, products
// and rows; the rest is in op_cases_{elements,fused,shapes}.hpp.
#pragma once
#include "gaze/ops/attention.hpp"
#include "gaze/ops/elementwise.hpp"
#include "gaze/ops/gelu_mlp.hpp"
#include "gaze/ops/gemm.hpp"
#include "gaze/ops/logprob.hpp"
#include "gaze/ops/reduce.hpp"
#include "gaze/ops/rows.hpp"
#include "tests/op_case.hpp"
#include "tests/op_cases_elements.hpp"
#include "tests/op_cases_fused.hpp"
#include "tests/op_cases_shapes.hpp"

namespace gaze::test {

/// A copy that rotary() may change in place.
template <class T, class Device>
Tensor<T, Device> fresh(const Tensor<T, Device>& x) {
  return scale(x, T(1));
}

/// The diagonal of a square matrix: a non-contiguous vector.
template <class T, class Device>
Tensor<T, Device> diagonal(const Tensor<T, Device>& x) {
  return einsum("ii->i", std::vector{x});
}

inline void add_binary_cases(OpCases& to) {
  const auto all = [&to](const std::string& op, auto f, double low, double high) {
    const std::string sign = high < 0 ? " below zero" : "";
    const auto add = [&](const std::string& what, std::vector<Shape> shapes) {
      add_case(
          to, op, what + sign, std::move(shapes), [f](const auto& x) { return f(x[0], x[1]); }, low,
          high);
    };
    add("plain", {{3, 5}, {3, 5}});
    add("long", {{67}, {67}});
    add("broadcast row", {{4, 3}, {3}});
    add("broadcast column", {{4, 1}, {4, 5}});
    add("broadcast both", {{2, 1, 3}, {4, 1}});
    add("scalar", {{}, {2, 3}});
    add("empty", {{0, 3}, {1, 3}});
    add_case(
        to, op, "views" + sign, {{3, 4}, {5, 3}},
        [f](const auto& x) {
          return f(permute(x[0], {1, 0}), slice(x[1], 0, 1, 5));
        },
        low, high);
    add_case(
        to, op, "with itself" + sign, {{3, 2}}, [f](const auto& x) { return f(x[0], x[0]); }, low,
        high);
  };
  all(
      "add", [](const auto& a, const auto& b) { return add(a, b); }, -2, 2);
  all(
      "sub", [](const auto& a, const auto& b) { return sub(a, b); }, -2, 2);
  all(
      "mul", [](const auto& a, const auto& b) { return mul(a, b); }, -2, 2);
  all(
      "div", [](const auto& a, const auto& b) { return div(a, b); }, 0.5, 2);
  all(
      "div", [](const auto& a, const auto& b) { return div(a, b); }, -2, -0.5);
  all(
      "pow", [](const auto& a, const auto& b) { return pow(a, b); }, 0.25, 2);
  all(
      "where",
      [](const auto& a, const auto& b) {
        const auto left = a.detach(), right = b.detach();
        return where(less(left, right), mul(a, a), b);
      },
      -2, 2);
  // a tie has no derivative, so the case of a value with itself shifts one side
  const auto apart = [](const auto& a) {
    return add(a, std::decay_t<decltype(a)>::scalar(0.2578125));
  };
  all(
      "minimum", [=](const auto& a, const auto& b) { return minimum(a, apart(b)); }, -2, 2);
  all(
      "maximum", [=](const auto& a, const auto& b) { return maximum(a, apart(b)); }, -2, 2);
}

inline void add_unary_cases(OpCases& to) {
  const auto all = [&to](const std::string& op, auto f, double low, double high) {
    const auto add = [&](const std::string& what, const Shape& shape) {
      add_case(
          to, op, what, {shape}, [f](const auto& x) { return f(x[0]); }, low, high);
    };
    add("plain", {3, 7});
    add("long", {131});
    add("scalar", {});
    add("empty", {2, 0});
    add_case(
        to, op, "view", {{5, 4}},
        [f](const auto& x) {
          return f(permute(slice(x[0], 0, 1, 4), {1, 0}));
        },
        low, high);
    add_case(
        to, op, "twice", {{3, 2}}, [f](const auto& x) { return mul(f(x[0]), f(x[0])); }, low, high);
  };
  all(
      "exp", [](const auto& x) { return exp(x); }, -3, 3);
  all(
      "log", [](const auto& x) { return log(x); }, 0.25, 3);
  all(
      "sqrt", [](const auto& x) { return sqrt(x); }, 0.25, 3);
  all(
      "tanh", [](const auto& x) { return tanh(x); }, -3, 3);
  all(
      "sigmoid", [](const auto& x) { return sigmoid(x); }, -5, 5);
  all(
      "silu", [](const auto& x) { return silu(x); }, -5, 5);
  all(
      "gelu", [](const auto& x) { return gelu(x); }, -4, 4);
  all(
      "relu", [](const auto& x) { return relu(x); }, -2, 2);
  all(
      "gelu_tanh", [](const auto& x) { return gelu_tanh(x); }, -4, 4);
  all(
      "gelu_exact", [](const auto& x) { return gelu_exact(x); }, -4, 4);
  all(
      "erf", [](const auto& x) { return erf(x); }, -3, 3);
  all(
      "abs", [](const auto& x) { return abs(x); }, -2, 2);
  all(
      "rsqrt", [](const auto& x) { return rsqrt(x); }, 0.25, 3);
  all(
      "square", [](const auto& x) { return square(x); }, -2, 2);
  all(
      "neg", [](const auto& x) { return neg(x); }, -2, 2);
  all(
      "scale",
      [](const auto& x) {
        using T = typename std::decay_t<decltype(x)>::value_type;
        return scale(x, T(-1.5));
      },
      -2, 2);
  all(
      "clamp",
      [](const auto& x) {
        using T = typename std::decay_t<decltype(x)>::value_type;
        return clamp(x, T(-0.7001), T(1.2001));
      },
      -2, 2);
}

inline void add_power_cases(OpCases& to) {
  const auto power = [&](const std::string& what, const Shape& shape, double p, double low) {
    add_case(
        to, "pow", what, {shape}, [p](const auto& x) { return pow(x[0], constant(x, p)); }, low, 2);
  };
  power("one exponent", {3, 5}, 2.5, 0.25);
  power("negative exponent", {3, 5}, -1.5, 0.5);
  power("cube", {3, 5}, 3, -2);
  power("exponent 1", {4}, 1, -2);
  power("exponent 0", {4}, 0, -2);
  power("no elements", {0, 2}, 2, -2);
  add_case(to, "pow", "one exponent of a view", {{3, 4}}, [](const auto& x) {
    return pow(permute(slice(x[0], 0, 1, 3), {1, 0}), 2);
  });
}

inline void add_view_cases(OpCases& to) {
  add_case(to, "contiguous", "of a permutation", {{2, 3, 4}}, [](const auto& x) {
    return contiguous(permute(x[0], {2, 0, 1}));
  });
  add_case(to, "contiguous", "of an expansion", {{3, 1}}, [](const auto& x) {
    return contiguous(expand(x[0], {2, 3, 4}));
  });
  add_case(to, "contiguous", "of nothing to do", {{3}},
           [](const auto& x) { return contiguous(x[0]); });
  add_case(to, "reshape", "plain", {{2, 6}}, [](const auto& x) { return reshape(x[0], {3, 4}); });
  add_case(to, "reshape", "open size of a view", {{4, 6}}, [](const auto& x) {
    return reshape(permute(x[0], {1, 0}), {2, -1, 4});
  });
  add_case(to, "reshape", "to scalar and back", {{1, 1}},
           [](const auto& x) { return reshape(reshape(x[0], {}), {1}); });
  add_case(to, "reshape", "empty", {{0, 4}}, [](const auto& x) { return reshape(x[0], {2, 0}); });
  add_case(to, "permute", "three", {{2, 3, 4}}, [](const auto& x) {
    return permute(x[0], {1, 2, 0});
  });
  add_case(to, "permute", "of a slice", {{3, 5}}, [](const auto& x) {
    return square(permute(slice(x[0], 1, 1, 4), {1, 0}));
  });
  add_case(to, "permute", "empty", {{0, 3}}, [](const auto& x) { return permute(x[0], {1, 0}); });
  add_case(to, "slice", "middle", {{5, 3}}, [](const auto& x) { return slice(x[0], 0, 1, 4); });
  add_case(to, "slice", "from the end", {{2, 6}},
           [](const auto& x) { return slice(x[0], -1, 4, 6); });
  add_case(to, "slice", "of a slice, overlapping", {{6, 4}}, [](const auto& x) {
    return add(slice(slice(x[0], 0, 1, 5), 1, 0, 3), slice(slice(x[0], 0, 2, 6), 1, 1, 4));
  });
  add_case(to, "slice", "empty", {{3, 2}}, [](const auto& x) { return slice(x[0], 0, 3, 3); });
  add_case(to, "expand", "column", {{3, 1}}, [](const auto& x) { return expand(x[0], {3, 4}); });
  add_case(to, "expand", "new dimensions", {{2}}, [](const auto& x) {
    return expand(x[0], {3, 1, 2});
  });
  add_case(to, "expand", "of a view, to a square", {{1, 3}}, [](const auto& x) {
    return square(expand(permute(x[0], {1, 0}), {2, 3, 2}));
  });
  add_case(to, "expand", "scalar", {{}}, [](const auto& x) { return expand(x[0], {2, 2}); });
  add_case(to, "expand", "to nothing", {{1, 2}}, [](const auto& x) {
    return expand(x[0], {0, 2});
  });
  const auto join = [](int dimension) {
    return [dimension](const auto& x) { return concatenate(x, dimension); };
  };
  add_case(to, "concatenate", "rows", {{2, 3}, {1, 3}, {4, 3}}, join(0));
  add_case(to, "concatenate", "columns", {{2, 3}, {2, 1}}, join(1));
  add_case(to, "concatenate", "middle", {{2, 2, 3}, {2, 1, 3}}, join(-2));
  add_case(to, "concatenate", "one empty", {{0, 3}, {2, 3}}, join(0));
  add_case(to, "concatenate", "views, one twice", {{3, 2}, {2, 4}}, [](const auto& x) {
    std::decay_t<decltype(x)> parts{permute(x[0], {1, 0}), slice(x[1], 1, 1, 3),
                                    permute(x[0], {1, 0})};
    return concatenate(parts, 1);
  });
}

inline void add_sum_cases(OpCases& to) {
  add_case(to, "sum", "all", {{3, 4}}, [](const auto& x) { return sum(x[0]); });
  add_case(to, "sum", "all of a view", {{3, 4}}, [](const auto& x) {
    return sum(square(permute(x[0], {1, 0})));
  });
  add_case(to, "sum", "all of nothing", {{0, 4}}, [](const auto& x) { return sum(x[0]); });
  add_case(to, "sum", "more than a piece", {{5000}},
           [](const auto& x) { return sum(slice(mul(x[0], x[0]), 0, 4090, 4100)); });
  add_case(to, "sum", "first", {{3, 4, 2}}, [](const auto& x) { return sum(x[0], 0); });
  add_case(to, "sum", "middle", {{3, 4, 2}}, [](const auto& x) { return sum(x[0], 1); });
  add_case(to, "sum", "last", {{3, 4}}, [](const auto& x) { return sum(x[0], -1); });
  add_case(to, "sum", "of size 1", {{3, 1}}, [](const auto& x) { return sum(x[0], 1); });
  add_case(to, "sum", "empty dimension", {{3, 0}}, [](const auto& x) { return sum(x[0], 1); });
  add_case(to, "mean", "plain", {{3, 5}}, [](const auto& x) { return mean(square(x[0])); });
  add_case(to, "mean", "of one", {{}}, [](const auto& x) { return mean(x[0]); });
  add_case(to, "mean", "of a view", {{4, 3}}, [](const auto& x) {
    return mean(square(permute(x[0], {1, 0})));
  });
}

/// A weight with adapters, of type of its inputs.
template <class T, class Device>
Weight<T, Device> adapted(const Tensor<T, Device>& w, const Tensor<T, Device>& down,
                          const std::vector<Tensor<T, Device>>& up, std::vector<Index> first,
                          double factor) {
  Weight<T, Device> out(w);
  out.low_rank = LowRank<T, Device>{down, up, std::move(first), static_cast<T>(factor)};
  return out;
}

inline void add_product_cases(OpCases& to) {
  for (const bool ta : {false, true})
    for (const bool tb : {false, true}) {
      const std::string kind = std::string(ta ? "t" : "n") + (tb ? "t" : "n");
      const auto product = [=](const auto& x) { return matmul(x[0], x[1], ta, tb); };
      const auto shapes = [=](Index m, Index n, Index k) -> std::vector<Shape> {
        return {ta ? Shape{k, m} : Shape{m, k}, tb ? Shape{n, k} : Shape{k, n}};
      };
      add_case(to, "matmul", kind, shapes(3, 4, 5), product);
      add_case(to, "matmul", kind + " odd", shapes(17, 3, 9), product);
      add_case(to, "matmul", kind + " row by column", shapes(1, 1, 6), product);
      add_case(to, "matmul", kind + " no inner", shapes(2, 3, 0), product);
      add_case(to, "matmul", kind + " no rows", shapes(0, 3, 2), product);
    }
  add_case(to, "matmul", "with itself", {{3, 3}},
           [](const auto& x) { return matmul(x[0], x[0], true, false); });
  add_case(to, "matmul", "views", {{3, 4}, {5, 3}}, [](const auto& x) {
    return matmul(permute(x[0], {1, 0}), permute(x[1], {1, 0}));
  });
  add_case(to, "linear", "plain", {{4, 3}, {5, 3}},
           [](const auto& x) { return linear(x[0], x[1]); });
  add_case(to, "linear", "bias", {{4, 3}, {5, 3}, {5}},
           [](const auto& x) { return linear(x[0], x[1], x[2]); });
  add_case(to, "linear", "residual", {{4, 3}, {5, 3}, {4, 5}},
           [](const auto& x) { return linear(x[0], x[1], {}, x[2]); });
  add_case(to, "linear", "residual is the input", {{4, 3}, {3, 3}},
           [](const auto& x) { return linear(x[0], x[1], {}, x[0]); });
  add_case(to, "linear", "bias, one weight twice", {{2, 3}, {3, 3}, {3}},
           [](const auto& x) { return linear(linear(x[0], x[1], x[2]), x[1], x[2]); });
  add_case(to, "linear", "view, odd sizes", {{7, 19}, {33, 7}, {33}}, [](const auto& x) {
    return linear(permute(x[0], {1, 0}), x[1], x[2]);
  });
  add_case(to, "linear", "views everywhere", {{3, 4}, {3, 5}, {5, 5}}, [](const auto& x) {
    return linear(permute(x[0], {1, 0}), permute(x[1], {1, 0}), diagonal(x[2]));
  });
  add_case(to, "linear", "residual is a view", {{4, 3}, {5, 3}, {5, 4}}, [](const auto& x) {
    return linear(x[0], x[1], {}, permute(x[2], {1, 0}));
  });
  add_case(to, "linear", "no rows", {{0, 3}, {2, 3}, {2}},
           [](const auto& x) { return linear(x[0], x[1], x[2]); });
  // The weight's row 2 of 5 has no adapter.
  add_case(to, "linear", "adapters", {{4, 3}, {5, 3}, {5}, {3, 3}, {2, 2}, {2, 1}},
           [](const auto& x) {
             return linear(x[0], adapted(x[1], x[3], std::vector{x[4], x[5]}, {0, 3}, 1.5), x[2]);
           });
  add_case(to, "linear", "adapters, residual, odd sizes",
           {{7, 19}, {33, 7}, {19, 33}, {9, 7}, {17, 5}, {16, 4}}, [](const auto& x) {
             return linear(permute(x[0], {1, 0}),
                           adapted(x[1], x[3], std::vector{x[4], x[5]}, {0, 17}, -0.5), {}, x[2]);
           });
  add_case(to, "linear", "adapters, views", {{4, 3}, {5, 3}, {3, 2}, {2, 5}}, [](const auto& x) {
    return linear(
        x[0], adapted(x[1], permute(x[2], {1, 0}), std::vector{permute(x[3], {1, 0})}, {0}, 2.0));
  });
  add_case(to, "linear", "adapters, no rows", {{0, 3}, {2, 3}, {1, 3}, {2, 1}}, [](const auto& x) {
    return linear(x[0], adapted(x[1], x[2], std::vector{x[3]}, {0}, 2.0));
  });
  const auto mlp = [](const auto& x) { return gelu_mlp(x[0], x[1], x[2], x[3], x[4]); };
  add_case(to, "gelu_mlp", "plain", {{4, 8}, {16, 8}, {16}, {8, 16}, {8}}, mlp);
  add_case(to, "gelu_mlp", "odd sizes", {{5, 3}, {7, 3}, {7}, {2, 7}, {2}}, mlp);
  add_case(to, "gelu_mlp", "no rows", {{0, 3}, {7, 3}, {7}, {2, 7}, {2}}, mlp);
  add_case(to, "gelu_mlp", "views", {{3, 4}, {3, 5}, {5, 5}, {5, 2}, {2, 2}}, [](const auto& x) {
    return gelu_mlp(permute(x[0], {1, 0}), permute(x[1], {1, 0}), diagonal(x[2]),
                    permute(x[3], {1, 0}), diagonal(x[4]));
  });
  add_case(to, "gelu_mlp", "weights twice", {{2, 3}, {3, 3}, {3}},
           [](const auto& x) { return gelu_mlp(x[0], x[1], x[2], x[1], x[2]); });
}

inline void add_row_cases(OpCases& to) {
  const auto rms = [](const auto& x) { return rms_norm(x[0], x[1], constant(x, 1e-5)); };
  add_case(to, "rms_norm", "plain", {{4, 6}, {6}}, rms);
  add_case(to, "rms_norm", "one column", {{3, 1}, {1}}, rms);
  add_case(to, "rms_norm", "more rows than a block", {{70, 3}, {3}}, rms);
  add_case(to, "rms_norm", "no rows", {{0, 3}, {3}}, rms);
  add_case(to, "rms_norm", "view, input twice", {{5, 3}, {5}}, [](const auto& x) {
    const auto v = permute(x[0], {1, 0});
    return add(v, rms_norm(v, x[1], constant(x, 1e-3)));
  });
  add_case(to, "rms_norm", "weight is a view", {{3, 4}, {4, 4}},
           [](const auto& x) { return rms_norm(x[0], diagonal(x[1]), constant(x, 1e-5)); });
  add_case(to, "layer_norm", "weights are views", {{3, 4}, {4, 4}, {4, 4}}, [](const auto& x) {
    return layer_norm(x[0], diagonal(x[1]), diagonal(x[2]), constant(x, 1e-5));
  });
  const auto layer = [](const auto& x) { return layer_norm(x[0], x[1], x[2], constant(x, 1e-5)); };
  add_case(to, "layer_norm", "plain", {{4, 6}, {6}, {6}}, layer);
  add_case(to, "layer_norm", "two columns", {{3, 2}, {2}, {2}}, layer);
  add_case(to, "layer_norm", "more rows than a block", {{70, 3}, {3}, {3}}, layer);
  add_case(to, "layer_norm", "no rows", {{0, 3}, {3}, {3}}, layer);
  add_case(to, "layer_norm", "view, input twice", {{5, 3}, {5}, {5}}, [](const auto& x) {
    const auto v = permute(x[0], {1, 0});
    return add(v, layer_norm(v, x[1], x[2], constant(x, 1e-3)));
  });
  const auto gather = [](std::vector<std::int32_t> index) {
    return [index](const auto& x) { return gather_rows(x[0], beside(x, indices(index))); };
  };
  add_case(to, "gather_rows", "repeated and none", {{5, 3}}, gather({4, 0, -1, 4, 2, 4}));
  add_case(to, "gather_rows", "nothing", {{5, 3}}, gather({}));
  add_case(to, "gather_rows", "none of an empty table", {{0, 3}}, gather({-1, -1}));
  add_case(to, "gather_rows", "index is a view", {{5, 3}}, [](const auto& x) {
    return gather_rows(x[0], beside(x, spread({3}, {4, 0, -1})));
  });
  add_case(to, "scatter_add_rows", "index is a view", {{3, 2}}, [](const auto& x) {
    return scatter_add_rows(x[0], beside(x, spread({3}, {1, 0, 1})), 2);
  });
  add_case(to, "embedding", "matrix of ids", {{5, 3}}, [](const auto& x) {
    return embedding(x[0], reshape(beside(x, indices({4, 0, -1, 4, 2, 4})), {2, 3}));
  });
  add_case(to, "embedding", "views", {{3, 5}}, [](const auto& x) {
    return embedding(permute(x[0], {1, 0}), beside(x, spread({2, 2}, {1, 1, 3, 0})));
  });
  add_case(to, "embedding", "one id", {{4, 2}},
           [](const auto& x) { return embedding(x[0], reshape(beside(x, indices({3})), {})); });
  add_case(to, "embedding", "no ids", {{4, 2}}, [](const auto& x) {
    return embedding(x[0], beside(x, Indices<Cpu>::zeros({0, 3})));
  });
  add_case(to, "gather_rows", "of a view", {{3, 5}}, [](const auto& x) {
    return gather_rows(permute(x[0], {1, 0}), beside(x, indices({1, 1, 3})));
  });
  const auto scatter = [](std::vector<std::int32_t> index, Index rows) {
    return [=](const auto& x) { return scatter_add_rows(x[0], beside(x, indices(index)), rows); };
  };
  add_case(to, "scatter_add_rows", "repeated and none", {{6, 3}}, scatter({4, 0, -1, 4, 2, 4}, 5));
  add_case(to, "scatter_add_rows", "nothing", {{0, 3}}, scatter({}, 2));
  add_case(to, "scatter_add_rows", "of a view", {{3, 4}}, [](const auto& x) {
    return scatter_add_rows(permute(x[0], {1, 0}), beside(x, indices({1, 0, 1, 1})), 2);
  });
  add_case(to, "rotary", "all columns", {{4, 12}}, [](const auto& x) {
    return rotary(fresh(x[0]), 2, 6, constant(x, 10000), beside(x, indices({0, 1, 7, 300})));
  });
  add_case(to, "rotary", "first heads only", {{3, 12}}, [](const auto& x) {
    return rotary(fresh(x[0]), 2, 4, constant(x, 100), beside(x, indices({5, 5, 2})));
  });
  add_case(to, "rotary", "of a view", {{8, 3}}, [](const auto& x) {
    return rotary(permute(x[0], {1, 0}), 2, 4, constant(x, 100), beside(x, spread({3}, {5, 0, 2})));
  });
  add_case(to, "rotary", "no rows", {{0, 4}}, [](const auto& x) {
    return rotary(fresh(x[0]), 1, 4, constant(x, 100), beside(x, indices({})));
  });
  const auto gated = [](const auto& x) { return swiglu(x[0]); };
  add_case(to, "swiglu", "plain", {{4, 6}}, gated, -4, 4);
  add_case(to, "swiglu", "one column", {{3, 2}}, gated);
  add_case(to, "swiglu", "no rows", {{0, 6}}, gated);
  add_case(to, "swiglu", "of a view", {{4, 3}}, [](const auto& x) {
    return swiglu(permute(x[0], {1, 0}));
  });
}

/// All gradient cases.
inline const OpCases& op_cases() {
  static const OpCases cases = [] {
    OpCases c;
    add_binary_cases(c);
    add_unary_cases(c);
    add_power_cases(c);
    add_view_cases(c);
    add_sum_cases(c);
    add_product_cases(c);
    add_row_cases(c);
    add_attention_cases(c);
    add_logprob_cases(c);
    add_checkpoint_cases(c);
    add_element_cases(c);
    add_shape_cases(c);
    return c;
  }();
  return cases;
}

}  // namespace gaze::test
