// SPDX-License-Identifier: MIT
// Kernels<Cuda> against Kernels<Cpu> in double, over sizes around every edge of a tile.
#include "gaze/core/bf16.hpp"
#include "tests/cuda/device.hpp"

namespace test_cuda_kernels {
namespace {

using namespace gaze;
using C = Kernels<Cpu>;
using K = Kernels<Cuda>;

template <class T>
std::vector<T> numbers(Index n, std::uint64_t key, double low = -1, double high = 1) {
  const Philox random(7, Purpose::init);
  std::vector<T> values(static_cast<std::size_t>(n));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<T>(low + (high - low) * random.uniform(key, i));
  return values;
}

/// The same values on both devices, in double on the CPU.
template <class T>
struct Both {
  Tensor<double> host;
  Tensor<T, Cuda> device;

  Both(Index n, std::uint64_t key) {
    const auto values = numbers<T>(n, key);
    host = Tensor<double>::from({n}, std::vector<double>(values.begin(), values.end()));
    device = Tensor<T, Cuda>::from({n}, values);
  }
  double distance() const {
    const auto a = host.to_vector();
    const auto b = device.to_vector();
    double largest = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      const double d = std::abs(a[i] - static_cast<double>(b[i])) / std::max(1.0, std::abs(a[i]));
      largest = std::isnan(d) ? INFINITY : std::max(largest, d);
    }
    return largest;
  }
};

template <class T>
const double tolerance = std::is_same_v<T, float> ? 2e-5 : 1e-13;

/// One product of each form: bit 0 of `form` transposes a, bit 1 transposes b, bit 2 accumulates,
/// bit 3 adds a bias. Rows have gaps between them.
struct Product {
  Index m, n, k;
  int form;

  bool ta() const { return form & 1; }
  bool tb() const { return form & 2; }
  Index lda() const { return (ta() ? m : k) + 3; }
  Index ldb() const { return (tb() ? k : n) + 1; }
  Index a_size() const { return (ta() ? k : m) * lda(); }
  Index b_size() const { return (tb() ? n : k) * ldb(); }
  Index c_size() const { return m * (n + 2); }

  template <class T>
  args::Gemm<T> arguments(const T* a, const T* b, GradOf<T>* c, const GradOf<T>* bias) const {
    return {.transpose_a = ta(),
            .transpose_b = tb(),
            .m = m,
            .n = n,
            .k = k,
            .a = a,
            .lda = lda(),
            .b = b,
            .ldb = ldb(),
            .c = c,
            .ldc = n + 2,
            .accumulate = (form & 4) != 0,
            .bias = form & 8 ? bias : nullptr};
  }
};

/// Pointers to the inputs and results of a norm, on one device.
template <class T>
struct NormPointers {
  Index n, c;
  const T *x, *w, *b, *dy;
  T *y, *scale, *mean, *dx, *dw, *db;

  args::RmsNormForward<T> rms_forward() const {
    return {.n = n, .c = c, .x = x, .weight = w, .eps = T(1e-5), .y = y, .inv_rms = scale};
  }
  args::RmsNormBackward<T> rms_backward() const {
    return {.n = n,
            .c = c,
            .x = x,
            .weight = w,
            .inv_rms = scale,
            .dy = dy,
            .dx = dx,
            .dweight = dw,
            .accumulate_dx = true};
  }
  args::LayerNormForward<T> layer_forward() const {
    return {.n = n,
            .c = c,
            .x = x,
            .weight = w,
            .bias = b,
            .eps = T(1e-3),
            .y = y,
            .mean = mean,
            .inv_std = scale};
  }
  args::LayerNormBackward<T> layer_backward() const {
    return {.n = n,
            .c = c,
            .x = x,
            .weight = w,
            .mean = mean,
            .inv_std = scale,
            .dy = dy,
            .dx = dx,
            .dweight = dw,
            .dbias = db};
  }
};

template <class T>
struct Norm {
  Index n, c;
  Both<T> x{n * c, 1}, w{c, 2}, b{c, 3}, dy{n * c, 4}, y{n * c, 5}, scale{n, 6}, mean{n, 7};
  Both<T> dx{n * c, 8}, dw{c, 9}, db{c, 10};

  Norm(Index n, Index c) : n(n), c(c) {}
  NormPointers<double> on_host() {
    return {n,
            c,
            x.host.data(),
            w.host.data(),
            b.host.data(),
            dy.host.data(),
            y.host.data(),
            scale.host.data(),
            mean.host.data(),
            dx.host.data(),
            dw.host.data(),
            db.host.data()};
  }
  NormPointers<T> on_device() {
    return {n,
            c,
            x.device.data(),
            w.device.data(),
            b.device.data(),
            dy.device.data(),
            y.device.data(),
            scale.device.data(),
            mean.device.data(),
            dx.device.data(),
            dw.device.data(),
            db.device.data()};
  }
};

}  // namespace

TEMPLATE_TEST_CASE("gemm on Cuda agrees with the CPU", "[cuda]", float, double) {
  GAZE_NEEDS_DEVICE();
  using T = TestType;
  for (const Index m : {1, 63, 65})
    for (const Index n : {1, 64, 70})
      for (const Index k : {0, 1, 16, 33})
        for (int form = 0; form < 16; ++form) {
          const Product p{m, n, k, form};
          const Both<T> a(p.a_size(), 1), b(p.b_size(), 2), bias(n, 3);
          Both<T> c(p.c_size(), 4);
          C::gemm(p.arguments(a.host.data(), b.host.data(), c.host.data(), bias.host.data()));
          K::gemm(
              p.arguments(a.device.data(), b.device.data(), c.device.data(), bias.device.data()));
          INFO(m << " " << n << " " << k << " " << form);
          CHECK(c.distance() < tolerance<T>);
        }
}

TEST_CASE("gemm of bf16 operands on Cuda agrees with the CPU", "[cuda]") {
  GAZE_NEEDS_DEVICE();
  for (const auto [m, n, k] :
       {std::array<Index, 3>{1, 64, 33}, {63, 1, 16}, {65, 70, 41}, {5, 9, 0}})
    for (int form = 0; form < 16; ++form) {
      const Product p{m, n, k, form};
      Both<float> a(p.a_size(), 1), b(p.b_size(), 2), c(p.c_size(), 4);
      const Both<float> bias(n, 3);
      const auto round = [](Both<float>& x) {  // bf16 on the device, and the same values in double
        Tensor<bf16, Cuda> y(x.device.shape());
        K::cast<float>(y.numel(), x.device.data(), y.data());
        const auto held = y.to_vector();
        for (std::size_t i = 0; i < held.size(); ++i) {
          const double exact = x.host.data()[i];
          x.host.data()[i] = static_cast<float>(held[i]);
          CHECK(static_cast<float>(held[i]) == static_cast<float>(bf16(static_cast<float>(exact))));
        }
        return y;
      };
      const auto x = round(a), y = round(b);
      C::gemm(p.arguments<double>(a.host.data(), b.host.data(), c.host.data(), bias.host.data()));
      K::gemm(p.arguments(x.data(), y.data(), c.device.data(), bias.device.data()));
      INFO(m << " " << n << " " << k << " " << form);
      CHECK(c.distance() < tolerance<float>);
    }
}

TEST_CASE("key position inverts key slot, and is -1 for slots without a key", "[cuda]") {
  for (const std::int32_t prefix : {0, 1, 15, 16, 17, 40})
    for (const std::int32_t own : {0, 1, 16, 33}) {
      const KeyRange range{32, prefix, 80 + prefix % 16, own};
      std::vector<Index> position(160, -1);
      for (Index p = 0; p < key_count(range); ++p)
        position[static_cast<std::size_t>(key_slot(range, p))] = p;
      for (Index slot = 0; slot < 160; ++slot)
        CHECK(key_position(range, slot) == position[static_cast<std::size_t>(slot)]);
    }
}

TEMPLATE_TEST_CASE("norms on Cuda agree with the CPU", "[cuda]", float, double) {
  GAZE_NEEDS_DEVICE();
  using T = TestType;
  for (const Index n : {1, 3, 64, 130})
    for (const Index c : {1, 31, 33, 96}) {
      Norm<T> norm(n, c);
      INFO(n << " rows of " << c);
      C::rms_norm_forward(norm.on_host().rms_forward());
      K::rms_norm_forward(norm.on_device().rms_forward());
      CHECK(norm.y.distance() < tolerance<T>);
      C::rms_norm_backward(norm.on_host().rms_backward());
      K::rms_norm_backward(norm.on_device().rms_backward());
      CHECK(norm.dx.distance() < 20 * tolerance<T>);
      CHECK(norm.dw.distance() < 20 * tolerance<T>);
      if (c == 1) continue;  // no variance
      C::layer_norm_forward(norm.on_host().layer_forward());
      K::layer_norm_forward(norm.on_device().layer_forward());
      CHECK(norm.y.distance() < 10 * tolerance<T>);
      C::layer_norm_backward(norm.on_host().layer_backward());
      K::layer_norm_backward(norm.on_device().layer_backward());
      CHECK(norm.dx.distance() < 20 * tolerance<T>);
      CHECK(norm.dw.distance() < 20 * tolerance<T>);
      CHECK(norm.db.distance() < 20 * tolerance<T>);
    }
}

}  // namespace test_cuda_kernels
