// SPDX-License-Identifier: MIT
// Lessons of the supervised warm start: letters (which option is which), captions, responses, and
// the labels that the vision stage predicts from image tokens.
//
// From problems alone, the binding of an option's text to its letter is learned last, so it is
// trained first, on lists of options without a picture, and in every stage after: each
// multiple-choice problem also teaches the letters of all four options.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "gaze/core/philox.hpp"
#include "phyx/answer/response.hpp"
#include "phyx/train/examples.hpp"
#include "phyx/train/model.hpp"
#include "phyx/train/warm_start_settings.hpp"

namespace gaze::phyx {

/// One supervised example: a prompt and its target completions.
struct Lesson {
  models::Prompt own;  // used if `prompt` is null
  const models::Prompt* prompt = nullptr;
  std::vector<std::vector<std::int32_t>> completions;
  std::size_t whole =
      1;  // completions with loss on all tokens; the others only on the option letters
};

/// The lessons of each step.
using Lessons = std::function<std::vector<Lesson>(Index step)>;

/// The loss weight of a token of a completion, of which `whole` tells whether all tokens count.
using TokenWeight = std::function<float(bool whole, std::int32_t token)>;

/// 1 for every token of whole completions.
inline float plain_weight(bool whole, std::int32_t /*token*/) { return whole ? 1.0f : 0.0f; }

/// Lessons in the responses of problems, `batch` a step, drawn with replacement; the same (seed,
/// step) gives the same ones. The arguments must outlive the function.
Lessons response_lessons(const std::vector<Example>& examples, const ProblemCodec& codec,
                         Index batch, std::uint64_t seed);

/// Draws lessons; the same (seed, step, place) gives the same lesson.
class LessonSource {
 public:
  /// The arguments must outlive the source. Throws Error without examples.
  LessonSource(const std::vector<Example>& examples, const ExampleMaker& maker,
               const text::Tokenizer& tokenizer, std::uint64_t seed);

  const Example& example(Index step, Index place) const;

  /// A lesson in describing the picture.
  Lesson caption(Index step, Index place) const;

  /// A response, corrupted with probability `corruption`, or, by the shares in the settings, a
  /// caption or a letter exercise. A problem's own response is taught as it is.
  Lesson lesson(const WarmStartSettings& s, double corruption, Index step, Index place) const;

  /// The token of a word, and the token for no label; -1 if a word is not a single token.
  std::int32_t word(const std::string& text) const;
  std::int32_t none() const { return word("none"); }

  /// Appends the scene's slot_count slots, one token each.
  void slots(const Example& e, std::vector<std::int32_t>& out) const;

  /// Appends, for each of side x side image tokens, the text centred in it, or none().
  void texts(const Example& e, Index side, std::vector<std::int32_t>& out) const;

  /// "letters . OPTION: A: .. B: .. -> so 12 N : B": binding texts to letters without a picture,
  /// for all four options of a list of similar numbers with one unit, or of words. Loss on the
  /// whole claim makes the model learn to copy an option first, and stray units after options vary
  /// their positions; without these it learns only to compare a text with one option at a fixed
  /// position.
  Lesson pick(Index step, Index place) const;

  /// Loss weight of a token; unless `whole`, only option letters count.
  float weight(bool whole, std::int32_t token, double letter_weight) const;
  /// weight() as a function. The source must outlive it.
  TokenWeight weights(double letter_weight) const {
    return [this, letter_weight](bool whole, std::int32_t token) {
      return weight(whole, token, letter_weight);
    };
  }

 private:
  /// Adds a completion for each option and its letter.
  void add_letters(Lesson& lesson, const Problem& p) const;

  /// A list of four different options, for pick().
  Problem draw_list(std::uint64_t draw) const;

  /// The problem with its options permuted, so that the model cannot memorise orders and letters.
  Problem shuffle_options(const Problem& p, Index step, Index place) const;

  const std::vector<Example>& examples_;
  const ExampleMaker& maker_;
  const text::Tokenizer& tokenizer_;
  Philox random_;
  Lexicon lexicon_;
  std::vector<std::string> words_;  // answers that are not numbers
};

}  // namespace gaze::phyx
