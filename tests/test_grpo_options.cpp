// SPDX-License-Identifier: MIT
// GRPO's settings by name, and what a run carries from step to step.
#include "gaze/rl/options.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <sstream>

#include "gaze/rl/grpo.hpp"
#include "gaze/rl/run_state.hpp"
#include "tests/small_model.hpp"
#include "tests/texts.hpp"

#ifndef GAZE_TEST_DATA
#define GAZE_TEST_DATA "tests/data"
#endif

namespace {

using namespace gaze;
using namespace gaze::rl;
using namespace gaze::test;
using Nano = models::Vlm<float>;

/// Some other value than the one it has, as text.
std::string another(const GrpoOption& o, const io::OrderedJson& now) {
  if (!o.choices.empty()) {
    const std::string text =
        now.is_boolean() ? (now.get<bool>() ? "true" : "false") : now.get<std::string>();
    return o.choices[0] == text ? o.choices[1] : o.choices[0];
  }
  if (now.is_number_integer()) return std::to_string(now.get<std::int64_t>() + 3);
  return "0.375";
}

/// An option's default as docs/grpo.md writes it.
std::string default_text(const GrpoOption& o) {
  const auto value = o.get({});
  return value.is_string() ? value.get<std::string>() : value.dump();
}

/// The table of docs/grpo.md (`GAZE_WRITE_DOCS=1` lets the test write it).
std::string option_table() {
  std::string out = "| name | default | meaning |\n|---|---|---|\n";
  for (const auto& o : grpo_options()) {
    out += "| `" + o.name + "` | " + default_text(o) + " | " + o.meaning;
    for (std::size_t i = 0; i < o.choices.size(); ++i) out += (i ? ", " : ": ") + o.choices[i];
    out += " |\n";
  }
  return out;
}

}  // namespace

TEST_CASE("every option of GRPO is set by its name, alone, and reads back") {
  std::set<std::string> names;
  for (const auto& o : grpo_options()) {
    INFO(o.name);
    CHECK(names.insert(o.name).second);
    CHECK_FALSE(o.meaning.empty());
    GrpoSettings s;
    const auto before = options_json(s);
    const std::string text = another(o, before.at(o.name));
    set_option(s, o.name + "=" + text);
    const auto after = options_json(s);
    for (const auto& [key, value] : after.items())
      CHECK((value != before.at(key)) == (key == o.name));
    const auto value = after.at(o.name);
    CHECK((value.is_string() ? value.get<std::string>() : value.dump()) == text);
  }
}

TEST_CASE("every choice of every axis can be set, and is told apart") {
  for (const auto& o : grpo_options()) {
    std::set<std::string> seen;
    for (const auto& c : o.choices) {
      GrpoSettings s;
      o.set(s, c);
      seen.insert(o.get(s).dump());
    }
    CHECK(seen.size() == o.choices.size());
  }
  GrpoSettings s;
  set_option(s, "aggregation=sequence_sum");
  CHECK(s.loss.aggregation == Aggregation::sequence_sum);
  set_option(s, "correction.mode=truncate");
  CHECK(s.loss.correction.mode == ImportanceCorrection::Mode::truncate);
  set_option(s, "baseline=none");
  CHECK(s.advantage.baseline == Baseline::none);
  set_option(s, "kl_limit=inf");
  CHECK(std::isinf(s.loss.kl_limit));
  CHECK(options_json(s).at("kl_limit") == "inf");
}

TEST_CASE("names and values that do not exist are refused with those that do") {
  GrpoSettings s;
  const auto refused = [&](const std::string& text) {
    return error_of([&] { set_option(s, text); });
  };
  CHECK(holds(refused("kl"), "'kl' is not NAME=VALUE"));
  CHECK(holds(refused("beta=1"), "no setting named 'beta'; there are prompts, group, updates"));
  CHECK(holds(refused("ratio=word"),
              "ratio: no choice 'word'; there are token, sequence, sequence_token, sequence_sum"));
  CHECK(holds(refused("mask_truncated=yes"), "no choice 'yes'; there are false, true"));
  for (const char* bad : {"kl=", "kl=x", "kl=-1", "kl=nan", "kl=inf", "kl=1x", "kl= 1"})
    CHECK(holds(refused(bad), "kl: must be a number of at least 0, got '"));
  CHECK(holds(refused("group=2.5"), "group: must be a whole number of at least 0, got '2.5'"));
  CHECK(holds(refused("group=99999999999999999999"), "whole number"));
  CHECK(holds(refused("off_policy_limit=nan"), "number of at least 0 or inf"));
}

TEST_CASE("settings that contradict each other are refused") {
  const auto error = [](const std::vector<std::string>& assignments) {
    GrpoSettings s;
    for (const auto& a : assignments) set_option(s, a);
    return error_of([&] { s.check(); });
  };
  CHECK(error({}).empty());
  CHECK(holds(error({"reference_sync.every=4"}), "that no KL term uses"));
  CHECK(error({"reference_sync.every=4", "kl=0.1"}).empty());
  CHECK(holds(error({"reference_sync.alpha=1.5"}), "alpha 1.5"));
  CHECK(holds(error({"adaptive_entropy=true", "entropy_bonus=0.1"}), "either fixed or adaptive"));
  CHECK(holds(error({"adaptive.least=0.5"}), "not in [0.5, 1]"));
  CHECK(holds(error({"correction.low=4"}), "held in [4, 3]"));
  CHECK(holds(error({"surrogate=gamma"}), "gamma weights need"));
}

TEST_CASE("a reference that follows and an adaptive bonus survive a stop to the same bits") {
  namespace fs = std::filesystem;
  const fs::path folder =
      fs::temp_directory_path() / ("gaze_test_grpo_options_" + std::to_string(::getpid()));
  fs::remove_all(folder);
  const auto c = config("nano");
  const auto prompts = some_prompts(c, 2);
  GrpoSettings s;
  s.prompts = 2;
  s.group = 4;
  s.sampling.max_tokens = 6;
  for (const char* text :
       {"kl=0.5", "reference_sync.every=2", "reference_sync.alpha=0.5", "adaptive_entropy=true",
        "adaptive.coefficient=0.1", "adaptive.step=0.05", "adaptive.target=4.4"})
    set_option(s, text);
  const Task<Nano> task = {
      [&](Index step, Index, Index count) {
        std::vector<TaskPrompt<Nano>> out;
        for (Index i = 0; i < count; ++i)
          out.push_back({&prompts[static_cast<std::size_t>(i)],
                         static_cast<std::uint64_t>(step * 8 + i), static_cast<std::size_t>(i)});
        return out;
      },
      [](Index, auto, std::span<const SampledTokens> all, Metrics&) {
        std::vector<double> out;
        for (const auto& one : all) out.push_back(one.tokens.front() % 7);
        return out;
      }};
  std::vector<double> coefficients;
  /// Trains to step `until` of 6, from what the folder holds.
  const auto train = [&](const std::string& name, Index until) {
    Nano model(c, image_token, 3), reference(c, image_token, 3);
    RunState<float> state(s, &reference.parameters(), model.parameters());
    RunFolder run;
    run.path = (folder / name).string();
    run.carried = state.carried();
    Index done = 0;
    run.progress = [&](const Stage&, Index step, const Metrics&) { done = step + 1; };
    run.stop = [&] { return done >= until; };
    Trainer<float> trainer(model.parameters(), run);
    Stage stage;
    stage.name = "grpo";
    stage.steps = 6;
    stage.rate = {1e-2, 1, 6, 0.1};
    const auto step = [&](Index i, const Update& update) {
      state.begin_step(i);
      auto m = grpo_step<Nano>(model, &reference, s, task, end_token, i, Watch::nothing, update,
                               state.adaptive());
      coefficients.push_back(state.adaptive()->coefficient);
      return m;
    };
    try {
      trainer.run(stage, step);
    } catch (const Interrupted&) {
    }
    return std::pair(reference.parameters().packs()[0].values.to_vector(),
                     model.parameters().packs()[0].values.to_vector());
  };
  const auto whole = train("whole", 6);
  const auto unbroken = coefficients;
  coefficients.clear();
  for (const Index until : {1, 3, 4}) train("parts", until);
  const auto parts = train("parts", 6);
  CHECK(bits(whole.first) == bits(parts.first));
  CHECK(bits(whole.second) == bits(parts.second));
  CHECK(coefficients == unbroken);
  CHECK(std::set<double>(unbroken.begin(), unbroken.end()).size() > 1);
  Nano start(c, image_token, 3);
  CHECK(bits(start.parameters().packs()[0].values.to_vector()) != bits(whole.first));
  CHECK(bits(whole.first) != bits(whole.second));
  fs::remove_all(folder);
}

TEST_CASE("docs/grpo.md has the table of options as it is, and every variant") {
  const std::string path = std::string(GAZE_TEST_DATA) + "/../../docs/grpo.md";
  std::string text = io::read_file(path);
  const std::string begin = "<!-- options -->\n", end = "<!-- end of options -->";
  const std::size_t from = text.find(begin), to = text.find(end);
  REQUIRE(from < to);
  REQUIRE(to != text.npos);
  const std::size_t start = from + begin.size();
  if (std::getenv("GAZE_WRITE_DOCS")) {
    text.replace(start, to - start, option_table());
    io::write_file(path, text);
  }
  CHECK((io::read_file(path).substr(start, option_table().size()) == option_table()));
  for (const auto& v : variants) {
    INFO(v.name);
    CHECK(holds(text, std::string("| `") + v.name + "` |"));
  }
}

TEST_CASE("docs/grpo.md maps every option, with its default, to TRL's and verl's names") {
  const std::string text = io::read_file(std::string(GAZE_TEST_DATA) + "/../../docs/grpo.md");
  const std::size_t from = text.find("| Gaze (default) |");
  REQUIRE(from != text.npos);
  std::istringstream table(text.substr(from, text.find("\n\n", from) - from));
  std::string ours;  // the first column
  for (std::string line; std::getline(table, line);) {
    INFO(line);
    CHECK(std::count(line.begin(), line.end(), '|') == 5);
    ours += line.substr(0, line.find('|', 1));
  }
  for (const auto& o : grpo_options()) {
    INFO(o.name);
    CHECK(holds(ours, "`" + o.name + "` (" + default_text(o) + ")"));
  }
}
