// SPDX-License-Identifier: MIT
// Operations on NaN, infinities and signed zeros, forward and backward. Expected values are those
// of PyTorch 2; comments mark where Gaze differs. dy is 1 everywhere.
#pragma once

#include "gaze/gaze.hpp"
#include "tests/numbers.hpp"
#include "tests/op_case.hpp"

namespace gaze::test {

/// One line of numbers, as a vector [n] or rows [r, n / r].
struct Numbers {
  std::vector<double> values;
  Index rows = 0;

  Shape shape() const {
    const auto n = static_cast<Index>(values.size());
    return rows ? Shape{rows, n / rows} : Shape{n};
  }
  template <class T>
  Tensor<T> tensor() const {
    return Tensor<T>::from(shape(), std::vector<T>(values.begin(), values.end()));
  }
};

struct SpecialCase {
  OpCase functions;
  std::vector<Numbers> inputs;
  std::vector<double> value;
  std::vector<std::vector<double>> gradients;
};

using SpecialCases = std::vector<SpecialCase>;

template <class F>
void special(SpecialCases& to, const std::string& op, std::vector<Numbers> inputs, F f,
             std::vector<double> value, std::vector<std::vector<double>> gradients) {
  OpCases one;
  add_case(one, op, "special values", {}, f);
  to.push_back({one.front(), std::move(inputs), std::move(value), std::move(gradients)});
}

inline void add_special_choices(SpecialCases& to) {
  const std::vector<Numbers> pairs{
      {{0, not_a_number, 9, not_a_number, infinity, -infinity, 0, -0.0}},
      {{not_a_number, 0, not_a_number, not_a_number, 1, 1, -0.0, 0}}};
  // With two NaNs or a tie the gradient goes to the first input; PyTorch passes it to both or
  // halves.
  special(to, "maximum", pairs, [](const auto& x) { return maximum(x[0], x[1]); },
          {not_a_number, not_a_number, not_a_number, not_a_number, infinity, 1, 0, -0.0},
          {{0, 1, 0, 1, 1, 0, 1, 1}, {1, 0, 1, 0, 0, 1, 0, 0}});
  special(to, "minimum", pairs, [](const auto& x) { return minimum(x[0], x[1]); },
          {not_a_number, not_a_number, not_a_number, not_a_number, 1, -infinity, 0, -0.0},
          {{0, 1, 0, 1, 0, 1, 1, 1}, {1, 0, 1, 0, 1, 0, 0, 0}});
  // The gradient of a NaN passes through; PyTorch's clamp stops it.
  special(to, "clamp", {{{not_a_number, -infinity, infinity, -1, 1, 0.5}}},
          [](const auto& x) { return clamp(x[0], constant(x, -1), constant(x, 1)); },
          {not_a_number, -1, 1, -1, 1, 0.5}, {{1, 0, 0, 1, 1, 1}});
  special(to, "clamp", {{{0, not_a_number}}},
          [](const auto& x) { return clamp(x[0], constant(x, not_a_number), constant(x, 1)); },
          {not_a_number, not_a_number}, {{0, 1}});
  special(to, "clamp", {{{0, 3}}},
          [](const auto& x) { return clamp(x[0], constant(x, 2), constant(x, 1)); }, {1, 1},
          {{0, 0}});
}

inline void add_special_unary(SpecialCases& to) {
  const auto unary = [&to](const std::string& op, auto f, const Numbers& x,
                           const std::vector<double>& y, const std::vector<double>& dx) {
    special(to, op, {x}, [f](const auto& in) { return f(in[0]); }, y, {dx});
  };
  const Numbers ends{{-infinity, infinity, not_a_number}},
      roots{{0, -0.0, -1, infinity, not_a_number}};
  unary("exp", [](const auto& x) { return exp(x); }, ends, {0, infinity, not_a_number},
        {0, infinity, not_a_number});
  unary("log", [](const auto& x) { return log(x); }, roots,
        {-infinity, -infinity, not_a_number, infinity, not_a_number},
        {infinity, -infinity, -1, 0, not_a_number});
  unary("sqrt", [](const auto& x) { return sqrt(x); }, roots,
        {0, -0.0, not_a_number, infinity, not_a_number},
        {infinity, -infinity, not_a_number, 0, not_a_number});
  unary("rsqrt", [](const auto& x) { return rsqrt(x); }, roots,
        {infinity, -infinity, not_a_number, 0, not_a_number},
        {-infinity, infinity, not_a_number, 0, not_a_number});
  unary("abs", [](const auto& x) { return abs(x); }, {{-infinity, infinity, -0.0, not_a_number}},
        {infinity, infinity, 0, not_a_number}, {-1, 1, 0, 0});
  unary("neg", [](const auto& x) { return neg(x); }, {{0, -0.0, infinity, not_a_number}},
        {-0.0, 0, -infinity, not_a_number}, {-1, -1, -1, -1});
  unary("square", [](const auto& x) { return square(x); }, {{-infinity, -0.0, not_a_number}},
        {infinity, 0, not_a_number}, {-infinity, 0, not_a_number});
  unary("scale",
        [](const auto& x) { return scale(x, typename std::decay_t<decltype(x)>::value_type(2)); },
        {{-infinity, -0.0, not_a_number}}, {-infinity, -0.0, not_a_number}, {2, 2, 2});
  // At a NaN the derivative of relu is 0, as at 0; PyTorch's is 1.
  unary("relu", [](const auto& x) { return relu(x); },
        {{-infinity, infinity, 0, -0.0, not_a_number}}, {0, infinity, 0, -0.0, not_a_number},
        {0, 1, 0, 0, 0});
  unary("tanh", [](const auto& x) { return tanh(x); }, ends, {-1, 1, not_a_number},
        {0, 0, not_a_number});
  unary("sigmoid", [](const auto& x) { return sigmoid(x); }, ends, {0, 1, not_a_number},
        {0, 0, not_a_number});
  unary("erf", [](const auto& x) { return erf(x); }, ends, {-1, 1, not_a_number},
        {0, 0, not_a_number});
  unary("silu", [](const auto& x) { return silu(x); }, ends, {not_a_number, infinity, not_a_number},
        {not_a_number, not_a_number, not_a_number});
  // The derivatives of gelu at the ends are its limits; PyTorch's are NaN.
  unary("gelu", [](const auto& x) { return gelu(x); }, ends, {not_a_number, infinity, not_a_number},
        {0, 1, not_a_number});
  unary("gelu_exact", [](const auto& x) { return gelu_exact(x); }, ends,
        {not_a_number, infinity, not_a_number}, {not_a_number, not_a_number, not_a_number});
}

inline void add_special_powers(SpecialCases& to) {
  const auto power = [&to](double p, const Numbers& x, const std::vector<double>& y,
                           const std::vector<double>& dx) {
    special(to, "pow", {x}, [p](const auto& in) { return pow(in[0], constant(in, p)); }, y, {dx});
  };
  power(2, {{-infinity, -0.0, not_a_number}}, {infinity, 0, not_a_number},
        {-infinity, 0, not_a_number});
  power(0, {{not_a_number, infinity, 0}}, {1, 1, 1}, {0, 0, 0});
  power(0.5, {{0, -1, infinity}}, {0, not_a_number, infinity}, {infinity, not_a_number, 0});
  power(-1, {{0, -0.0, infinity}}, {infinity, -infinity, 0}, {-infinity, -infinity, 0});
  special(to, "pow", {{{0, 0, infinity, not_a_number, 1}}, {{0, 2, 0, 0, not_a_number}}},
          [](const auto& x) { return pow(x[0], x[1]); }, {1, 0, 1, 1, 1},
          {{0, 0, 0, 0, not_a_number}, {0, 0, infinity, not_a_number, 0}});
}

inline void add_special_binary(SpecialCases& to) {
  special(to, "add", {{{infinity, not_a_number, -0.0, -0.0}}, {{-infinity, 1, -0.0, 0}}},
          [](const auto& x) { return add(x[0], x[1]); }, {not_a_number, not_a_number, -0.0, 0},
          {{1, 1, 1, 1}, {1, 1, 1, 1}});
  special(to, "sub", {{{infinity, not_a_number, -0.0}}, {{infinity, 1, 0}}},
          [](const auto& x) { return sub(x[0], x[1]); }, {not_a_number, not_a_number, -0.0},
          {{1, 1, 1}, {-1, -1, -1}});
  special(to, "mul", {{{0, infinity, -0.0, 2}}, {{infinity, not_a_number, 1, infinity}}},
          [](const auto& x) { return mul(x[0], x[1]); },
          {not_a_number, not_a_number, -0.0, infinity},
          {{infinity, not_a_number, 1, infinity}, {0, infinity, 0, 2}});
  special(to, "div", {{{1, 0, -1, infinity, 1}}, {{0, 0, -0.0, infinity, infinity}}},
          [](const auto& x) { return div(x[0], x[1]); },
          {infinity, not_a_number, infinity, not_a_number, 0},
          {{infinity, infinity, -infinity, 0, 0},
           {-infinity, not_a_number, infinity, not_a_number, 0}});
}

inline void add_special_rows(SpecialCases& to) {
  const auto rows = [&to](const std::string& op, auto f, const Numbers& x,
                          const std::vector<double>& y, const std::vector<double>& dx) {
    special(to, op, {x}, [f](const auto& in) { return f(in[0]); }, y, {dx});
  };
  const Numbers x{
      {infinity, 0, -infinity, -infinity, not_a_number, 0, -infinity, 0, 0, not_a_number}, 5};
  rows("softmax", [](const auto& v) { return softmax(v, 1); }, x,
       {not_a_number, not_a_number, not_a_number, not_a_number, not_a_number, not_a_number, 0, 1,
        not_a_number, not_a_number},
       {not_a_number, not_a_number, not_a_number, not_a_number, not_a_number, not_a_number, 0, 0,
        not_a_number, not_a_number});
  rows("log_softmax", [](const auto& v) { return log_softmax(v, 1); }, x,
       {not_a_number, not_a_number, not_a_number, not_a_number, not_a_number, not_a_number,
        -infinity, 0, not_a_number, not_a_number},
       {not_a_number, not_a_number, not_a_number, not_a_number, not_a_number, not_a_number, 1, -1,
        not_a_number, not_a_number});
  rows("logsumexp", [](const auto& v) { return logsumexp(v, {1}); }, x,
       {infinity, -infinity, not_a_number, 0, not_a_number},
       {not_a_number, 0, 0, 0, not_a_number, not_a_number, 0, 1, not_a_number, not_a_number});
  rows("max", [](const auto& v) { return max(v, {1}); }, x,
       {infinity, -infinity, not_a_number, 0, not_a_number}, {1, 0, 1, 0, 1, 0, 0, 1, 0, 1});
  rows("min", [](const auto& v) { return min(v, {1}); }, x,
       {0, -infinity, not_a_number, -infinity, not_a_number}, {0, 1, 1, 0, 1, 0, 1, 0, 0, 1});
  rows("sum", [](const auto& v) { return sum(v, {1}); },
       {{infinity, -infinity, infinity, 1, not_a_number, 1}, 3},
       {not_a_number, infinity, not_a_number}, {1, 1, 1, 1, 1, 1});
  rows("sum", [](const auto& v) { return sum(v); }, {{infinity, 1, infinity, 1}, 2}, {infinity},
       {1, 1, 1, 1});
  rows("mean", [](const auto& v) { return mean(v, {1}); },
       {{infinity, -infinity, infinity, 1, not_a_number, 1}, 3},
       {not_a_number, infinity, not_a_number}, {0.5, 0.5, 0.5, 0.5, 0.5, 0.5});
  rows("variance", [](const auto& v) { return variance(v, {1}); },
       {{infinity, 1, not_a_number, 1, 1, 1}, 3}, {not_a_number, not_a_number, 0},
       {not_a_number, -infinity, not_a_number, not_a_number, 0, 0});
  rows("cumsum", [](const auto& v) { return cumsum(v, 1); },
       {{infinity, -infinity, 1, 1, not_a_number, 1}, 2},
       {infinity, not_a_number, not_a_number, 1, not_a_number, not_a_number}, {3, 2, 1, 3, 2, 1});
  rows("sort", [](const auto& v) { return sort(v, 0).values; },
       {{not_a_number, 1, -infinity, infinity}}, {-infinity, 1, infinity, not_a_number},
       {1, 1, 1, 1});
  rows("topk", [](const auto& v) { return topk(v, 2, 0).values; },
       {{not_a_number, 1, -infinity, infinity}}, {not_a_number, infinity}, {1, 0, 0, 1});
}

/// Operations that move values keep the bits of NaN, infinities and signed zeros.
inline void add_special_moves(SpecialCases& to) {
  const Numbers x{{-0.0, not_a_number, -infinity, 0}, 2};
  const std::vector<double> same = x.values, ones{1, 1, 1, 1};
  const auto moved = [&](const std::string& op, auto f, const std::vector<double>& y,
                         const std::vector<double>& dx) {
    special(to, op, {x}, [f](const auto& in) { return f(in[0]); }, y, {dx});
  };
  moved("concatenate",
        [](const auto& v) {
          return concatenate(std::vector{v, v}, 0);
        },
        {-0.0, not_a_number, -infinity, 0, -0.0, not_a_number, -infinity, 0}, {2, 2, 2, 2});
  moved("concatenate",
        [](const auto& v) {
          return concatenate(std::vector{v, v}, 1);
        },
        {-0.0, not_a_number, -0.0, not_a_number, -infinity, 0, -infinity, 0}, {2, 2, 2, 2});
  moved(
      "stack", [](const auto& v) { return stack(std::vector{v}, 0); }, same, ones);
  moved("repeat",
        [](const auto& v) {
          return repeat(v, {1, 2});
        },
        {-0.0, not_a_number, -0.0, not_a_number, -infinity, 0, -infinity, 0}, {2, 2, 2, 2});
  moved(
      "pad",
      [](const auto& v) {
        return pad(v, {0, 1}, {0, 0}, -0.0);
      },
      {-0.0, -0.0, not_a_number, -0.0, -infinity, 0}, ones);
  moved(
      "permute",
      [](const auto& v) {
        return permute(v, {1, 0});
      },
      {-0.0, -infinity, not_a_number, 0}, ones);
  moved(
      "contiguous",
      [](const auto& v) {
        return contiguous(permute(v, {1, 0}));
      },
      {-0.0, -infinity, not_a_number, 0}, ones);
  moved("slice", [](const auto& v) { return slice(v, 1, 0, 1); }, {-0.0, -infinity}, {1, 0, 1, 0});
  moved(
      "reshape", [](const auto& v) { return reshape(v, {4}); }, same, ones);
  special(to, "gather_rows", {x},
          [](const auto& v) {
            return gather_rows(v[0], beside(v, indices({1, 0})));
          },
          {-infinity, 0, -0.0, not_a_number}, {ones});
  special(to, "gather", {x},
          [](const auto& v) {
            return gather(v[0], 1, beside(v, Indices<Cpu>::from({2, 1}, {0, 1})));
          },
          {-0.0, 0}, {{1, 0, 0, 1}});
}

/// The branch that where() does not select has a derivative that is infinite, NaN or overflows.
inline void add_special_where(SpecialCases& to) {
  const auto chosen = [&to](const std::string& op, auto f, const std::vector<Numbers>& x,
                            const std::vector<double>& y,
                            const std::vector<std::vector<double>>& dx) {
    special(to, "where around " + op, x, f, y, dx);
  };
  const auto zero = [](const auto& x) { return std::decay_t<decltype(x)>::scalar(0); };
  const auto positive = [=](const auto& x) { return greater(x.detach(), zero(x)); };
  const std::vector<Numbers> x{{{-1, 0, -0.0, 4}}};
  const std::vector<std::vector<double>> none{{0, 0, 0, 0.25}};
  chosen("sqrt", [=](const auto& v) { return where(positive(v[0]), sqrt(v[0]), v[0]); }, x,
         {-1, 0, -0.0, 2}, {{1, 1, 1, 0.25}});
  chosen("log", [=](const auto& v) { return where(positive(v[0]), log(v[0]), zero(v[0])); },
         {{{-1, 0, 1}}}, {0, 0, 0}, {{0, 0, 1}});
  chosen(
      "pow",
      [=](const auto& v) { return where(positive(v[0]), pow(v[0], constant(v, 0.5)), zero(v[0])); },
      x, {0, 0, 0, 2}, none);
  chosen("rsqrt", [=](const auto& v) { return where(positive(v[0]), rsqrt(v[0]), zero(v[0])); }, x,
         {0, 0, 0, 0.5}, {{0, 0, 0, -0.0625}});
  chosen("div",
         [=](const auto& v) {
           return where(not_equal(v[1].detach(), zero(v[1])), div(v[0], v[1]), zero(v[0]));
         },
         {{{1, 0, 2}}, {{0, 0, 4}}}, {0, 0, 0.5}, {{0, 0, 0.25}, {0, 0, -0.125}});
  chosen(
      "mul",
      [=](const auto& v) { return where(less(v[1].detach(), zero(v[1])), mul(v[0], v[1]), v[0]); },
      {{{1, 2}}, {{infinity, -3}}}, {1, -6}, {{1, -3}, {0, 2}});
  chosen("exp",
         [=](const auto& v) {
           return where(positive(v[0]), v[0], exp(scale(v[0], constant(v, -1000))));
         },
         {{{2, 0}}}, {2, 1}, {{1, -1000}});
  chosen("two steps",
         [=](const auto& v) { return where(positive(v[0]), log(sqrt(v[0])), zero(v[0])); },
         {{{0, -1, 1}}}, {0, 0, 0}, {{0, 0, 0.5}});
  chosen(
      "powers", [=](const auto& v) { return where(positive(v[0]), pow(v[0], v[1]), zero(v[0])); },
      {{{0, -1, 4}}, {{-1, 0.5, 0.5}}}, {0, 0, 2}, {{0, 0, 0.25}, {0, 0, 2 * 1.3862943611198906}});
}

inline const SpecialCases& special_cases() {
  static const SpecialCases all = [] {
    SpecialCases to;
    add_special_choices(to);
    add_special_unary(to);
    add_special_powers(to);
    add_special_binary(to);
    add_special_rows(to);
    add_special_moves(to);
    add_special_where(to);
    return to;
  }();
  return all;
}

/// Are both NaN, or equal to within a few roundings? With `signs`, zeros must have the same sign.
inline bool alike(double got, double want, bool signs) {
  if (std::isnan(want)) return std::isnan(got);
  if (std::isinf(want) || want == 0)
    return got == want && (!signs || std::signbit(got) == std::signbit(want));
  return std::abs(got - want) <= 1e-6 * std::abs(want);
}

template <class T, class Device>
void check_alike(const std::string& what, const Tensor<T, Device>& got,
                 const std::vector<double>& want, bool signs) {
  INFO(what);
  REQUIRE(got.numel() == static_cast<Index>(want.size()));
  const auto values = got.to_vector();
  for (std::size_t i = 0; i < want.size(); ++i) {
    INFO("element " << i << ": got " << values[i] << ", want " << want[i]);
    CHECK(alike(static_cast<double>(values[i]), want[i], signs));
  }
}

/// Runs a case as `f` and compares values, signs of zeros included, and gradients.
template <class T, class Device>
void check_special(const SpecialCase& c, const Function<T, Device>& f) {
  INFO(c.functions.op);
  Inputs<T> inputs;
  for (const Numbers& x : c.inputs) inputs.push_back(x.template tensor<T>());
  const Shape shape{static_cast<Index>(c.value.size())};
  const auto flat = [&f, &shape](const auto& x) { return reshape(f(x), shape); };
  const auto got = evaluate<T, Device>(flat, inputs, ones<T>(shape));
  check_alike("value", got.value, c.value, true);
  for (std::size_t i = 0; i < c.gradients.size(); ++i)
    check_alike("gradient " + std::to_string(i), got.gradients[i], c.gradients[i], false);
}

}  // namespace gaze::test
