// SPDX-License-Identifier: MIT
// Row-wise kernels: float against double at every instruction set, double against finite
// differences, the same bits at any batch and thread count, extreme inputs.
#include <cmath>
#include <cstdint>
#include <vector>

#include "gaze/cpu/adamw.hpp"
#include "gaze/cpu/elementwise.hpp"
#include "gaze/cpu/reduce.hpp"
#include "gaze/cpu/rows.hpp"
#include "tests/kernel_arrays.hpp"
#include "tests/kernel_calls.hpp"

namespace test_row_kernels {
namespace {

using gaze::AdamWStep;
using gaze::Index;
using gaze::UnaryOp;
using namespace gaze::cpu;
using namespace gaze::test;
using namespace gaze::test::arrays;

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
    CHECK(relative_difference(scale[0], 1 / std::sqrt(1e-5)) < 1e-6);
    rms_forward(1, c, zero.data(), w, y, scale);
    CHECK(y == zero);
  });
}

TEST_CASE("rotary rotates pairs and its inverse restores them", "[rows]") {
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

TEST_CASE("a grown rotary table has the same bits, and invalid positions are refused", "[rows]") {
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

TEST_CASE("softmax statistics are right for extreme logits", "[rows]") {
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
    CHECK(relative_difference(b.logp[0], -std::log(2.0)) < 1e-6);
    CHECK(relative_difference(b.entropy[0], std::log(2.0)) < 1e-6);
    CHECK(b.gradient[0] == 0);
    CHECK(relative_difference(b.gradient[3], -0.5) < 1e-6);
    CHECK(relative_difference(b.gradient[17], 0.5) < 1e-6);
    CHECK(SoftmaxRun<float>(1, v, masked, {0}, one, one, 1.0f).logp[0] == -inf);
    CHECK(relative_difference(SoftmaxRun<float>(1, v, subnormal, {1}, one, one, 1.0f).logp[0],
                              -std::log(21.0)) < 1e-6);
    CHECK(relative_difference(SoftmaxRun<float>(1, v, ties, {1}, one, one, 1.0f).entropy[0],
                              std::log(21.0)) < 1e-6);
    ties[9] = no_number;
    CHECK(std::isnan(SoftmaxRun<float>(1, v, ties, {1}, one, one, 1.0f).logp[0]));
  });
}

TEST_CASE("softmax backward returns zeros for zero gradients", "[rows]") {
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
      CHECK(relative_difference(logits[v + j], (j == 4) - 1 / 19.0) < 1e-6);
    }
    const Ints beyond{0, 19};
    CHECK_THROWS_AS(SoftmaxRun<float>(2, v, logits, beyond, dlogp, dlogp, 1.0f), gaze::Error);
  });
}

TEST_CASE("column sums, gather and scatter agree with plain loops", "[rows]") {
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

}  // namespace test_row_kernels
