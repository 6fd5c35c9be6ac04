// SPDX-License-Identifier: MIT
// Fuzz target: a reply judged by the strict rule and by the text rewards, for a problem from the
// same hostile bytes. Rewards lie in [0, 1]. The first byte chooses form and parts of the problem.
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

#include "phyx/answer/arithmetic.hpp"
#include "phyx/answer/direction.hpp"
#include "phyx/answer/plain_text.hpp"
#include "phyx/answer/quantity.hpp"
#include "phyx/answer/response.hpp"
#include "phyx/answer/strict_rule.hpp"
#include "phyx/answer/units.hpp"
#include "phyx/rewards/hybrid.hpp"
#include "phyx/rewards/registry.hpp"
#include "phyx/rewards/rubric.hpp"
#include "tests/fuzz/target.hpp"

namespace fuzz_answer {

using namespace gaze::phyx;

using gaze::fuzz::require;

std::string next(gaze::fuzz::Pieces& pieces) { return std::string(pieces.next()); }

Problem problem_of(gaze::fuzz::Pieces& pieces, unsigned flags) {
  Problem p;
  p.form = flags & 1 ? Form::mc : Form::oe;
  p.index = "1";
  p.question = next(pieces);
  if (p.form == Form::mc) {
    p.answer = std::string(1, static_cast<char>('A' + ((flags >> 1) & 3)));
    for (auto& option : p.options) option = next(pieces);
  } else {
    p.answer = next(pieces);
  }
  if (flags & 8) {
    p.solution.value = next(pieces);
    p.solution.unit = next(pieces);
    p.solution.principle = next(pieces);
    p.solution.steps = {next(pieces)};
    p.solution.look = {next(pieces)};
  }
  return p;
}

void parse_all(const Problem& p, const std::string& text) {
  grade_completion(p, text);
  split_think(text);
  find_equations(text);
  numbers_in(text);
  direction_of(text);
  plain_text::flatten(text);
  if (const auto q = parse_quantity(text)) {
    require(std::isfinite(q->value), "not a finite value");
    known_unit(q->unit);
    for (const double v : conversions(q->value, q->unit, p.solution.unit))
      require(std::isfinite(v), "not a finite conversion");
  }
  known_unit(text);
  conversions(1.5, text, "m");
  commensurable(text, p.answer);
}

void score_all(const Problem& p, const std::string& text) {
  Completion done;
  done.text = text;
  done.length = 3;
  RubricConfig config;
  config.principles = {"newton second law", p.solution.principle};
  const double total = rubric_total(rubric_terms({p, done}, config), config);
  require(total >= 0 && total <= 1, "rubric outside its range");
  for (const char* name : {"format", "accuracy", "rubric"}) {
    const auto v = make_reward(name).score({p, done});
    require(!v || (*v >= 0 && *v <= 1), "reward outside its range");
  }
  claims_to_see(p, parse_response(text));
}

void write_all(const Problem& p) {
  gold_response(p);
  const std::vector<Problem> all = {p};
  const auto lexicon = Lexicon::from(all);
  CorruptionMix mix;
  mix.share = 1;
  for (std::uint64_t key = 0; key < 4; ++key) corrupted_response(p, lexicon, mix, key);
}

void run(std::string_view input) {
  if (input.empty()) return;
  const auto flags = static_cast<unsigned char>(input[0]);
  gaze::fuzz::Pieces pieces{input.substr(1)};
  const Problem p = problem_of(pieces, flags);
  std::string text(pieces.rest);
  if (flags & 16)
    text = "<think> principle " + p.solution.principle + " . " + text + " so " + text +
           " </think> <answer> " + text + " </answer>";
  parse_all(p, text);
  score_all(p, text);
  write_all(p);
}

const gaze::fuzz::Target target("answer", run);

}  // namespace fuzz_answer
