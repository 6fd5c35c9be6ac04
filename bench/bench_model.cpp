// SPDX-License-Identifier: MIT
// A model on fixed random data: a supervised step, decoding, a GRPO step.
//
//   bench_model [Google Benchmark's options]   `tiny`: rows with tokens/s and arithmetic rate
//   bench_model --export FOLDER PRESET   weights, inputs, our losses and gradients, for bench/peers
//   bench_model --serve PRESET   reads lines "WORK THREADS", prints the seconds taken
//   bench_model --memory WORK PRESET   MiB by which two runs raise the resident memory above that
//                                      of model, optimiser and data
//   bench_model --cost   seconds of a GRPO step against its sizes, as JSON for bench/plot_cost.py
//   bench_model_cuda [the same]   the same on a GPU
//   --bf16 with any of these: products of operands rounded to bf16
//
// Wall-clock time, including the optimiser. Token counts are decoder tokens in the supervised step
// (including image tokens) and generated tokens otherwise.
#include <fstream>
#include <iostream>
#include <sstream>

#include "bench/model_work.hpp"

namespace {

using namespace bench;

// ---- Google Benchmark -------------------------------------------------------------------------

void row(benchmark::State& state, const Work& work, const Sizes& sizes) {
  Bench bench(sizes);
  const double threads = double(state.range(0));
  gaze::set_threads(int(threads));
  const double peak = bench::peak_flops();
  work.run(bench);
  const Index before = gaze::arithmetic();
  const double start = gaze::seconds_now();
  Done done;
  for (auto _ : state) {
    done.tokens += work.run(bench).tokens;
    wait();
  }
  const double took = gaze::seconds_now() - start;
  const double rate = double(gaze::arithmetic() - before) / took;
  state.counters["tokens/s"] = done.tokens / took;
  state.counters["GFLOP/s"] = rate / 1e9;
  state.counters["of_peak"] = rate / std::max(peak, bench::peak_flops()) / threads;
}

// ---- export and serving for bench/peers -------------------------------------------------------

/// Tensors to be written to a file.
class Export {
 public:
  template <class T>
  void add(const std::string& name, std::vector<std::int64_t> shape, const std::vector<T>& values) {
    const auto bytes = std::as_bytes(std::span<const T>(values));
    tensors_.push_back({name,
                        std::string(gaze::io::dtype_of<T>()),
                        std::move(shape),
                        {bytes.begin(), bytes.end()}});
  }
  /// Concatenated sequences of different lengths, and their lengths.
  template <class Rows>
  void add_rows(const std::string& name, const Rows& rows) {
    using T = std::decay_t<decltype(rows[0][0])>;
    std::vector<T> flat;
    std::vector<std::int32_t> lengths;
    for (const auto& r : rows) {
      flat.insert(flat.end(), r.begin(), r.end());
      lengths.push_back(std::int32_t(r.size()));
    }
    add(name, {std::int64_t(flat.size())}, flat);
    add(name + ".lengths", {std::int64_t(lengths.size())}, lengths);
  }
  void write(const std::string& path) const { gaze::io::write_safetensors(path, tensors_); }

 private:
  std::vector<gaze::io::TensorEntry> tensors_;
};

void add_completions(Export& file, const std::string& name,
                     const std::vector<gaze::SampledTokens>& completions) {
  std::vector<std::vector<std::int32_t>> tokens;
  std::vector<std::vector<float>> logp;
  for (const auto& c : completions) {
    tokens.push_back(c.tokens);
    logp.push_back(c.logp);
  }
  file.add_rows(name + ".tokens", tokens);
  file.add_rows(name + ".logp", logp);
}

void write_gradients(const std::string& path, double loss, Model& model) {
  Export file;
  file.add("loss", {}, std::vector<float>{float(loss)});
  for (auto& p : model.parameters().all())
    file.add("gradient." + p.name, {p.shape.begin(), p.shape.end()}, p.value.grad().to_vector());
  file.write(path);
  model.parameters().clear_gradients();
}

void write_inputs(const std::string& path, const Bench& bench) {
  Export file;
  std::vector<std::vector<std::int32_t>> prompts;
  std::vector<std::uint8_t> images;
  for (const Prompt& p : bench.data().prompts) {
    prompts.push_back(p.tokens);
    images.insert(images.end(), p.rgb->begin(), p.rgb->end());
  }
  const Sizes& sizes = bench.sizes();
  const Index side = sizes.config().vit.image;
  const auto completions = static_cast<std::size_t>(sizes.grpo_prompts * sizes.group);
  file.add("images", {sequences, side, side, 3}, images);
  file.add_rows("prompts", prompts);
  file.add_rows("completions", bench.data().completions);
  add_completions(file, "decode", bench.generate(sizes.grpo_prompts, -1));
  add_completions(file, "rollout", bench.generate(sizes.grpo_prompts, end_token));
  std::vector<float> rewards, uniforms;
  for (std::size_t i = 0; i < completions; ++i) {
    rewards.push_back(float(Bench::reward(i)));
    for (std::uint64_t t = 0; t < static_cast<std::uint64_t>(sizes.longest); ++t)
      uniforms.push_back(float(Bench::random().uniform(i, t)));
  }
  file.add("rewards", {std::int64_t(completions)}, rewards);
  file.add("uniforms", {std::int64_t(completions), sizes.longest}, uniforms);
  file.write(path);
}

gaze::io::Metadata describe(const Sizes& sizes) {
  const auto c = sizes.config();
  gaze::io::Metadata m{{"isa", gaze::kernels_name<Device>(c.bf16)}};
  const auto add = [&](const char* name, double value) {
    std::ostringstream text;
    text << value;
    m[name] = text.str();
  };
  add("vit.image", double(c.vit.image)), add("vit.patch", double(c.vit.patch));
  add("vit.width", double(c.vit.width)), add("vit.layers", double(c.vit.layers));
  add("vit.heads", double(c.vit.heads)), add("vit.eps", c.vit.eps);
  add("shuffle", double(c.shuffle)), add("width", double(c.decoder.width));
  add("layers", double(c.decoder.layers)), add("heads", double(c.decoder.heads));
  add("kv_heads", double(c.decoder.kv_heads)), add("head_size", double(c.decoder.head_size));
  add("rope_theta", c.decoder.rope_theta), add("eps", c.decoder.eps);
  add("image_token", image_token), add("end_token", end_token), add("group", double(sizes.group));
  add("grpo_prompts", double(sizes.grpo_prompts)), add("longest", double(sizes.longest));
  add("learning_rate", learning_rate);
  return m;
}

void export_case(const std::string& folder, const Sizes& sizes) {
  std::filesystem::create_directories(folder);
  Bench bench(sizes);
  gaze::save_weights(folder + "/weights.safetensors", bench.model().parameters(), describe(sizes));
  write_inputs(folder + "/inputs.safetensors", bench);
  write_gradients(folder + "/supervised.safetensors", bench.supervised_loss(), bench.model());
  double loss = 0;
  for (const auto& [name, value] : bench.grpo_metrics([] {}))
    if (name == "loss") loss = value;
  write_gradients(folder + "/grpo.safetensors", loss, bench.model());
}

void serve(const Sizes& sizes) {
  Bench bench(sizes);
  for (std::string line, name; std::getline(std::cin, line);) {
    int threads = 0;
    std::istringstream(line) >> name >> threads;
    const Work& work = work_named(name);
    if (threads != gaze::threads()) gaze::set_threads(threads);
    const double start = gaze::seconds_now();
    work.run(bench);
    wait();
    std::cout << gaze::seconds_now() - start << std::endl;
  }
}

// ---- memory and cost ----------------------------------------------------------------------------

/// A line of /proc/self/status in MiB: VmRSS, the current resident memory, or VmHWM, its peak.
/// (getrusage would report the parent's peak if that is higher.)
double resident(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(key + ":")) return std::stod(line.substr(key.size() + 1)) / 1024;
  GAZE_FAIL("bench", "/proc/self/status has no ", key);
}

void memory(const std::string& name, const Sizes& sizes) {
  Bench bench(sizes);
  const double before = resident("VmRSS");
  for (int i = 0; i < 2; ++i) work_named(name).run(bench);
  std::cout << resident("VmHWM") - before << "\n";
}

/// One curve point: the best of three GRPO steps after a warm-up step.
void cost_point(const char* curve, double x, Sizes sizes, bool first = false) {
  sizes.prompts = sizes.grpo_prompts;
  Bench bench(sizes);
  bench.grpo_step();
  double best = 1e9;
  for (int i = 0; i < 3; ++i) {
    const double start = gaze::seconds_now();
    bench.grpo_step();
    best = std::min(best, gaze::seconds_now() - start);
  }
  std::cout << (first ? "" : ",\n") << "  {\"curve\": \"" << curve << "\", \"x\": " << x
            << ", \"seconds\": " << best << "}" << std::flush;
}

/// All completions have full length, so that the amount of work is known.
void cost(Sizes base) {
  base.ends = false, base.more_words = 0;
  std::cout << "[\n";
  bool first = true;
  for (Index g : {2, 4, 8, 16}) {
    Sizes s = base;
    s.group = g;
    cost_point("group size", double(g), s, std::exchange(first, false));
  }
  for (Index words : {32, 64, 128, 256}) {
    Sizes s = base;
    s.words = words;
    cost_point("prompt words, 12 prompts of 8", double(words), s);
    s.grpo_prompts = 48, s.group = 2;  // same number of completions, fewer per prompt
    cost_point("prompt words, 48 prompts of 2", double(words), s);
  }
  for (Index tokens : {16, 32, 64, 128}) {
    Sizes s = base;
    s.longest = tokens;
    cost_point("completion tokens", double(tokens), s);
  }
  for (const char* preset : {"nano", "tiny", "small", "base"}) {
    Sizes s = base;
    s.preset = preset;
    const double weights = double(Bench(s).model().parameters().count());
    cost_point("parameters", weights, s);
  }
  std::cout << "\n]\n";
}

int run(int argc, char** argv) {
  Sizes sizes;
  char** const end = std::remove(argv, argv + argc, std::string("--bf16"));
  sizes.bf16 = end != argv + argc;
  argc = static_cast<int>(end - argv);
  const std::string mode = argc > 1 ? argv[1] : "";
  if (mode == "--serve" || mode == "--export" || mode == "--memory") {
    const int wanted = mode == "--serve" ? 3 : 4;
    GAZE_CHECK(argc == wanted, "bench", mode, " takes ", wanted - 2, " arguments");
    sizes.preset = argv[argc - 1];
    if (mode == "--serve") return serve(sizes), 0;
    if (mode == "--export") return export_case(argv[2], sizes), 0;
    return memory(argv[2], sizes), 0;
  }
  if (mode == "--cost") return cost(sizes), 0;
  const std::string prefix = sizes.bf16 ? "model_bf16/" : "model/";
  for (const Work& work : works)
    benchmark::RegisterBenchmark((prefix + work.name).c_str(), row, work, sizes)
        ->ArgName("threads")
        ->Arg(1)
        ->Arg(2)
        ->UseRealTime()
        ->MinTime(2)
        ->Unit(benchmark::kMillisecond);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "bench_model: " << error.what() << "\n";
    return 2;
  }
}
