// SPDX-License-Identifier: MIT
// The matrix product at the model's shapes, on one thread, beside the processor's measured
// multiply-add peak and, where it is installed, OpenBLAS.
//
//   bench_gemm [Google Benchmark's options]   rows at chosen shapes
//   bench_gemm --shapes   OpenBLAS's time over Gaze's at every shape of the models' layers
//   bench_gemm --bf16     the same for float32's time over that of operands rounded to bf16
//
// Shapes: m rows through a weight [n,k] (forward), its gradients (dX = dY W, dW += dY^T X), a cube.
// OpenBLAS may choose a slow kernel on AMD. Fair: OPENBLAS_CORETYPE=SkylakeX (with AVX-512) or
// Haswell (without), and OPENBLAS_NUM_THREADS=1.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "bench/common.hpp"
#include "models/presets.hpp"

#if __has_include(<openblas_config.h>)
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

enum class Which { gaze, bf16, openblas };

struct Kind {
  const char* name;
  bool ta, tb, accumulate;
};
constexpr Kind kinds[] = {{"forward", false, true, false},
                          {"grad_x", false, false, false},
                          {"grad_w", true, false, true}};

/// One product C[m,n] of operands of its own.
struct Product {
  const Kind& kind;
  Index m, n, k;
  Matrix a = Matrix(m * k), b = Matrix(k * n), c = Matrix(m * n);
  Matrix rounded_a = Matrix((m * k + 1) / 2), rounded_b = Matrix((k * n + 1) / 2);

  Product(const Kind& of, Index rows, Index cols, Index depth)
      : kind(of), m(rows), n(cols), k(depth) {
    gaze::cpu::cast(m * k, a.data(), rounded(rounded_a));
    gaze::cpu::cast(k * n, b.data(), rounded(rounded_b));
  }

  static gaze::bf16* rounded(Matrix& x) { return reinterpret_cast<gaze::bf16*>(x.data()); }

  double flops() const { return 2.0 * double(m) * double(n) * double(k); }

  Index lda() const { return kind.ta ? m : k; }
  Index ldb() const { return kind.tb ? k : n; }

  template <class T>
  void multiply(const T* left, const T* right) {
    gaze::cpu::gemm(gaze::args::Gemm<T>{.transpose_a = kind.ta,
                                        .transpose_b = kind.tb,
                                        .m = m,
                                        .n = n,
                                        .k = k,
                                        .a = left,
                                        .lda = lda(),
                                        .b = right,
                                        .ldb = ldb(),
                                        .c = c.data(),
                                        .ldc = n,
                                        .accumulate = kind.accumulate});
  }

  void run(Which which) {
    if (which == Which::gaze) {
      multiply<float>(a.data(), b.data());
    } else if (which == Which::bf16) {
      multiply<gaze::bf16>(rounded(rounded_a), rounded(rounded_b));
    } else {
#ifdef GAZE_BENCH_CBLAS
      cblas_sgemm(CblasRowMajor, kind.ta ? CblasTrans : CblasNoTrans,
                  kind.tb ? CblasTrans : CblasNoTrans, int(m), int(n), int(k), 1.0f, a.data(),
                  int(lda()), b.data(), int(ldb()), kind.accumulate ? 1.0f : 0.0f, c.data(),
                  int(n));
#endif
    }
  }
};

void product(benchmark::State& state, Which which, const Kind& kind) {
  Product work{kind, state.range(0), state.range(1), state.range(2)};
  bench::against_peak(state, work.flops(), [&] { work.run(which); });
}

void add_rows(Which which, const char* library) {
  for (const Kind& kind : kinds) {
    auto* bench = benchmark::RegisterBenchmark(
        (std::string("gemm/") + kind.name + "/" + library).c_str(), product, which, kind);
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

/// A weight [n,k] and the rows that pass it.
struct Layer {
  const char* name;
  Index n, k, training_rows;
  bool decodes;
};

/// Every weight of a model; rows of 32 images, of a batch of 3000 tokens.
std::vector<Layer> layers(const gaze::models::VlmConfig& c) {
  const auto& v = c.vit;
  const auto& d = c.decoder;
  const Index patches = 32 * v.patches(), images = 32 * c.image_tokens(), tokens = 3000;
  const Index joined = v.width * c.shuffle * c.shuffle, vocabulary = 1000;
  return {{"vit.embed", v.width, 3 * v.patch * v.patch, patches, false},
          {"vit.qkv", 3 * v.width, v.width, patches, false},
          {"vit.out", v.width, v.width, patches, false},
          {"vit.up", v.mlp, v.width, patches, false},
          {"vit.down", v.width, v.mlp, patches, false},
          {"projector", d.width, joined, images, false},
          {"qkv", (d.heads + 2 * d.kv_heads) * d.head_size, d.width, tokens, true},
          {"out", d.width, d.heads * d.head_size, tokens, true},
          {"gate_up", 2 * d.mlp, d.width, tokens, true},
          {"down", d.width, d.mlp, tokens, true},
          {"logits", vocabulary, d.width, 512, true}};  // training takes them in chunks
}

/// The peer's time over ours: each the best of turns within about 40 ms.
double ratio(Product work, Which ours, Which peer) {
  using Clock = std::chrono::steady_clock;
  double best[2] = {std::numeric_limits<double>::infinity(), best[0]};
  const auto begin = Clock::now();
  for (int turn = 0; turn < 5 || Clock::now() - begin < std::chrono::milliseconds(40); ++turn)
    for (const Which which : {ours, peer}) {
      const auto start = Clock::now();
      work.run(which);
      const std::chrono::duration<double> took = Clock::now() - start;
      double& least = best[which == ours ? 0 : 1];
      least = std::min(least, took.count());
    }
  return best[1] / best[0];
}

/// The logarithms of some ratios; their geometric mean.
struct Mean {
  double sum = 0;
  int count = 0;
  void add(double ratio) { sum += std::log(ratio), ++count; }
  double value() const { return std::exp(sum / count); }
};

void compare_shapes(Which ours, Which peer, const std::string& what) {
  gaze::set_threads(1);
  Mean all;
  std::printf("| model | rows 1 | rows 8 | rows 64 | training, x w^T | dy w | dy^T x |\n");
  std::printf("|---|---|---|---|---|---|---|\n");
  for (const char* name : {"tiny", "small", "base"}) {
    Mean means[6];
    const auto add = [&](int column, const Kind& kind, Index m, Index n, Index k) {
      const double r = ratio({kind, m, n, k}, ours, peer);
      means[column].add(r);
      all.add(r);
    };
    for (const Layer& layer : layers(gaze::models::preset(name))) {
      const Index rows = layer.training_rows, n = layer.n, k = layer.k;
      if (layer.decodes)
        for (int i = 0; i < 3; ++i) add(i, kinds[0], i == 0 ? 1 : i == 1 ? 8 : 64, n, k);
      add(3, kinds[0], rows, n, k);
      add(4, kinds[1], rows, k, n);
      add(5, kinds[2], n, k, rows);
    }
    std::printf("| %s |", name);
    for (const Mean& mean : means) std::printf(" %.2f |", mean.value());
    std::printf("\n");
  }
  std::printf("\n%s (%s, one thread): geometric mean of %d products %.3f; 1024^3 %.2f %.2f %.2f\n",
              what.c_str(), gaze::name(gaze::isa()), all.count, all.value(),
              ratio({kinds[0], 1024, 1024, 1024}, ours, peer),
              ratio({kinds[1], 1024, 1024, 1024}, ours, peer),
              ratio({kinds[2], 1024, 1024, 1024}, ours, peer));
}

}  // namespace

int main(int argc, char** argv) {
  const std::string first = argc > 1 ? argv[1] : "";
  if (first == "--bf16")
    return compare_shapes(Which::bf16, Which::gaze, "float32's time over bf16's"), 0;
#ifdef GAZE_BENCH_CBLAS
  if (first == "--shapes")
    return compare_shapes(
               Which::gaze, Which::openblas,
               std::string("OpenBLAS's time over Gaze's, OpenBLAS as ") + openblas_get_corename()),
           0;
#endif
  add_rows(Which::gaze, "gaze");
  add_rows(Which::bf16, "gaze_bf16");
#ifdef GAZE_BENCH_CBLAS
  add_rows(Which::openblas, "openblas");
#endif
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
