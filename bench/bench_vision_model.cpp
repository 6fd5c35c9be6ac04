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
//   bench_vision_model --grpo FOLDER PRECISION PICTURE [TEMPLATE]   GRPO steps that train LoRA
//       adapters, as `gaze grpo --model` does: one prompt, the unsplit picture, 2 answers of 64
//       tokens, blocks computed again in backward; with and without recording the attention that
//       rewards read
//
// Wall-clock time.
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <cstdio>
#include <exception>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bench/common.hpp"
#include "gaze/core/arithmetic.hpp"
#include "gaze/core/clock.hpp"
#include "gaze/generate/continuous_batch.hpp"
#include "gaze/image/decode.hpp"
#include "gaze/optim/adamw.hpp"
#include "gaze/rl/grpo.hpp"
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

/// The peak resident bytes of this process so far.
double peak_bytes() {
  rusage use{};
  getrusage(RUSAGE_SELF, &use);
  return double(use.ru_maxrss) * 1024;
}

/// Where the family can do without.
void split_pictures(gaze::phyx::PublishedText& model, bool split) {
  if (auto* tiling = std::get_if<gaze::image::SplitTiling>(&model.pictures->tiling))
    tiling->split = split;
}

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
    split_pictures(*model_, split);
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

// ---- GRPO with adapters -----------------------------------------------------------------------

class GrpoSteps {
 public:
  GrpoSteps(gaze::phyx::PublishedSettings settings, const std::string& folder,
            const std::string& picture) {
    settings.lora.emplace();
    model_ = gaze::phyx::load_published<Cpu>(settings, folder);
    split_pictures(*model_, false);
    model_->model.parameters().train_only({gaze::lora_part});
    model_->model.checkpoint_blocks(true);
    const auto image = gaze::image::decode_image(gaze::io::read_file(picture), picture);
    prompt_ = model_->question("What is shown?", {&image, 1}, answer);
    optimiser_.emplace(model_->model.parameters(), gaze::AdamWSettings{});
  }

  Index prompt_tokens() const { return static_cast<Index>(prompt_.tokens.size()); }

  struct Seconds {
    double whole, rollout;
  };
  Seconds step(models::Watch watch) {
    gaze::rl::GrpoSettings s;
    s.prompts = 1;
    s.group = 2;
    s.sampling.max_tokens = answer;
    gaze::rl::Task<Model> task;
    task.prompts = [&](Index, Index, Index) {
      return std::vector<gaze::rl::TaskPrompt<Model>>{{&prompt_, 0, 0}};
    };
    task.score = [](Index, auto, auto, gaze::Metrics&) { return std::vector<double>{1, 0}; };
    const double start = gaze::seconds_now();
    const auto metrics = gaze::rl::grpo_step<Model>(model_->model, nullptr, s, task, -1, 0, watch,
                                                    [&] { optimiser_->step(1e-5); });
    Seconds out{gaze::seconds_now() - start, 0};
    for (const auto& [name, value] : metrics)
      if (name == "rollout_time") out.rollout = value;
    return out;
  }

 private:
  using Model = models::Vlm<float>;
  static constexpr Index answer = 64;

  std::unique_ptr<gaze::phyx::PublishedModel<Cpu>> model_;
  models::Prompt prompt_;
  std::optional<gaze::AdamW<float, Cpu>> optimiser_;
};

int grpo(const gaze::phyx::PublishedSettings& settings, const std::string& folder,
         const std::string& picture) {
  GrpoSteps steps(settings, folder, picture);
  std::printf("%lld prompt tokens, %d threads\nround  attention  step s  rollout s  peak MB\n",
              static_cast<long long>(steps.prompt_tokens()), gaze::threads());
  for (int round = 1; round <= 3; ++round)
    for (const auto& [name, watch] :
         {std::pair("ignored", models::Watch::nothing), {"recorded", models::Watch::marks}}) {
      const auto took = steps.step(watch);
      std::printf("%5d  %-9s  %6.2f  %9.2f  %7.0f\n", round, name, took.whole, took.rollout,
                  peak_bytes() / 1e6);
      std::fflush(stdout);
    }
  return 0;
}

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
    const std::string mode = argc >= 5 ? argv[1] : "";
    if (mode == "--serve" || mode == "--grpo")
      return (mode == "--grpo" ? grpo : serve)(
          {.precision = argv[3], .prompt_template = argc > 5 ? argv[5] : ""}, argv[2], argv[4]);
  } catch (const std::exception& error) {
    std::cerr << "bench_vision_model: " << error.what() << "\n";
    return 2;
  }
  add_rows();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
