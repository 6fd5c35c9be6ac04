// SPDX-License-Identifier: MIT
// The one step loop: supervised stages and GRPO differ in their step function.
//
// A step function computes gradients (one or more micro-batches) and calls `update` for each
// optimiser step it makes: a check that every trained parameter got a gradient, clipping, AdamW.
// The loop then logs one line of metrics and, every few steps, writes a checkpoint. Random numbers
// are keyed by the step, so weights, moments, the step number and the CarriedState of the run
// are the whole state: a run that is killed and resumed gives the same bits as an uninterrupted
// one. Logs are appended; resuming truncates them to their length at the checkpoint.
#pragma once
#include <functional>
#include <optional>
#include <utility>

#include "gaze/core/clock.hpp"
#include "gaze/io/append_log.hpp"
#include "gaze/io/folder_lock.hpp"
#include "gaze/io/folders.hpp"
#include "gaze/io/json.hpp"
#include "gaze/optim/schedule.hpp"
#include "gaze/train/checkpoint.hpp"
#include "gaze/train/kernels_name.hpp"
#include "gaze/train/metrics_events.hpp"

namespace gaze {

/// One stage of training.
struct Stage {
  std::string name;                // "vision", "sft", "grpo": in every metrics line
  std::vector<std::string> parts;  // parts of the model to train; empty: all
  Index steps = 0;
  CosineSchedule rate;
  AdamWSettings adamw;
};

/// State of a run beyond weights and moments: `save` adds it to a checkpoint, `restore` reads it.
struct CarriedState {
  std::function<void(TensorsToWrite&, io::Metadata&)> save = {};
  std::function<void(const io::SafetensorsFile&)> restore = {};
};

/// Where a run keeps its state and logs, and its callbacks.
struct RunFolder {
  std::string path;
  io::OrderedJson tags = io::OrderedJson::object();  // copied into every metrics line
  std::vector<io::AppendLog*> logs = {};             // further logs that resuming truncates
  Index checkpoint_every = 50;
  bool tensorboard = false;  // also write the metrics to an event file (metrics_events.hpp)
  CarriedState carried = {};
  std::function<void(const Stage&, Index step, const Metrics&)> progress = {};  // after each step
  std::function<bool()> stop = {};  // true: save after this step and throw Interrupted

  std::string state() const { return path + "/state.safetensors"; }  ///< the checkpoint
  std::string metrics() const { return path + "/metrics.jsonl"; }    ///< the log of metrics
};

namespace detail {

/// The start of every line of metrics.jsonl of a run with these tags: {"seed":4,"stage":
inline std::string metrics_begin(const io::OrderedJson& tags) {
  io::OrderedJson line = tags;
  line["stage"] = "";
  const std::string text = line.dump();
  return text.substr(0, text.size() - 3);  // without the empty name and brace
}

}  // namespace detail

/// Appends one line: the run's tags, stage, step and metrics; null for a value that is not finite.
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

/// Takes one optimiser step with the gradients accumulated since the last one, then clears them.
using Update = std::function<void()>;

/// Runs stages one after another, from the folder's saved state if there is one.
template <class T, class Device = Cpu>
class Trainer {
 public:
  /// Computes gradients, calls `update` for each of the step's optimiser steps (at least one) and
  /// returns metrics.
  using Step = std::function<Metrics(Index step, const Update& update)>;

  /// Opens the run's folder, and its saved state if there is one. Errors name the file.
  Trainer(Parameters<T, Device>& parameters, RunFolder run)
      : parameters_(parameters), run_(std::move(run)) {
    io::make_folders(run_.path);
    log_.emplace(run_.metrics(), detail::metrics_begin(run_.tags));
    io::remove_leftovers(run_.path);
    if (io::exists(run_.state())) saved_.emplace(run_.state());
    if (!saved_) truncate_logs([](std::size_t) { return std::uint64_t{0}; });
  }

  /// Runs one stage, or the rest of it; skips a stage before the saved one. Throws Interrupted
  /// between two steps when RunFolder::stop asks for it. After that, or any error from a step, the
  /// weights are somewhere inside the stage: create model and trainer again to resume.
  void run(const Stage& stage, const Step& step) {
    GAZE_CHECK(!std::exchange(unfinished_, true), "train",
               "a stage of this trainer did not finish; a new trainer resumes it from ", run_.path);
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
      const Metrics metrics = run_step(stage, i, step, optimiser);
      log_metrics(*log_, run_, stage, i, metrics);
      if (events_) events_->add(stage.name, i, metrics);
      if (run_.progress) run_.progress(stage, i, metrics);
      const bool stop = run_.stop && run_.stop();
      const bool last = i + 1 == stage.steps;
      if (stop || last || (i + 1) % run_.checkpoint_every == 0)
        save(position, stage, i + 1, optimiser);
      if (stop && !last)
        throw Interrupted(concat("stopped after step ", i + 1, " of stage ", stage.name,
                                 "; saved in ", run_.state()));
    }
    unfinished_ = false;
  }

 private:
  /// One step, with the gradient norm of its last update, the rate and the time in its metrics.
  Metrics run_step(const Stage& stage, Index i, const Step& step, AdamW<T, Device>& optimiser) {
    const double start = seconds_now(), rate = stage.rate(i);
    std::optional<double> norm;
    WholeGradient gradient;
    Metrics metrics = step(i, [&] { norm = optimiser.step(rate); });
    GAZE_CHECK(norm && !parameters_.any_gradient(), "train", "step ", i, " of stage ", stage.name,
               norm ? " computed gradients after its last update" : " made no update");
    gradient.done();
    metrics.emplace_back("grad_norm", *norm);
    metrics.emplace_back("lr", rate);
    metrics.emplace_back("step_time", seconds_now() - start);
    return metrics;
  }

  Index saved_stage() const { return saved_count(*saved_, "stage_index"); }

  const std::string& metadata(const std::string& key) const { return saved_text(*saved_, key); }

  void save(Index position, const Stage& stage, Index next, AdamW<T, Device>& optimiser) {
    log_->sync();
    for (auto* log : run_.logs) log->sync();
    io::Metadata m{{"stage", stage.name},
                   {"stage_index", std::to_string(position)},
                   {"step", std::to_string(next)},
                   {"isa", kernels_name<Device>(parameters_.multiplies_in_bf16())},
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
    const std::string kernels = kernels_name<Device>(parameters_.multiplies_in_bf16());
    GAZE_CHECK(metadata("isa") == kernels, "resume", saved_->path(), ": saved with ",
               metadata("isa"), " kernels, this run uses ", kernels,
               "; the bits would differ (set GAZE_ISA, GAZE_BF16 or --device)");
    const Index step = saved_count(*saved_, "step");
    GAZE_CHECK(step <= stage.steps, "resume", saved_->path(), ": saved after step ", step,
               " of a stage of ", stage.steps);
    load_state(*saved_, parameters_, optimiser);
    if (run_.carried.restore) run_.carried.restore(*saved_);
    truncate_logs([&](std::size_t i) {
      return static_cast<std::uint64_t>(saved_count(*saved_, "log." + std::to_string(i)));
    });
    saved_.reset();
    return step;
  }

  template <class Offset>
  void truncate_logs(Offset offset) {
    log_->truncate_to(offset(0));
    for (std::size_t i = 0; i < run_.logs.size(); ++i) run_.logs[i]->truncate_to(offset(i + 1));
    if (run_.tensorboard) events_.emplace(run_.path, *log_, run_.tags);
  }

  Parameters<T, Device>& parameters_;
  RunFolder run_;
  std::optional<io::SafetensorsFile> saved_;
  std::optional<io::AppendLog> log_;
  std::optional<MetricsEvents> events_;
  Index stage_count_ = 0;
  bool unfinished_ = false;
};

}  // namespace gaze
