// SPDX-License-Identifier: MIT
// GRPO's settings by name, and the state that a run carries between steps.
#include "gaze/rl/options.hpp"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <sstream>

#include "gaze/rl/grpo.hpp"
#include "gaze/rl/run_state.hpp"
#include "tests/data.hpp"
#include "tests/folder.hpp"
#include "tests/small_model.hpp"
#include "tests/texts.hpp"

namespace test_grpo_options {
namespace {

using namespace gaze;
using namespace gaze::rl;
using namespace gaze::test;
using Nano = models::Vlm<float>;

/// A value other than the current one, as text.
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

/// The table of docs/grpo.md (`GAZE_WRITE_DOCS=1` makes the test write it).
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

TEST_CASE("every GRPO option is set by name, alone, and reads back") {
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

TEST_CASE("every choice of every axis can be set, and all differ") {
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

TEST_CASE("unknown names and values are refused with a list of the known ones") {
  GrpoSettings s;
  const auto refused = [&](const std::string& text) {
    return error_of([&] { set_option(s, text); });
  };
  CHECK(contains(refused("kl"), "'kl' is not NAME=VALUE"));
  CHECK(contains(refused("beta=1"), "no setting named 'beta'; there are prompts, group, updates"));
  CHECK(
      contains(refused("ratio=word"),
               "ratio: no choice 'word'; there are token, sequence, sequence_token, sequence_sum"));
  CHECK(contains(refused("mask_truncated=yes"), "no choice 'yes'; there are false, true"));
  for (const char* bad : {"kl=", "kl=x", "kl=-1", "kl=nan", "kl=inf", "kl=1x", "kl= 1"})
    CHECK(contains(refused(bad), "kl: must be a number of at least 0, got '"));
  CHECK(contains(refused("group=2.5"), "group: must be a whole number of at least 0, got '2.5'"));
  CHECK(contains(refused("group=99999999999999999999"), "whole number"));
  CHECK(contains(refused("off_policy_limit=nan"), "number of at least 0 or inf"));
}

TEST_CASE("contradictory settings are refused") {
  const auto error = [](const std::vector<std::string>& assignments) {
    GrpoSettings s;
    for (const auto& a : assignments) set_option(s, a);
    return error_of([&] { s.check(); });
  };
  CHECK(error({}).empty());
  CHECK(contains(error({"reference_sync.every=4"}), "no KL term uses a reference"));
  CHECK(error({"reference_sync.every=4", "kl=0.1"}).empty());
  CHECK(contains(error({"reference_sync.alpha=1.5"}), "alpha 1.5"));
  CHECK(
      contains(error({"adaptive_entropy=true", "entropy_bonus=0.1"}), "either fixed or adaptive"));
  CHECK(contains(error({"adaptive.least=0.5"}), "not in [0.5, 1]"));
  CHECK(contains(error({"correction.low=4"}), "limited to [4, 3]"));
  CHECK(contains(error({"surrogate=gamma"}), "gamma weights need"));
}

TEST_CASE("a moving reference and an adaptive bonus survive a stop bit for bit") {
  const Folder folder("grpo_options");
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
  /// Trains to step `until` of 6, resuming from the folder.
  const auto train = [&](const std::string& name, Index until) {
    Nano model(c, image_token, 3), reference(c, image_token, 3);
    RunState<float> state(s, &reference.parameters(), model.parameters());
    RunFolder run;
    run.path = folder.file(name);
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
}

TEST_CASE("docs/grpo.md contains the current table of options and every variant") {
  const std::string path = repository_path("docs/grpo.md");
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
    CHECK(contains(text, std::string("| `") + v.name + "` |"));
  }
}

TEST_CASE("docs/grpo.md maps every option, with its default, to TRL's and verl's names") {
  const std::string text = io::read_file(repository_path("docs/grpo.md"));
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
    CHECK(contains(ours, "`" + o.name + "` (" + default_text(o) + ")"));
  }
}

}  // namespace test_grpo_options
