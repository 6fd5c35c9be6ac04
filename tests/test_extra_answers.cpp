// SPDX-License-Identifier: MIT
// Further answers for rewards: continued look sections and swapped pictures, independent of the
// batch.
#include "gaze/cpu/kernels.hpp"
#include "gaze/generate/rollout.hpp"
#include "phyx/eval/attempt.hpp"
#include "phyx/eval/other_pictures.hpp"
#include "phyx/study/task.hpp"
#include "tests/small_model.hpp"
#include "tests/small_world.hpp"
#include "tests/texts.hpp"

namespace test_extra_answers {
namespace {

using namespace gaze;
using namespace gaze::phyx;
using gaze::test::contains;
using gaze::test::error_of;
using gaze::test::small_world::World;
using gaze::test::small_world::world;
using Prompts = std::vector<rl::TaskPrompt<Model<Cpu>>>;

constexpr std::uint64_t seed = 3;
constexpr Index group = 3;

SamplingSettings sampling() {
  SamplingSettings s;
  s.max_tokens = 9;
  return s;
}

Prompts all_prompts() {
  Prompts out;
  for (std::size_t i = 0; i < world().examples.size(); i += 7)
    out.push_back({&world().examples[i].prompt, 100 + i, i});
  return out;
}

/// Completions with a look section to continue; a cut-off one and one without tags among them.
std::vector<SampledTokens> completions_of(const Prompts& prompts) {
  std::vector<SampledTokens> out;
  for (std::size_t i = 0; i < prompts.size() * group; ++i) {
    const Problem& p = world().examples[prompts[i / group].index].problem;
    SampledTokens c;
    c.tokens = world().maker->response(i % group == 1 ? "no idea" : gold_response(p));
    c.ended = i % group != 2;
    if (!c.ended) c.tokens.resize(2);
    out.push_back(c);
  }
  return out;
}

std::vector<phyx::Completion> texts_of(const Prompts& prompts,
                                       const std::vector<SampledTokens>& completions) {
  std::vector<phyx::Completion> out;
  for (std::size_t i = 0; i < completions.size(); ++i)
    out.push_back(world().maker->completion(completions[i], *prompts[i / group].prompt));
  return out;
}

FurtherAnswers answers(const Prompts& prompts) {
  const World& w = world();
  const ExtraAnswers<Cpu> extra(*w.model, w.examples, *w.maker, sampling(), seed,
                                {true, true, true});
  const auto completions = completions_of(prompts);
  return extra(prompts, completions, texts_of(prompts, completions));
}

std::string text(const std::optional<phyx::Completion>& c) { return c ? c->text : "none"; }

}  // namespace

TEST_CASE("further answers do not depend on the batch") {
  const Prompts prompts = all_prompts();
  const FurtherAnswers all = answers(prompts);
  REQUIRE(all.from_look.size() == prompts.size() * group);
  REQUIRE(all.twin.size() == prompts.size() * group);
  REQUIRE(all.swapped.size() == prompts.size());
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    INFO(i);
    const FurtherAnswers one = answers({prompts[i]});
    CHECK(text(one.swapped[0]) == text(all.swapped[i]));
    for (std::size_t g = 0; g < group; ++g) {
      CHECK(one.from_look[g].text == all.from_look[i * group + g].text);
      CHECK(text(one.twin[g]) == text(all.twin[i * group + g]));
    }
  }
}

TEST_CASE("a continued look section keeps its words and loses the picture") {
  const Prompts prompts = all_prompts();
  const auto said = texts_of(prompts, completions_of(prompts));
  const FurtherAnswers all = answers(prompts);
  for (std::size_t i = 0; i < said.size(); ++i) {
    const Problem& p = world().examples[prompts[i / group].index].problem;
    std::string look = i % group == 1 ? "" : "<think>";
    if (i % group == 0 && !p.solution.look.empty())
      look = said[i].text.substr(0, said[i].text.find(" . "));
    INFO(said[i].text << " -> " << all.from_look[i].text);
    CHECK(all.from_look[i].text.starts_with(look));
    CHECK(all.from_look[i].attention.tokens == 0);
  }
}

TEST_CASE("a partner has another answer and shows other facts") {
  const auto partners = [](const std::vector<std::pair<std::string, std::string>>& solutions) {
    std::vector<Example> examples(solutions.size(), world().examples.front());
    for (std::size_t i = 0; i < examples.size(); ++i) {
      auto& s = examples[i].problem.solution;
      s.value = solutions[i].first;
      s.look.clear();
      if (!solutions[i].second.empty()) s.look = {solutions[i].second};
    }
    return swap_partners(examples);
  };
  using Partners = std::vector<std::size_t>;
  // By value and look section: 0 and 1 differ in their questions alone.
  CHECK(partners({{"8", "mass = 4 kg"}, {"12", "mass = 4 kg"}, {"6", "mass = 3 kg"}}) ==
        Partners{2, 2, 0});
  CHECK(partners({{"8", "mass = 4 kg"}, {"12", "mass = 4 kg"}}) == Partners{0, 1});
  CHECK(partners({{"8", "mass = 4 kg"}, {"8", "mass = 2 kg"}}) == Partners{0, 1});
  CHECK(partners({{"8", ""}, {"12", ""}}) == Partners{1, 0});  // no facts known
  CHECK(partners({{"8", "mass = 4 kg"}, {"12", ""}}) == Partners{1, 0});
}

TEST_CASE("a twin draws the completion's random numbers with the partner's picture") {
  const World& w = world();
  const Prompts prompts = all_prompts();
  const FurtherAnswers all = answers(prompts);
  const auto partner = swap_partners(w.examples);
  std::size_t swapped = 0;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    INFO(i);
    const Pixels picture = swapped_picture(w.examples, partner, prompts[i].index);
    CHECK(all.swapped[i].has_value() == (picture != nullptr));
    CHECK(all.twin[i * group].has_value() == (picture != nullptr));
    if (!picture) continue;
    ++swapped;
    CHECK(picture != prompts[i].prompt->rgb);
    const auto& look = w.examples[prompts[i].index].problem.solution.look;
    if (!look.empty()) CHECK(look != w.examples[partner[prompts[i].index]].problem.solution.look);
    models::Prompt other = *prompts[i].prompt;
    other.rgb = picture;
    const std::vector<const models::Prompt*> one = {&other};
    const std::vector<std::uint64_t> id = {prompts[i].id};
    const auto want =
        rollout(*w.model, std::span<const models::Prompt* const>(one), group, sampling(),
                w.tokenizer.end(), Philox(seed, Purpose::sampling), id, models::Watch::nothing);
    for (std::size_t g = 0; g < group; ++g)
      CHECK(text(all.twin[i * group + g]) == w.maker->completion(want[g], other).text);
  }
  CHECK(swapped > 0);
}

TEST_CASE("a task generates the answers that its rewards need") {
  const World& w = world();
  PhyxTask<Cpu> source(w.examples, *w.maker, w.config,
                       mix_of({{"vision_sr1", 1}, {"contrast", 1}, {"random", 1}}), seed);
  CHECK(contains(error_of([&] { source.task(); }), "call answer_with()"));
  source.answer_with(*w.model, sampling());
  const Prompts prompts = all_prompts();
  const auto completions = completions_of(prompts);
  Metrics metrics;
  const auto table = source.task(true).table(0, prompts, completions, metrics);
  REQUIRE(table.rows.size() == completions.size());
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    for (const auto& part : table.rows[i]) CHECK(part.has_value());
    if (i % group == 0) CHECK(*table.rows[i][0] >= 2);  // right and well-formed
    if (i % group == 0) CHECK(*table.rows[i][1] >= 1);
    if (i % group == 1) CHECK(*table.rows[i][1] == 0);
  }
  Metrics again;
  CHECK(source.task(true).table(0, prompts, completions, again).rows == table.rows);
}

}  // namespace test_extra_answers
