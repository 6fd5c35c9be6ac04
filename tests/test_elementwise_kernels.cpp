// SPDX-License-Identifier: MIT
// Elementwise and optimiser kernels: float against double at every instruction set, double against
// finite differences, extreme inputs.
#include <cmath>
#include <vector>

#include "gaze/cpu/adamw.hpp"
#include "gaze/cpu/elementwise.hpp"
#include "gaze/cpu/reduce.hpp"
#include "gaze/cpu/values.hpp"
#include "tests/kernel_arrays.hpp"
#include "tests/kernel_calls.hpp"

namespace test_elementwise_kernels {
namespace {

using gaze::AdamWStep;
using gaze::Index;
using gaze::UnaryOp;
using namespace gaze::cpu;
using namespace gaze::test;
using namespace gaze::test::arrays;

const UnaryOp unary_ops[] = {UnaryOp::exp,     UnaryOp::log,  UnaryOp::sqrt, UnaryOp::tanh,
                             UnaryOp::sigmoid, UnaryOp::silu, UnaryOp::gelu, UnaryOp::relu,
                             UnaryOp::square,  UnaryOp::neg};

}  // namespace

TEST_CASE("unary operations in float agree with double", "[elementwise]") {
  at_each_isa([] {
    for (UnaryOp op : unary_ops)
      for (Index n : sizes) {
        INFO("operation " << static_cast<int>(op) << " n " << n);
        const bool positive = op == UnaryOp::log || op == UnaryOp::sqrt;
        const auto x = random<float>(n, 1, positive ? 0.1 : -6, 6), dy = random<float>(n, 2);
        Vec<float> y(n), dx(n, 0.5f), added(n, 0.5f);
        Vec<double> y_wide(n), dx_wide(n), added_wide(n, 0.5);
        unary(op, x, y);
        unary_grad(op, x.data(), y.data(), dy, dx);
        unary_grad(op, x.data(), y.data(), dy, added, true);
        const auto x_wide = wide(x);
        unary(op, x_wide, y_wide);
        unary_grad(op, x_wide.data(), y_wide.data(), wide(dy), dx_wide);
        unary_grad(op, x_wide.data(), y_wide.data(), wide(dy), added_wide, true);
        CHECK(distance(y, y_wide) < 4e-6);
        CHECK(distance(dx, dx_wide) < 4e-6);
        CHECK(distance(added, added_wide) < 4e-6);
      }
  });
}

TEST_CASE("unary derivatives agree with finite differences", "[elementwise]") {
  for (UnaryOp op : unary_ops) {
    INFO("operation " << static_cast<int>(op));
    auto x = random<double>(12, 1, 0.2, 3);
    if (op != UnaryOp::log && op != UnaryOp::sqrt)
      for (int i = 0; i < 6; ++i) x[i] = -x[i];
    const auto dy = random<double>(12, 2);
    Vec<double> y(12), dx(12);
    const auto loss = [&] {
      unary(op, x, y);
      return dot(y, dy);
    };
    loss();
    const bool from_y =
        op == UnaryOp::exp || op == UnaryOp::sqrt || op == UnaryOp::tanh || op == UnaryOp::sigmoid;
    unary_grad<double>(op, from_y ? nullptr : x.data(), from_y ? y.data() : nullptr, dy, dx);
    check_gradient(x, dx, loss);
  }
}

TEST_CASE("activations are right for extreme inputs", "[elementwise]") {
  at_each_isa([] {
    const Vec<float> x{-1e30f, -100.0f, 0.0f, 1e-42f, 100.0f, 1e30f}, dy(6, 1.0f);
    Vec<float> y(6), dx(6);
    for (UnaryOp op : {UnaryOp::silu, UnaryOp::gelu, UnaryOp::relu}) {
      INFO("operation " << static_cast<int>(op));
      unary(op, x, y);
      unary_grad(op, x.data(), y.data(), dy, dx);
      CHECK(std::abs(y[0]) == 0);
      CHECK(std::abs(y[1]) < 1e-30f);
      CHECK(y[2] == 0);
      CHECK(y[4] == 100.0f);
      CHECK(y[5] == 1e30f);
      CHECK(std::abs(dx[0]) + std::abs(dx[1]) < 1e-30f);
      CHECK(dx[4] == 1.0f);
      CHECK(dx[5] == 1.0f);
    }
    const Vec<float> far{-inf, -1e4f, 1e4f, inf, no_number};
    Vec<float> e(5), t(5), s(5);
    unary(UnaryOp::exp, far, e);
    unary(UnaryOp::tanh, far, t);
    unary(UnaryOp::sigmoid, far, s);
    CHECK((e[0] == 0 && e[1] == 0 && e[2] == inf && e[3] == inf && std::isnan(e[4])));
    CHECK((t[0] == -1 && t[1] == -1 && t[2] == 1 && t[3] == 1 && std::isnan(t[4])));
    CHECK((s[0] == 0 && s[1] == 0 && s[2] == 1 && s[3] == 1 && std::isnan(s[4])));
  });
}

TEST_CASE("array arithmetic agrees with plain loops", "[elementwise]") {
  at_each_isa([] {
    for (Index n : sizes) {
      INFO("n " << n);
      const auto a = random<float>(n, 1), b = random<float>(n, 2, 0.5, 2);
      Vec<float> plus(n), minus(n), times(n), chain = b, scaled = a, filled(n), copied(n);
      add(n, a.data(), b.data(), plus.data());
      sub(n, a.data(), b.data(), minus.data());
      mul(n, a.data(), b.data(), times.data());
      axpy(n, 0.3f, a.data(), chain.data());
      scale(n, 0.3f, scaled.data(), scaled.data());
      fill(n, 7.0f, filled.data());
      copy(n, a.data(), copied.data());
      for (Index i = 0; i < n; ++i) {
        CHECK(plus[i] == a[i] + b[i]);
        CHECK(minus[i] == a[i] - b[i]);
        CHECK(times[i] == a[i] * b[i]);
        CHECK(relative_difference(chain[i], double(b[i]) + 0.3 * a[i]) < 1e-6);
        CHECK(scaled[i] == 0.3f * a[i]);
        CHECK(filled[i] == 7.0f);
      }
      CHECK(copied == a);
      mul(n, plus.data(), plus.data(), plus.data());  // in place
      CHECK(plus[n - 1] == (a[n - 1] + b[n - 1]) * (a[n - 1] + b[n - 1]));
    }
  });
}

TEST_CASE("swiglu and its gradient agree with double", "[elementwise]") {
  at_each_isa([] {
    for (Index c : sizes) {
      INFO("C " << c);
      const Index n = 4;
      const auto x = random<float>(n * 2 * c, 1, -5, 5), dy = random<float>(n * c, 2);
      Vec<float> y(n * c), dx = x;
      Vec<double> y_wide(n * c), dx_wide(n * 2 * c);
      swiglu_forward(n, c, x.data(), y.data());
      swiglu_backward(n, c, dx.data(), dy.data(), dx.data());  // in place
      swiglu_forward(n, c, wide(x).data(), y_wide.data());
      swiglu_backward(n, c, wide(x).data(), wide(dy).data(), dx_wide.data());
      CHECK(distance(y, y_wide) < 2e-6);
      CHECK(distance(dx, dx_wide) < 2e-6);
    }
  });
  auto x = random<double>(20, 1);
  const auto dy = random<double>(10, 2);
  Vec<double> y(10), dx(20);
  swiglu_backward(2, 5, x.data(), dy.data(), dx.data());
  check_gradient(x, dx, [&] {
    swiglu_forward(2, 5, x.data(), y.data());
    return dot(y, dy);
  });
}

TEST_CASE("sums and sums of squares agree with double", "[elementwise]") {
  at_each_isa([] {
    for (Index n : {1, 3, 17, 1000, 4096, 4097, 50000}) {
      INFO("n " << n);
      const auto x = random<float>(n, 1);
      double total = 0, squares = 0;
      for (float value : x) {
        total += value;
        squares += double(value) * value;
      }
      CHECK(relative_difference(sum(n, x.data()), total) < 1e-5);
      CHECK(relative_difference(sum_squares(n, x.data()), squares) < 1e-6);
    }
    const float* none = nullptr;
    CHECK(sum(0, none) == 0);
    CHECK(sum_squares(0, none) == 0);
  });
}

TEST_CASE("max_abs and all_finite detect extreme elements", "[elementwise]") {
  for (Index n : {1, 3, 17, 1000, 4096, 4097, 50000}) {
    INFO("n " << n);
    auto x = random<float>(n, 1);
    float largest = 0;
    for (float value : x) largest = std::max(largest, std::abs(value));
    CHECK(max_abs(n, x.data()) == largest);
    CHECK(all_finite(n, x.data()));
    for (float bad : {inf, -inf, no_number}) {
      x[n / 2] = bad;
      CHECK_FALSE(all_finite(n, x.data()));
    }
    CHECK(max_abs(n, x.data()) <= largest);
    x[n - 1] = -inf;
    CHECK(max_abs(n, x.data()) == inf);
  }
  const float* none = nullptr;
  CHECK(max_abs(0, none) == 0);
  CHECK(all_finite(0, none));
}

TEST_CASE("AdamW follows the formula for several steps", "[optimiser]") {
  at_each_isa([] {
    for (Index n : sizes) {
      INFO("n " << n);
      const AdamWStep<float> settings{0.01f, 0.9f, 0.99f, 1e-8f, 0.1f};
      const double lr = settings.lr, b1 = settings.beta1, b2 = settings.beta2;
      auto p = random<float>(n, 1);
      auto p_wide = wide(p);
      Vec<float> m(n), v(n);
      Vec<double> m_wide(n), v_wide(n);
      for (int t = 1; t <= 5; ++t) {
        auto g = random<float>(n, 10 + unsigned(t));
        g[0] = 0;  // no gradient: only the decay moves it
        const double c1 = 1 - std::pow(b1, t), c2 = 1 - std::pow(b2, t);
        adamw_step(adamw_args<float>(n, p.data(), g.data(), m.data(), v.data(), settings, float(c1),
                                     float(c2), 0.5f));
        for (Index i = 0; i < n; ++i) {
          m_wide[i] = b1 * m_wide[i] + (1 - b1) * 0.5 * g[i];
          v_wide[i] = b2 * v_wide[i] + (1 - b2) * 0.25 * g[i] * g[i];
          const double step = m_wide[i] / c1 / (std::sqrt(v_wide[i] / c2) + settings.eps);
          p_wide[i] -= lr * (step + double(settings.weight_decay) * p_wide[i]);
        }
      }
      CHECK(distance(p, p_wide) < 1e-6);
      CHECK(distance(m, m_wide) < 1e-6);
      CHECK(distance(v, v_wide) < 1e-6);
    }
  });
  double p = 1, g = 1, m = 0, v = 0;
  const auto step = [&](const AdamWStep<double>& settings, double correction1, double correction2) {
    adamw_step(adamw_args<double>(1, &p, &g, &m, &v, settings, correction1, correction2, 3.0));
  };
  CHECK_THROWS_AS(step({}, 0.0, 0.1), gaze::Error);
  step({0.1, 0.9, 0.999, 0.0, 0.0}, 0.1, 0.001);
  CHECK(relative_difference(p, 0.9) < 1e-6);  // the first step is lr times the sign
}

}  // namespace test_elementwise_kernels
