// SPDX-License-Identifier: MIT
// Long sums in float32 on Cuda against the same in float64 on the CPU: rows of more than one chain,
// with whole vectors of 16 bytes and without, more rows than one chain of blocks, and long sums of
// what broadcasting stretched.
#include "tests/cuda/device.hpp"
#include "tests/gradcheck.hpp"

namespace {

using namespace gaze;
using namespace gaze::test;
using C = Tensor<float, Cuda>;
using D = Tensor<double>;

/// Positive numbers, so that no sum cancels, the same in both types.
struct Positive {
  C narrow;
  D wide;

  explicit Positive(const Shape& shape) {
    const auto x = uniform<float>(shape, Philox(5, Purpose::test), 1, 0.05, 0.15);
    narrow = x.to<Cuda>();
    wide = cast<double>(x);
  }
};

void check(const char* what, const C& got, const D& want, double tolerance = 2e-6) {
  INFO(what);
  REQUIRE(got.shape() == want.shape());
  const auto x = got.to_vector();
  const auto y = want.to_vector();
  double apart = 0, size = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    apart += (x[i] - y[i]) * (x[i] - y[i]);
    size += y[i] * y[i];
  }
  CHECK(std::sqrt(apart / size) < tolerance);
}

}  // namespace

TEST_CASE("sums over many rows on Cuda are right to a few roundings", "[cuda][ops]") {
  GAZE_NEEDS_DEVICE();
  const Index n = 100'000, c = 4;
  const Positive x({n, c});
  const D want = sum(x.wide, 0);
  check("sum", sum(x.narrow, 0), want);
  C row = C::zeros({1, c});
  row.requires_grad();
  backward(expand(row, {n, c}), x.narrow);
  check("gradient of what was stretched", row.grad(), want);
  for (const bool fast : {true, false}) {
    const Invariant kernels(fast);
    C bias = C::zeros({c});
    bias.requires_grad();
    backward(layer_norm(C::zeros({n, c}), C::full({c}, 1.0f), bias, 1.0f), x.narrow);
    check("gradient of a norm's bias", reshape(bias.grad(), {1, c}), want);
  }
}

TEST_CASE("rows of more than one chain on Cuda", "[cuda][ops]") {
  GAZE_NEEDS_DEVICE();
  for (const Index n : {20'000, 20'001}) {
    INFO(n);
    const Positive x({2, n});
    const D one = ones<double>({n}), zero = D::zeros({n});
    check("rms_norm", rms_norm(x.narrow, ones<float, Cuda>({n}), 0.0f), rms_norm(x.wide, one, 0.0));
    check("layer_norm", layer_norm(x.narrow, ones<float, Cuda>({n}), C::zeros({n}), 0.0f),
          layer_norm(x.wide, one, zero, 0.0), 1e-5);
    const std::vector<std::int32_t> target{7, static_cast<std::int32_t>(n - 1)};
    C leaf = x.narrow.detach();
    D wide = x.wide.detach();
    leaf.requires_grad();
    wide.requires_grad();
    const auto loss = cross_entropy(leaf, Indices<Cuda>::from({2}, target));
    const auto wanted = cross_entropy(wide, Indices<Cpu>::from({2}, target));
    check("cross_entropy", loss, wanted);
    backward(loss);
    backward(wanted);
    check("its gradient", leaf.grad(), wide.grad(), 1e-5);
  }
}
