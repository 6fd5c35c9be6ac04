// SPDX-License-Identifier: MIT
// The ablation: one warm start per seed, then every condition from it, evaluated on the same
// problems with the same random numbers. Each (condition, seed) is a folder of its own; what is
// finished there is not done again, and what was begun goes on where it was saved. The problems are
// files in data/, written unless they are there; config.json has their digests.
#pragma once
#include <optional>
#include <set>

#include "gaze/core/arithmetic.hpp"
#include "gaze/io/folder_lock.hpp"
#include "gaze/rl/run_state.hpp"
#include "phyx/forecast.hpp"
#include "phyx/grpo_task.hpp"
#include "phyx/listener.hpp"
#include "phyx/report/page.hpp"
#include "phyx/results.hpp"
#include "phyx/run_config.hpp"
#include "phyx/settings.hpp"
#include "phyx/showcase.hpp"
#include "phyx/suite_files.hpp"

namespace gaze::phyx {

namespace detail {

inline void copy_lines(const std::string& from, io::AtomicFile& to) {
  if (std::filesystem::exists(from)) to.write(io::read_file(from));
}

}  // namespace detail

/// What config.json keeps of a command line, in bytes.
inline constexpr std::size_t longest_command = std::size_t{64} << 10;

template <class Device = Cpu>
class Ablation {
 public:
  Ablation(AblationSettings settings, std::string out, Listener listener)
      : s_(std::move(settings)), out_(std::move(out)), listener_(std::move(listener)) {
    settle(s_);
  }

  /// Takes the output folder, until run() ends. Refuses one that holds another run, unless it is
  /// this one to be resumed, or files of somebody else that would be written over.
  void prepare(bool resume, const std::string& command) {
    lock_.emplace(out_);
    io::remove_leftovers(out_ + "/images");
    check_own_folder("ablate", out_, "config.json",
                     {"tokenizer.json", "metrics.jsonl", "completions.jsonl", "differing.jsonl",
                      "results.csv", "report.html", "images", "warm", "arms"});
    const std::string path = config_path();
    io::OrderedJson mine = settings_json(s_);
    mine["device"] = Device::name;  // another one computes other bits
    if (io::exists(path)) {
      GAZE_CHECK(resume, "ablate", path, ": this folder holds a run; --resume goes on with it");
      const io::Json theirs = io::read_json_object(path);
      io::Json asked = io::parse_json(io::dump_json(mine, path), path);
      const io::Json data = theirs.value("data", io::Json());
      if (data.is_object() && data.contains("files")) asked["data"]["files"] = data["files"];
      for (const auto& [key, value] : asked.items()) {
        if (key == "only" || key == "seeds") continue;  // conditions and seeds stand on their own
        check_same_config(path, key, theirs.value(key, io::Json()), value);
      }
      files_ = asked["data"].value("files", io::Json::object());
      data_digests();
      started_ = io::json_text(theirs, "started", path, time_text());
      seconds_before_ = io::json_number(theirs, "seconds", path, 0);
    } else {
      started_ = time_text();
    }
    command_ = command;
    begin_ = gaze::detail::seconds_now();
    write_config();
  }

  /// Everything: data, warm starts, conditions, evaluation, results.csv, report.html.
  void run() {
    const auto lock = std::exchange(lock_, std::nullopt);
    load_data();
    forecast_memory();
    for (const std::int64_t seed : s_.seeds) {
      warm_up(seed);
      for (const Condition& c : conditions)
        if (wanted(c)) run_condition(c, seed);
    }
    finish();
  }

 private:
  bool wanted(const Condition& c) const {
    return s_.only.empty() || std::find(s_.only.begin(), s_.only.end(), c.name) != s_.only.end();
  }
  std::string warm_folder(std::int64_t seed) const {
    return out_ + "/warm/seed" + std::to_string(seed);
  }
  std::string arm_folder(const Condition& c, std::int64_t seed) const {
    return out_ + "/arms/" + c.name + "/seed" + std::to_string(seed);
  }
  void say(const std::string& what) const {
    if (listener_.begin) listener_.begin(what);
  }

  std::string config_path() const { return out_ + "/config.json"; }
  std::string data_folder() const { return out_ + "/data"; }

  void write_config() const {
    io::OrderedJson j = settings_json(s_);
    if (!files_.empty()) j["data"]["files"] = files_;
    j["command"] = printable(command_, longest_command);  // a path need not be UTF-8
    j["version"] = "0.1.0";
    j["device"] = Device::name;
    j["instruction_set"] = gaze::detail::kernels_name<Device>(config_.bf16);
    j["threads"] = threads();
    j["started"] = started_;
    j["seconds"] = seconds_before_ + gaze::detail::seconds_now() - begin_;
    if (parameters_ > 0) j["parameters"] = parameters_;
    if (forecast_ > 0)
      j["memory_bytes"] = {{"forecast", forecast_}, {"most_used", Allocator<Cpu>::peak()}};
    io::write_file(config_path(), io::dump_json(j, config_path(), 2) + "\n");
  }

  // ---- data ------------------------------------------------------------------------------------

  /// The parts of the suite that are evaluated.
  std::vector<std::string> test_parts() const {
    if (s_.split == "val") return {"val"};
    return {"test_known", "test_new"};
  }

  /// The digests of the problems' files that are there; an Error names the first that is not the
  /// file which config.json has.
  io::Json data_digests() const {
    std::vector<std::string> parts = test_parts();
    parts.insert(parts.begin(), "train");
    const io::Json now = suite_digests(data_folder(), parts);
    for (const auto& [name, digest] : now.items())
      if (files_.contains(name))
        check_same_config(config_path(), "data.files." + name, files_[name], digest);
    return now;
  }

  void load_data() {
    say("writing and reading the problems");
    const std::string folder = data_folder();
    if (files_.empty() && !data_digests().empty())
      say("problems that were in " + folder + " already are used as they are");
    config_ = models::preset(s_.model);
    config_.bf16 = s_.precision == "bf16";
    const int size = static_cast<int>(config_.vit.image);
    write_suite(folder, "train", s_.train_scenes, s_.data_seed, size);
    const auto parts = test_parts();
    for (const auto& part : parts)
      write_suite(folder, part, part == "test_new" ? s_.test_new : s_.test_known,
                  s_.data_seed + 1000, size);
    files_ = data_digests();
    write_config();
    auto training = read_suite(folder, "train");
    tokenizer_.emplace(build_tokenizer(training));
    tokenizer_->save(out_ + "/tokenizer.json");
    config_.vocabulary = tokenizer_->vocab_size();
    maker_.emplace(*tokenizer_, config_, s_.prompts);
    for (auto& p : training) train_.push_back((*maker_)(std::move(p)));
    std::set<std::pair<std::string, Form>> seen;
    for (const auto& part : parts)
      for (auto& p : read_suite(folder, part)) {
        GAZE_CHECK(seen.emplace(full_index(p), p.form).second, "ablate",
                   suite_file(folder, part, p.form), ": problem ",
                   printable(full_index(p), kShownBytes), " occurs twice");
        test_.push_back((*maker_)(std::move(p)));
      }
  }

  void forecast_memory() {
    const bool grpo = std::any_of(conditions.begin(), conditions.end(), [&](const Condition& c) {
      return wanted(c) && c.training == Training::grpo;
    });
    const LessonSource source(train_, *maker_, *tokenizer_, s_.data_seed);
    const Forecast f = forecast(s_, config_, train_, test_, source, grpo);
    forecast_ = f.total();
    say(f.text());
  }

  // ---- training --------------------------------------------------------------------------------

  RunFolder run_folder(const std::string& path, const std::string& who, std::int64_t seed) const {
    RunFolder run;
    run.path = path;
    run.tags["condition"] = who;
    run.tags["seed"] = seed;
    run.checkpoint_every = s_.checkpoint_every;
    run.stop = listener_.stop;
    run.progress = [this](const Stage& stage, Index step, const Metrics& m) {
      if (!listener_.progress) return;
      std::string note = stage.name;
      for (const auto& [key, value] : m)
        if (key == "loss" || key == "reward" || key == "accuracy") {
          char text[48];
          std::snprintf(text, sizeof text, "  %s %.3f", key.c_str(), value);
          note += text;
        }
      listener_.progress(static_cast<std::size_t>(step + 1), static_cast<std::size_t>(stage.steps),
                         note);
    };
    return run;
  }

  void warm_up(std::int64_t seed) {
    const std::string done = warm_folder(seed) + "/model.safetensors";
    Model<Device> model(config_, tokenizer_->image(), static_cast<std::uint64_t>(seed), slot_count);
    if (!std::filesystem::exists(done)) {
      say("warm start, seed " + std::to_string(seed));
      const LessonSource source(train_, *maker_, *tokenizer_, static_cast<std::uint64_t>(seed));
      Trainer<float, Device> trainer(model.parameters(),
                                     run_folder(warm_folder(seed), "warm", seed));
      warm_start(trainer, model, source, s_.warm);
      save_weights(done, model.parameters(), model_metadata(), {"slots"});
      std::filesystem::remove(warm_folder(seed) + "/state.safetensors");
    }
    parameters_ = Model<Device>(config_, tokenizer_->image(), 0).parameters().count();
  }

  io::Metadata model_metadata() const {
    return {{"model", s_.model}, {"precision", s_.precision}, {"prompt", s_.prompts.problem}};
  }

  void run_condition(const Condition& c, std::int64_t seed) {
    const std::string folder = arm_folder(c, seed);
    if (std::filesystem::exists(folder + "/outcomes.jsonl")) return;
    const std::string who = std::string(c.name) + ", seed " + std::to_string(seed);
    Model<Device> model(config_, tokenizer_->image(), 0);
    std::filesystem::create_directories(folder);
    io::remove_leftovers(folder);
    if (std::filesystem::exists(folder + "/model.safetensors")) {
      load_weights(folder + "/model.safetensors", model.parameters());
    } else {
      load_weights(warm_folder(seed) + "/model.safetensors", model.parameters());
      if (c.training != Training::start) {
        say("training " + who);
        train(model, c, seed, folder);
      }
      save_weights(folder + "/model.safetensors", model.parameters(), model_metadata());
      std::filesystem::remove(folder + "/state.safetensors");
    }
    say("evaluating " + who);
    evaluate(model, c, seed, folder);
  }

  void train(Model<Device>& model, const Condition& c, std::int64_t seed,
             const std::string& folder) {
    const auto key = static_cast<std::uint64_t>(seed);
    if (c.training == Training::grpo) {
      const io::OrderedJson begin{{"condition", c.name}, {"seed", seed}};
      const std::string text = begin.dump();
      io::AppendLog completions(folder + "/completions.jsonl", text.substr(0, text.size() - 1));
      RunFolder run = run_folder(folder, c.name, seed);
      run.logs = {&completions};
      rl::GrpoSettings grpo = s_.grpo;
      grpo.seed = key;
      std::optional<Model<Device>> reference;
      if (grpo.needs_reference()) {
        reference.emplace(config_, tokenizer_->image(), 0);
        load_weights(warm_folder(seed) + "/model.safetensors", reference->parameters());
      }
      rl::RunState<float, Device> state(grpo, reference ? &reference->parameters() : nullptr,
                                        model.parameters());
      run.carried = state.carried();
      Trainer<float, Device> trainer(model.parameters(), run);
      PhyxTask<Device> source(train_, *tokenizer_, config_, reward_mix(c, s_.format_weight), key);
      source.sample = [&](Index step, const Example& e, const phyx::Completion& done,
                          const MixScore& score) {
        if (step % 10 == 0) log_sample(completions, c, seed, step, e, done, score);
      };
      const bool separate = grpo.advantage.objectives == rl::Objectives::normalise_then_sum;
      const auto task = source.task(separate);
      trainer.run(grpo_stage(), [&](Index step, const auto& apply) {
        state.begin_step(step);
        return rl::grpo_step(model, reference ? &*reference : nullptr, grpo, task,
                             tokenizer_->end(), step, models::Watch::marks, apply,
                             state.adaptive());
      });
      return;
    }
    Trainer<float, Device> trainer(model.parameters(), run_folder(folder, c.name, seed));
    const double corruption = c.training == Training::clean ? 0 : s_.warm.corruption.share;
    const LessonSource source(train_, *maker_, *tokenizer_, key);
    const WarmStartSettings& w = s_.warm;
    const Index offset =
        w.letter_steps + w.vision_steps + w.caption_steps + w.clean_steps + w.mixed_steps;
    Stage stage = supervised_stage(c.name, matched_steps(seed), 0.3 * w.rate);
    trainer.run(stage, response_step(model, source, w, corruption, offset));
  }

  Stage grpo_stage() const {
    Stage stage;
    stage.name = "grpo";
    stage.steps = s_.grpo_steps;
    stage.rate = {s_.grpo_rate, std::min<Index>(10, s_.grpo_steps / 10 + 1), s_.grpo_steps, 0.1};
    stage.adamw.beta2 = 0.95;
    return stage;
  }

  /// Supervised steps that cost what a GRPO arm costs. Both are measured at the warm start, on a
  /// copy of the model: the mean of four GRPO steps of the accuracy arm (rollouts, and the forward
  /// and backward pass of the update) and of four supervised ones. Nothing is trained by it.
  Index matched_steps(std::int64_t seed) {
    Model<Device> model(config_, tokenizer_->image(), 0);
    load_weights(warm_folder(seed) + "/model.safetensors", model.parameters());
    const auto key = static_cast<std::uint64_t>(seed);
    PhyxTask<Device> source(train_, *tokenizer_, config_, reward_mix(condition("accuracy"), 0.5),
                            key);
    const auto task = source.task();
    rl::GrpoSettings grpo = s_.grpo;
    grpo.seed = key;
    grpo.loss.kl = grpo.kl_in_reward = 0;
    grpo.reference_sync = {};
    const LessonSource lessons(train_, *maker_, *tokenizer_, key);
    const auto respond = response_step(model, lessons, s_.warm, s_.warm.corruption.share, 0);
    const Index probe = 4, start = arithmetic();
    for (Index i = 0; i < probe; ++i)
      rl::grpo_step<Model<Device>>(model, nullptr, grpo, task, tokenizer_->end(), i,
                                   models::Watch::marks, [] {});
    const Index middle = arithmetic();
    for (Index i = 0; i < probe; ++i) respond(i, [] {});
    const double ratio =
        static_cast<double>(middle - start) / static_cast<double>(arithmetic() - middle);
    return std::max<Index>(1, std::llround(ratio * static_cast<double>(s_.grpo_steps)));
  }

  void log_sample(io::AppendLog& log, const Condition& c, std::int64_t seed, Index step,
                  const Example& e, const phyx::Completion& done, const MixScore& score) const {
    io::OrderedJson line{{"condition", c.name}, {"seed", seed}, {"step", step}};
    line.update(shown_json(e, done, write_picture(out_, e, config_.vit.image)));
    const RewardMix mix = reward_mix(c, s_.format_weight);
    for (std::size_t i = 0; i < mix.terms.size(); ++i)
      line["rewards"][mix.terms[i].first] =
          score.parts[i] ? io::OrderedJson(*score.parts[i]) : io::OrderedJson(nullptr);
    log.line(dump_line(line));
  }

  // ---- evaluation ------------------------------------------------------------------------------

  void evaluate(const Model<Device>& model, const Condition& c, std::int64_t seed,
                const std::string& folder) const {
    EvaluationSettings settings = s_.evaluation;
    settings.seed = s_.data_seed;
    const Evaluator evaluator(model, *tokenizer_, settings);
    OutcomeSet set{c.name, seed, {}};
    std::string differing;
    set.outcomes = evaluator(
        test_,
        [this](std::size_t done, std::size_t all) {
          if (listener_.progress) listener_.progress(done, all, "problems");
          if (listener_.stop && listener_.stop())
            throw Interrupted("stopped while evaluating; what was trained is saved");
        },
        [&, count = 0](std::size_t i, const std::vector<phyx::Completion>& all) mutable {
          const auto line = differing_line(c, seed, test_[i], all.front());
          if (!line.empty() && ++count <= 20) differing += line + "\n";
        });
    io::write_file(folder + "/differing.jsonl", differing);
    show_examples(model, c, seed, folder);
    write_outcomes(folder + "/outcomes.jsonl", set);
  }

  /// An answer that the strict and the official rule judge differently, for the report.
  static std::string differing_line(const Condition& c, std::int64_t seed, const Example& e,
                                    const phyx::Completion& done) {
    io::OrderedJson line{{"condition", c.name}, {"seed", seed}};
    line.update(shown_json(e, done, ""));
    return line["correct"] == line["official"] ? "" : dump_line(line);
  }

  /// The same test problems for every condition, spread over the templates, with attention maps.
  void show_examples(const Model<Device>& model, const Condition& c, std::int64_t seed,
                     const std::string& folder) const {
    std::string lines;
    std::size_t shown = 0;
    for (std::size_t i = 0; i < test_.size() && shown < 10; i += 7) {
      const Example& e = test_[i];
      if (!e.prompt.rgb || !e.problem.needs_image) continue;
      ++shown;
      const Shown s = show(model, *tokenizer_, e, s_.evaluation.sampling);
      io::OrderedJson line{{"condition", c.name}, {"seed", seed}, {"step", s_.grpo_steps}};
      line.update(shown_json(e, s.completion, write_picture(out_, e, config_.vit.image)));
      for (const auto& name : reward_names()) {
        const auto value = reward(name).score({e.problem, s.completion});
        if (value) line["rewards"][name] = *value;
      }
      line["attention"] = {{"grid", {config_.image_side(), config_.image_side()}},
                           {"tokens", s.completion.tokens},
                           {"maps", s.maps}};
      lines += dump_line(line) + "\n";
    }
    io::write_file(folder + "/shown.jsonl", lines);
  }

  // ---- results ---------------------------------------------------------------------------------

  void finish() {
    say("results and report");
    Outcomes all;
    io::AtomicFile metrics(out_ + "/metrics.jsonl"), completions(out_ + "/completions.jsonl"),
        differing(out_ + "/differing.jsonl");
    for (const std::int64_t seed : s_.seeds) {
      detail::copy_lines(warm_folder(seed) + "/metrics.jsonl", metrics);
      for (const Condition& c : conditions) {
        const std::string folder = arm_folder(c, seed);
        if (!std::filesystem::exists(folder + "/outcomes.jsonl")) continue;
        all[{c.name, seed}] = read_outcomes(folder + "/outcomes.jsonl").outcomes;
        detail::copy_lines(folder + "/metrics.jsonl", metrics);
        detail::copy_lines(folder + "/shown.jsonl", completions);
        detail::copy_lines(folder + "/completions.jsonl", completions);
        detail::copy_lines(folder + "/differing.jsonl", differing);
      }
    }
    metrics.commit();
    completions.commit();
    differing.commit();
    write_results(out_ + "/results.csv", summarise(all));
    write_config();
    write_report(out_, {});
  }

  AblationSettings s_;
  std::string out_, command_, started_;
  Listener listener_;
  std::optional<io::FolderLock> lock_;
  io::Json files_ = io::Json::object();  // of data/: name, SHA-256
  double begin_ = 0, seconds_before_ = 0;
  Index parameters_ = 0, forecast_ = 0;
  models::VlmConfig config_{};
  std::optional<text::Tokenizer> tokenizer_;
  std::optional<ExampleMaker> maker_;
  std::vector<Example> train_, test_;
};

}  // namespace gaze::phyx
