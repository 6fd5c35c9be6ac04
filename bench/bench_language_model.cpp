// SPDX-License-Identifier: MIT
// A text decoder of SmolLM2-135M's size: prefill of 512 tokens, decoding of one sequence and of
// sixteen together, float32 and bf16.
//
//   bench_language_model [Google Benchmark's options]   random weights
//   bench_language_model --serve FOLDER PRECISION   for bench/peers/language_model.py: reads lines
//       "WORK THREADS" with WORK prefill, decode_1 or decode_16, prints the seconds taken
//
// The floor of prefill is the arithmetic at the multiply-add peak, that of decoding is reading the
// weights once for each step. Wall-clock time.
#include <benchmark/benchmark.h>

#include <exception>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "bench/common.hpp"
#include "gaze/core/arithmetic.hpp"
#include "gaze/core/clock.hpp"
#include "gaze/generate/sampling.hpp"
#include "gaze/io/weight_files.hpp"
#include "models/hf/checkpoint.hpp"
#include "models/hf/load.hpp"
#include "models/language_model.hpp"

namespace {

using gaze::Index;
using Model = gaze::models::LanguageModel<float>;
using Tokens = std::vector<std::int32_t>;

constexpr Index prompt_tokens = 512, first_tokens = 32, answer_tokens = 64;

gaze::models::LanguageConfig smollm2_135m() {
  gaze::models::LanguageConfig c;
  c.decoder = {576, 30, 9, 3, 64, 1536, 100000, 1e-5, 1};
  c.vocabulary = 49152;
  return c;
}

/// One sequence's block of slots, and what is fed next.
struct Sequence {
  Tokens tokens;
  Index slot, position = 0;
};

class Bench {
 public:
  explicit Bench(std::unique_ptr<Model> model) : model_(std::move(model)) {}

  /// Seconds of a prompt of 512 tokens.
  double prefill() const {
    auto state = model_->open(prompt_tokens);
    std::vector<Sequence> one{{Tokens(prompt_tokens, 7), 0}};
    const double start = gaze::seconds_now();
    step(state, one);
    return gaze::seconds_now() - start;
  }

  /// Seconds of 64 greedy tokens of each of `count` sequences, after 32 tokens that are not timed.
  double decode(Index count) const {
    const Index block = first_tokens + answer_tokens;
    auto state = model_->open(count * block);
    std::vector<Sequence> all;
    for (Index i = 0; i < count; ++i)
      all.push_back({Tokens(first_tokens, static_cast<std::int32_t>(20 + i)), i * block});
    step(state, all);
    const double start = gaze::seconds_now();
    for (Index t = 0; t < answer_tokens; ++t) step(state, all);
    return gaze::seconds_now() - start;
  }

  /// Bytes of the weights that a step reads: the embedding is tied.
  double weight_bytes() const {
    return static_cast<double>(model_->parameters().count()) *
           (model_->multiplies_in_bf16() ? 2 : 4);
  }

 private:
  /// Feeds the tokens of all sequences, and chooses the likeliest next ones.
  void step(Model::State& state, std::vector<Sequence>& all) const {
    std::vector<Model::Part> parts;
    for (const Sequence& s : all) parts.push_back({s.tokens, s.position, s.slot});
    const auto logits = model_->advance(state, parts, std::vector<bool>(all.size(), true));
    const Index v = logits.size(1);
    for (std::size_t i = 0; i < all.size(); ++i) {
      all[i].position += static_cast<Index>(all[i].tokens.size());
      all[i].tokens = {gaze::argmax(logits.data() + static_cast<Index>(i) * v, v)};
    }
  }

  std::unique_ptr<Model> model_;
};

// ---- Google Benchmark -------------------------------------------------------------------------

std::unique_ptr<Bench> random_bench(bool bf16) {
  auto config = smollm2_135m();
  config.bf16 = bf16;
  return std::make_unique<Bench>(std::make_unique<Model>(config, 1));
}

/// Bytes per second of reading an array as large as the weights on all threads.
double read_rate(double bytes) {
  static std::vector<float> all(std::size_t{140} << 20, 1.0f);
  const auto n = static_cast<Index>(bytes / sizeof(float));
  double best = 0;
  for (int i = 0; i < 3; ++i) {
    const double start = gaze::seconds_now();
    gaze::parallel_for(n, 1 << 20, [&](Index begin, Index end) {
      benchmark::DoNotOptimize(gaze::cpu::sum_squares(end - begin, all.data() + begin));
    });
    best = std::max(best, bytes / (gaze::seconds_now() - start));
  }
  return best;
}

void prefill_row(benchmark::State& state, bool bf16) {
  const auto bench = random_bench(bf16);
  const double threads = double(state.range(0));
  gaze::set_threads(int(threads));
  const double peak = bench::peak_flops();
  bench->prefill();
  const Index before = gaze::arithmetic();
  double seconds = 0;
  for (auto _ : state) {
    const double took = bench->prefill();
    state.SetIterationTime(took);
    seconds += took;
  }
  state.counters["tokens/s"] = double(state.iterations() * prompt_tokens) / seconds;
  state.counters["of_peak"] =
      double(gaze::arithmetic() - before) / seconds / std::max(peak, bench::peak_flops()) / threads;
}

void decode_row(benchmark::State& state, Index count, bool bf16) {
  const auto bench = random_bench(bf16);
  gaze::set_threads(int(state.range(0)));
  const double rate = read_rate(bench->weight_bytes());
  bench->decode(count);
  double seconds = 0;
  for (auto _ : state) {
    const double took = bench->decode(count);
    state.SetIterationTime(took);
    seconds += took;
  }
  const double steps = double(state.iterations() * answer_tokens);
  state.counters["tokens/s"] = steps * double(count) / seconds;
  state.counters["of_read"] =
      steps * bench->weight_bytes() / seconds / std::max(rate, read_rate(bench->weight_bytes()));
}

void add_rows() {
  for (const bool bf16 : {false, true}) {
    const std::string precision = bf16 ? "bf16" : "float32";
    const auto add = [](const std::string& name, auto run) {
      benchmark::RegisterBenchmark(name.c_str(), run)
          ->Arg(1)
          ->Arg(2)
          ->ArgName("threads")
          ->UseManualTime()
          ->Unit(benchmark::kMillisecond);
    };
    add("prefill_512/" + precision, [=](benchmark::State& s) { prefill_row(s, bf16); });
    for (const Index count : {1, 16})
      add("decode_" + std::to_string(count) + "/" + precision,
          [=](benchmark::State& s) { decode_row(s, count, bf16); });
  }
}

// ---- serving for bench/peers ------------------------------------------------------------------

int serve(const std::string& folder, const std::string& precision) {
  auto checkpoint = gaze::models::hf::open_checkpoint(folder);
  checkpoint.config.bf16 = precision == "bf16";
  std::unique_ptr<Model> model(new Model(Model::for_file(checkpoint.config, false)));
  gaze::models::hf::load_weights(gaze::io::WeightFiles(folder), checkpoint.weights,
                                 model->parameters());
  const Bench bench(std::move(model));
  std::string work;
  int threads = 1;
  while (std::cin >> work >> threads) {
    gaze::set_threads(threads);
    std::cout << (work == "prefill" ? bench.prefill() : bench.decode(work == "decode_16" ? 16 : 1))
              << std::endl;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc == 4 && std::string(argv[1]) == "--serve") return serve(argv[2], argv[3]);
  } catch (const std::exception& error) {
    std::cerr << "bench_language_model: " << error.what() << "\n";
    return 2;
  }
  add_rows();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
