// SPDX-License-Identifier: MIT
// From problems to a report, inside one process: evaluation, settings, a whole ablation.
#include <filesystem>
#include <set>

#include "gaze/cpu/kernels.hpp"
#include "phyx/answer/strict_rule.hpp"
#include "phyx/eval/ask.hpp"
#include "phyx/eval/evaluator.hpp"
#include "phyx/eval/showcase.hpp"
#include "phyx/eval/trained_model.hpp"
#include "phyx/results/csv.hpp"
#include "phyx/study/ablation.hpp"
#include "phyx/study/conditions.hpp"
#include "phyx/study/task.hpp"
#include "phyx/synth/suite.hpp"
#include "phyx/train/lessons.hpp"
#include "phyx/train/vocabulary.hpp"
#include "phyx/train/warm_start.hpp"
#include "tests/folder.hpp"
#include "tests/small_model.hpp"
#include "tests/small_world.hpp"
#include "tests/texts.hpp"

namespace test_pipeline {
namespace {

using namespace gaze;
using gaze::test::contains;
using gaze::test::error_of;
using gaze::test::Folder;
using gaze::test::small_world::World;
using gaze::test::small_world::world;
using namespace gaze::phyx;
namespace fs = std::filesystem;
using Ids = std::vector<std::int32_t>;

bool same(const Attempt& a, const Attempt& b) {
  return a.correct == b.correct && a.parsed == b.parsed && a.well_formed == b.well_formed &&
         a.official == b.official && a.principle == b.principle && a.unit == b.unit &&
         a.truncated == b.truncated && a.length == b.length &&
         test::bits({a.attention}) == test::bits({b.attention});
}

bool same(const Outcome& a, const Outcome& b) {
  if (a.sampled.size() != b.sampled.size()) return false;
  for (std::size_t i = 0; i < a.sampled.size(); ++i)
    if (!same(a.sampled[i], b.sampled[i])) return false;
  return same(a.greedy, b.greedy) && a.index == b.index && a.blank.greedy == b.blank.greedy &&
         a.blank.sampled == b.blank.sampled && a.swapped.greedy == b.swapped.greedy &&
         a.swapped.sampled == b.swapped.sampled;
}

std::vector<io::OrderedJson> lines_of(const fs::path& path) {
  std::istringstream in(io::read_file(path.string()));
  std::vector<io::OrderedJson> out;
  std::string line;
  while (std::getline(in, line)) out.push_back(io::OrderedJson::parse(line));
  return out;
}

AblationSettings smallest() {
  AblationSettings s = ablation_preset("smoke");
  s.train_scenes = 30;
  s.test_known = s.test_new = 8;
  s.warm.vision_steps = s.warm.caption_steps = s.warm.clean_steps = s.warm.mixed_steps = 2;
  s.warm.batch = 4;
  s.max_tokens = 10;
  s.grpo_steps = 2;
  return s;
}

}  // namespace

TEST_CASE("evaluation outcomes do not depend on the batch size") {
  const World& w = world();
  const std::vector<Example> some(w.examples.begin() + 20, w.examples.begin() + 34);
  std::vector<Outcome> first;
  for (const Index batch : {48, 5, 1}) {
    EvaluationSettings s;
    s.samples = 2;
    s.batch = batch;
    s.seed = 9;
    s.sampling.max_tokens = 10;
    std::size_t told = 0, kept = 0;
    const auto outcomes = Evaluator(*w.model, *w.maker, s)(
        some,
        [&](std::size_t done, std::size_t all) {
          CHECK(done > told);
          CHECK(all == some.size());
          told = done;
        },
        [&](std::size_t i, const std::vector<phyx::Completion>& all) {
          CHECK(i == kept++);
          CHECK(all.size() == 3);
        });
    CHECK(told == some.size());
    CHECK(kept == some.size());
    REQUIRE(outcomes.size() == some.size());
    if (first.empty()) first = outcomes;
    for (std::size_t i = 0; i < some.size(); ++i) {
      INFO("batch " << batch << ", problem " << i);
      CHECK(same(outcomes[i], first[i]));
      CHECK(outcomes[i].index == "train/" + some[i].problem.index);
      CHECK(outcomes[i].sampled.size() == 2);
      CHECK(outcomes[i].blank.sampled.size() == (some[i].problem.needs_image ? 1 : 0));
    }
  }
}

TEST_CASE("many samples continue those of the evaluation, on a fixed part of the scenes") {
  const World& w = world();
  const std::vector<Example> some(w.examples.begin(), w.examples.begin() + 16);
  EvaluationSettings s;
  s.samples = 2;
  s.many = 5;
  s.many_share = 0.5;
  s.sampling.max_tokens = 10;
  std::vector<Outcome> first;
  for (const Index batch : {48, 3}) {
    s.batch = batch;
    const auto outcomes = Evaluator(*w.model, *w.maker, s)(some, {});
    std::size_t chosen = 0;
    for (std::size_t i = 0; i < some.size(); ++i) {
      const Outcome& o = outcomes[i];
      CHECK(o.many.empty() != in_share(some[i].problem, 0.5));
      chosen += !o.many.empty();
      for (std::size_t j = 0; j < 2 && !o.many.empty(); ++j)
        CHECK(o.many[j] == o.sampled[j].correct);
      if (!first.empty()) CHECK(o.many == first[i].many);
    }
    CHECK(chosen > 0);
    CHECK(chosen < some.size());
    first = outcomes;
  }
  std::size_t quarter = 0;
  for (const Example& e : w.examples) quarter += in_share(e.problem, 0.25);
  CHECK(std::abs(static_cast<double>(quarter) / static_cast<double>(w.examples.size()) - 0.25) <
        0.1);
  Problem mc = w.examples[0].problem, oe = mc;
  mc.form = Form::mc;
  oe.form = Form::oe;
  CHECK(in_share(mc, 0.25) == in_share(oe, 0.25));
}

TEST_CASE("the gold look section is a prefix without the answer") {
  Problem p = world().examples[0].problem;
  p.solution.look = {"mass = 5 kg", "force = 10 N"};
  CHECK(gold_look(p) == "<think> mass = 5 kg , force = 10 N .");
  CHECK(gold_response(p).rfind(gold_look(p), 0) == 0);
  p.solution.principle = "";
  p.solution.steps.clear();
  CHECK(gold_look(p) == "<think> mass = 5 kg , force = 10 N .");
  p.solution.look = {" "};
  CHECK(gold_look(p).empty());
}

TEST_CASE("answers after the gold look section are of the problems that have one") {
  const World& w = world();
  const std::vector<Example> some(w.examples.begin(), w.examples.begin() + 16);
  EvaluationSettings s;
  s.samples = 1;
  s.gold_look = true;
  s.sampling.max_tokens = 10;
  std::vector<Outcome> first;
  for (const Index batch : {48, 3}) {
    s.batch = batch;
    const auto outcomes = Evaluator(*w.model, *w.maker, s)(some, {});
    for (std::size_t i = 0; i < some.size(); ++i) {
      const bool looks = !some[i].problem.solution.look.empty();
      CHECK(outcomes[i].gold_look.greedy.has_value() == looks);
      CHECK(outcomes[i].gold_look.sampled.size() == (looks ? 1 : 0));
      const Outcome read = outcome_from_json(outcome_to_json(outcomes[i]), "here");
      CHECK(read.gold_look.greedy == outcomes[i].gold_look.greedy);
      if (!first.empty()) CHECK(outcomes[i].gold_look.greedy == first[i].gold_look.greedy);
    }
    first = outcomes;
  }
  const Problem& p = some[0].problem;
  const std::string look = gold_look(p), whole = gold_response(p);
  CHECK(whole.rfind(look, 0) == 0);
  CHECK(whole.substr(look.size()).rfind(" principle ", 0) == 0);
  CHECK(look.find(p.solution.look.back()) != look.npos);
}

TEST_CASE("a problem's samples depend only on its id") {
  const World& w = world();
  EvaluationSettings s;
  s.sampling.max_tokens = 10;
  const Evaluator evaluator(*w.model, *w.maker, s);
  std::vector<models::Prompt> prompts;
  for (std::size_t i = 0; i < 6; ++i) prompts.push_back(w.examples[i].prompt);
  const std::vector<std::uint64_t> all = {0, 1, 2, 3, 4, 5}, few = {4, 1};
  const auto both = test::pointers(prompts);
  const std::vector<const models::Prompt*> two = {both[4], both[1]};
  const auto whole = evaluator.complete(both, all, 3, models::Watch::marks);
  const auto part = evaluator.complete(two, few, 3, models::Watch::marks);
  for (std::size_t g = 0; g < 3; ++g) {
    CHECK(part[g].tokens == whole[12 + g].tokens);
    CHECK(part[3 + g].tokens == whole[3 + g].tokens);
    CHECK(test::bits(part[g].seen) == test::bits(whole[12 + g].seen));
    CHECK(test::bits(part[g].logp) == test::bits(whole[12 + g].logp));
  }
}

TEST_CASE("a reward mix is one reward, or a table of terms with weights") {
  const World& w = world();
  PhyxTask<Cpu> source(w.examples, *w.maker, w.config, mix_of({{"accuracy", 1.0}, {"format", 0.5}}),
                       3);
  const auto prompts = source.task().prompts(0, 0, 2);
  std::vector<gaze::SampledTokens> completions(4);
  for (std::size_t i = 0; i < completions.size(); ++i) {
    const Problem& p = w.examples[prompts[i / 2].index].problem;
    completions[i].tokens = w.maker->response(i % 2 ? "no idea" : gold_response(p));
    completions[i].ended = true;
  }
  Metrics one, several;
  const auto totals = source.task().score(0, prompts, completions, one);
  const auto table = source.task(true).table(0, prompts, completions, several);
  CHECK_FALSE(source.task().table);
  CHECK_FALSE(source.task(true).score);
  CHECK(table.weights == std::vector<double>{1.0, 0.5});
  CHECK(totals == std::vector<double>{1.5, 0, 1.5, 0});
  REQUIRE(table.rows.size() == 4);
  for (std::size_t i = 0; i < 4; ++i)
    CHECK(*table.rows[i][0] + 0.5 * *table.rows[i][1] == totals[i]);
  REQUIRE(one.size() == several.size());
  for (std::size_t i = 0; i < one.size(); ++i) CHECK(one[i].first == several[i].first);
}

TEST_CASE("conditions and settings are refused by name") {
  AblationSettings s = smallest();
  s.only = {"accuracy", "magic"};
  CHECK(
      contains(error_of([&] { settle(s); }), "no condition named magic; there are sft, sft_more"));
  s = smallest();
  s.model = "giant";
  CHECK(contains(error_of([&] { settle(s); }), "no model named giant"));
  s = smallest();
  s.variant = "ppo";
  CHECK(contains(error_of([&] { settle(s); }), "no GRPO variant named ppo"));
  s = smallest();
  s.warm.corruption.share = 1.5;
  CHECK(contains(error_of([&] { settle(s); }),
                 "warm_start.corruption.share: must be a number from 0 to 1, got 1.5"));
  CHECK(contains(error_of([] { ablation_preset("huge"); }), "no preset named huge"));
}

TEST_CASE("requested settings override the variant's, however often they are resolved") {
  AblationSettings s = smallest();
  s.variant = "dapo";
  s.grpo_set = {"clip_high=0.4", "kl=0.5", "max_length=9"};
  settle(s);
  settle(s);
  CHECK(s.grpo.loss.clip_high == 0.4);
  CHECK(s.grpo.loss.clip_low == 0.2);
  CHECK(s.grpo.loss.mask_truncated);
  CHECK(s.grpo.loss.max_length == 9);
  const auto json = settings_json(s)["grpo"];
  CHECK(json["clip_high"] == 0.4);
  CHECK(json["kl"] == 0.5);
  CHECK(json["aggregation"] == "token_mean");
  CHECK(json["kl_limit"] == "inf");
}

TEST_CASE("an output folder with a run is resumed only on request and with the same settings") {
  const Folder folder("pipeline");
  const std::string out = folder.file("out");
  Ablation(smallest(), out, {}).prepare(false, "first");
  const std::string config = io::read_file(out + "/config.json");
  CHECK(contains(error_of([&] { Ablation(smallest(), out, {}).prepare(false, "second"); }),
                 out + "/config.json: folder already contains a run"));
  AblationSettings other = smallest();
  other.warm.corruption.share = 0.25;
  CHECK(contains(error_of([&] { Ablation(other, out, {}).prepare(true, "third"); }),
                 out + "/config.json, warm_start.corruption.share: "));
  other = smallest();
  other.grpo_set = {"aggregation=token_sum"};
  CHECK(contains(error_of([&] { Ablation(other, out, {}).prepare(true, "third"); }),
                 out + "/config.json, grpo.aggregation: the run to be resumed has "
                       "\"sequence_mean\", but \"token_sum\" was requested"));
  CHECK(io::read_file(out + "/config.json") == config);
  CHECK_NOTHROW(Ablation(smallest(), out, {}).prepare(true, "fourth"));
}

TEST_CASE("an ablation stopped anywhere and resumed writes the files of an uninterrupted one",
          "[slow]") {
  const Folder folder("pipeline");
  const std::string whole = folder.file("whole"), broken = folder.file("broken");
  AblationSettings s = smallest();
  s.only = {"sft", "hybrid"};
  s.grpo_set = {"kl=0.1", "reference_sync.every=1", "adaptive_entropy=true", "adaptive.target=9"};
  Ablation unbroken(s, whole, {});
  unbroken.prepare(false, "");
  unbroken.run();
  int stops = 0;
  for (bool done = false; !done;) {
    int asked = 0;
    Listener listener;
    listener.stop = [&] { return ++asked > 2; };
    Ablation part(s, broken, listener);
    part.prepare(stops > 0, "");
    try {
      part.run();
      done = true;
    } catch (const Interrupted&) {
      REQUIRE(++stops < 40);
      if (stops > 6) s.checkpoint_every = 1;  // does not affect results
    }
    if (stops >= 8) {
      Ablation rest(s, broken, {});
      rest.prepare(true, "");
      rest.run();
      done = true;
    }
  }
  CHECK(stops > 2);
  for (const char* file :
       {"tokenizer.json", "results.csv", "completions.jsonl", "warm/seed0/model.safetensors",
        "arms/hybrid/seed0/model.safetensors", "arms/hybrid/seed0/outcomes.jsonl"}) {
    INFO(file);
    CHECK(io::read_file(whole + "/" + file) == io::read_file(broken + "/" + file));
  }
}

TEST_CASE("the smoke ablation writes all documented files", "[slow]") {
  const Folder folder("pipeline");
  const fs::path out = folder.path / "out";
  AblationSettings s = ablation_preset("smoke");
  std::vector<std::string> said;
  Listener listener;
  listener.begin = [&](const std::string& what) { said.push_back(what); };
  const auto here_already = static_cast<double>(Allocator<Cpu>::in_use());
  Allocator<Cpu>::reset_peak();
  Ablation ablation(s, out.string(), listener);
  ablation.prepare(false, "gaze ablate --preset smoke");
  ablation.run();
  CHECK(said.size() > 16);
  CHECK(std::count_if(said.begin(), said.end(), [](const std::string& line) {
          return line.rfind("memory: about ", 0) == 0;
        }) == 1);

  const std::string csv = io::read_file((out / "results.csv").string());
  const std::string header = csv.substr(0, csv.find('\n'));
  for (const char* column : {"condition", "seed", "format", "slice_kind", "slice", "metric", "n",
                             "value", "low", "high"})
    CHECK(contains("," + header + ",", "," + std::string(column) + ","));
  std::map<std::string, std::set<std::string>> metrics, kinds;
  std::set<std::string> formats;
  for (const ResultRow& row : read_results((out / "results.csv").string())) {
    metrics[row.condition].insert(row.metric);
    kinds[row.condition].insert(row.slice_kind);
    formats.insert(row.format);
  }
  for (const Condition& c : s.conditions) {
    INFO(c.name);
    CHECK(metrics[c.name].size() > 8);
    CHECK(kinds[c.name].size() > 3);
    const fs::path arm = out / "arms" / c.name / "seed0";
    CHECK(fs::exists(arm / "model.safetensors"));
    CHECK_FALSE(fs::exists(arm / "state.safetensors"));
    CHECK(read_outcomes((arm / "outcomes.jsonl").string()).outcomes.size() == 112);
  }
  CHECK(formats.size() >= 2);

  std::set<std::string> trained;
  for (const auto& line : lines_of(out / "metrics.jsonl")) {
    if (line["stage"] != "grpo") continue;
    trained.insert(line["condition"].get<std::string>());
    CHECK(line["first_ratio_min"] == 1.0);
    CHECK(line["first_ratio_max"] == 1.0);
    for (const char* key :
         {"reward", "reward_std", "frac_reward_zero_std", "kl", "clip_ratio/low_mean",
          "clip_ratio/high_mean", "entropy", "completions/mean_length", "completions/clipped_ratio",
          "grad_norm", "tokens_per_second", "step_time"})
      CHECK(line.contains(key));
  }
  CHECK(trained == std::set<std::string>{"format", "accuracy", "rubric", "attention", "hybrid",
                                         "attention_region", "random"});

  std::size_t with_maps = 0;
  for (const auto& line : lines_of(out / "completions.jsonl")) {
    CHECK(line["text"].is_string());
    if (line.contains("image")) CHECK(fs::exists(out / line["image"].get<std::string>()));
    if (line.contains("attention")) ++with_maps;
  }
  CHECK(with_maps > 8);
  for (const auto& line : lines_of(out / "differing.jsonl"))
    CHECK(line["correct"] != line["official"]);

  const auto config = io::OrderedJson::parse(io::read_file((out / "config.json").string()));
  CHECK(config["command"] == "gaze ablate --preset smoke");
  CHECK(config["parameters"].get<Index>() > 10000);
  const double forecast = config["memory_bytes"]["forecast"].get<double>();
  const double used = config["memory_bytes"]["most_used"].get<double>() - here_already;
  INFO("forecast " << forecast << ", used " << used);
  CHECK(forecast > 0.9 * used);
  CHECK(forecast < 1.1 * used);
  const std::string page = io::read_file((out / "report.html").string());
  CHECK(page.size() > 50000);
  CHECK(contains(page, "</html>"));
  for (const char* load : {"src=\"http", "href=\"http", "src='http", "@import"})
    CHECK_FALSE(contains(page, load));

  const auto trained_model = load_model((out / "arms/accuracy/seed0").string());
  CHECK(trained_model->model->config().vocabulary == trained_model->tokenizer.vocab_size());
  for (const auto& entry : fs::recursive_directory_iterator(out))
    CHECK_FALSE(contains(entry.path().string(), ".tmp"));
}

TEST_CASE("an overlay has the picture's aspect ratio and is warm where the map is") {
  const auto size = [](int width, int height) {
    const auto s = overlay_size({width, height, {}});
    return std::pair(s.width, s.height);
  };
  CHECK(size(60, 30) == std::pair(512, 256));
  CHECK(size(700, 500) == std::pair(700, 500));
  CHECK(size(1000, 4096) == std::pair(250, 1024));
  CHECK(size(1, 3000) == std::pair(1, 1024));
  const gaze::image::Image white{20, 10, std::vector<std::uint8_t>(600, 255)};
  const HeatMap map{{0, 0.5f, 0, 0, 0, 1}, 2, 3};
  const auto drawn = gaze::image::decode_image(heat_overlay(white, map, {30, 20}));
  const auto blue = [&](int x, int y) {
    return int{drawn.rgb[static_cast<std::size_t>((y * 30 + x) * 3 + 2)]};
  };
  CHECK(drawn.width == 30);
  CHECK(drawn.height == 20);
  CHECK(blue(0, 0) == 255);
  CHECK(blue(15, 0) == 176);  // 0.325 of the way from 255 to 13
  CHECK(blue(29, 19) == 97);  // 0.65 of it
  CHECK(blue(29, 9) == 255);
  CHECK(blue(19, 19) == 255);
}

TEST_CASE("an overlay needs attention values that are numbers") {
  const gaze::image::Image picture{2, 2, std::vector<std::uint8_t>(12, 255)};
  CHECK_NOTHROW(attention_overlay(picture, {{0.1f, 0.2f, 0.3f, 0.4f}}, 2));
  for (const float lost : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
    CHECK_THROWS_AS(attention_overlay(picture, {{0.1f, lost, 0.3f, 0.4f}}, 2), gaze::Error);
  }
}

}  // namespace test_pipeline
