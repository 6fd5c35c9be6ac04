// SPDX-License-Identifier: MIT
// Drawing lessons with counter-based random numbers from (seed, step, place).
#include "phyx/train/lessons.hpp"

#include <algorithm>
#include <set>

#include "gaze/core/error.hpp"
#include "phyx/data/prompt.hpp"

namespace gaze::phyx {

namespace {

std::uint64_t key(Index i) { return static_cast<std::uint64_t>(i); }

}  // namespace

Lessons response_lessons(const std::vector<Example>& examples, const ProblemCodec& codec,
                         Index batch, std::uint64_t seed) {
  GAZE_CHECK(!examples.empty(), "lessons", "no training problems");
  return [&examples, &codec, batch, random = Philox(seed, Purpose::data)](Index step) {
    std::vector<Lesson> out;
    for (Index i = 0; i < batch; ++i) {
      const Example& e = examples[random.below(examples.size(), key(step), key(i))];
      const std::string& own = e.problem.response;
      out.push_back(
          {{}, &e.prompt, {codec.response(own.empty() ? gold_response(e.problem) : own)}});
    }
    return out;
  };
}

LessonSource::LessonSource(const std::vector<Example>& examples, const ExampleMaker& maker,
                           const text::Tokenizer& tokenizer, std::uint64_t seed)
    : examples_(examples), maker_(maker), tokenizer_(tokenizer), random_(seed, Purpose::data) {
  GAZE_CHECK(!examples.empty(), "lessons", "no training problems");
  std::vector<Problem> problems;
  for (const Example& e : examples) problems.push_back(e.problem);
  lexicon_ = Lexicon::from(problems);
  std::set<std::string> words;  // answers that are not numbers
  for (const Problem& p : problems)
    if (p.form == Form::mc && p.solution.unit.empty())
      words.insert(p.options.begin(), p.options.end());
  words_.assign(words.begin(), words.end());
}

const Example& LessonSource::example(Index step, Index place) const {
  return examples_[random_.below(examples_.size(), key(step), key(place) * 4)];
}

Lesson LessonSource::caption(Index step, Index place) const {
  const Example& e = example(step, place);
  return {{}, &e.caption_prompt, {maker_.response(" " + caption_response(e.problem))}};
}

Lesson LessonSource::lesson(const WarmStartSettings& s, double corruption, Index step,
                            Index place) const {
  const double kind = random_.uniform(key(step), key(place) * 4 + 1);
  if (kind < s.captions + s.picks) return kind < s.picks ? pick(step, place) : caption(step, place);
  const Example& e = example(step, place);
  if (!e.problem.response.empty()) return {{}, &e.prompt, {maker_.response(e.problem.response)}};
  CorruptionMix mix = s.corruption;
  mix.share = corruption;
  const std::uint64_t bits = random_.bits(key(step), key(place) * 4 + 2);
  if (e.problem.form == Form::oe)
    return {{}, &e.prompt, {maker_.response(corrupted_response(e.problem, lexicon_, mix, bits))}};
  const Problem shuffled = shuffle_options(e.problem, step, place);
  Lesson out{maker_.problem_prompt(shuffled, e),
             nullptr,
             {maker_.response(corrupted_response(shuffled, lexicon_, mix, bits))}};
  add_letters(out, shuffled);
  return out;
}

std::int32_t LessonSource::word(const std::string& text) const {
  return tokenizer_.contains(" " + text) ? tokenizer_.id(" " + text) : -1;
}

void LessonSource::slots(const Example& e, std::vector<std::int32_t>& out) const {
  for (std::size_t i = 0; i < static_cast<std::size_t>(slot_count); ++i)
    out.push_back(word(i < e.problem.scene.slots.size() ? e.problem.scene.slots[i] : "none"));
}

void LessonSource::texts(const Example& e, Index side, std::vector<std::int32_t>& out) const {
  const std::size_t first = out.size();
  out.resize(first + static_cast<std::size_t>(side * side), none());
  const auto cell = [&](float low, float high) {
    return std::min(side - 1, static_cast<Index>((low + high) / 2 * static_cast<float>(side)));
  };
  for (const Region& text : e.problem.scene.labels)
    out[first + static_cast<std::size_t>(cell(text.y0, text.y1) * side + cell(text.x0, text.x1))] =
        word(text.name);
}

Lesson LessonSource::pick(Index step, Index place) const {
  const Problem list = draw_list(random_.bits(key(step), key(place) * 4 + 3));
  Lesson out;
  out.own = maker_.letters_prompt(list.question);
  add_letters(out, list);
  out.whole = out.completions.size();
  return out;
}

float LessonSource::weight(bool whole, std::int32_t token, double letter_weight) const {
  const std::string& text = tokenizer_.token(token);
  const bool letter = text.size() == 2 && text[0] == ' ' && text[1] >= 'A' && text[1] <= 'D';
  return letter ? static_cast<float>(letter_weight) : whole ? 1.0f : 0.0f;
}

void LessonSource::add_letters(Lesson& lesson, const Problem& p) const {
  for (std::size_t i = 0; i < 4; ++i)
    if (!p.options[i].empty())
      lesson.completions.push_back(maker_.response(letter_response(p, static_cast<char>('A' + i))));
}

Problem LessonSource::draw_list(std::uint64_t draw) const {
  Problem list;
  list.form = Form::mc;
  std::uint64_t drawn = 0;
  const auto below = [&](std::uint64_t n) { return random_.below(n, draw, drawn++); };
  const bool use_words = words_.size() >= 4 && below(4) == 0;
  if (!use_words && !lexicon_.units.empty())
    list.solution.unit = lexicon_.units[below(lexicon_.units.size())];
  const std::string unit = list.solution.unit.empty() ? "" : " " + list.solution.unit;
  const std::uint64_t base = below(181);
  auto& options = list.options;
  for (std::size_t i = 0; i < 4;) {
    options[i] = use_words ? words_[below(words_.size())] : std::to_string(base + below(19)) + unit;
    const auto end = options.begin() + static_cast<std::ptrdiff_t>(i);
    if (std::find(options.begin(), end, options[i]) == end) ++i;
  }
  std::array<std::string, 4> listed = options;
  for (auto& text : listed)
    for (std::uint64_t strays = lexicon_.units.empty() ? 0 : below(3); strays > 0; --strays)
      text += " " + lexicon_.units[below(lexicon_.units.size())];
  list.question = render_prompt(Form::mc, "", "", listed);
  return list;
}

Problem LessonSource::shuffle_options(const Problem& p, Index step, Index place) const {
  Problem out = p;
  const std::size_t listed = p.question.find(letter_instruction);
  if (listed == std::string::npos) return out;
  std::array<std::size_t, 4> order{0, 1, 2, 3};
  shuffle(order, random_, random_.bits(key(step), key(place) * 4 + 3));
  for (std::size_t i = 0; i < 4; ++i) {
    out.options[i] = p.options[order[i]];
    if (order[i] == static_cast<std::size_t>(p.answer[0] - 'A'))
      out.answer = std::string(1, static_cast<char>('A' + i));
  }
  out.question = render_prompt(Form::mc, "", p.question.substr(0, listed), out.options);
  return out;
}

}  // namespace gaze::phyx
