// SPDX-License-Identifier: MIT
// Study files: errors with file and line, presets, grids, conditions, claims, and the round trip of
// a settled study through its text.
#include "phyx/study/study_file.hpp"

#include <filesystem>
#include <set>
#include <string>

#include "gaze/rl/options.hpp"
#include "phyx/study/built_in_studies.hpp"
#include "phyx/study/toml_tree.hpp"
#include "phyx/synth/suite.hpp"
#include "tests/folder.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_study_file {
namespace {

using namespace gaze;
using namespace gaze::phyx;
using gaze::test::contains;
using gaze::test::error_of;

/// A study with a warm start and a GRPO condition; `more` comes first, at the top of the file.
std::string study(const std::string& more = "", const std::string& end = "") {
  return more + R"(
[condition.sft]
method = "none"
[condition.accuracy]
method = "grpo"
rewards = { accuracy = 1.0, format = 0.5 }
)" + end;
}

Study parsed(const std::string& text, const StudyRequest& request = {}) {
  return parse_study(text, "my.toml", request);
}

std::string error(const std::string& text, const StudyRequest& request = {}) {
  return error_of([&] { parsed(text, request); });
}

void refused(const std::string& text, const std::vector<std::string>& parts) {
  const std::string message = error(text);
  for (const auto& part : parts) {
    INFO(message << "\nshould contain: " << part);
    CHECK(contains(message, part));
  }
}

/// The names in "[preset.NAME]", and "" for the study without a preset.
std::set<std::string> presets_in(const std::string& text) {
  std::set<std::string> out = {""};
  const std::string head = "\n[preset.";
  for (std::size_t at = text.find(head); at != text.npos; at = text.find(head, at + 1)) {
    const std::size_t begin = at + head.size();
    out.insert(text.substr(begin, text.find_first_of(".]", begin) - begin));
  }
  return out;
}

}  // namespace

TEST_CASE("strings and comments of a study have letters of any alphabet") {
  const TomlEntry root =
      parse_toml("a = \"é д\" # é\nb = \"\"\"x \\\n  д \\\n  猫\"\"\"\n", "my.toml");
  CHECK(root.json() == io::Json{{"a", "é д"}, {"b", "x д 猫"}});
}

TEST_CASE("a study file is refused with file and line") {
  refused("model = \n", {"my.toml:1: "});
  refused("model = \"tiny\"\n[ .a]\n", {"my.toml:2: ", "saw '.'"});
  refused("[\x01]\n", {"my.toml:1: "});
  refused("modèle = \"tiny\"\n", {"my.toml:1: "});
  refused(study("modle = \"tiny\"\n"), {"my.toml:1: no setting named 'modle'", "model"});
  refused(study("''.beta2 = 0.9\n"), {"my.toml:1: no setting named '.beta2'", "warm_start"});
  refused(study("[''.a]\nb = 1\n"), {"my.toml:2: no setting named '.a.b'", "warm_start"});
  refused(study("[grpo]\nkll = 1\n"), {"my.toml:2: no setting named 'grpo.kll'", "variant", "kl"});
  refused(study("[warm_start]\ncorruption.shares = 1\n"),
          {"my.toml:2: no setting named 'warm_start.corruption.shares'", "share, lazy"});
  refused(study("[warm_start]\nbatch = 0\n"),
          {"my.toml:2, warm_start.batch: must be a whole number of at least 1, got 0"});
  refused(study("[warm_start]\nbatch = 2.5\n"), {"my.toml:2, warm_start.batch: ", "2.5"});
  refused(study("[warm_start]\ncorruption.lazy = 1.5\n"),
          {"my.toml:2, warm_start.corruption.lazy: must be a number from 0 to 1, got 1.5"});
  refused(study("[warm_start]\nrate = nan\n"), {"my.toml:2, warm_start.rate: "});
  refused(study("[grpo]\noptimiser.beta2 = 1.0\n"),
          {"my.toml:2, grpo.optimiser.beta2: ", "[0, 1)"});
  refused(study("[grpo]\nratio = \"word\"\n"), {"my.toml:2, grpo.ratio: ", "sequence_token"});
  refused(study("[grpo]\nkl = true\n"), {"my.toml:2, grpo.kl: must be a number"});
  refused(study("[grpo]\ngroup = 8.0\n"), {"my.toml:2, grpo.group: ", "whole"});
  refused(study("[grpo]\nkl = 0.1\n\ntop_p = 2.0\n"), {"my.toml:4: top_p must be in (0, 1]"});
  refused(study("[grpo]\nvariant = \"ppo\"\n"), {"my.toml:2, grpo.variant: must be one of grpo"});
  refused(study("seeds = [0, -1]\n"), {"my.toml:1, seeds: must be a list, each item a whole"});
  refused(study("seeds = []\n"), {"my.toml:1: no seeds"});
  refused(study("split = \"train\"\n"), {"my.toml:1, split: must be one of test, val"});
  refused(study("model = \"giant\"\n"), {"my.toml:1: no model named giant"});
  refused(study("[prompts]\nproblem = \"{question}\"\n"),
          {"my.toml:2: prompts.problem: must contain {image} exactly once"});
  refused(study("model = 1979-05-27\n"), {"my.toml:1: dates"});
  refused(study("data = 1\n"), {"my.toml:1: no setting named 'data'"});
  refused("[data]\nseed = 1\n", {"my.toml: no [condition.NAME]"});
}

TEST_CASE("conditions are refused with their line") {
  refused("[condition.a]\nmethod = \"ppo\"\n", {"my.toml:2, method: must be one of none, sft"});
  refused("[condition.a]\nmeaning = \"x\"\n", {"my.toml:1, condition.a: no method"});
  refused("[condition.a]\nmethod = \"grpo\"\n", {"condition.a: method grpo needs rewards"});
  refused("[condition.a]\nmethod = \"grpo\"\nrewards.money = 1.0\n",
          {"my.toml:3: no reward", "money", "accuracy"});
  refused("[condition.a]\nmethod = \"grpo\"\nrewards.accuracy = \"much\"\n",
          {"my.toml:3, accuracy: a weight must be a finite number"});
  refused("[condition.a]\nmethod = \"grpo\"\nrewards.attention = { caps = 2.0 }\n",
          {"my.toml:3: ", "no option 'caps'"});
  refused("[condition.a]\nmethod = \"none\"\nrewards.accuracy = 1.0\n",
          {"only method grpo has rewards"});
  refused(study("", "grpo.kll = 1\n"), {"my.toml:7: no setting named 'grpo.kll'"});
  refused(study("", "data.seed = 2\n"), {"condition.accuracy.data.seed", "no such setting"});
  refused(study("", "temperatures = [0.0]\n"), {"my.toml:7, temperatures: "});
  refused("[condition.a]\nmethod = \"sft\"\n", {"condition.a: sft.steps = 0 needs a condition"});
  // The same names occur elsewhere in the file; the line is that of the condition all the same.
  refused(study("[reward.attention]\ncap = 2.0\n", "[condition.b]\nmethod = \"grpo\"\n"),
          {"my.toml:9: condition.b: method grpo needs rewards"});
  refused(study("[sft]\nsteps = 3\n",
                "[condition.b]\nmethod = \"sft\"\nsft.steps = 0\n"
                "sft.match = \"c\"\n"),
          {"my.toml:9: condition.b: sft.steps = 0 needs a condition of method grpo named c"});
  refused(study("[grpo]\nprompts = 4\n",
                "[condition.b]\nmethod = \"grpo\"\nrewards.format = 1.0\n"
                "grpo.kl = 0.5\ngrpo.minibatches = 5\n"),
          {"my.toml:13: condition.b: minibatches must be in [1, prompts = 4]"});
  refused("[condition.'a b']\nmethod = \"none\"\n", {"a condition named 'a b'"});
  refused(study("only = [\"magic\"]\n"), {"my.toml:1: only: no condition named magic"});
}

TEST_CASE("a reward's label, under which files are kept, is a plain name") {
  const auto labelled = [](const std::string& label) {
    return "[condition.a]\nmethod = \"grpo\"\nrewards.'" + label +
           "' = { reward = \"format\", weight = 1.0 }\n";
  };
  CHECK_NOTHROW(parsed(labelled("form-2_x")));
  for (const char* label : {"../../../esc", "/tmp/esc", "a.b", "a b"})
    refused(labelled(label), {"my.toml:", std::string("a reward named '") + label + "'"});
  refused(labelled(std::string(97, 'a')), {"1 to 96 letters"});
}

TEST_CASE("layers and heads of a reward are those of the model") {
  const auto chosen = [](const std::string& reward, const std::string& options) {
    return "model = \"nano\"\n[condition.a]\nmethod = \"grpo\"\nrewards.eyes = { reward = \"" +
           reward + "\", " + options + " }\n";
  };
  for (const char* reward : {"attention", "attention_region", "attention_raw", "hybrid", "avar"}) {
    CHECK_NOTHROW(parsed(chosen(reward, "layers = [0, 1], heads = [1]")));
    refused(chosen(reward, "layers = [1, 99]"),
            {"my.toml:", "condition.a: eyes.layers: there is no 99",
             "the decoder of nano has 2 layers, 0 to 1"});
    refused(chosen(reward, "heads = [2]"), {"eyes.heads: there is no 2", "has 2 heads, 0 to 1"});
  }
  refused(study("model = \"nano\"\n[reward.attention]\nheads = [7]\n"),
          {"attention.heads: there is no 7"});
  refused(study("[reward.hybrid]\nbaseline = \"none\"\n"), {"needs centred=false"});
}

TEST_CASE("claims are refused with their line") {
  const auto claim = [](const std::string& condition, const std::string& end) {
    return study("", "[claim.c]\ntext = \"x\"\ncondition = \"" + condition +
                         "\"\nreference = \"sft\"\nmetric = \"accuracy_sampled\"\n" + end);
  };
  const std::string above = "expected = \"above\"\n";
  CHECK(parsed(claim("accuracy", above)).settings.claims.size() == 1);
  refused(claim("accuracy", ""), {"my.toml:7: claim.c", "no 'expected'"});
  refused(claim("accuracy", "expected = \"undecided\"\n"), {"my.toml:7: claim.c", "undecided"});
  refused(claim("accuracy", above + "margin = -1.0\n"), {"my.toml:7: claim.c", "margin"});
  refused(claim("accuracy", above + "rule = \"above\"\n"), {"my.toml:7: claim.c", "rule"});
  refused(claim("magic", above), {"my.toml:7: claim.c: no condition named 'magic'"});
  refused(claim("sft", above), {"my.toml:7: claim.c: condition and reference are both sft"});
  refused(study("",
                "[claim.b]\ntext = \"magic\"\ncondition = \"accuracy\"\nreference = \"sft\"\n"
                "metric = \"accuracy_sampled\"\nexpected = \"above\"\n" +
                    claim("magic", above).substr(study().size())),
          {"my.toml:13: claim.c: no condition named 'magic'"});
}

TEST_CASE("settings that only fail together are refused with the line of one of them") {
  refused(study("[grpo]\nkl = 0.1\nprompts = 4\nminibatches = 5\n"),
          {"my.toml:3: minibatches must"});
  refused(study("[validation]\nevery = 5\nscenes = 0\n"), {"my.toml:3: validation.scenes must be"});
  refused(study("[data]\nseed = 4\ntest_new = 0\ntest_known = 0\n"), {"my.toml:4: no test scenes"});
  refused(study("[data]\nseed = 4\nrl_templates = [\"slope\"]\n"),
          {"my.toml:3: no template is called slope"});
  refused(study("[own]\nhold_out = 1.0\n"),
          {"my.toml:2, own.hold_out: must be a number in (0, 1)"});
  refused(study("[own]\nfile = \"nowhere.jsonl\"\n"),
          {"my.toml:2: own.file: there is no nowhere.jsonl"});
  refused(study("[own]\nprompt = \"{image}\"\n"),
          {"my.toml:2: a start and a prompt template need"});
}

TEST_CASE("problems of new templates need a template that is not trained") {
  std::string trained, fresh;
  for (const auto& t : synth::templates())
    (t.is_new ? fresh : trained) += "\"" + std::string(t.id) + "\", ";
  const std::string sft = "sft_templates = [", rl = "rl_templates = [";
  for (const auto& lists : {sft + trained + fresh + "]\n", rl + fresh + "]\n",
                            sft + fresh + "]\n" + rl + trained + "]\n"}) {
    refused(study("[data]\n" + lists), {"data.test_new is 132, but all templates are trained"});
    refused(study("[data]\ntest_new = 5\n" + lists), {"my.toml:2: data.test_new is 5"});
    CHECK(error(study("[data]\ntest_new = 0\n" + lists)).empty());
    CHECK(error(study("split = \"val\"\n[data]\n" + lists)).empty());
  }
  refused(study("[data]\n" + sft + trained + fresh + "]\n"), {"my.toml:2: data.test_new"});
  const std::string one = "\"" + std::string(synth::templates().front().id) + "\"";
  refused(study("[data]\nseed = 2\n" + sft + one + ", " + one + "]\n"),
          {"my.toml:3: data.sft_templates: ", " occurs twice"});
}

TEST_CASE("a strength of cues needs cues") {
  refused(study("[data]\ntest_seed = 3\ncue_strength = 0.9\n"),
          {"my.toml:3: data.cue_strength is 0.9, but data.cues is false"});
  CHECK(error(study("[data]\ncues = true\ncue_strength = 0.9\n")).empty());
}

TEST_CASE("a gradient through attention needs a reward that reads the attention") {
  refused(study("[grpo]\nprompts = 4\npathwise = 0.5\n"),
          {"my.toml:9: condition.accuracy: grpo.pathwise needs a reward"});
  const std::string looks =
      "[condition.looks]\nmethod = \"grpo\"\nrewards = { attention = 1.0 }\n"
      "grpo.pathwise = 0.5\n";
  CHECK(error(study("", looks)).empty());
}

TEST_CASE("settings of pools and many samples that could do nothing are refused") {
  const std::string edge = "[data]\nrl_templates = [\"" + synth::templates()[1].id + "\"]\n";
  const auto with_pool = [](const std::string& pool) {
    return "[condition.c]\nmethod = \"sft\"\nsft.steps = 1\npool = " + pool + "\n";
  };
  refused(study("", with_pool("\"val\"")),
          {"my.toml:10, pool: must be one of sft, rl, got \"val\""});
  refused(study("", with_pool("3")), {"my.toml:10, pool: must be one of sft, rl, got 3"});
  refused(study("", with_pool("\"rl\"")), {"my.toml:7: condition.c.pool: rl has no problems"});
  CHECK(parsed(study(edge, with_pool("\"rl\""))).settings.conditions.back().pool() == Pool::rl);
  CHECK(parsed(study(edge, with_pool("\"sft\""))).settings.conditions.back().pool() == Pool::sft);
  refused(study("data.rl_share = 0.1\n"), {"my.toml:1: data.rl_share is 0.1, but there are no"});
  refused(study("data.rl_share = 1.5\n"), {"my.toml:1, data.rl_share: must be"});
  CHECK(parsed(study(edge + "rl_share = 0.1\n")).settings.rl_share == 0.1);
  refused(study("[evaluation]\nsamples = 4\nmany = 4\n"), {"my.toml:3: evaluation.many must be 0"});
  refused(study("[evaluation]\nmany = 1025\n"), {"my.toml:2, evaluation.many: must be"});
  refused(study("[evaluation]\nmany = 8\nmany_share = 0.0\n"),
          {"my.toml:3: evaluation.many_share must be above 0"});
}

TEST_CASE("presets that are not selected are checked too") {
  const std::string presets = "[preset.quick]\n[preset.other]\n";
  refused(study("", presets + "grpo.steps = 0\n"), {"my.toml:9, grpo.steps: must be"});
  refused(study("", presets + "condition.b.method = \"grpo\"\n"), {"my.toml:9: condition.b: "});
  refused(study("", presets + "preset.deep.model = \"nano\"\n"),
          {"my.toml:9: a preset has no presets of its own"});
}

TEST_CASE("supervised steps keep their GRPO condition when others are added") {
  CHECK(parsed(study()).settings.sft.match == "accuracy");
}

TEST_CASE("claims about what an evaluation leaves out are refused") {
  const auto claim = [](const std::string& settings, const std::string& reference,
                        const std::string& metric) {
    return study("[evaluation]\nsamples = 4\n" + settings,
                 "[condition.cool]\nmethod = \"none\"\ntemperatures = [0.5]\n[claim.c]\ntext = "
                 "\"x\"\ncondition = \"accuracy\"\nreference = \"" +
                     reference + "\"\nmetric = \"" + metric + "\"\nexpected = \"above\"\n");
  };
  CHECK(error(claim("", "cool@0.5", "accuracy_sampled")).empty());
  CHECK(error(claim("", "cool@0.5", "pass@4")).empty());
  CHECK(error(claim("many = 8\n", "cool", "pass@8")).empty());
  for (const char* metric : {"pass@8", "accuracy_blank", "accuracy_swapped_greedy",
                             "accuracy_own_minus_swapped", "reward_accuracy"})
    refused(claim("many = 8\n", "cool@0.5", metric), {"is not measured at further temperatures"});
  refused(claim("", "cool", "accuracy_gold_look"), {"needs evaluation.gold_look = true"});
  CHECK(error(claim("gold_look = true\n", "cool", "accuracy_gold_look")).empty());
}

TEST_CASE("claims that no result could decide are refused with their line") {
  const auto claim = [](const std::string& metric, const std::string& slice) {
    return study(
        "[evaluation]\nsamples = 6\n",
        "[claim.c]\ntext = \"x\"\ncondition = \"accuracy\"\nreference = \"sft\"\nmetric = \"" +
            metric + "\"\nexpected = \"above\"\nslice = { " + slice + " }\n");
  };
  const std::string line = "my.toml:9: claim.c";
  refused(claim("accuracy", ""), {line + ": no metric named 'accuracy'", "accuracy_sampled"});
  refused(claim("reward_gold", ""), {line, "'gold' is not one of", "rubric", "accuracy.format"});
  refused(claim("pass@8", ""), {line + ": pass@8 needs at least 8 samples", "there are 6"});
  refused(claim("pass@3", ""), {line + ": pass@3 is not measured"});
  refused(claim("pass@two", ""), {line + ": pass@two is not pass@k"});
  refused(claim("length", "split = \"test\""), {line + ", slice.split: 'test' is not one of all"});
  refused(claim("length", "format = \"mc\""), {line + ", slice.format: 'mc'"});
  refused(claim("length", "kind = \"domains\""), {line + ", slice.kind: 'domains'"});
  refused(claim("length", "kind = \"domain\", name = \"Optic\""), {line, "'Optic'", "Optics"});
  refused(claim("length", "kind = \"needs_image\", name = \"maybe\""), {line, "'maybe'"});
  refused(claim("unit", "kind = \"template\", split = \"all\", name = \"x\""), {line, "'x'"});
  refused(claim("unit", "kind = \"template\", name = \"*\""), {line, "slice.split", "must be all"});
  refused(claim("length", "kind = \"template\", split = \"all\", name = \"*\""),
          {line + ": the metric length is not measured on slices of kind template"});
  refused(claim("reward_rubric", "kind = \"domain\", name = \"*\""), {line, "reward_rubric"});
  for (const char* metric : {"pass@1", "pass@4", "pass@6", "look_score", "reward_rubric",
                             "reward_hybrid_ungated", "reward_accuracy.format_correctness"})
    CHECK(parsed(claim(metric, "")).settings.claims.size() == 1);
  CHECK(parsed(claim("unit", "kind = \"subfield\", split = \"all\", name = \"any\""))
            .settings.claims.size() == 1);
  const std::string two = synth::templates()[0].id + "+" + synth::templates()[1].id;
  CHECK(parsed(claim("pass@4", "kind = \"template\", name = \"" + two + "\"")).runs.size() == 1);
  refused(claim("unit", "kind = \"template\", name = \"" + two + "+slope\""), {line, "'slope'"});
  const std::string cold = "condition.cold = { method = \"none\", temperatures = [0.25] }\n";
  const auto against = [](const std::string& reference) {
    return "[claim.c]\ntext = \"x\"\ncondition = \"accuracy\"\nreference = \"" + reference +
           "\"\nmetric = \"accuracy_sampled\"\nexpected = \"above\"\n";
  };
  CHECK(parsed(cold + study("", against("cold@0.25"))).runs.size() == 1);
  refused(cold + study("", against("cold@0.5")), {"no condition named 'cold@0.5'"});
  refused(study("[evaluation]\nsamples = 4\nk = [2, 8]\n"),
          {"my.toml:3: evaluation.k: 8 is above evaluation.samples, 4"});
}

TEST_CASE("a folder with the name of a built-in study does not hide it") {
  const gaze::test::Folder folder("study_name");
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::create_directories(folder.path / "first");
  std::filesystem::current_path(folder.path);
  const std::string error = error_of([] { read_study("first"); });
  std::filesystem::current_path(before);
  CHECK(error.empty());
}

TEST_CASE("a preset overlays the study, and changes from outside overlay the preset") {
  const std::string text = study("model = \"tiny\"\n[grpo]\nsteps = 7\nkl = 0.5\n",
                                 "[preset.small]\nmodel = \"nano\"\ngrpo.steps = 3\n"
                                 "condition.accuracy.rewards.format = 0.25\n"
                                 "[preset.other]\n");
  CHECK(parsed(text).settings.model == "tiny");
  CHECK(parsed(text).settings.preset.empty());
  const AblationSettings s = parsed(text, {"small", {}}).settings;
  CHECK(s.preset == "small");
  CHECK(s.model == "nano");
  CHECK(s.grpo_steps == 3);
  CHECK(s.grpo.loss.kl == 0.5);
  CHECK(s.conditions[1].rewards[0].weight == 1.0);
  CHECK(s.conditions[1].rewards[1].weight == 0.25);
  const AblationSettings own =
      parsed(text, {"small", {{"grpo.steps", 9, "--steps"}, {"seeds", {4}, "--seed"}}}).settings;
  CHECK(own.grpo_steps == 9);
  CHECK(own.seeds == std::vector<std::int64_t>{4});
  CHECK(contains(error(text, {"huge", {}}), "no preset named huge; there are small, other"));
  CHECK(
      contains(error(text, {"", {{"grpo.steps", 0, "--steps"}}}), "--steps, grpo.steps: must be"));
  CHECK(contains(error(study(), {"quick", {}}), "no preset named quick; it has none"));
}

TEST_CASE("a condition has the study's settings with its own changes") {
  const AblationSettings s =
      parsed(study("[grpo]\nvariant = \"dapo\"\nkl = 0.5\n",
                   "grpo.kl = 0.1\ngrpo.variant = \"grpo\"\nevaluation.temperature = 0.5\n"
                   "[condition.dapo]\nmethod = \"grpo\"\nrewards.format = 1.0\n"))
          .settings;
  CHECK(s.grpo.loss.clip_high == 0.28);
  CHECK(s.grpo.resample == 3);
  const AblationSettings own = settings_of(s, condition(s, "accuracy"));
  CHECK(own.grpo.loss.clip_high == 0.2);
  CHECK(own.grpo.loss.kl == 0.1);
  CHECK(own.grpo.resample == 0);
  CHECK(own.evaluation.sampling.temperature == 0.5);
  CHECK(settings_of(s, condition(s, "dapo")).grpo.loss.kl == 0.5);
}

TEST_CASE("options of a reward are those of the condition, then of the study") {
  const AblationSettings s =
      parsed(study("[reward.attention]\ncap = 2.0\nneutral = 0.25\n",
                   "[condition.looking]\nmethod = \"grpo\"\n"
                   "rewards.eyes = { weight = 2.0, reward = \"attention\", cap = 3.0 }\n"))
          .settings;
  const RewardMix mix = mix_of(condition(s, "looking"), s.reward_options);
  REQUIRE(mix.terms.size() == 1);
  CHECK(mix.terms[0].reward.name == "eyes");
  CHECK(mix.terms[0].weight == 2.0);
  CHECK(mix.terms[0].reward.options["cap"] == 3.0);
  CHECK(mix.terms[0].reward.options["neutral"] == 0.25);
}

TEST_CASE("a grid is every combination of its values") {
  const Study s = parsed(study("",
                               "[grid]\n\"grpo.rate\" = [1e-4, 3e-4]\n"
                               "\"condition.accuracy.rewards.format\" = [0.0, 0.5, 1.0]\n"));
  REQUIRE(s.runs.size() == 6);
  CHECK(s.runs[1].settings.grpo_rate == 1e-4);
  CHECK(s.runs[1].settings.conditions[1].rewards[1].weight == 0.5);
  CHECK(s.runs[5].settings.grpo_rate == 3e-4);
  CHECK(s.runs[5].settings.grid["grpo.rate"] == 3e-4);
  CHECK(s.runs[0].label == "grpo.rate=0.0001,condition.accuracy.rewards.format=0.0");
  CHECK(parsed(study()).runs.size() == 1);
  CHECK(parsed(study()).runs[0].label.empty());
  refused(study("", "[grid]\n\"grpo.rates\" = [1.0]\n"), {"my.toml:8: no setting named"});
  refused(study("", "[grid]\n\"grpo.rate\" = 1.0\n"), {"my.toml:8, grpo.rate: must be a list"});
  refused(study("", "[grid]\n\"grpo.rate\" = [1.0, -1.0]\n"), {"my.toml:8, grpo.rate: must be"});
  refused(study("", "[grid]\n\"grpo.rate\" = [1.0, 1.0]\n"), {"my.toml:8, grpo.rate: two runs"});
}

TEST_CASE("a grid whose values change nothing is refused") {
  const auto grid = [](const std::string& lines) {
    return study("", "[grid]\nsplit = [\"test\"]\n" + lines);
  };
  refused(grid("\"grpo.kl\" = [0, 0.0]\n"), {"my.toml:9, grpo.kl: two runs of the grid"});
  refused(grid("\"preset.zz.model\" = [\"nano\"]\n"),
          {"my.toml:9, preset.zz.model: a grid varies"});
  refused(grid("\"grid.x\" = [1, 2]\n"), {"my.toml:9, grid.x: a grid varies"});
  refused(grid("\"claim.c.margin\" = [0.1]\n"), {"my.toml:9, claim.c.margin: a grid varies"});
  refused(grid("checkpoint_every = [1, 2]\n"),
          {"my.toml:9, checkpoint_every: two runs of the grid have the same settings"});
  refused(grid("\"prompts.letters\" = [\"a b\", \"a_b\"]\n"),
          {"my.toml:9, prompts.letters: two runs of the grid have the same folder"});
  refused(grid("\"prompts.letters\" = [\"" + std::string(300, 'a') + "\"]\n"),
          {"my.toml:8: the folder of a run would have a name of 327 bytes, at most 255"});
}

TEST_CASE("every built-in study and preset survives a round trip through its text") {
  for (const auto& [name, text] : embedded_studies())
    for (const std::string& preset : presets_in(text)) {
      INFO(name << ", " << preset);
      const Study before = read_study(name, {preset, {}});
      const Study after = parse_study(study_toml(before), "again.toml");
      io::OrderedJson a = settings_json(before.settings), b = settings_json(after.settings);
      for (auto* j : {&a, &b}) j->erase("preset");
      CHECK(a == b);
      CHECK(study_toml(after).substr(study_toml(after).find('\n')) ==
            study_toml(before).substr(study_toml(before).find('\n')));
    }
}

TEST_CASE("a round trip keeps requested settings, conditions' changes, the grid and odd texts") {
  const Study before =
      parsed(study("[prompts]\nletters = \"a\\\"b\\\\ \\u007f \\n é\"\n"
                   "[grpo]\nvariant = \"dapo\"\nclip_high = 0.2\nkl_limit = inf\n"
                   "[reward.attention]\ncap = 2.0\n",
                   "temperatures = [0.25, 1.0]\ngrpo.variant = \"gspo\"\n"
                   "[condition.looking]\nmethod = \"grpo\"\nmeaning = \"looks\"\n"
                   "rewards.eyes = { weight = 2.0, reward = \"attention\", layers = [0] }\n"
                   "[grid]\n\"grpo.kl\" = [0.0, 0.1]\nsplit = [\"val\", \"test\"]\n"));
  const Study after = parse_study(study_toml(before), "again.toml");
  REQUIRE(after.runs.size() == 4);
  for (std::size_t i = 0; i < after.runs.size(); ++i) {
    CHECK(settings_json(after.runs[i].settings) == settings_json(before.runs[i].settings));
    for (const Condition& c : before.settings.conditions)
      CHECK(rl::options_json(settings_of(after.runs[i].settings, c).grpo) ==
            rl::options_json(settings_of(before.runs[i].settings, c).grpo));
  }
  CHECK(after.settings.prompts.letters == before.settings.prompts.letters);
}

TEST_CASE("the configuration has every setting that decides results") {
  const io::OrderedJson j = settings_json(ablation_preset("quick"));
  for (const char* key :
       {"slot_weight", "none_weight", "mixed_rate", "corruption.lazy", "corruption.unit",
        "optimiser.beta2", "optimiser.warmup", "optimiser.floor", "optimiser.weight_decay"})
    CHECK(j["warm_start"].contains(key));
  CHECK(j["grpo"]["optimiser.beta2"] == 0.95);
  CHECK(j["sft"]["probe"] == 4);
  CHECK(j["condition"]["accuracy"]["rewards"]["format"]["weight"] == 0.5);
  CHECK(j["validation"]["every"] == 25);
  CHECK_FALSE(j.contains("checkpoint_every"));
  CHECK_FALSE(j.contains("own"));
  for (const auto& f : study_fields()) CHECK_FALSE(f.meaning.empty());
}

TEST_CASE("the default study has the first study's settings") {
  const AblationSettings now = ablation_preset("quick"), first = read_study("first").settings;
  io::OrderedJson a = settings_json(now), b = settings_json(first);
  for (const char* part : {"data", "warm_start", "sft", "grpo", "evaluation", "prompts"})
    CHECK(a[part] == b[part]);
  CHECK(now.conditions.size() == 11);
  CHECK(first.conditions.size() == 8);
  CHECK(matched_condition(now, condition(now, "rft")).name == "accuracy");
}

TEST_CASE("values are written as TOML on one line") {
  CHECK(toml_text(io::OrderedJson{{"a b", {1, 2.5, "x"}}}) == "{ \"a b\" = [1, 2.5, \"x\"] }");
  CHECK(toml_text(std::numeric_limits<double>::infinity()) == "inf");
}

}  // namespace test_study_file
