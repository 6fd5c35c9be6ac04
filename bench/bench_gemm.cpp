// SPDX-License-Identifier: MIT
// The matrix product at the model's shapes, on one thread, beside the processor's measured
// multiply-add peak and, where it is installed, OpenBLAS.
//
// Shapes: m rows through a weight [n,k] (forward), its gradients (dX = dY W, dW += dY^T X), a cube.
// For a fair comparison on AMD: OPENBLAS_CORETYPE=SkylakeX OPENBLAS_NUM_THREADS=1.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "bench/common.hpp"

#if __has_include(<cblas.h>)
#include <cblas.h>
#define GAZE_BENCH_CBLAS 1
#endif

namespace {

using gaze::Index;

/// Floats at a multiple of 64 bytes, as tensors are.
class Matrix {
 public:
  explicit Matrix(Index count) : room_(static_cast<std::size_t>(count) + 16) {
    std::mt19937 random(7);
    std::uniform_real_distribution<float> uniform(-1, 1);
    for (float& x : room_) x = uniform(random);
  }
  float* data() {
    const auto at = reinterpret_cast<std::uintptr_t>(room_.data());
    return room_.data() + (64 - at % 64) % 64 / sizeof(float);
  }

 private:
  std::vector<float> room_;
};

enum class Which { gaze, openblas };

void product(benchmark::State& state, Which which, bool ta, bool tb, bool accumulate) {
  const Index m = state.range(0), n = state.range(1), k = state.range(2);
  Matrix a(m * k), b(k * n), c(m * n);
  const Index lda = ta ? m : k, ldb = tb ? k : n;
  const double flops = 2.0 * double(m) * double(n) * double(k);
  bench::against_peak(state, flops, [&] {
    if (which == Which::gaze) {
      gaze::cpu::gemm(ta, tb, m, n, k, a.data(), lda, b.data(), ldb, c.data(), n, accumulate);
    } else {
#ifdef GAZE_BENCH_CBLAS
      cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans,
                  int(m), int(n), int(k), 1.0f, a.data(), int(lda), b.data(), int(ldb),
                  accumulate ? 1.0f : 0.0f, c.data(), int(n));
#endif
    }
  });
}

struct Kind {
  const char* name;
  bool ta, tb, accumulate;
};
constexpr Kind kinds[] = {{"forward", false, true, false},
                          {"grad_x", false, false, false},
                          {"grad_w", true, false, true}};

void add_rows(Which which, const char* library) {
  for (const Kind& kind : kinds) {
    auto* bench =
        benchmark::RegisterBenchmark((std::string("gemm/") + kind.name + "/" + library).c_str(),
                                     product, which, kind.ta, kind.tb, kind.accumulate);
    bench->ArgNames({"m", "n", "k"})->Unit(benchmark::kMicrosecond)->MinTime(0.05);
    bench->Args({1024, 1024, 1024});
    if (kind.ta) {  // dW[out,in], summed over the rows
      for (Index k : {512, 6000})
        bench->Args({384, 384, k})->Args({1024, 384, k})->Args({384, 1024, k})->Args({128, 344, k});
      continue;
    }
    for (Index m : {1, 4, 8, 16, 64, 96, 512, 3000})
      bench->Args({m, 384, 384})->Args({m, 1024, 384})->Args({m, 384, 1024})->Args({m, 128, 344});
  }
}

}  // namespace

int main(int argc, char** argv) {
  add_rows(Which::gaze, "gaze");
#ifdef GAZE_BENCH_CBLAS
  add_rows(Which::openblas, "openblas");
#endif
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
