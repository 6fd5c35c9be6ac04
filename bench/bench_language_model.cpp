// SPDX-License-Identifier: MIT
// A text decoder of SmolLM2-135M's size: prefill of 512 tokens, decoding of one sequence and of
// sixteen together, float32 and bf16, through ContinuousBatch as in `gaze ask` and `gaze serve`.
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
#include "gaze/generate/continuous_batch.hpp"
#include "gaze/io/weight_files.hpp"
#include "models/hf/checkpoint.hpp"
#include "models/hf/load.hpp"
#include "models/language_model.hpp"

namespace {

using gaze::Index;
using Model = gaze::models::LanguageModel<float>;

constexpr Index prompt_tokens = 512, first_tokens = 32, answer_tokens = 64;

gaze::models::LanguageConfig smollm2_135m() {
  gaze::models::LanguageConfig c;
  c.decoder = {576, 30, 9, 3, 64, 1536, 100000, 1e-5, 1};
  c.vocabulary = 49152;
  return c;
}

class Bench {
 public:
  explicit Bench(std::unique_ptr<Model> model) : model_(std::move(model)) {}

  /// Seconds of a prompt of 512 tokens and the first token of its answer.
  double prefill() const {
    auto batch = started(1, prompt_tokens, 1);
    const double start = gaze::seconds_now();
    batch.step();
    return gaze::seconds_now() - start;
  }

  /// Seconds of 64 greedy tokens of each of `count` sequences, after prompts of 32 tokens and a
  /// first token, which are not timed.
  double decode(Index count) const {
    auto batch = started(count, first_tokens, 1 + answer_tokens);
    batch.step();
    const double start = gaze::seconds_now();
    while (batch.running() > 0) batch.step();
    return gaze::seconds_now() - start;
  }

  /// Bytes of the weights that a step reads: the embedding is tied.
  double weight_bytes() const {
    return static_cast<double>(model_->parameters().count()) *
           (model_->multiplies_in_bf16() ? 2 : 4);
  }

 private:
  /// Requests whose prompts are computed in one step.
  gaze::ContinuousBatch<Model> started(Index count, Index prompt, Index answer) const {
    constexpr Index lanes = gaze::kKeyLanes;
    const Index block = (prompt + answer + lanes - 1) / lanes * lanes;
    gaze::ContinuousBatch batch(*model_, count * block, count * prompt);
    for (Index i = 0; i < count; ++i) {
      gaze::GenerationRequest<Model::Prompt> r;
      r.prompt.tokens.assign(static_cast<std::size_t>(prompt), static_cast<std::int32_t>(20 + i));
      r.sampling.greedy = true;
      r.sampling.max_tokens = answer;
      batch.add(std::move(r));
    }
    return batch;
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
  checkpoint.model.bf16 = precision == "bf16";
  std::unique_ptr<Model> model(new Model(Model::for_file(checkpoint.model.language(), false)));
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
