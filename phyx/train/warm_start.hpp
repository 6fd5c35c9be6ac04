// SPDX-License-Identifier: MIT
// The supervised warm start: letters (which option is which), vision (labels read off the image
// tokens), captions, responses.
//
// Binding an option's text to its letter is learned last and late from problems alone, so it is
// exercised first, on lists of options without a picture, and kept up to the end: beside its own
// response, every multiple-choice problem teaches the letters of all four options.
//
// The ViT learns little from the language loss alone in the time a laptop has, so it first learns
// to name what is in the picture and to read each label where it stands, then to describe it, then
// to answer. Responses are clean at first, then a share is worsened, so that rewards have something
// to choose from.
#pragma once
#include <set>

#include "gaze/ops/reduce.hpp"
#include "gaze/train/loop.hpp"
#include "phyx/answer/response.hpp"
#include "phyx/train/examples.hpp"

namespace gaze::phyx {

/// The model that everything here trains and asks, on the device of the run.
template <class Device>
using Model = models::Vlm<float, Device>;

struct WarmStartSettings {
  Index letter_steps = 700, vision_steps = 800, caption_steps = 300, clean_steps = 900,
        mixed_steps = 200;
  Index batch = 32;
  double rate = 2e-3;
  double captions = 0.1;     // share of captions among responses
  double picks = 0.1;        // share of letter exercises among responses
  Index caption_picks = 24;  // letter exercises beside each batch of captions
  double letter_weight = 3;  // of an option's letter in the loss, against 1 for other tokens
  double letters_stage_weight = 12;  // the same, in the first stage
  double slot_weight = 0.3;          // of the label loss in the caption stage
  CorruptionMix corruption{.format = 0.36};
};

inline constexpr Index slot_count = 6;  // labels per scene

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
  LessonSource(const std::vector<Example>& examples, const ExampleMaker& maker,
               const text::Tokenizer& tokenizer, std::uint64_t seed)
      : examples_(examples), maker_(maker), tokenizer_(tokenizer), random_(seed, Purpose::data) {
    GAZE_CHECK(!examples.empty(), "lessons", "no training problems");
    std::vector<Problem> problems;
    for (const Example& e : examples) problems.push_back(e.problem);
    lexicon_ = Lexicon::from(problems);
    std::set<std::string> words;  // answers that are no numbers
    for (const Problem& p : problems)
      if (p.form == Form::mc && p.solution.unit.empty())
        words.insert(p.options.begin(), p.options.end());
    words_.assign(words.begin(), words.end());
  }

  const Example& example(Index step, Index place) const {
    return examples_[random_.below(examples_.size(), key(step), key(place) * 4)];
  }

  Lesson caption(Index step, Index place) const {
    const Example& e = example(step, place);
    return {{}, &e.caption_prompt, {maker_.response(" " + caption_response(e.problem))}};
  }

  /// A response; by the settings' shares a caption or a letter exercise.
  Lesson lesson(const WarmStartSettings& s, double corruption, Index step, Index place) const {
    const double kind = random_.uniform(key(step), key(place) * 4 + 1);
    if (kind < s.captions + s.picks)
      return kind < s.picks ? pick(step, place) : caption(step, place);
    const Example& e = example(step, place);
    CorruptionMix mix = s.corruption;
    mix.share = corruption;
    const std::uint64_t bits = random_.bits(key(step), key(place) * 4 + 2);
    if (e.problem.form == Form::oe)
      return {{}, &e.prompt, {maker_.response(corrupted_response(e.problem, lexicon_, mix, bits))}};
    const Problem shuffled = shuffle_options(e.problem, step, place);
    Lesson out{maker_.question_prompt(shuffled.question, e),
               nullptr,
               {maker_.response(corrupted_response(shuffled, lexicon_, mix, bits))}};
    add_letters(out, shuffled);
    return out;
  }

  /// The token of a word, and of a place without one; -1 for what is no single token.
  std::int32_t word(const std::string& text) const {
    return tokenizer_.contains(" " + text) ? tokenizer_.id(" " + text) : -1;
  }
  std::int32_t none() const { return word("none"); }

  /// The scene's slots, one token each.
  void slots(const Example& e, std::vector<std::int32_t>& out) const {
    for (std::size_t i = 0; i < static_cast<std::size_t>(slot_count); ++i)
      out.push_back(word(i < e.problem.scene.slots.size() ? e.problem.scene.slots[i] : "none"));
  }

  /// The text whose middle lies in each of side x side image tokens, else none().
  void texts(const Example& e, Index side, std::vector<std::int32_t>& out) const {
    const std::size_t first = out.size();
    out.resize(first + static_cast<std::size_t>(side * side), none());
    const auto cell = [&](float low, float high) {
      return std::min(side - 1, static_cast<Index>((low + high) / 2 * static_cast<float>(side)));
    };
    for (const Region& text : e.problem.scene.labels)
      out[first + static_cast<std::size_t>(cell(text.y0, text.y1) * side +
                                           cell(text.x0, text.x1))] = word(text.name);
  }

  /// "letters . OPTION: A: .. B: .. -> so 12 N : B": binding a text to its letter, without a
  /// picture, for all four options of one list. The options are numbers near each other with one
  /// unit, or words, drawn anew every time. What keeps a model from stopping half-way, where it
  /// compares a text with one option whose place it knows: the claims are taught whole, so that
  /// copying an option out of the list comes first, and stray units behind the options move them.
  Lesson pick(Index step, Index place) const {
    const Problem list = draw_list(random_.bits(key(step), key(place) * 4 + 3));
    Lesson out;
    out.own = maker_.letters_prompt(list.question);
    add_letters(out, list);
    out.whole = out.completions.size();
    return out;
  }

  /// How much a token counts: of a completion that is not taught whole, nothing but the letters.
  float weight(bool whole, std::int32_t token, double letter_weight) const {
    const std::string& text = tokenizer_.token(token);
    const bool letter = text.size() == 2 && text[0] == ' ' && text[1] >= 'A' && text[1] <= 'D';
    return letter ? static_cast<float>(letter_weight) : whole ? 1.0f : 0.0f;
  }

 private:
  static std::uint64_t key(Index i) { return static_cast<std::uint64_t>(i); }

  /// Every option's text with its letter.
  void add_letters(Lesson& lesson, const Problem& p) const {
    for (std::size_t i = 0; i < 4; ++i)
      if (!p.options[i].empty())
        lesson.completions.push_back(
            maker_.response(letter_response(p, static_cast<char>('A' + i))));
  }

  Problem draw_list(std::uint64_t draw) const {
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
      options[i] =
          use_words ? words_[below(words_.size())] : std::to_string(base + below(19)) + unit;
      const auto end = options.begin() + static_cast<std::ptrdiff_t>(i);
      if (std::find(options.begin(), end, options[i]) == end) ++i;
    }
    std::array<std::string, 4> listed = options;
    for (auto& text : listed)
      for (std::uint64_t strays = lexicon_.units.empty() ? 0 : below(3); strays > 0; --strays)
        text += " " + lexicon_.units[below(lexicon_.units.size())];
    list.question = list_options(listed);
    return list;
  }

  static std::string list_options(const std::array<std::string, 4>& options) {
    std::string out = instruction_phrases().front();
    for (std::size_t i = 0; i < 4; ++i)
      out += std::string(" ") + static_cast<char>('A' + i) + ": " + options[i];
    return out;
  }

  /// The same problem with its options in another order: an order seen twice would be learned by
  /// heart, and the letters with it.
  Problem shuffle_options(const Problem& p, Index step, Index place) const {
    Problem out = p;
    const std::size_t listed = p.question.find(instruction_phrases().front());
    if (listed == std::string::npos) return out;
    std::array<std::size_t, 4> order{0, 1, 2, 3};
    shuffle(order, random_, random_.bits(key(step), key(place) * 4 + 3));
    for (std::size_t i = 0; i < 4; ++i) {
      out.options[i] = p.options[order[i]];
      if (order[i] == static_cast<std::size_t>(p.answer[0] - 'A'))
        out.answer = std::string(1, static_cast<char>('A' + i));
    }
    out.question = p.question.substr(0, listed) + list_options(out.options);
    return out;
  }

  const std::vector<Example>& examples_;
  const ExampleMaker& maker_;
  const text::Tokenizer& tokenizer_;
  Philox random_;
  Lexicon lexicon_;
  std::vector<std::string> words_;
};

namespace detail {

/// -mean log p over all tokens that are taught; gradients follow.
template <class Device>
Metrics teach(const Model<Device>& model, const LessonSource& source,
              const std::vector<Lesson>& lessons, double letter_weight) {
  std::vector<models::Group> groups;
  std::vector<float> weights;
  double taught = 0;
  for (const Lesson& l : lessons) {
    groups.push_back({l.prompt ? l.prompt : &l.own, {}});
    for (const auto& completion : l.completions) {
      groups.back().completions.push_back(completion);
      for (const std::int32_t token : completion) {
        weights.push_back(
            source.weight(groups.back().completions.size() <= l.whole, token, letter_weight));
        taught += weights.back();
      }
    }
  }
  for (float& w : weights) w /= static_cast<float>(-taught);
  const auto weight = Tensor<float, Device>::from({static_cast<Index>(weights.size())}, weights);
  const auto loss = sum(mul(model.logprobs(groups).logp, weight));
  backward(loss);
  return {{"loss", loss.item()}};
}

/// -mean log p of the labels [n]; those below zero do not count, `none` a tenth.
template <class Device>
Tensor<float, Device> mean_loss(const Tensor<float, Device>& logp,
                                const std::vector<std::int32_t>& labels, std::int32_t none) {
  std::vector<float> weights;
  double total = 0;
  for (const std::int32_t label : labels) {
    weights.push_back(label < 0 ? 0.0f : label == none ? 0.1f : 1.0f);
    total += weights.back();
  }
  for (float& w : weights) w /= static_cast<float>(-std::max(0.1, total));
  return sum(mul(logp, Tensor<float, Device>::from({static_cast<Index>(weights.size())}, weights)));
}

/// Of the scene's slots, read off all image tokens at once, and of the texts, each read off the
/// image token where it stands: one reader for all places, so that numbers are learned in few
/// pictures.
template <class Device>
Tensor<float, Device> label_loss(const Model<Device>& model, const LessonSource& source,
                                 const std::vector<const Example*>& examples) {
  std::vector<Pixels> images;
  std::vector<std::int32_t> slots, texts;
  for (const Example* e : examples) {
    if (!e->pixels()) continue;
    images.push_back(e->pixels());
    source.slots(*e, slots);
    source.texts(*e, model.config().image_side(), texts);
  }
  const auto indices = [](const std::vector<std::int32_t>& labels) {
    return Indices<Device>::from({static_cast<Index>(labels.size())}, labels);
  };
  const auto tokens = model.encode_images(images);
  const models::SlotHead<float, Device>& head = model.slot_head();
  return add(mean_loss(head(tokens, indices(slots)), slots, -1),
             mean_loss(head.texts(tokens, indices(texts)), texts, source.none()));
}

}  // namespace detail

/// Cosine with a short warm-up, as every supervised stage uses it.
inline Stage supervised_stage(const std::string& name, Index steps, double rate,
                              std::vector<std::string> parts = {}) {
  Stage s;
  s.name = name;
  s.steps = steps;
  s.parts = std::move(parts);
  s.rate = {rate, std::min<Index>(50, steps / 10 + 1), steps, 0.1};
  return s;
}

/// Steps of responses at a corruption share: the last part of the warm start, and sft_more and
/// sft_clean after it.
template <class Device>
typename Trainer<float, Device>::Step response_step(const Model<Device>& model,
                                                    const LessonSource& source,
                                                    const WarmStartSettings& s, double corruption,
                                                    Index offset) {
  return [&model, &source, s, corruption, offset](Index step, const auto&) {
    std::vector<Lesson> lessons;
    for (Index i = 0; i < s.batch; ++i)
      lessons.push_back(source.lesson(s, corruption, offset + step, i));
    return detail::teach(model, source, lessons, s.letter_weight);
  };
}

/// All stages in order, resumable, for a model with a slot head; the head is no longer trained
/// after the captions.
template <class Device>
void warm_start(Trainer<float, Device>& trainer, const Model<Device>& model,
                const LessonSource& source, const WarmStartSettings& s) {
  const std::vector<std::string> model_parts = {"vit", "projector", "decoder"};
  trainer.run(supervised_stage("letters", s.letter_steps, s.rate, {"decoder"}),
              [&](Index step, const auto&) {
                std::vector<Lesson> lessons;
                for (Index i = 0; i < s.batch; ++i) lessons.push_back(source.pick(step, i));
                return detail::teach(model, source, lessons, s.letters_stage_weight);
              });
  trainer.run(supervised_stage("vision", s.vision_steps, s.rate, {"vit", "projector", "slots"}),
              [&](Index step, const auto&) -> Metrics {
                std::vector<const Example*> examples;
                for (Index i = 0; i < 2 * s.batch; ++i)
                  examples.push_back(&source.example(step, i));
                const auto loss = detail::label_loss(model, source, examples);
                backward(loss);
                return {{"loss", loss.item()}};
              });
  trainer.run(supervised_stage("caption", s.caption_steps, s.rate,
                               {"vit", "projector", "slots", "decoder"}),
              [&](Index step, const auto&) -> Metrics {
                const Index offset = s.letter_steps + s.vision_steps + step;
                std::vector<Lesson> lessons;
                std::vector<const Example*> examples;
                for (Index i = 0; i < s.batch; ++i) {
                  lessons.push_back(source.caption(offset, i));
                  examples.push_back(&source.example(offset, i));
                }
                const auto labels = detail::label_loss(model, source, examples);
                backward(scale(labels, static_cast<float>(s.slot_weight)));
                for (Index i = 0; i < s.caption_picks; ++i)
                  lessons.push_back(source.pick(offset, s.batch + i));
                Metrics m = detail::teach(model, source, lessons, s.letter_weight);
                m.emplace_back("label_loss", labels.item());
                return m;
              });
  const Index clean_at = s.letter_steps + s.vision_steps + s.caption_steps;
  trainer.run(supervised_stage("sft", s.clean_steps, s.rate, model_parts),
              response_step(model, source, s, 0, clean_at));
  trainer.run(supervised_stage("sft_mixed", s.mixed_steps, 0.3 * s.rate, model_parts),
              response_step(model, source, s, s.corruption.share, clean_at + s.clean_steps));
}

}  // namespace gaze::phyx
