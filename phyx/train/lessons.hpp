// SPDX-License-Identifier: MIT
// Lessons of the supervised warm start: letters (which option is which), captions, responses, and
// the labels that the vision stage reads off the image tokens.
//
// Binding an option's text to its letter is learned last and late from problems alone, so it is
// exercised first, on lists of options without a picture, and kept up to the end: beside its own
// response, every multiple-choice problem teaches the letters of all four options.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "gaze/core/philox.hpp"
#include "phyx/answer/response.hpp"
#include "phyx/train/examples.hpp"
#include "phyx/train/model.hpp"
#include "phyx/train/warm_start_settings.hpp"

namespace gaze::phyx {

/// One supervised example: what is asked, and the completions that are taught.
struct Lesson {
  models::Prompt own;  // used when `prompt` is null
  const models::Prompt* prompt = nullptr;
  std::vector<std::vector<std::int32_t>> completions;
  std::size_t whole = 1;  // completions taught whole; of the others only the option letters
};

/// Draws lessons; the same (seed, step, place) gives the same lesson.
class LessonSource {
 public:
  /// What it is given must outlive it. An Error where there are no examples.
  LessonSource(const std::vector<Example>& examples, const ExampleMaker& maker,
               const text::Tokenizer& tokenizer, std::uint64_t seed);

  const Example& example(Index step, Index place) const;

  /// A description of the example's picture.
  Lesson caption(Index step, Index place) const;

  /// A response, worsened with the probability `corruption`; by the settings' shares a caption or
  /// a letter exercise.
  Lesson lesson(const WarmStartSettings& s, double corruption, Index step, Index place) const;

  /// The token of a word, and of a place without one; -1 for what is no single token.
  std::int32_t word(const std::string& text) const;
  std::int32_t none() const { return word("none"); }

  /// Appends the scene's slots, slot_count of them, one token each.
  void slots(const Example& e, std::vector<std::int32_t>& out) const;

  /// Appends the text whose middle lies in each of side x side image tokens, else none().
  void texts(const Example& e, Index side, std::vector<std::int32_t>& out) const;

  /// "letters . OPTION: A: .. B: .. -> so 12 N : B": binding a text to its letter, without a
  /// picture, for all four options of one list. The options are numbers near each other with one
  /// unit, or words, drawn anew every time. What keeps a model from stopping half-way, where it
  /// compares a text with one option whose place it knows: the claims are taught whole, so that
  /// copying an option out of the list comes first, and stray units behind the options move them.
  Lesson pick(Index step, Index place) const;

  /// How much a token counts: of a completion that is not taught whole, nothing but the letters.
  float weight(bool whole, std::int32_t token, double letter_weight) const;

 private:
  /// Every option's text with its letter.
  void add_letters(Lesson& lesson, const Problem& p) const;

  /// A list of four different options, for pick().
  Problem draw_list(std::uint64_t draw) const;

  /// The same problem with its options in another order: an order seen twice would be learned by
  /// heart, and the letters with it.
  Problem shuffle_options(const Problem& p, Index step, Index place) const;

  const std::vector<Example>& examples_;
  const ExampleMaker& maker_;
  const text::Tokenizer& tokenizer_;
  Philox random_;
  Lexicon lexicon_;
  std::vector<std::string> words_;  // answers that are no numbers
};

}  // namespace gaze::phyx
