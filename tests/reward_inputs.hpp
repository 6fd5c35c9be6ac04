// SPDX-License-Identifier: MIT
// Problems and completions for tests of rewards, with made-up attention.
#pragma once
#include <string>

#include "gaze/text/strings.hpp"
#include "phyx/completion.hpp"
#include "phyx/problem.hpp"

namespace gaze::test::reward_inputs {

using namespace phyx;

inline Problem open_problem() {
  Problem p;
  p.form = Form::oe;
  p.question = "A block is pushed with acceleration 2 m/s^2. Find the force.";
  p.answer = "10";
  p.solution = {{"mass = 5 kg"}, "newton second law", {"5 * 2 = 10"}, "10", "N"};
  return p;
}

inline Problem choice_problem() {
  Problem p = open_problem();
  p.form = Form::mc;
  p.options = {"5 N", "10 N", "20 N", "2 N"};
  p.answer = "B";
  p.question += " OPTION: A: 5 N B: 10 N C: 20 N D: 2 N";
  return p;
}

inline Problem word_problem() {
  Problem p;
  p.form = Form::oe;
  p.question = "On which side of the box is the ball?";
  p.answer = "left";
  p.solution = {{"ball left", "box right"}, "position", {}, "left", ""};
  return p;
}

inline Completion said(const std::string& text, bool ended = true) {
  Completion c;
  c.text = text;
  c.ended = ended;
  c.tokens = text::split_words(text);
  c.length = static_cast<int>(c.tokens.size());
  return c;
}

inline std::string respond(const std::string& think, const std::string& answer) {
  return "<think> " + think + " </think> <answer> " + answer + " </answer>";
}

// Every token attends alike, except that tokens outside the look section attend with `other`.
inline Completion traced(Completion c, float image, float region, float other) {
  AttentionTrace& t = c.attention;
  t.tokens = static_cast<int>(c.tokens.size());
  t.layers = 2;
  t.heads = 2;
  t.marks = {"image", "region", "sink"};
  t.image_tokens = 16;
  t.region_tokens = 4;
  bool look = false;
  for (const auto& token : c.tokens) {
    if (token == "." || token == "principle") look = false;
    const float scale = look ? 1.0f : other;
    for (int i = 0; i < t.layers * t.heads; ++i)
      t.mass.insert(t.mass.end(), {image * scale, region * scale, .2f});
    t.keys.push_back(64);
    if (token == "<think>") look = true;
  }
  return c;
}

}  // namespace gaze::test::reward_inputs
