// SPDX-License-Identifier: MIT
// The program `gaze`: options in, one call each into the rooms that do the work. Bad input is one
// line on stderr and exit code 2; an interrupted run is exit code 130.
#include <CLI/CLI.hpp>
#include <atomic>
#include <csignal>

#include "gaze/cpu/kernels.hpp"
#include "phyx/ablation.hpp"
#include "phyx/commands.hpp"
#include "phyx/device.hpp"
#include "phyx/progress.hpp"

namespace {

using namespace gaze;
using namespace gaze::phyx;

std::atomic<bool> stop_asked{false};

/// The first Ctrl-C asks; the second ends the program where it is, which a resumed run survives.
void ask_to_stop(int signal) {
  stop_asked = true;
  std::signal(signal, SIG_DFL);
}

/// For work that looks at stop_asked; anything else ends at the first Ctrl-C.
void catch_signals() {
  std::signal(SIGINT, ask_to_stop);
  std::signal(SIGTERM, ask_to_stop);
}

/// Numbers of a kind; unlike CLI11's own, not even NaN gets past them.
CLI::Validator number(const char* kind, bool (*fits)(double)) {
  return CLI::Validator(
      [kind, fits](const std::string& text) {
        double value = 0;
        const bool good =
            CLI::detail::lexical_cast(text, value) && std::isfinite(value) && fits(value);
        return good ? std::string() : "must be a number " + std::string(kind) + ", got " + text;
      },
      "NUMBER");
}
constexpr int largest = 1000000000;  // of whole numbers; CLI11 cuts larger ones down unsaid
const CLI::Validator above_zero = number("above 0", [](double x) { return x > 0; });
const CLI::Validator not_negative = number("of at least 0", [](double x) { return x >= 0; });

Listener listener(Progress& progress) {
  return {[&](const std::string& what) { progress.begin(what); },
          [&](std::size_t done, std::size_t all, const std::string& note) {
            progress.update(done, all, note);
          },
          [] { return stop_asked.load(); }};
}

void add_device(CLI::App& app, std::string& device) {
  app.add_option("--device", device, "cpu, cuda, or auto: cuda where there is one")
      ->check(CLI::IsMember({"cpu", "cuda", "auto"}))
      ->capture_default_str();
}

/// Options of every command that trains; unset ones leave the preset as it is.
struct TrainOptions {
  std::string preset = "quick", out, model, variant, split, device = "cpu";
  std::vector<std::string> only;
  std::optional<std::int64_t> seed, seeds;
  std::optional<double> corruption, rate, kl, clip_low, clip_high, temperature;
  std::optional<Index> steps, group, prompts, samples, updates, checkpoint_every;
  bool resume = false;

  void add(CLI::App& app) {
    app.add_option("--preset", preset, "smoke (under a minute), quick (one seed), full (five)")
        ->check(CLI::IsMember({"smoke", "quick", "full"}))
        ->capture_default_str();
    app.add_option("--out", out, "folder for everything the run writes")->required();
    app.add_option("--model", model, "model size: nano, tiny, small, base, large");
    app.add_option("--seed", seed, "one seed")->check(CLI::Range(0, largest));
    app.add_option("--corruption", corruption, "share of worsened responses in the warm start")
        ->check(CLI::Range(0.0, 1.0));
    app.add_option("--split", split, "what is evaluated: test, or val while choosing settings")
        ->check(CLI::IsMember({"test", "val"}));
    app.add_option("--samples", samples, "sampled answers per test problem")
        ->check(CLI::Range(1, 64));
    app.add_option("--checkpoint-every", checkpoint_every, "steps between saved states")
        ->check(CLI::Range(1, largest));
    app.add_flag("--resume", resume, "go on with the run in --out");
    add_device(app, device);
  }

  void add_grpo(CLI::App& app) {
    app.add_option("--variant", variant, "grpo, dr_grpo, dapo or gspo");
    app.add_option("--steps", steps, "GRPO steps")->check(CLI::Range(1, largest));
    app.add_option("--group", group, "completions per prompt")->check(CLI::Range(2, 256));
    app.add_option("--prompts", prompts, "prompts per step")->check(CLI::Range(1, 4096));
    app.add_option("--updates", updates, "optimiser steps per rollout")->check(CLI::Range(1, 64));
    app.add_option("--rate", rate, "GRPO's learning rate")->check(above_zero);
    app.add_option("--kl", kl, "weight of the KL term")->check(not_negative);
    app.add_option("--clip-low", clip_low, "lower clip width")->check(above_zero);
    app.add_option("--clip-high", clip_high, "upper clip width")->check(above_zero);
    app.add_option("--temperature", temperature, "of the rollouts")->check(above_zero);
  }

  AblationSettings settings() const {
    AblationSettings s = ablation_preset(preset);
    if (!model.empty()) s.model = model;
    if (!variant.empty()) s.variant = variant;
    if (!split.empty()) s.split = split;
    s.only = only;
    if (seeds) {
      s.seeds.clear();
      for (std::int64_t i = 0; i < *seeds; ++i) s.seeds.push_back(i);
    }
    if (seed) s.seeds = {*seed};
    const auto set = [](const auto& from, auto& to) {
      if (from) to = *from;
    };
    set(corruption, s.warm.corruption.share);
    set(samples, s.evaluation.samples);
    set(checkpoint_every, s.checkpoint_every);
    set(steps, s.grpo_steps);
    set(group, s.grpo.group);
    set(prompts, s.grpo.prompts);
    set(updates, s.grpo.updates);
    set(rate, s.grpo_rate);
    set(kl, s.grpo.loss.kl);
    set(temperature, s.grpo.sampling.temperature);
    s.clip_low = clip_low;
    s.clip_high = clip_high;
    return s;
  }

  void run(const std::string& command) const {
    catch_signals();
    Progress progress;
    on_device(device, [&](auto chosen) {
      Ablation<decltype(chosen)> ablation(settings(), out, listener(progress));
      ablation.prepare(resume, command);
      try {
        ablation.run();
      } catch (const Interrupted&) {
        std::fprintf(stderr, "interrupted; the same command with --resume goes on from here\n");
        throw;
      }
    });
    std::printf("%s/report.html\n%s/results.csv\n", out.c_str(), out.c_str());
  }
};

void add_sampling(CLI::App& app, SamplingSettings& s) {
  app.add_flag("--greedy", s.greedy, "the likeliest token every time");
  app.add_option("--temperature", s.temperature)->check(above_zero)->capture_default_str();
  app.add_option("--top-k", s.top_k, "0: all")->check(CLI::Range(0, largest));
  app.add_option("--top-p", s.top_p)->check(CLI::Range(1e-6, 1.0))->capture_default_str();
  app.add_option("--max-tokens", s.max_tokens)->check(CLI::Range(1, 4096))->capture_default_str();
}

void print_info() {
  std::printf("gaze 0.1.0\ncompiler      %s\ninstructions  %s (processor offers:", __VERSION__,
              name(isa()));
  for (const Isa i : {Isa::generic, Isa::avx2, Isa::avx512})
    if (supported(i)) std::printf(" %s", name(i));
  const std::string reason = no_cuda();
  std::printf(")\nthreads       %d\ndevices       cpu%s\nmodels       ", threads(),
              reason.empty() ? ", cuda" : (" (no cuda: " + reason + ")").c_str());
  for (const auto& p : models::presets) std::printf(" %s", p.name);
  std::printf("\nvariants     ");
  for (const auto& v : rl::variants) std::printf(" %s", v.name);
  std::printf("\nrewards\n");
  for (const auto& n : reward_names()) {
    const Reward& r = reward(n);
    std::printf("  %-14s %s\n%17s= %s\n", n.c_str(), r.doc.c_str(), "", r.formula.c_str());
  }
}

void print_score(const std::map<std::string, Score>& scores) {
  std::printf("%-52s %6s %8s %10s\n", "slice", "n", "strict", "official");
  for (const auto& [slice, s] : scores) {
    const double n = static_cast<double>(s.n);
    std::printf("%-52s %6zu %8.4f %10.4f\n", slice.c_str(), s.n, static_cast<double>(s.strict) / n,
                static_cast<double>(s.official) / n);
  }
}

struct SynthOptions {
  std::string out, split = "all";
  std::size_t scenes = 420;
  std::uint64_t seed = 1;
  int image_size = 64;

  void add(CLI::App& app) {
    app.add_option("--out", out, "folder for the TSV files")->required();
    app.add_option("--split", split, "train, val, test_known, test_new or all")
        ->check(CLI::IsMember({"train", "val", "test_known", "test_new", "all"}));
    app.add_option("--scenes", scenes, "scenes per split, each as MC and as OE")
        ->check(CLI::Range(1, 1000000))
        ->capture_default_str();
    app.add_option("--seed", seed)->check(CLI::Range(0, largest));
    app.add_option("--image-size", image_size)->check(CLI::Range(32, 1024))->capture_default_str();
  }
  void run() const {
    std::vector<std::string> parts = {split};
    if (split == "all") parts = {"train", "val", "test_known", "test_new"};
    for (const auto& part : parts)
      for (const Form form : {Form::mc, Form::oe})
        GAZE_CHECK(!std::filesystem::exists(suite_file(out, part, form)), "synth",
                   suite_file(out, part, form), ": is there already");
    for (const auto& part : parts) {
      write_suite(out, part, scenes, seed, image_size);
      std::printf("%s\n%s\n", suite_file(out, part, Form::mc).c_str(),
                  suite_file(out, part, Form::oe).c_str());
    }
  }
};

struct ReportOptions {
  std::vector<std::string> folders;
  std::string out;

  void add(CLI::App& app) {
    app.add_option("folders", folders, "output folders of runs")
        ->required()
        ->check(CLI::ExistingDirectory);
    app.add_option("--out", out, "folder for report.html; default: the first one");
  }
  void run() const {
    for (const auto& folder : folders)
      GAZE_CHECK(std::filesystem::exists(folder + "/results.csv"), "report", folder,
                 ": holds no results.csv, so no finished run");
    const std::string to = out.empty() ? folders.front() : out;
    std::filesystem::create_directories(to);
    ReportInput input;
    input.folders = folders;
    write_report(to, input);
    if (folders.size() > 1) write_results(to + "/results.csv", report::merge_results(folders));
    std::printf("%s/report.html\n", to.c_str());
  }
};

int dispatch(int argc, char** argv) {
  CLI::App app{"Gaze: a small vision-language model, trained with GRPO on physics problems.",
               "gaze"};
  app.require_subcommand(1);
  app.set_version_flag("--version", "gaze 0.1.0");
  std::string command = "gaze";
  for (int i = 1; i < argc; ++i) command += std::string(" ") + argv[i];

  TrainOptions ablate, sft, grpo;
  auto* ablate_app = app.add_subcommand("ablate", "warm start, eight conditions, report");
  ablate.out = "out";
  ablate.add(*ablate_app);
  ablate_app->get_option("--out")->required(false)->capture_default_str();
  ablate.add_grpo(*ablate_app);
  ablate_app->add_option("--only", ablate.only, "run these conditions only");
  ablate_app->add_option("--seeds", ablate.seeds, "seeds 0 to N-1")->check(CLI::Range(1, 1000));
  ablate_app->callback([&] { ablate.run(command); });

  auto* sft_app = app.add_subcommand("sft", "the supervised warm start alone, evaluated");
  sft.add(*sft_app);
  sft_app->callback([&] {
    sft.only = {"sft"};
    sft.run(command);
  });

  std::string reward_name = "accuracy";
  auto* grpo_app = app.add_subcommand("grpo", "warm start (or the one in --out), then one reward");
  grpo.add(*grpo_app);
  grpo.add_grpo(*grpo_app);
  grpo_app->add_option("--reward", reward_name, "format, accuracy, rubric, attention or hybrid")
      ->check(CLI::IsMember({"format", "accuracy", "rubric", "attention", "hybrid"}))
      ->capture_default_str();
  grpo_app->callback([&] {
    grpo.only = {"sft", reward_name};
    grpo.run(command);
  });

  SynthOptions synth;
  auto* synth_app = app.add_subcommand("synth", "write the synthetic suite as PhyX TSV files");
  synth.add(*synth_app);
  synth_app->callback([&] { synth.run(); });

  EvalSettings eval;
  std::string eval_device = "cpu", ask_device = "cpu";
  auto* eval_app = app.add_subcommand("eval", "answer the problems of TSV files");
  eval_app->add_option("--model", eval.model, "folder or .safetensors file")->required();
  eval_app->add_option("--data", eval.data, "PhyX TSV files")->required()->check(CLI::ExistingFile);
  eval_app->add_option("--out", eval.out, "folder for predictions and results")->required();
  eval_app->add_option("--samples", eval.evaluation.samples)->check(CLI::Range(1, 64));
  eval_app->add_option("--seed", eval.evaluation.seed)->check(CLI::Range(0, largest));
  add_sampling(*eval_app, eval.evaluation.sampling);
  add_device(*eval_app, eval_device);
  eval_app->callback([&] {
    catch_signals();
    Progress progress;
    const auto tell = [&](std::size_t done, std::size_t all) {
      progress.update(done, all, "problems");
      if (stop_asked) throw Interrupted("stopped while evaluating; nothing was written");
    };
    const auto rows = on_device(
        eval_device, [&](auto chosen) { return evaluate_files<decltype(chosen)>(eval, tell); });
    for (const auto& r : rows)
      if (r.slice_kind == "overall" && r.split == "all")
        std::printf("%-4s %-28s %6zu  %.4f [%.4f, %.4f]\n", r.format.c_str(), r.metric.c_str(),
                    static_cast<std::size_t>(r.n), r.value, r.low, r.high);
  });

  std::string predictions;
  std::vector<std::string> score_data;
  auto* score_app = app.add_subcommand("score", "score any model's predictions, both ways");
  score_app->add_option("--predictions", predictions, "JSONL: index, prediction, maybe form")
      ->required()
      ->check(CLI::ExistingFile);
  score_app->add_option("--data", score_data, "PhyX TSV files")
      ->required()
      ->check(CLI::ExistingFile);
  score_app->callback([&] { print_score(score_predictions(predictions, score_data)); });

  ReportOptions report;
  auto* report_app = app.add_subcommand("report", "draw report.html from one or several runs");
  report.add(*report_app);
  report_app->callback([&] { report.run(); });

  AskSettings asked;
  asked.sampling.greedy = true;
  bool sample = false;
  auto* ask_app = app.add_subcommand("ask", "an image and a question in, the answer out");
  ask_app->add_option("--model", asked.model, "folder or .safetensors file")->required();
  ask_app->add_option("--image", asked.image, "PNG or JPEG")->check(CLI::ExistingFile);
  ask_app->add_option("--overlay", asked.overlay, "write the attention over the image here");
  ask_app->add_flag("--sample", sample, "sample instead of the likeliest token");
  ask_app->add_option("--seed", asked.seed)->check(CLI::Range(0, largest));
  add_sampling(*ask_app, asked.sampling);
  add_device(*ask_app, ask_device);
  ask_app->add_option("question", asked.question)->required();
  ask_app->callback([&] {
    asked.sampling.greedy = !sample;
    const std::string answer =
        on_device(ask_device, [&](auto chosen) { return ask<decltype(chosen)>(asked); });
    std::printf("%s\n", answer.c_str());
  });

  auto* info_app = app.add_subcommand("info", "build, processor, models, rewards");
  info_app->callback(print_info);

  if (argc > 1 && argv[1][0] != '-') {
    const auto all = app.get_subcommands([](const CLI::App*) { return true; });
    const auto named = [&](const CLI::App* a) { return a->get_name() == argv[1]; };
    GAZE_CHECK(std::any_of(all.begin(), all.end(), named), "gaze", "no command named ", argv[1],
               "; gaze --help lists them");
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e);  // help and version
    std::string line = e.what();
    std::replace(line.begin(), line.end(), '\n', ' ');
    std::fprintf(stderr, "gaze: %s\n", line.c_str());
    return 2;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return dispatch(argc, argv);
  } catch (const Interrupted& e) {
    std::fprintf(stderr, "gaze: %s\n", e.what());
    return 130;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "gaze: %s\n", e.what());
    return 2;
  }
}
