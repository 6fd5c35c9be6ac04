// SPDX-License-Identifier: MIT
// One kernel from plain to fast: C += A B of n x n floats, in five steps and the library's own.
//
//   example_05_fast_kernel [n]      n: a multiple of 96; prints each step's share of the peak
//
// The peak: multiply-adds on registers alone, of one thread with the same vectors.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "examples/gemm_steps.hpp"

namespace {

using gaze::Index;
using Product = void (*)(Index n, const float* a, const float* b, float* c);

struct Step {
  const char* name;
  Product multiply;
};
constexpr Step all[] = {{"plain", steps::plain},     {"rows", steps::rows},
                        {"vectors", steps::vectors}, {"tiles", steps::tiles},
                        {"panels", steps::panels},   {"library", steps::library}};

/// C, and the best rate in GFLOP/s of five runs, or of those that fit into a second.
struct Measured {
  std::vector<float> c;
  double rate;
};

Measured measure(Product multiply, Index n, const std::vector<float>& a,
                 const std::vector<float>& b) {
  Measured out{{}, 0};
  double total = 0;
  for (int turn = 0; turn < 5 && total < 1; ++turn) {
    out.c.assign(a.size(), 0.0f);
    const auto start = std::chrono::steady_clock::now();
    multiply(n, a.data(), b.data(), out.c.data());
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    total += took.count();
    out.rate = std::max(out.rate, 2e-9 * static_cast<double>(n * n * n) / took.count());
  }
  return out;
}

bool close(const std::vector<float>& x, const std::vector<float>& y) {
  for (std::size_t i = 0; i < x.size(); ++i)
    if (!(std::abs(x[i] - y[i]) <= 1e-4f * std::abs(x[i]))) return false;
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  const Index n = argc > 1 ? std::atoi(argv[1]) : 192;
  if (n < 96 || n % 96 != 0 || !gaze::supported(steps::isa)) {
    std::printf("n is a multiple of 96, and the processor has AVX2\n");
    return n == 192 ? 0 : 2;
  }
  gaze::set_threads(1);
  gaze::set_isa(steps::isa);
  std::vector<float> a(static_cast<std::size_t>(n) * static_cast<std::size_t>(n)), b(a);
  for (std::size_t i = 0; i < a.size(); ++i) {
    a[i] = static_cast<float>(i % 7 + 1) / 8;
    b[i] = static_cast<float>(i % 11 + 1) / 16;
  }
  std::printf("n = %d, vectors of %d floats, one thread\n", int(n), steps::W);
  double peak = 0;  // measured around every step: the clock rate changes
  const auto measure_peak = [&] { peak = std::max(peak, measure(steps::peak, n, a, b).rate); };
  std::vector<float> plain, tiles;
  for (const Step& step : all) {
    measure_peak();
    const Measured m = measure(step.multiply, n, a, b);
    measure_peak();
    std::printf("%-8s %7.2f GFLOP/s  %5.1f %% of peak\n", step.name, m.rate, 100 * m.rate / peak);
    if (plain.empty()) plain = m.c;
    if (step.multiply == steps::tiles) tiles = m.c;
    if (!close(plain, m.c)) return std::printf("another product\n"), 1;
    if (step.multiply == steps::library)
      std::printf("library and tiles: %s\n", m.c == tiles ? "the same bits" : "other bits");
  }
  std::printf("peak     %7.2f GFLOP/s\n", peak);
}
