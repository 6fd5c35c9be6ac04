// SPDX-License-Identifier: MIT
// The one step loop: supervised stages and GRPO differ in the function that makes gradients.
//
// Each step: forward and backward (one or more micro-batches), a check that every trained
// parameter got a gradient, clipping, AdamW, one line of metrics, now and then a checkpoint. All
// randomness is counted by step, so weights, moments and the step number are the whole state (with
// what a run adds to it, see CarriedState): a run that is killed and resumed gives the same bits as
// one never stopped. Logs are appended; resuming cuts them back to where they were at the
// checkpoint.
#pragma once
#include <chrono>
#include <functional>
#include <optional>
#include <utility>

#include "gaze/cpu/isa.hpp"
#include "gaze/io/append_log.hpp"
#include "gaze/io/folder_lock.hpp"
#include "gaze/io/folders.hpp"
#include "gaze/io/json.hpp"
#include "gaze/optim/schedule.hpp"
#include "gaze/train/checkpoint.hpp"

namespace gaze {

/// What a step reports, by name, in the order of the log line.
using Metrics = std::vector<std::pair<std::string, double>>;

/// One stage of training.
struct Stage {
  std::string name;                // "vision", "sft", "grpo": written into every metrics line
  std::vector<std::string> parts;  // parts of the model that are trained; empty: all
  Index steps = 0;
  CosineSchedule rate;
  AdamWSettings adamw;
};

/// What a run has to keep beside weights and moments: `save` adds to a state, `restore` reads it.
struct CarriedState {
  std::function<void(TensorsToWrite&, io::Metadata&)> save = {};
  std::function<void(const io::SafetensorsFile&)> restore = {};
};

/// Where a run keeps its state and logs, and whom it tells.
struct RunFolder {
  std::string path;
  io::OrderedJson tags = io::OrderedJson::object();  // copied into every metrics line
  std::vector<io::AppendLog*> logs = {};             // further logs that resuming cuts back
  Index checkpoint_every = 50;
  CarriedState carried = {};
  std::function<void(const Stage&, Index step, const Metrics&)> progress = {};
  std::function<bool()> stop = {};

  std::string state() const { return path + "/state.safetensors"; }
  std::string metrics() const { return path + "/metrics.jsonl"; }
};

namespace detail {

/// The kernels that a device computes with, as far as they decide the bits; `bf16`: of a model
/// whose products take rounded operands.
template <class Device>
std::string kernels_name(bool bf16) {
  const bool cpu = std::is_same_v<Device, Cpu>;
  std::string out = cpu ? name(isa()) : Device::name;
  if (bf16) {
    out += " with ";
    if (cpu && bf16_products() != Bf16Products::f32)
      out += std::string(name(bf16_products())) + " of ";
    out += "bf16";
  }
  if constexpr (requires { Kernels<Device>::choice(); }) out += Kernels<Device>::choice();
  return out;
}

inline double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// How every line of metrics.jsonl of a run with these tags begins: {"seed":4,"stage":
inline std::string metrics_begin(const io::OrderedJson& tags) {
  io::OrderedJson line = tags;
  line["stage"] = "";
  const std::string text = line.dump();
  return text.substr(0, text.size() - 3);  // without the empty name and the brace
}

inline void log_metrics(io::AppendLog& log, const RunFolder& run, const Stage& stage, Index step,
                        const Metrics& metrics) {
  io::OrderedJson line = run.tags;
  line["stage"] = stage.name;
  line["step"] = step;
  for (const auto& [name, value] : metrics) {
    if (std::isfinite(value))
      line[name] = value;
    else
      line[name] = nullptr;
  }
  log.line(io::dump_json(line, log.path()));
}

}  // namespace detail

/// Runs stages one after another, from the folder's saved state if there is one.
template <class T, class Device = Cpu>
class Trainer {
 public:
  /// Makes the gradients of a step and reports. A step of several updates calls apply() after
  /// each but the last, which the loop applies.
  using Step = std::function<Metrics(Index step, const std::function<void()>& apply)>;

  Trainer(Parameters<T, Device>& parameters, RunFolder run)
      : parameters_(parameters), run_(std::move(run)) {
    io::make_folders(run_.path);
    log_.emplace(run_.metrics(), detail::metrics_begin(run_.tags));
    io::remove_leftovers(run_.path);
    if (io::exists(run_.state())) saved_.emplace(run_.state());
    if (!saved_) cut_logs([](std::size_t) { return std::uint64_t{0}; });
  }

  /// Runs one stage, or the rest of it; a stage before the saved one is skipped. Interrupted is
  /// thrown between two steps. After it, or whatever a step threw, the weights are somewhere in the
  /// stage: make them and the trainer anew to go on from what was saved.
  void run(const Stage& stage, const Step& step) {
    GAZE_CHECK(!std::exchange(unfinished_, true), "train",
               "a stage of this trainer was not finished; another one resumes it from ", run_.path);
    const Index position = stage_count_++;
    if (saved_ && position < saved_stage()) {
      unfinished_ = false;
      return;
    }
    if (stage.parts.empty())
      parameters_.train_all();
    else
      parameters_.train_only(stage.parts);
    parameters_.clear_gradients();
    AdamW<T, Device> optimiser(parameters_, stage.adamw);
    Index first = 0;
    if (saved_) first = restore(stage, optimiser);
    for (Index i = first; i < stage.steps; ++i) {
      const double start = detail::seconds_now();
      const double rate = stage.rate(i);
      WholeGradient gradient;
      Metrics metrics = step(i, [&] { optimiser.step(rate); });
      gradient.done();
      const double norm = optimiser.step(rate);
      metrics.emplace_back("grad_norm", norm);
      metrics.emplace_back("lr", rate);
      metrics.emplace_back("step_time", detail::seconds_now() - start);
      detail::log_metrics(*log_, run_, stage, i, metrics);
      if (run_.progress) run_.progress(stage, i, metrics);
      const bool stop = run_.stop && run_.stop();
      const bool last = i + 1 == stage.steps;
      if (stop || last || (i + 1) % run_.checkpoint_every == 0)
        save(position, stage, i + 1, optimiser);
      if (stop && !last)
        throw Interrupted(detail::concat("stopped after step ", i + 1, " of stage ", stage.name,
                                         "; saved in ", run_.state()));
    }
    unfinished_ = false;
  }

 private:
  Index saved_stage() const { return detail::saved_count(*saved_, "stage_index"); }

  const std::string& metadata(const std::string& key) const {
    return detail::saved_text(*saved_, key);
  }

  void save(Index position, const Stage& stage, Index next, AdamW<T, Device>& optimiser) {
    log_->sync();
    for (auto* log : run_.logs) log->sync();
    io::Metadata m{{"stage", stage.name},
                   {"stage_index", std::to_string(position)},
                   {"step", std::to_string(next)},
                   {"isa", detail::kernels_name<Device>(parameters_.multiplies_in_bf16())},
                   {"log.0", std::to_string(log_->offset())}};
    for (std::size_t i = 0; i < run_.logs.size(); ++i)
      m["log." + std::to_string(i + 1)] = std::to_string(run_.logs[i]->offset());
    TensorsToWrite tensors;
    if (run_.carried.save) run_.carried.save(tensors, m);
    save_state(run_.state(), parameters_, optimiser, m, std::move(tensors));
  }

  Index restore(const Stage& stage, AdamW<T, Device>& optimiser) {
    GAZE_CHECK(metadata("stage") == stage.name, "resume", saved_->path(), ": saved in stage ",
               metadata("stage"), ", this run has ", stage.name, " there");
    const std::string kernels = detail::kernels_name<Device>(parameters_.multiplies_in_bf16());
    GAZE_CHECK(metadata("isa") == kernels, "resume", saved_->path(), ": saved with ",
               metadata("isa"), " kernels, this run uses ", kernels,
               "; the bits would differ (set GAZE_ISA, GAZE_BF16 or --device)");
    const Index step = detail::saved_count(*saved_, "step");
    GAZE_CHECK(step <= stage.steps, "resume", saved_->path(), ": saved after step ", step,
               " of a stage of ", stage.steps);
    load_state(*saved_, parameters_, optimiser);
    if (run_.carried.restore) run_.carried.restore(*saved_);
    cut_logs([&](std::size_t i) {
      return static_cast<std::uint64_t>(detail::saved_count(*saved_, "log." + std::to_string(i)));
    });
    saved_.reset();
    return step;
  }

  template <class Offset>
  void cut_logs(Offset offset) {
    log_->truncate_to(offset(0));
    for (std::size_t i = 0; i < run_.logs.size(); ++i) run_.logs[i]->truncate_to(offset(i + 1));
  }

  Parameters<T, Device>& parameters_;
  RunFolder run_;
  std::optional<io::SafetensorsFile> saved_;
  std::optional<io::AppendLog> log_;
  Index stage_count_ = 0;
  bool unfinished_ = false;
};

}  // namespace gaze
