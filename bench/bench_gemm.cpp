// SPDX-License-Identifier: MIT
// The matrix product at the model's shapes, on one thread, beside the processor's measured
// multiply-add peak and, where it is installed, OpenBLAS.
//
// Shapes: m rows through a weight [n,k] (forward), its gradients (dX = dY W, dW += dY^T X), a cube.
// For a fair comparison on AMD: OPENBLAS_CORETYPE=SkylakeX OPENBLAS_NUM_THREADS=1.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <random>
#include <string>
#include <vector>

#include "gaze/cpu/gemm.hpp"

#if __has_include(<cblas.h>)
#include <cblas.h>
#define GAZE_BENCH_CBLAS 1
#endif

namespace {

using gaze::Index;

constexpr int peak_chains = 16;

// Sixteen chains that do not wait for one another; they start apart, or they would be one chain.
#define GAZE_BENCH_PEAK(SET, TARGET)                                          \
  TARGET float peak_##SET(long rounds) {                                      \
    using namespace gaze::simd::SET;                                          \
    const vf x = set(0.999f), y = set(0.001f);                                \
    vf a = set(0.0f), b = set(0.1f), c = set(0.2f), d = set(0.3f);            \
    vf e = set(0.4f), f = set(0.5f), g = set(0.6f), h = set(0.7f);            \
    vf i = set(1.0f), j = set(1.1f), k = set(1.2f), l = set(1.3f);            \
    vf m = set(1.4f), n = set(1.5f), o = set(1.6f), p = set(1.7f);            \
    for (long r = 0; r < rounds; ++r) {                                       \
      a = fma(a, x, y), b = fma(b, x, y), c = fma(c, x, y), d = fma(d, x, y); \
      e = fma(e, x, y), f = fma(f, x, y), g = fma(g, x, y), h = fma(h, x, y); \
      i = fma(i, x, y), j = fma(j, x, y), k = fma(k, x, y), l = fma(l, x, y); \
      m = fma(m, x, y), n = fma(n, x, y), o = fma(o, x, y), p = fma(p, x, y); \
    }                                                                         \
    a = add(add(add(a, b), add(c, d)), add(add(e, f), add(g, h)));            \
    i = add(add(add(i, j), add(k, l)), add(add(m, n), add(o, p)));            \
    float lane[W];                                                            \
    store(lane, add(a, i));                                                   \
    return lane[0];                                                           \
  }
GAZE_BENCH_PEAK(generic, )
#if GAZE_X86
GAZE_BENCH_PEAK(avx2, __attribute__((target("avx2,fma"))))
GAZE_BENCH_PEAK(avx512, __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma"))))
#endif
#undef GAZE_BENCH_PEAK

int lanes() {
  return gaze::isa() == gaze::Isa::avx512 ? 16 : gaze::isa() == gaze::Isa::avx2 ? 8 : 4;
}

float run_peak(long rounds) {
#if GAZE_X86
  if (gaze::isa() == gaze::Isa::avx512) return peak_avx512(rounds);
  if (gaze::isa() == gaze::Isa::avx2) return peak_avx2(rounds);
#endif
  return peak_generic(rounds);
}

/// Time this process computed: unlike the clock's, it does not count waiting for a busy machine.
double processor_seconds() { return double(std::clock()) / CLOCKS_PER_SEC; }

/// Floating-point operations per second of the multiply-add units, now: best of a few short runs,
/// taken around each row because the clock and the neighbours change.
double peak_flops() {
  constexpr long rounds = 200000;
  double best = 0;
  for (int i = 0; i < 5; ++i) {
    const double start = processor_seconds();
    benchmark::DoNotOptimize(run_peak(rounds));
    const double took = processor_seconds() - start;
    best = std::max(best, 2.0 * rounds * peak_chains * lanes() / took);
  }
  return best;
}

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
  gaze::set_threads(1);
  const double peak = peak_flops();
  const double start = processor_seconds();
  for (auto _ : state) {
    if (which == Which::gaze) {
      gaze::cpu::gemm(ta, tb, m, n, k, a.data(), lda, b.data(), ldb, c.data(), n, accumulate);
    } else {
#ifdef GAZE_BENCH_CBLAS
      cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans,
                  int(m), int(n), int(k), 1.0f, a.data(), int(lda), b.data(), int(ldb),
                  accumulate ? 1.0f : 0.0f, c.data(), int(n));
#endif
    }
    benchmark::ClobberMemory();
  }
  const double took = processor_seconds() - start;
  const double flops = 2.0 * double(m) * double(n) * double(k) * double(state.iterations());
  state.counters["GFLOP/s"] = flops / took / 1e9;
  state.counters["of_peak"] = flops / took / std::max(peak, peak_flops());
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
