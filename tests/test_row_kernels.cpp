// SPDX-License-Identifier: MIT
// Row-wise, elementwise and optimiser kernels: float against double at every instruction set,
// double against finite differences, the same bits at any batch and thread count, extreme inputs.
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "gaze/cpu/adamw.hpp"
#include "gaze/cpu/elementwise.hpp"
#include "gaze/cpu/reduce.hpp"
#include "gaze/cpu/rows.hpp"
#include "gaze/cpu/values.hpp"
#include "tests/test.hpp"

namespace {

using gaze::AdamWStep;
using gaze::Index;
using gaze::UnaryOp;
using namespace gaze::cpu;
template <class T>
using Vec = std::vector<T>;
using Ints = std::vector<std::int32_t>;

const Index sizes[] = {1, 3, 15, 16, 17, 64, 100, 344, 1000};
const float inf = std::numeric_limits<float>::infinity();
const float no_number = std::numeric_limits<float>::quiet_NaN();
const UnaryOp unary_ops[] = {UnaryOp::exp,     UnaryOp::log,  UnaryOp::sqrt, UnaryOp::tanh,
                             UnaryOp::sigmoid, UnaryOp::silu, UnaryOp::gelu, UnaryOp::relu,
                             UnaryOp::square,  UnaryOp::neg};

/// Runs the body at every instruction set of this processor.
template <class Body>
void at_each_isa(Body body) {
  const gaze::Isa before = gaze::isa();
  for (gaze::Isa isa : {gaze::Isa::generic, gaze::Isa::avx2, gaze::Isa::avx512})
    if (gaze::supported(isa)) {
      INFO("instruction set " << gaze::name(isa));
      gaze::set_isa(isa);
      body();
    }
  gaze::set_isa(before);
}

template <class T>
Vec<T> random(Index n, unsigned seed, double low = -2, double high = 2) {
  std::mt19937 bits(seed);
  Vec<T> x(static_cast<std::size_t>(n));
  for (T& value : x) value = static_cast<T>(low + (high - low) * (bits() / 4294967296.0));
  return x;
}

Vec<double> wide(const Vec<float>& x) { return {x.begin(), x.end()}; }

/// The difference, relative to max(1, |expected|).
double apart(double actual, double expected) {
  return std::abs(actual - expected) / std::max(1.0, std::abs(expected));
}

/// The largest difference of two arrays.
double distance(const Vec<float>& actual, const Vec<double>& expected) {
  REQUIRE(actual.size() == expected.size());
  double worst = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const double d = apart(actual[i], expected[i]);
    if (!(d <= worst)) worst = d;  // a NaN stays
  }
  return worst;
}

/// Checks dx against (f(x + h) - f(x - h)) / 2h for every element of x.
void check_gradient(Vec<double>& x, const Vec<double>& dx, const std::function<double()>& f) {
  REQUIRE(x.size() == dx.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double kept = x[i], h = 1e-5;
    x[i] = kept + h;
    const double up = f();
    x[i] = kept - h;
    const double down = f();
    x[i] = kept;
    CHECK(apart(dx[i], (up - down) / (2 * h)) < 1e-8);
  }
}

double dot(const Vec<double>& a, const Vec<double>& b) {
  double total = 0;
  for (std::size_t i = 0; i < a.size(); ++i) total += a[i] * b[i];
  return total;
}

Ints random_ints(Index n, unsigned seed, int low, int high) {
  std::mt19937 bits(seed);
  Ints x(static_cast<std::size_t>(n));
  for (auto& value : x) value = low + static_cast<int>(bits() % unsigned(high - low + 1));
  return x;
}

template <class T>
void rms_forward(Index n, Index c, const T* x, const Vec<T>& w, Vec<T>& y, Vec<T>& inv_rms) {
  rms_norm_forward(gaze::args::RmsNormForward<T>{.n = n,
                                                 .c = c,
                                                 .x = x,
                                                 .weight = w.data(),
                                                 .eps = T(1e-5),
                                                 .y = y.data(),
                                                 .inv_rms = inv_rms.data()});
}

template <class T>
void rms_backward(Index n, Index c, const Vec<T>& x, const Vec<T>& w, const Vec<T>& inv_rms,
                  const Vec<T>& dy, Vec<T>& dx, T* dweight, bool accumulate) {
  rms_norm_backward(gaze::args::RmsNormBackward<T>{.n = n,
                                                   .c = c,
                                                   .x = x.data(),
                                                   .weight = w.data(),
                                                   .inv_rms = inv_rms.data(),
                                                   .dy = dy.data(),
                                                   .dx = dx.data(),
                                                   .dweight = dweight,
                                                   .accumulate_dx = accumulate});
}

/// Everything that a norm computes, forward and backward.
template <class T>
struct NormRun {
  Vec<T> y, mean, scale, dx, dweight, dbias;
  NormRun(bool layer, Index n, Index c, const Vec<T>& x, const Vec<T>& w, const Vec<T>& b,
          const Vec<T>& dy, bool accumulate)
      : y(n * c), mean(n), scale(n), dx(n * c, T(0.5)), dweight(c, T(0.25)), dbias(c, T(0.125)) {
    if (layer) {
      layer_norm_forward(gaze::args::LayerNormForward<T>{.n = n,
                                                         .c = c,
                                                         .x = x.data(),
                                                         .weight = w.data(),
                                                         .bias = b.data(),
                                                         .eps = T(1e-5),
                                                         .y = y.data(),
                                                         .mean = mean.data(),
                                                         .inv_std = scale.data()});
      layer_norm_backward(gaze::args::LayerNormBackward<T>{.n = n,
                                                           .c = c,
                                                           .x = x.data(),
                                                           .weight = w.data(),
                                                           .mean = mean.data(),
                                                           .inv_std = scale.data(),
                                                           .dy = dy.data(),
                                                           .dx = dx.data(),
                                                           .dweight = dweight.data(),
                                                           .dbias = dbias.data(),
                                                           .accumulate_dx = accumulate});
    } else {
      rms_forward(n, c, x.data(), w, y, scale);
      rms_backward(n, c, x, w, scale, dy, dx, dweight.data(), accumulate);
    }
  }
};

template <class T>
struct SoftmaxRun {
  Vec<T> logp, entropy, lse, gradient;
  SoftmaxRun(Index n, Index v, const Vec<T>& logits, const Ints& target, const Vec<T>& dlogp,
             const Vec<T>& dentropy, T inv_temperature = T(0.7))
      : logp(n), entropy(n), lse(n), gradient(logits) {
    softmax_stats(gaze::args::SoftmaxStats<T>{.n = n,
                                              .v = v,
                                              .logits = logits.data(),
                                              .stride = v,
                                              .inv_temperature = inv_temperature,
                                              .target = target.data(),
                                              .logp = logp.data(),
                                              .entropy = entropy.data(),
                                              .lse = lse.data()});
    softmax_stats_backward(gaze::args::SoftmaxStatsBackward<T>{.n = n,
                                                               .v = v,
                                                               .logits = gradient.data(),
                                                               .stride = v,
                                                               .inv_temperature = inv_temperature,
                                                               .target = target.data(),
                                                               .lse = lse.data(),
                                                               .entropy = entropy.data(),
                                                               .dlogp = dlogp.data(),
                                                               .dentropy = dentropy.data()});
  }
};

/// rotary() of rows that are `stride` apart.
void turn(Index heads, Index head_size, Index stride, const Ints& position, float theta,
          Vec<float>& x, bool inverse = false) {
  rotary(gaze::args::Rotary<float>{.n = static_cast<Index>(position.size()),
                                   .heads = heads,
                                   .head_size = head_size,
                                   .stride = stride,
                                   .position = position.data(),
                                   .theta = theta,
                                   .x = x.data(),
                                   .inverse = inverse});
}

template <class T>
void unary(UnaryOp op, const Vec<T>& x, Vec<T>& y) {
  unary_forward(gaze::args::UnaryForward<T>{
      .op = op, .n = static_cast<Index>(x.size()), .x = x.data(), .y = y.data()});
}

/// Of x and y, one may be null: the one that the derivative does not read.
template <class T>
void unary_grad(UnaryOp op, const T* x, const T* y, const Vec<T>& dy, Vec<T>& dx,
                bool accumulate = false) {
  unary_backward(gaze::args::UnaryBackward<T>{.op = op,
                                              .n = static_cast<Index>(dy.size()),
                                              .x = x,
                                              .y = y,
                                              .dy = dy.data(),
                                              .dx = dx.data(),
                                              .accumulate = accumulate});
}

template <class T>
gaze::args::AdamW<T> adamw_args(Index n, T* param, const T* grad, T* m, T* v,
                                const AdamWStep<T>& settings, T correction1, T correction2,
                                T grad_scale) {
  return {.n = n,
          .param = param,
          .grad = grad,
          .m = m,
          .v = v,
          .settings = settings,
          .bias_correction1 = correction1,
          .bias_correction2 = correction2,
          .grad_scale = grad_scale};
}

}  // namespace

TEST_CASE("norms in float agree with double", "[rows]") {
  at_each_isa([] {
    for (Index c : sizes)
      for (bool layer : {false, true})
        for (bool accumulate : {false, true}) {
          if (layer && c == 1) continue;  // a constant row: 1/std is only 1/sqrt(eps)
          const Index n = 70;             // more than one block of rows
          INFO("C " << c << " layer " << layer << " accumulate " << accumulate);
          const double loose = c < 15 ? 10 : 1;  // few numbers can have a tiny variance
          const auto x = random<float>(n * c, 1, -1, 3), w = random<float>(c, 2);
          const auto b = random<float>(c, 3), dy = random<float>(n * c, 4);
          const NormRun<float> got(layer, n, c, x, w, b, dy, accumulate);
          const NormRun<double> want(layer, n, c, wide(x), wide(w), wide(b), wide(dy), accumulate);
          CHECK(distance(got.y, want.y) < 4e-6 * loose);
          CHECK(distance(got.mean, want.mean) < 1e-6);
          CHECK(distance(got.scale, want.scale) < 4e-6 * loose);
          CHECK(distance(got.dx, want.dx) < 2e-5 * loose);
          CHECK(distance(got.dweight, want.dweight) < 2e-5 * loose);
          if (layer) CHECK(distance(got.dbias, want.dbias) < 1e-5);
        }
  });
}

TEST_CASE("norm gradients agree with finite differences", "[rows]") {
  const Index n = 3, c = 7;
  const auto dy = random<double>(n * c, 4);
  for (bool layer : {false, true}) {
    INFO("layer " << layer);
    auto x = random<double>(n * c, 1), w = random<double>(c, 2), b = random<double>(c, 3);
    const auto loss = [&] { return dot(NormRun<double>(layer, n, c, x, w, b, dy, false).y, dy); };
    NormRun<double> run(layer, n, c, x, w, b, dy, false);
    for (double& d : run.dweight) d -= 0.25;  // what was there before
    for (double& d : run.dbias) d -= 0.125;
    check_gradient(x, run.dx, loss);
    check_gradient(w, run.dweight, loss);
    if (layer) check_gradient(b, run.dbias, loss);
  }
}

TEST_CASE("norms take null gradients, work in place and survive extreme rows", "[rows]") {
  at_each_isa([] {
    const Index n = 65, c = 33;
    auto x = random<float>(n * c, 1);
    const auto w = random<float>(c, 2), dy = random<float>(n * c, 4);
    const NormRun<float> want(false, n, c, x, w, w, dy, false);
    Vec<float> dx(n * c);
    rms_backward<float>(n, c, x, w, want.scale, dy, dx, nullptr, false);
    CHECK(dx == want.dx);
    Vec<float> scale(n), small(c, 1e-41f), zero(c, 0.0f), y(c);
    rms_forward(n, c, x.data(), w, x, scale);
    CHECK(x == want.y);
    rms_forward(1, c, small.data(), w, y, scale);
    CHECK(apart(scale[0], 1 / std::sqrt(1e-5)) < 1e-6);
    rms_forward(1, c, zero.data(), w, y, scale);
    CHECK(y == zero);
  });
}

TEST_CASE("rotary turns pairs, and back", "[rows]") {
  at_each_isa([] {
    for (Index d : {2, 6, 16, 34, 64, 128}) {
      INFO("head size " << d);
      const Index n = 5, heads = 3, stride = heads * d + 4;
      const Ints position{0, 7, 1, 300, 2};
      const auto x = random<float>(n * stride, 1);
      auto turned = x;
      turn(heads, d, stride, position, 10000.0f, turned);
      auto expected = wide(x);
      for (Index r = 0; r < n; ++r)
        for (Index h = 0; h < heads; ++h)
          for (Index i = 0; i < d / 2; ++i) {
            const double angle = position[r] * std::pow(10000.0, -2.0 * double(i) / double(d));
            double& low = expected[r * stride + h * d + i];
            double& high = expected[r * stride + h * d + i + d / 2];
            const double a = low, b = high;
            low = a * std::cos(angle) - b * std::sin(angle);
            high = b * std::cos(angle) + a * std::sin(angle);
          }
      CHECK(distance(turned, expected) < 1e-6);
      turn(heads, d, stride, position, 10000.0f, turned, true);
      CHECK(distance(turned, wide(x)) < 1e-6);
    }
  });
}

TEST_CASE("a rotary table that grew has the same bits, and bad positions are refused", "[rows]") {
  const auto x = random<float>(8, 1);
  auto before = x, after = x, scratch = x;
  const Ints near{5}, far{2000};
  turn(1, 8, 8, near, 123.0f, before);
  turn(1, 8, 8, far, 123.0f, scratch);
  turn(1, 8, 8, near, 123.0f, after);
  CHECK(before == after);
  const Ints negative{-1}, huge{1 << 20};
  CHECK_THROWS_AS(turn(1, 8, 8, negative, 123.0f, scratch), gaze::Error);
  CHECK_THROWS_AS(turn(1, 8, 8, huge, 123.0f, scratch), gaze::Error);
  CHECK_THROWS_AS(turn(1, 7, 8, near, 123.0f, scratch), gaze::Error);
}

TEST_CASE("softmax statistics in float agree with double", "[rows]") {
  at_each_isa([] {
    for (Index v : sizes)
      for (double range : {1.0, 20.0}) {
        const Index n = 6;
        INFO("V " << v << " range " << range);
        const auto logits = random<float>(n * v, 1, -range, range);
        const auto dlogp = random<float>(n, 2), dentropy = random<float>(n, 3);
        auto target = random_ints(n, 4, 0, static_cast<int>(v) - 1);
        target[2] = -1;
        const SoftmaxRun<float> got(n, v, logits, target, dlogp, dentropy);
        const SoftmaxRun<double> want(n, v, wide(logits), target, wide(dlogp), wide(dentropy),
                                      double(0.7f));
        CHECK(distance(got.lse, want.lse) < 2e-6);
        CHECK(distance(got.logp, want.logp) < 2e-6);
        CHECK(distance(got.entropy, want.entropy) < 4e-6);
        CHECK(distance(got.gradient, want.gradient) < 1e-5);
        CHECK(got.logp[2] == 0);
      }
  });
}

TEST_CASE("softmax gradients agree with finite differences", "[rows]") {
  const Index n = 3, v = 9;
  auto logits = random<double>(n * v, 1);
  const auto dlogp = random<double>(n, 2), dentropy = random<double>(n, 3);
  const Ints target{4, -1, 0};
  const SoftmaxRun<double> run(n, v, logits, target, dlogp, dentropy);
  check_gradient(logits, run.gradient, [&] {
    const SoftmaxRun<double> moved(n, v, logits, target, dlogp, dentropy);
    return dot(moved.logp, dlogp) + dot(moved.entropy, dentropy);
  });
}

TEST_CASE("softmax statistics of extreme logits", "[rows]") {
  at_each_isa([] {
    const Index v = 21;
    const Vec<float> one{1.0f};
    Vec<float> certain(v, -1e4f), masked(v, -inf), subnormal(v, 1e-40f), ties(v, 1e4f);
    certain[20] = 1e4f;
    masked[3] = masked[17] = 2.0f;
    const SoftmaxRun<float> a(1, v, certain, {20}, one, one, 1.0f);
    CHECK(a.logp[0] == 0);
    CHECK(a.entropy[0] == 0);
    CHECK(a.lse[0] == 1e4f);
    CHECK(a.gradient == Vec<float>(v, 0.0f));
    CHECK(SoftmaxRun<float>(1, v, certain, {0}, one, one, 1.0f).logp[0] == -2e4f);
    const SoftmaxRun<float> b(1, v, masked, {17}, one, one, 1.0f);
    CHECK(apart(b.logp[0], -std::log(2.0)) < 1e-6);
    CHECK(apart(b.entropy[0], std::log(2.0)) < 1e-6);
    CHECK(b.gradient[0] == 0);
    CHECK(apart(b.gradient[3], -0.5) < 1e-6);
    CHECK(apart(b.gradient[17], 0.5) < 1e-6);
    CHECK(SoftmaxRun<float>(1, v, masked, {0}, one, one, 1.0f).logp[0] == -inf);
    CHECK(apart(SoftmaxRun<float>(1, v, subnormal, {1}, one, one, 1.0f).logp[0], -std::log(21.0)) <
          1e-6);
    CHECK(apart(SoftmaxRun<float>(1, v, ties, {1}, one, one, 1.0f).entropy[0], std::log(21.0)) <
          1e-6);
    ties[9] = no_number;
    CHECK(std::isnan(SoftmaxRun<float>(1, v, ties, {1}, one, one, 1.0f).logp[0]));
  });
}

TEST_CASE("softmax backward leaves zeros where no gradient comes in", "[rows]") {
  at_each_isa([] {
    const Index v = 19;
    const Ints target{-1, 4};
    Vec<float> logits(2 * v, 0.0f), lse(2, std::log(19.0f)), dlogp{3.0f, 1.0f};
    softmax_stats_backward(gaze::args::SoftmaxStatsBackward<float>{.n = 2,
                                                                   .v = v,
                                                                   .logits = logits.data(),
                                                                   .stride = v,
                                                                   .inv_temperature = 1.0f,
                                                                   .target = target.data(),
                                                                   .lse = lse.data(),
                                                                   .entropy = nullptr,
                                                                   .dlogp = dlogp.data(),
                                                                   .dentropy = nullptr});
    for (Index j = 0; j < v; ++j) {
      CHECK(logits[j] == 0);
      CHECK(apart(logits[v + j], (j == 4) - 1 / 19.0) < 1e-6);
    }
    const Ints beyond{0, 19};
    CHECK_THROWS_AS(SoftmaxRun<float>(2, v, logits, beyond, dlogp, dlogp, 1.0f), gaze::Error);
  });
}

TEST_CASE("column sums, gather and scatter", "[rows]") {
  at_each_isa([] {
    for (Index c : sizes) {
      const Index n = 150, rows = 12;
      INFO("C " << c);
      const auto x = random<float>(n * c, 1);
      const auto index = random_ints(n, 2, -1, static_cast<int>(rows) - 1);
      Vec<double> sums(c, 1.0), table(rows * c, 2.0);
      for (Index r = 0; r < n; ++r)
        for (Index j = 0; j < c; ++j) {
          sums[j] += x[r * c + j];
          if (index[r] >= 0) table[index[r] * c + j] += x[r * c + j];
        }
      Vec<float> got(c, 1.0f), scattered(rows * c, 2.0f), gathered(n * c, 9.0f);
      column_sum(n, c, x.data(), got.data());
      scatter_add_rows(n, c, x.data(), index.data(), rows, scattered.data());
      CHECK(distance(got, sums) < 1e-5);
      CHECK(distance(scattered, table) < 1e-5);
      gather_rows(n, c, scattered.data(), index.data(), gathered.data());
      bool equal = true;
      for (Index r = 0; r < n; ++r)
        for (Index j = 0; j < c; ++j)
          equal &= gathered[r * c + j] == (index[r] < 0 ? 0 : scattered[index[r] * c + j]);
      CHECK(equal);
      CHECK_THROWS_AS(scatter_add_rows<float>(n, c, x.data(), index.data(), 3, scattered.data()),
                      gaze::Error);
    }
  });
}

TEST_CASE("a row's forward bits do not depend on the batch", "[rows]") {
  at_each_isa([] {
    for (Index c : {17, 344}) {
      const Index n = 80;
      const auto x = random<float>(n * c, 1), w = random<float>(c, 2);
      const auto target = random_ints(n, 3, 0, 16);
      const Vec<float> none(n, 0.0f);
      const NormRun<float> rms(false, n, c, x, w, w, x, false),
          layer(true, n, c, x, w, w, x, false);
      const SoftmaxRun<float> soft(n, c, x, target, none, none);
      for (Index r : {0, 41, 79}) {
        const Vec<float> row(x.begin() + r * c, x.begin() + (r + 1) * c);
        const auto same = [&](const Vec<float>& all, const Vec<float>& one) {
          return std::equal(one.begin(), one.end(), all.begin() + r * c);
        };
        CHECK(same(rms.y, NormRun<float>(false, 1, c, row, w, w, row, false).y));
        CHECK(same(layer.y, NormRun<float>(true, 1, c, row, w, w, row, false).y));
        const SoftmaxRun<float> alone(1, c, row, {target[r]}, {0.0f}, {0.0f});
        CHECK(soft.logp[r] == alone.logp[0]);
        CHECK(soft.entropy[r] == alone.entropy[0]);
      }
    }
  });
}

TEST_CASE("results have the same bits at any thread count", "[rows]") {
  const int before = gaze::threads();
  at_each_isa([] {
    const Index n = 500, c = 201;
    const auto x = random<float>(n * c, 1), w = random<float>(c, 2), dy = random<float>(n * c, 3);
    const auto index = random_ints(n, 4, -1, 40);
    const auto dlogp = random<float>(n, 5);
    const auto run = [&] {
      const NormRun<float> rms(false, n, c, x, w, w, dy, true),
          layer(true, n, c, x, w, w, dy, true);
      const SoftmaxRun<float> soft(n, c, x, index, dlogp, dlogp);
      Vec<float> sums(c, 0.0f), table(41 * c, 0.0f), p = x, m(n * c), v(n * c), y(n * c);
      column_sum(n, c, x.data(), sums.data());
      scatter_add_rows(n, c, x.data(), index.data(), 41, table.data());
      adamw_step(adamw_args(n * c, p.data(), dy.data(), m.data(), v.data(), AdamWStep<float>{},
                            0.1f, 0.001f, 1.0f));
      turn(1, 200, c, Ints(n, 9), 1e4f, p);
      unary(UnaryOp::gelu, x, y);
      Vec<float> all;
      const Vec<float>* const parts[] = {
          &rms.y,       &rms.dx,    &rms.dweight,   &layer.y, &layer.dx, &layer.dweight,
          &layer.dbias, &soft.logp, &soft.gradient, &sums,    &table,    &p,
          &m,           &y};
      for (const auto* part : parts) all.insert(all.end(), part->begin(), part->end());
      all.push_back(static_cast<float>(sum(n * c, x.data())));
      all.push_back(static_cast<float>(sum_squares(n * c, x.data())));
      return all;
    };
    gaze::set_threads(1);
    const auto want = run();
    for (int threads : {2, 3, 7}) {
      gaze::set_threads(threads);
      CHECK((run() == want));
    }
  });
  gaze::set_threads(before);
}

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

TEST_CASE("activations of extreme inputs", "[elementwise]") {
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

TEST_CASE("arithmetic on arrays", "[elementwise]") {
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
        CHECK(apart(chain[i], double(b[i]) + 0.3 * a[i]) < 1e-6);
        CHECK(scaled[i] == 0.3f * a[i]);
        CHECK(filled[i] == 7.0f);
      }
      CHECK(copied == a);
      mul(n, plus.data(), plus.data(), plus.data());  // in place
      CHECK(plus[n - 1] == (a[n - 1] + b[n - 1]) * (a[n - 1] + b[n - 1]));
    }
  });
}

TEST_CASE("swiglu and its gradient", "[elementwise]") {
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

TEST_CASE("sums of values and of squares", "[elementwise]") {
  at_each_isa([] {
    for (Index n : {1, 3, 17, 1000, 4096, 4097, 50000}) {
      INFO("n " << n);
      const auto x = random<float>(n, 1);
      double total = 0, squares = 0;
      for (float value : x) {
        total += value;
        squares += double(value) * value;
      }
      CHECK(apart(sum(n, x.data()), total) < 1e-5);
      CHECK(apart(sum_squares(n, x.data()), squares) < 1e-6);
    }
    const float* none = nullptr;
    CHECK(sum(0, none) == 0);
  });
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
  CHECK(apart(p, 0.9) < 1e-6);  // the first step is lr times the sign
}
