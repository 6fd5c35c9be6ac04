// SPDX-License-Identifier: MIT
// gaze eval.
#include <cstdio>

#include "phyx/cli/command.hpp"
#include "phyx/cli/data_options.hpp"
#include "phyx/cli/device.hpp"
#include "phyx/cli/published_options.hpp"
#include "phyx/cli/sampling.hpp"
#include "phyx/eval/files.hpp"
#ifdef GAZE_WITH_CUDA
#include "phyx/eval/files.inl"
#endif

namespace gaze::phyx::cli {

namespace {

struct EvalOptions {
  EvalSettings s;
  DataOptions data;
  std::string device = "cpu", schema = "phyx";

  void add(CLI::App& app) {
    app.add_option("--model", s.model,
                   "folder or .safetensors file of a trained model, or folder of a published "
                   "checkpoint")
        ->required();
    add_published(app, s.published);
    app.add_option("--data", s.data, "PhyX tables or JSONL")->required()->check(CLI::ExistingFile);
    app.add_option("--schema", schema, "phyx, or own: rows as in docs/own_data.md")
        ->check(CLI::IsMember({"phyx", "own"}))
        ->capture_default_str();
    data.add(app);
    app.add_option("--out", s.out, "output folder for predictions and results")->required();
    app.add_option("--samples", s.evaluation.samples,
                   "sampled answers per problem, in addition to the greedy one")
        ->transform(whole(0, 64))
        ->capture_default_str();
    app.add_option("--seed", s.evaluation.seed)->transform(whole(0, largest));
    app.add_option("--batch", s.evaluation.batch, "batch size; does not affect results")
        ->transform(whole(1, 4096))
        ->capture_default_str();
    add_sampling(app, s.evaluation.sampling);
    add_device(app, device);
    app.add_flag("--resume", s.resume, "resume the evaluation in --out");
  }

  void run() {
    s.reading = data.options();
    s.reading.own = schema == "own";
    catch_signals();
    Progress progress;
    const auto rows = on_device(device, [&](auto chosen) {
      return FileEvaluation<decltype(chosen)>(s, listener(progress)).run();
    });
    for (const auto& r : rows)
      if (r.slice_kind == "overall" && r.split == "all" && r.seed == "all")
        std::printf("%-4s %-28s %6zu  %.4f [%.4f, %.4f]\n", r.format.c_str(), r.metric.c_str(),
                    static_cast<std::size_t>(r.n), r.value, r.low, r.high);
  }
};

}  // namespace

void add_eval(CLI::App& app) {
  add_command<EvalOptions>(app, "eval", "evaluate a model on PhyX files or your own data");
}

}  // namespace gaze::phyx::cli
