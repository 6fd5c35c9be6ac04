// SPDX-License-Identifier: MIT
// The steps of an ablation, on any device.
#pragma once
#include <filesystem>
#include <utility>

#include "gaze/io/folders.hpp"
#include "gaze/train/kernels_name.hpp"
#include "phyx/report/page.hpp"
#include "phyx/run_config.hpp"
#include "phyx/study/ablation.hpp"
#include "phyx/study/arm_evaluation.inl"
#include "phyx/study/arm_training.inl"
#include "phyx/study/forecast.hpp"
#include "phyx/study/run_results.hpp"

namespace gaze::phyx {

template <class Device>
Ablation<Device>::Ablation(AblationSettings settings, RunPaths paths, Listener listener)
    : s_(std::move(settings)),
      listener_(std::move(listener)),
      paths_(std::move(paths)),
      data_(s_, paths_),
      record_(s_, paths_.config(), Device::name),
      training_(s_, paths_, data_, listener_),
      evaluation_(s_, paths_, data_, listener_) {
  settle(s_);
  data_.survey();
}

template <class Device>
void Ablation<Device>::prepare(bool resume, const std::string& command) {
  lock_.emplace(paths_.out);
  io::remove_leftovers(paths_.out + "/images");
  check_own_folder("ablate", paths_.out, "config.json",
                   {"tokenizer.json", "metrics.jsonl", "completions.jsonl", "differing.jsonl",
                    "results.csv", "report.html", "images", "warm", "arms"});
  record_.begin(resume, command, data_);
  write_config();
}

template <class Device>
void Ablation<Device>::run() {
  const auto lock = std::exchange(lock_, std::nullopt);
  load_data();
  forecast_memory();
  try {
    for (const std::int64_t seed : s_.seeds) {
      record_.parameters = training_.warm_up(seed);
      for (const Condition& c : s_.conditions)
        if (wanted(s_, c)) run_condition(c, seed);
    }
  } catch (const Interrupted&) {
    write_config();  // with the seconds so far
    throw;
  }
  finish();
}

template <class Device>
void Ablation<Device>::say(const std::string& what) const {
  if (listener_.begin) listener_.begin(what);
}

template <class Device>
void Ablation<Device>::write_config() const {
  record_.write(data_, kernels_name<Device>(s_.precision == "bf16"));
}

template <class Device>
void Ablation<Device>::load_data() {
  say("writing and reading the problems");
  data_.write([this](const std::string& what) { say(what); });
  write_config();
  data_.read();
}

template <class Device>
void Ablation<Device>::forecast_memory() {
  const Forecast f = forecast(s_, data_);
  record_.forecast = f.total();
  say(f.text());
  const std::string lower = advice(f, s_, available_memory());
  if (!lower.empty()) say(lower);
}

template <class Device>
void Ablation<Device>::run_condition(const Condition& c, std::int64_t seed) const {
  const std::string folder = paths_.arm(c, seed);
  if (std::filesystem::exists(folder + "/outcomes.jsonl")) return;
  const std::string who = c.name + ", seed " + std::to_string(seed);
  std::filesystem::create_directories(folder);
  io::remove_leftovers(folder);
  const auto model = training_.prepare(c, seed);
  say("evaluating " + who);
  evaluation_(*model, c, seed);
}

template <class Device>
void Ablation<Device>::finish() const {
  say("results and report");
  collect_results(paths_, s_);
  write_config();
  write_report(paths_.out, {});
}

}  // namespace gaze::phyx
