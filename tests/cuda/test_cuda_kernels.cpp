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
    double most = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      const double d = std::abs(a[i] - static_cast<double>(b[i])) / std::max(1.0, std::abs(a[i]));
      most = std::isnan(d) ? INFINITY : std::max(most, d);
    }
    return most;
  }
};

template <class T>
const double tolerance = std::is_same_v<T, float> ? 2e-5 : 1e-13;

}  // namespace

TEMPLATE_TEST_CASE("gemm on Cuda agrees with the CPU", "[cuda]", float, double) {
  GAZE_NEEDS_DEVICE();
  using T = TestType;
  for (const Index m : {1, 63, 65})
    for (const Index n : {1, 64, 70})
      for (const Index k : {0, 1, 16, 33})
        for (int how = 0; how < 16; ++how) {
          const bool ta = how & 1, tb = how & 2, accumulate = how & 4, biased = how & 8;
          const Index lda = (ta ? m : k) + 3, ldb = (tb ? k : n) + 1, ldc = n + 2;
          const Both<T> a((ta ? k : m) * lda, 1), b((tb ? n : k) * ldb, 2), bias(n, 3);
          const Both<T> c(m * ldc, 4);
          C::gemm(ta, tb, m, n, k, static_cast<const double*>(a.host.data()), lda,
                  static_cast<const double*>(b.host.data()), ldb, c.host.data(), ldc, accumulate,
                  biased ? static_cast<const double*>(bias.host.data()) : nullptr);
          K::gemm(ta, tb, m, n, k, static_cast<const T*>(a.device.data()), lda,
                  static_cast<const T*>(b.device.data()), ldb, c.device.data(), ldc, accumulate,
                  biased ? static_cast<const T*>(bias.device.data()) : nullptr);
          INFO(m << " " << n << " " << k << " " << how);
          CHECK(c.distance() < tolerance<T>);
        }
}

TEST_CASE("gemm of bf16 operands on Cuda agrees with the CPU", "[cuda]") {
  GAZE_NEEDS_DEVICE();
  for (const auto [m, n, k] :
       {std::array<Index, 3>{1, 64, 33}, {63, 1, 16}, {65, 70, 41}, {5, 9, 0}})
    for (int how = 0; how < 16; ++how) {
      const bool ta = how & 1, tb = how & 2, accumulate = how & 4, biased = how & 8;
      const Index lda = (ta ? m : k) + 3, ldb = (tb ? k : n) + 1, ldc = n + 2;
      const Both<float> a((ta ? k : m) * lda, 1), b((tb ? n : k) * ldb, 2), bias(n, 3);
      const Both<float> c(m * ldc, 4);
      const auto round =
          [](const Both<float>& x) {  // bf16 on the device, and the same values in double
            Tensor<bf16, Cuda> y(x.device.shape());
            K::cast(y.numel(), static_cast<const float*>(x.device.data()), y.data());
            const auto held = y.to_vector();
            for (std::size_t i = 0; i < held.size(); ++i) {
              const double exact = x.host.data()[i];
              x.host.data()[i] = static_cast<float>(held[i]);
              CHECK(static_cast<float>(held[i]) ==
                    static_cast<float>(bf16(static_cast<float>(exact))));
            }
            return y;
          };
      const auto x = round(a), y = round(b);
      C::gemm(ta, tb, m, n, k, static_cast<const double*>(a.host.data()), lda,
              static_cast<const double*>(b.host.data()), ldb, c.host.data(), ldc, accumulate,
              biased ? static_cast<const double*>(bias.host.data()) : nullptr);
      K::gemm(ta, tb, m, n, k, static_cast<const bf16*>(x.data()), lda,
              static_cast<const bf16*>(y.data()), ldb, c.device.data(), ldc, accumulate,
              biased ? static_cast<const float*>(bias.device.data()) : nullptr);
      INFO(m << " " << n << " " << k << " " << how);
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
      const Both<T> x(n * c, 1), w(c, 2), b(c, 3), dy(n * c, 4), y(n * c, 5), s(n, 6), mean(n, 7);
      const Both<T> dx(n * c, 8), dw(c, 9), db(c, 10);
      INFO(n << " rows of " << c);
      C::rms_norm_forward(n, c, x.host.data(), w.host.data(), 1e-5, y.host.data(), s.host.data());
      K::rms_norm_forward(n, c, x.device.data(), w.device.data(), T(1e-5), y.device.data(),
                          s.device.data());
      CHECK(y.distance() < tolerance<T>);
      C::rms_norm_backward(n, c, x.host.data(), w.host.data(), s.host.data(), dy.host.data(),
                           dx.host.data(), dw.host.data(), true);
      K::rms_norm_backward(n, c, x.device.data(), w.device.data(), s.device.data(),
                           dy.device.data(), dx.device.data(), dw.device.data(), true);
      CHECK(dx.distance() < 20 * tolerance<T>);
      CHECK(dw.distance() < 20 * tolerance<T>);
      if (c == 1) continue;  // no variance
      C::layer_norm_forward(n, c, x.host.data(), w.host.data(), b.host.data(), 1e-3, y.host.data(),
                            mean.host.data(), s.host.data());
      K::layer_norm_forward(n, c, x.device.data(), w.device.data(), b.device.data(), T(1e-3),
                            y.device.data(), mean.device.data(), s.device.data());
      CHECK(y.distance() < 10 * tolerance<T>);
      C::layer_norm_backward(n, c, x.host.data(), w.host.data(), mean.host.data(), s.host.data(),
                             dy.host.data(), dx.host.data(), dw.host.data(), db.host.data(), false);
      K::layer_norm_backward(n, c, x.device.data(), w.device.data(), mean.device.data(),
                             s.device.data(), dy.device.data(), dx.device.data(), dw.device.data(),
                             db.device.data(), false);
      CHECK(dx.distance() < 20 * tolerance<T>);
      CHECK(dw.distance() < 20 * tolerance<T>);
      CHECK(db.distance() < 20 * tolerance<T>);
    }
}

}  // namespace test_cuda_kernels
