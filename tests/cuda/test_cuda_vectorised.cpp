// SPDX-License-Identifier: MIT
// The fast kernels over rows and parameters: against plain loops in double, on the values
// rounded to T; the embedding's gradient and tokens exactly.
#include <cmath>
#include <limits>
#include <random>

#include "cuda/vectorised.hpp"
#include "gaze/cpu/adamw.hpp"
#include "gaze/cpu/rows.hpp"
#include "gaze/generate/sampling.hpp"
#include "tests/cuda/device.hpp"
#include "tests/cuda/on_device.hpp"

namespace test_cuda_vectorised {
namespace {

using namespace gaze;
using namespace gaze::test;
namespace vectorised = cuda::vectorised;

template <class T>
constexpr double tolerance = std::is_same_v<T, float> ? 2e-6 : 4e-3;

/// Shapes: one row, fewer columns than a warp processes at once, several iterations, many rows.
struct Size {
  Index n, c;
};
constexpr Size sizes[] = {{1, 8}, {3, 64}, {5, 264}, {130, 520}};

}  // namespace

TEMPLATE_TEST_CASE("fused RMS norm agrees with float64", "", float, bf16) {
  GAZE_NEEDS_DEVICE();
  using T = TestType;
  std::mt19937 random(1);
  for (const auto [n, c] : sizes) {
    const auto x = numbers<T>(n * c, random), w = numbers<T>(c, random);
    const auto dy = numbers<float>(n * c, random), start = numbers<float>(n * c, random);
    const auto sum = numbers<float>(c, random);
    std::vector<double> y(x.size()), inverse(std::size_t(n), 0), dx(start), dw(sum);
    cpu::reference::rms_norm_forward(n, c, x.data(), w.data(), 1e-5, y.data(), inverse.data());
    cpu::reference::rms_norm_backward(n, c, x.data(), w.data(), inverse.data(), dy.data(),
                                      dx.data(), dw.data(), true);
    const OnDevice<T> gx(rounded<T>(x)), gw(rounded<T>(w)), gy(n * c);
    const OnDevice<float> gi(n), gdy(rounded<float>(dy)), gdx(rounded<float>(start)),
        gdw(rounded<float>(sum));
    vectorised::rms_norm_forward(args::RmsNormForward<T>{.n = n,
                                                         .c = c,
                                                         .x = gx.data(),
                                                         .weight = gw.data(),
                                                         .eps = 1e-5f,
                                                         .y = gy.data(),
                                                         .inv_rms = gi.data()});
    args::RmsNormBackward<T> backward{.n = n,
                                      .c = c,
                                      .x = gx.data(),
                                      .weight = gw.data(),
                                      .inv_rms = gi.data(),
                                      .dy = gdy.data(),
                                      .dx = gdx.data(),
                                      .dweight = gdw.data(),
                                      .accumulate_dx = true};
    vectorised::rms_norm_backward(backward);
    CHECK(distance(gy.host(), y) < tolerance<T>);
    CHECK(distance(gi.host(), inverse) < 2e-6);
    CHECK(distance(gdx.host(), dx) < 2e-6);
    CHECK(distance(gdw.host(), dw) < 2e-6);
    // Overwriting dy, and without a gradient of the weight.
    backward.dx = gdy.data();
    backward.dweight = nullptr;
    backward.accumulate_dx = false;
    vectorised::rms_norm_backward(backward);
    for (std::size_t i = 0; i < dx.size(); ++i) dx[i] -= start[i];
    CHECK(distance(gdy.host(), dx) < 2e-6);
  }
}

TEMPLATE_TEST_CASE("fused layer norm agrees with float64", "", float, bf16) {
  GAZE_NEEDS_DEVICE();
  using T = TestType;
  std::mt19937 random(2);
  for (const auto [n, c] : sizes) {
    const auto x = numbers<T>(n * c, random), w = numbers<T>(c, random), b = numbers<T>(c, random);
    const auto dy = numbers<float>(n * c, random);
    std::vector<double> y(x.size()), mean(std::size_t(n), 0), inverse(mean), dx(x.size()),
        dw(std::size_t(c), 0), db(dw);
    cpu::reference::layer_norm_forward(n, c, x.data(), w.data(), b.data(), 1e-5, y.data(),
                                       mean.data(), inverse.data());
    cpu::reference::layer_norm_backward(n, c, x.data(), w.data(), mean.data(), inverse.data(),
                                        dy.data(), dx.data(), dw.data(), db.data(), false);
    const OnDevice<T> gx(rounded<T>(x)), gw(rounded<T>(w)), gb(rounded<T>(b)), gy(n * c);
    const OnDevice<float> gm(n), gi(n), gdy(rounded<float>(dy)), gdx(n * c), gdw(c), gdb(c);
    vectorised::layer_norm_forward(args::LayerNormForward<T>{.n = n,
                                                             .c = c,
                                                             .x = gx.data(),
                                                             .weight = gw.data(),
                                                             .bias = gb.data(),
                                                             .eps = 1e-5f,
                                                             .y = gy.data(),
                                                             .mean = gm.data(),
                                                             .inv_std = gi.data()});
    vectorised::layer_norm_backward(args::LayerNormBackward<T>{.n = n,
                                                               .c = c,
                                                               .x = gx.data(),
                                                               .weight = gw.data(),
                                                               .mean = gm.data(),
                                                               .inv_std = gi.data(),
                                                               .dy = gdy.data(),
                                                               .dx = gdx.data(),
                                                               .dweight = gdw.data(),
                                                               .dbias = gdb.data()});
    CHECK(distance(gy.host(), y) < tolerance<T>);
    CHECK(distance(gi.host(), inverse) < 2e-6);
    CHECK(distance(gdx.host(), dx) < 2e-6);
    CHECK(distance(gdw.host(), dw) < 2e-6);
    CHECK(distance(gdb.host(), db) < 2e-6);
  }
}

TEMPLATE_TEST_CASE("fused SwiGLU and gelu with a bias agree with float64", "", float, bf16) {
  GAZE_NEEDS_DEVICE();
  using T = TestType;
  std::mt19937 random(3);
  for (const auto [n, c] : sizes) {
    const auto x = numbers<T>(n * 2 * c, random), bias = numbers<T>(2 * c, random);
    const auto dy = numbers<float>(n * 2 * c, random);
    std::vector<double> y(std::size_t(n * c)), dx(x.size()), gelu(x.size()), dgelu(x.size());
    for (Index i = 0; i < n * c; ++i) {
      const std::size_t at = std::size_t(i / c * 2 * c + i % c), up = at + std::size_t(c);
      const double s = 1 / (1 + std::exp(-x[at])), d = dy[std::size_t(i)];
      y[std::size_t(i)] = x[at] * s * x[up];
      dx[at] = d * x[up] * s * (1 + x[at] * (1 - s));
      dx[up] = d * x[at] * s;
    }
    for (std::size_t i = 0; i < x.size(); ++i) {
      const auto value = [](double v) {
        return v / 2 *
               (1 + std::tanh(std::sqrt(2 / 3.14159265358979) * (v + 0.044715 * v * v * v)));
      };
      const double v = x[i] + bias[i % std::size_t(2 * c)];
      gelu[i] = value(v);
      dgelu[i] = dy[i] * (value(v + 1e-5) - value(v - 1e-5)) / 2e-5;
    }
    const OnDevice<T> gx(rounded<T>(x)), gb(rounded<T>(bias)), gy(n * c), gg(n * 2 * c);
    const OnDevice<float> gdy(rounded<float>(dy)), gdx(n * 2 * c);
    vectorised::swiglu_forward<T>(n, c, gx.data(), gy.data());
    vectorised::swiglu_backward<T>(n, c, gx.data(), gdy.data(), gdx.data());
    vectorised::bias_gelu_forward<T>(n, 2 * c, gx.data(), gb.data(), gg.data());
    vectorised::bias_gelu_backward<T>(n, 2 * c, gx.data(), gb.data(), gdy.data(), gdy.data());
    CHECK(distance(gy.host(), y) < tolerance<T>);
    CHECK(distance(gdx.host(), dx) < 2e-6);
    CHECK(distance(gg.host(), gelu) < tolerance<T>);
    CHECK(distance(gdy.host(), dgelu) < 2e-6);
  }
}

TEMPLATE_TEST_CASE("fused softmax statistics agree with float64", "", float, bf16) {
  GAZE_NEEDS_DEVICE();
  using T = TestType;
  std::mt19937 random(4);
  for (const Index v : {1, 7, 129, 1000}) {
    const Index n = 4, stride = v + 3;
    auto z = numbers<T>(n * stride, random);
    for (double& x : z) x *= 8;
    if (v > 1) z[std::size_t(stride)] = -std::numeric_limits<double>::infinity();
    std::vector<std::int32_t> target{0, -1, std::int32_t(v - 1), std::int32_t(v / 2)};
    const auto dl = numbers<float>(n, random), dh = numbers<float>(n, random);
    std::vector<double> logp(4), entropy(4), lse(4), dz(z);
    cpu::reference::softmax_stats(n, v, z.data(), stride, 0.75, target.data(), logp.data(),
                                  entropy.data(), lse.data());
    cpu::reference::softmax_stats_backward(n, v, dz.data(), stride, 0.75, target.data(), lse.data(),
                                           entropy.data(), dl.data(), dh.data());
    const OnDevice<T> gz(rounded<T>(z));
    const OnDevice<std::int32_t> gt(target);
    const OnDevice<float> gl(n), ge(n), gs(n), gdl(rounded<float>(dl)), gdh(rounded<float>(dh));
    vectorised::softmax_stats(args::SoftmaxStats<T>{.n = n,
                                                    .v = v,
                                                    .logits = gz.data(),
                                                    .stride = stride,
                                                    .inv_temperature = 0.75f,
                                                    .target = gt.data(),
                                                    .logp = gl.data(),
                                                    .entropy = ge.data(),
                                                    .lse = gs.data()});
    vectorised::softmax_stats_backward(args::SoftmaxStatsBackward<T>{.n = n,
                                                                     .v = v,
                                                                     .logits = gz.data(),
                                                                     .stride = stride,
                                                                     .inv_temperature = 0.75f,
                                                                     .target = gt.data(),
                                                                     .lse = gs.data(),
                                                                     .entropy = ge.data(),
                                                                     .dlogp = gdl.data(),
                                                                     .dentropy = gdh.data()});
    CHECK(distance(gs.host(), lse) < 2e-6);
    for (std::size_t i = 0; i < 4; ++i) {
      CHECK(gl.host()[i] == Catch::Approx(logp[i]).margin(1e-5));
      CHECK(ge.host()[i] == Catch::Approx(entropy[i]).margin(1e-5));
    }
    auto got = gz.host();
    for (std::size_t i = 0; i < dz.size(); ++i)  // the gaps between rows are unchanged
      if (Index(i) % stride >= v) CHECK(float(got[i]) == float(dz[i]));
    CHECK(distance(got, dz) < tolerance<T>);
  }
}

TEMPLATE_TEST_CASE("a row's softmax statistics do not depend on its alignment", "", float, bf16) {
  GAZE_NEEDS_DEVICE();
  using T = TestType;
  std::mt19937 random(4);
  const Index n = 9, v = 97;  // rows at every alignment within 16 bytes
  const auto one = numbers<T>(v, random);
  std::vector<double> z;
  for (Index r = 0; r < n; ++r) z.insert(z.end(), one.begin(), one.end());
  const OnDevice<T> logits(rounded<T>(z));
  const OnDevice<std::int32_t> target(std::vector<std::int32_t>(std::size_t(n), 5));
  const OnDevice<float> logp(n), entropy(n), lse(n);
  vectorised::softmax_stats(args::SoftmaxStats<T>{.n = n,
                                                  .v = v,
                                                  .logits = logits.data(),
                                                  .stride = v,
                                                  .inv_temperature = 0.75f,
                                                  .target = target.data(),
                                                  .logp = logp.data(),
                                                  .entropy = entropy.data(),
                                                  .lse = lse.data()});
  vectorised::softmax_stats_backward(args::SoftmaxStatsBackward<T>{.n = n,
                                                                   .v = v,
                                                                   .logits = logits.data(),
                                                                   .stride = v,
                                                                   .inv_temperature = 0.75f,
                                                                   .target = target.data(),
                                                                   .lse = lse.data(),
                                                                   .entropy = entropy.data(),
                                                                   .dlogp = logp.data(),
                                                                   .dentropy = entropy.data()});
  const auto gradient = logits.host();
  const auto row = [&](Index r) {
    return std::vector<T>(gradient.begin() + r * v, gradient.begin() + (r + 1) * v);
  };
  for (Index r = 1; r < n; ++r) {
    CHECK(same_bits(row(r), row(0)));
    for (const auto* all : {&logp, &entropy, &lse})
      CHECK(all->host()[std::size_t(r)] == all->host()[0]);
  }
}

TEST_CASE("the embedding gradient equals the CPU's bit for bit") {
  GAZE_NEEDS_DEVICE();
  std::mt19937 random(5);
  for (const Index n : {1, 127, 128, 129, 400})
    for (const Index c : {1, 5, 140}) {
      const Index rows = 11;
      std::vector<std::int32_t> index;
      for (Index i = 0; i < n; ++i) index.push_back(std::int32_t(random() % 12) - 1);
      const auto x = rounded<float>(numbers<float>(n * c, random));
      auto want = rounded<float>(numbers<float>(rows * c, random));
      const OnDevice<float> gx(x), table(want);
      const OnDevice<std::int32_t> gi(index);
      vectorised::embedding_gradient(n, c, gx.data(), gi.data(), rows, table.data());
      cpu::reference::scatter_add_rows(n, c, c, x.data(), index.data(), want.data());
      CHECK(same_bits(table.host(), want));
    }
}

TEST_CASE("fused AdamW updates master weights, moments and the bf16 copy") {
  GAZE_NEEDS_DEVICE();
  std::mt19937 random(6);
  for (const Index n : {4, 1028}) {
    auto p = numbers<float>(n, random), g = numbers<float>(n, random),
         m = numbers<float>(n, random);
    auto v = numbers<float>(n, random);
    for (double& x : v) x = x * x;
    const OnDevice<float> gp(rounded<float>(p)), gg(rounded<float>(g)), gm(rounded<float>(m)),
        gv(rounded<float>(v));
    const OnDevice<bf16> copy(n);
    args::AdamW<float> step{.n = n,
                            .param = gp.data(),
                            .grad = gg.data(),
                            .m = gm.data(),
                            .v = gv.data(),
                            .settings = {1e-2f, 0.9f, 0.98f, 1e-8f, 0.01f},
                            .bias_correction1 = 0.2f,
                            .bias_correction2 = 0.05f,
                            .grad_scale = 0.5f};
    vectorised::adamw_step(step, copy.data());
    cpu::adamw_step(args::AdamW<double>{.n = n,
                                        .param = p.data(),
                                        .grad = g.data(),
                                        .m = m.data(),
                                        .v = v.data(),
                                        .settings = {1e-2, 0.9, 0.98, 1e-8, 0.01},
                                        .bias_correction1 = 0.2,
                                        .bias_correction2 = 0.05,
                                        .grad_scale = 0.5});
    CHECK(distance(gp.host(), p) < 2e-6);
    CHECK(distance(gm.host(), m) < 2e-6);
    CHECK(distance(gv.host(), v) < 2e-6);
    const auto params = gp.host();
    const auto copied = copy.host();
    for (std::size_t i = 0; i < params.size(); ++i) CHECK(copied[i].bits == bf16(params[i]).bits);
    step.settings = {};
    step.bias_correction1 = step.bias_correction2 = step.grad_scale = 1;
    vectorised::adamw_step(step, nullptr);
  }
}

}  // namespace test_cuda_vectorised
