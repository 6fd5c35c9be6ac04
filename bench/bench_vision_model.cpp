// SPDX-License-Identifier: MIT
// Models that see: the tower on one tile, and answers about pictures.
//
//   bench_vision_model [Google Benchmark's options]   towers of SmolVLM-256M's and Granite Vision's
//       shapes with random weights, with projector, and their share of the multiply-add peak
//   bench_vision_model --serve FOLDER PRECISION PICTURE [TEMPLATE]   for
//       bench/peers/vision_model.py: reads lines "WORK THREADS", prints the seconds taken. WORK:
//       tower, one tile's rows of the decoder; first_split or first_whole, from the decoded picture
//       to the first token of an answer; decode, 32 greedy tokens after it; memory, the peak
//       resident bytes so far
//
// Wall-clock time.
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <exception>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "bench/common.hpp"
#include "gaze/core/arithmetic.hpp"
#include "gaze/core/clock.hpp"
#include "gaze/generate/continuous_batch.hpp"
#include "gaze/image/decode.hpp"
#include "models/image_encoder.hpp"
#include "models/model_metadata.hpp"
#include "phyx/eval/published_model.hpp"

namespace {

using gaze::Cpu;
using gaze::Index;
namespace models = gaze::models;

// ---- Google Benchmark -------------------------------------------------------------------------

/// The tower and the connector of a published model; of its decoder the width alone counts.
models::VlmConfig smolvlm_256m() {
  models::VlmConfig c{{512, 16, 768, 12, 12, 3072, 1e-6}, 4, {576, 1, 9, 3, 64, 1536}, 1};
  c.connector.projector = models::ProjectorForm::linear;
  return c;
}

models::VlmConfig granite_vision() {
  models::VlmConfig c{{384, 14, 1152, 27, 16, 4304, 1e-6}, 1, {2048, 1, 32, 8, 64, 8192}, 1};
  c.connector = {{{4, 8, 16, 27}, 4}, models::ProjectorForm::exact_mlp};
  return c;
}

void tower_row(benchmark::State& state, models::VlmConfig config, bool bf16) {
  gaze::Parameters<float> all;
  const models::ImageEncoder<float, Cpu> encoder(all, config);
  if (bf16) all.multiply_in_bf16();
  all.allocate(1);
  const auto side = static_cast<std::size_t>(config.vit.image);
  const auto pixels = std::make_shared<const std::vector<float>>(3 * side * side, 0.5f);
  const models::Tile tile{nullptr, pixels, 0};
  const double threads = double(state.range(0));
  gaze::set_threads(int(threads));
  const gaze::NoGrad no_grad;
  const double peak = bench::peak_flops();
  encoder({&tile, 1});
  const Index before = gaze::arithmetic();
  double seconds = 0;
  for (auto _ : state) {
    const double start = gaze::seconds_now();
    encoder({&tile, 1});
    const double took = gaze::seconds_now() - start;
    state.SetIterationTime(took);
    seconds += took;
  }
  const double done = double(gaze::arithmetic() - before);
  state.counters["GFLOP"] = done / double(state.iterations()) / 1e9;
  state.counters["of_peak"] = done / seconds / std::max(peak, bench::peak_flops()) / threads;
}

void add_rows() {
  for (const auto& [name, config] :
       {std::pair("smolvlm_256m", smolvlm_256m()), {"granite_vision", granite_vision()}})
    for (const bool bf16 : {false, true})
      benchmark::RegisterBenchmark(
          (std::string("tower_") + name + (bf16 ? "/bf16" : "/float32")).c_str(),
          [config = config, bf16](benchmark::State& s) { tower_row(s, config, bf16); })
          ->Arg(1)
          ->Arg(2)
          ->ArgName("threads")
          ->UseManualTime()
          ->Unit(benchmark::kMillisecond);
}

// ---- serving for bench/peers ------------------------------------------------------------------

constexpr Index answer_tokens = 32;

class Answers {
 public:
  Answers(const gaze::phyx::PublishedSettings& settings, const std::string& folder,
          const std::string& picture)
      : model_(gaze::phyx::load_published<Cpu>(settings, folder)),
        picture_(gaze::image::decode_image(gaze::io::read_file(picture), picture)) {}

  double seconds(const std::string& work) const {
    if (work == "memory") return peak_bytes();
    if (work == "tower") return tower();
    if (work == "decode") return answer(false).second;
    return answer(work == "first_split").first;
  }

 private:
  static double peak_bytes() {
    rusage use{};
    getrusage(RUSAGE_SELF, &use);
    return double(use.ru_maxrss) * 1024;
  }

  double tower() const {
    const auto& c = model_->model.config();
    const auto side = static_cast<std::size_t>(c.vit.image);
    models::Prompt prompt;
    prompt.tokens.assign(std::size_t(c.image_tokens()), model_->checkpoint.image_token);
    prompt.values = std::make_shared<const std::vector<float>>(3 * side * side, 0.5f);
    models::PackedBatch batch(model_->model.pictures());
    batch.add_prompt(prompt);
    const gaze::NoGrad no_grad;
    const double start = gaze::seconds_now();
    model_->model.embed(batch);
    return gaze::seconds_now() - start;
  }

  /// Seconds to the first token, and of the tokens after it.
  std::pair<double, double> answer(bool split) const {
    const double start = gaze::seconds_now();
    gaze::GenerationRequest<models::Prompt> r;
    if (auto* tiling = std::get_if<gaze::image::SplitTiling>(&model_->pictures->tiling))
      tiling->split = split;
    r.prompt = model_->question("What is shown?", {&picture_, 1}, 1 + answer_tokens);
    r.sampling.greedy = true;
    r.sampling.max_tokens = 1 + answer_tokens;
    gaze::ContinuousBatch batch(model_->model,
                                Index(r.prompt.tokens.size()) + r.sampling.max_tokens);
    batch.add(std::move(r));
    batch.step();
    const double first = gaze::seconds_now();
    while (batch.running() > 0) batch.step();
    return {first - start, gaze::seconds_now() - first};
  }

  std::unique_ptr<gaze::phyx::PublishedModel<Cpu>> model_;
  gaze::image::Image picture_;
};

int serve(const gaze::phyx::PublishedSettings& settings, const std::string& folder,
          const std::string& picture) {
  const Answers answers(settings, folder, picture);
  std::string work;
  int threads = 1;
  while (std::cin >> work >> threads) {
    gaze::set_threads(threads);
    std::cout << answers.seconds(work) << std::endl;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc >= 5 && std::string(argv[1]) == "--serve")
      return serve({.precision = argv[3], .prompt_template = argc > 5 ? argv[5] : ""}, argv[2],
                   argv[4]);
  } catch (const std::exception& error) {
    std::cerr << "bench_vision_model: " << error.what() << "\n";
    return 2;
  }
  add_rows();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
