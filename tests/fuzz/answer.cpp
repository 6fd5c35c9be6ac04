// SPDX-License-Identifier: MIT
// Fuzz target: a reply judged by the strict rule and by the text rewards, for a problem from the
// same hostile bytes. Only gaze::Error may be thrown; rewards lie in [0, 1].
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "gaze/core/error.hpp"
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

using namespace gaze::phyx;

namespace {

// Pieces of the input, separated by the byte 0xFF.
struct Pieces {
  std::string_view rest;

  std::string next() {
    const auto end = rest.find('\xFF');
    const std::string out(rest.substr(0, end));
    rest = end == rest.npos ? std::string_view() : rest.substr(end + 1);
    return out;
  }
};

Problem problem_of(Pieces& pieces, unsigned flags) {
  Problem p;
  p.form = flags & 1 ? Form::mc : Form::oe;
  p.index = "1";
  p.question = pieces.next();
  if (p.form == Form::mc) {
    p.answer = std::string(1, static_cast<char>('A' + ((flags >> 1) & 3)));
    for (auto& option : p.options) option = pieces.next();
  } else {
    p.answer = pieces.next();
  }
  if (flags & 8) {
    p.solution.value = pieces.next();
    p.solution.unit = pieces.next();
    p.solution.principle = pieces.next();
    p.solution.steps = {pieces.next()};
    p.solution.look = {pieces.next()};
  }
  return p;
}

void check(bool good) {
  if (!good) std::abort();
}

void parse_all(const Problem& p, const std::string& text) {
  grade_completion(p, text);
  split_think(text);
  find_equations(text);
  numbers_in(text);
  direction_of(text);
  plain_text::flatten(text);
  if (const auto q = parse_quantity(text)) {
    check(std::isfinite(q->value));
    known_unit(q->unit);
    for (const double v : conversions(q->value, q->unit, p.solution.unit)) check(std::isfinite(v));
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
  check(total >= 0 && total <= 1);
  for (const char* name : {"format", "accuracy", "rubric"}) {
    const auto v = make_reward(name).score({p, done});
    check(!v || (*v >= 0 && *v <= 1));
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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const unsigned flags = data[0];
  Pieces pieces{{reinterpret_cast<const char*>(data) + 1, size - 1}};
  const Problem p = problem_of(pieces, flags);
  std::string text(pieces.rest);
  if (flags & 16)
    text = "<think> principle " + p.solution.principle + " . " + text + " so " + text +
           " </think> <answer> " + text + " </answer>";
  try {
    parse_all(p, text);
    score_all(p, text);
    write_all(p);
  } catch (const gaze::Error&) {
  }
  return 0;
}
