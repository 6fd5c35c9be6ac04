// SPDX-License-Identifier: MIT
// Reference measurements: the processor's multiply-add peak and copy bandwidth, both measured
// around each row, because the clock rate and other load change.
#pragma once
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <vector>

#include "gaze/core/parallel.hpp"
#include "gaze/cpu/kernels.hpp"
#include "gaze/cpu/simd/sets.hpp"

namespace bench {

using gaze::Index;

/// CPU time of this process on all threads, which excludes waiting on a busy machine.
inline double processor_seconds() { return double(std::clock()) / CLOCKS_PER_SEC; }

namespace detail {

constexpr int peak_chains = 12;

// Twelve independent chains that fit into sixteen registers with their two constants; they start at
// different values, or the compiler would merge them.
#define GAZE_BENCH_PEAK(SET, TARGET)                                          \
  TARGET inline float peak_##SET(long rounds) {                               \
    using namespace gaze::simd::SET;                                          \
    const vf x = set(0.999f), y = set(0.001f);                                \
    vf a = set(0.0f), b = set(0.1f), c = set(0.2f), d = set(0.3f);            \
    vf e = set(0.4f), f = set(0.5f), g = set(0.6f), h = set(0.7f);            \
    vf i = set(1.0f), j = set(1.1f), k = set(1.2f), l = set(1.3f);            \
    for (long r = 0; r < rounds; ++r) {                                       \
      a = fma(a, x, y), b = fma(b, x, y), c = fma(c, x, y), d = fma(d, x, y); \
      e = fma(e, x, y), f = fma(f, x, y), g = fma(g, x, y), h = fma(h, x, y); \
      i = fma(i, x, y), j = fma(j, x, y), k = fma(k, x, y), l = fma(l, x, y); \
    }                                                                         \
    a = add(add(add(a, b), add(c, d)), add(add(e, f), add(g, h)));            \
    i = add(add(i, j), add(k, l));                                            \
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

inline int lanes() {
  return gaze::isa() == gaze::Isa::avx512 ? 16 : gaze::isa() == gaze::Isa::avx2 ? 8 : 4;
}

inline float run_peak(long rounds) {
#if GAZE_X86
  if (gaze::isa() == gaze::Isa::avx512) return peak_avx512(rounds);
  if (gaze::isa() == gaze::Isa::avx2) return peak_avx2(rounds);
#endif
  return peak_generic(rounds);
}

/// The best of a few short runs.
template <class Run>
double best_rate(double work, Run run) {
  double best = 0;
  for (int i = 0; i < 5; ++i) {
    const double start = processor_seconds();
    run();
    best = std::max(best, work / (processor_seconds() - start));
  }
  return best;
}

}  // namespace detail

/// Current multiply-add peak of one thread, in floating-point operations per second.
inline double peak_flops() {
  constexpr long rounds = 200000;
  return detail::best_rate(2.0 * rounds * detail::peak_chains * detail::lanes(),
                           [] { benchmark::DoNotOptimize(detail::run_peak(rounds)); });
}

/// Copy bandwidth of one thread in bytes per second, reads plus writes, with source and
/// destination of `footprint` bytes in total, so that a row is compared with a copy in the same
/// caches. The better of memcpy (which may bypass the caches) and a plain loop of vector loads and
/// stores.
inline double copy_rate(double footprint) {
  const auto half = static_cast<Index>(footprint / 2 / sizeof(float));
  std::vector<float> from(static_cast<std::size_t>(half), 1), to(from);
  const int repeats = std::max(1, int(64e6 / footprint));
  const double bytes = 2.0 * sizeof(float) * double(half) * repeats;
  const auto best = [&](auto copy) {
    return detail::best_rate(bytes, [&] {
      for (int i = 0; i < repeats; ++i) {
        copy();
        benchmark::DoNotOptimize(to.data());
        benchmark::ClobberMemory();
      }
    });
  };
  const float* source = from.data();
  return std::max(best([&] { std::memcpy(to.data(), source, from.size() * sizeof(float)); }),
                  best([&] { gaze::cpu::scale(half, 1.0f, source, to.data()); }));
}

/// Times body() on one thread and reports its arithmetic against the multiply-add peak.
template <class Body>
void against_peak(benchmark::State& state, double flops, Body body) {
  gaze::set_threads(1);
  const double peak = peak_flops();
  body();
  const double start = processor_seconds();
  for (auto _ : state) {
    body();
    benchmark::ClobberMemory();
  }
  const double rate = flops * double(state.iterations()) / (processor_seconds() - start);
  state.counters["GFLOP/s"] = rate / 1e9;
  state.counters["of_peak"] = rate / std::max(peak, peak_flops());
}

/// Times body() on one thread and reports its bandwidth against a copy within `footprint` bytes
/// (0: each byte is moved once).
template <class Body>
void against_copy(benchmark::State& state, double bytes, Body body, double footprint = 0) {
  gaze::set_threads(1);
  if (footprint == 0) footprint = bytes;
  const double copy = copy_rate(footprint);
  body();
  const double start = processor_seconds();
  for (auto _ : state) {
    body();
    benchmark::ClobberMemory();
  }
  const double rate = bytes * double(state.iterations()) / (processor_seconds() - start);
  state.counters["GB/s"] = rate / 1e9;
  state.counters["of_copy"] = rate / std::max(copy, copy_rate(footprint));
}

}  // namespace bench
