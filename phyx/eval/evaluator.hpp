// SPDX-License-Identifier: MIT
// Evaluation: every test problem answered greedily and by sampling, with its own picture, with a
// blank one, and with the picture of another problem of the same template.
#pragma once
#include <functional>
#include <span>

#include "gaze/generate/rollout.hpp"
#include "phyx/answer/strict_rule.hpp"
#include "phyx/results/outcome.hpp"
#include "phyx/rewards/rubric.hpp"
#include "phyx/scoring/official.hpp"
#include "phyx/train/examples.hpp"
#include "phyx/train/warm_start.hpp"

namespace gaze::phyx {

struct EvaluationSettings {
  Index samples = 4;  // beside the greedy answer; 0: none
  Index batch = 48;   // problems at a time
  SamplingSettings sampling;
  std::uint64_t seed = 0;
};

/// What a rollout's watched columns say, in the rewards' terms.
inline phyx::Completion to_completion(const gaze::Completion& c, const text::Tokenizer& tokenizer,
                                      const models::VlmConfig& config,
                                      const models::Prompt& prompt) {
  phyx::Completion out;
  out.ended = c.ended;
  out.length = static_cast<int>(c.tokens.size());
  std::vector<std::int32_t> text = c.tokens;
  if (c.ended) text.pop_back();
  out.text = tokenizer.decode(text);
  for (const std::int32_t id : text) out.tokens.push_back(tokenizer.decode({id}));
  if (c.ended) out.tokens.push_back("");
  AttentionTrace& a = out.attention;
  if (c.seen.empty()) return out;
  a.tokens = out.length;
  a.layers = static_cast<int>(config.decoder.layers);
  a.heads = static_cast<int>(config.decoder.heads);
  a.marks = {"image", "region", "sink"};
  a.mass = c.seen;
  for (int t = 0; t < out.length; ++t) a.keys.push_back(static_cast<int>(prompt.tokens.size()) + t);
  a.image_tokens = prompt.rgb ? static_cast<int>(config.image_tokens()) : 0;
  for (const auto flag : prompt.region) a.region_tokens += flag;
  return out;
}

/// Mean share of attention on the image, over tokens, layers and heads; NaN without a trace.
inline float image_mass(const AttentionTrace& a) {
  if (a.mass.empty()) return std::numeric_limits<float>::quiet_NaN();
  double total = 0;
  for (std::size_t i = 0; i < a.mass.size(); i += a.marks.size()) total += a.mass[i];
  return static_cast<float>(total * static_cast<double>(a.marks.size()) /
                            static_cast<double>(a.mass.size()));
}

/// One answer judged by every rule.
inline Attempt judge(const Problem& problem, const phyx::Completion& c) {
  Attempt a;
  const Verdict verdict = judge_strict(problem, c.text);
  a.correct = verdict.correct;
  a.parsed = verdict.parsed;
  a.well_formed = parse_response(c.text).well_formed && c.ended;
  a.official = score_official(problem.form, problem.answer, c.text).match;
  const RubricTerms terms = rubric_terms({problem, c});
  a.principle = terms.principle > 0;
  a.unit = verdict.unit_consistent;
  a.truncated = !c.ended;
  a.length = c.length;
  a.attention = image_mass(c.attention);
  return a;
}

/// Answers a set of problems; the same seed gives the same answers whatever the batch.
template <class Device>
class Evaluator {
 public:
  using Progress = std::function<void(std::size_t done, std::size_t all)>;

  Evaluator(const Model<Device>& model, const text::Tokenizer& tokenizer,
            EvaluationSettings settings)
      : model_(model), tokenizer_(tokenizer), settings_(std::move(settings)) {}

  /// Calls `keep` with every problem's completions, greedy one first, as they are made.
  using Keep = std::function<void(std::size_t, const std::vector<phyx::Completion>&)>;

  std::vector<Outcome> operator()(const std::vector<Example>& examples, const Progress& progress,
                                  const Keep& keep = {}) const {
    std::vector<Outcome> out(examples.size());
    const auto batch = static_cast<std::size_t>(settings_.batch);
    const auto others = swap_partners(examples);
    for (std::size_t at = 0; at < examples.size(); at += batch) {
      const std::size_t end = std::min(examples.size(), at + batch);
      const Batch part{{examples.data() + at, end - at}, at};
      answer(part, {out.data() + at, end - at}, keep);
      perturb(part, {out.data() + at, end - at}, blank(part), &Outcome::blank);
      perturb(part, {out.data() + at, end - at}, swapped(part, examples, others),
              &Outcome::swapped);
      if (progress) progress(end, examples.size());
    }
    return out;
  }

  /// Problems `first`, `first` + 1, … of a stream: answered, and again with a blank picture. The
  /// same outcomes as above, but for the pictures of other problems, which a stream does not have.
  std::vector<Outcome> batch(std::span<const Example> examples, std::size_t first,
                             const Keep& keep = {}) const {
    std::vector<Outcome> out(examples.size());
    const Batch part{examples, first};
    answer(part, out, keep);
    perturb(part, out, blank(part), &Outcome::blank);
    return out;
  }

  /// `count` completions of each prompt; greedy ones if count is 0. Sample ids are the problems'
  /// places, so that every condition meets the same random numbers, whatever the batch.
  std::vector<gaze::Completion> complete(std::span<const models::Prompt* const> prompts,
                                         std::span<const std::uint64_t> ids, Index count,
                                         models::Watch watch) const {
    SamplingSettings s = settings_.sampling;
    s.greedy = count == 0;
    return rollout(model_, prompts, std::max<Index>(1, count), s, tokenizer_.end(),
                   Philox(settings_.seed, Purpose::evaluation), ids, watch);
  }

 private:
  /// Some problems; the first one's place among all is its sample id.
  struct Batch {
    std::span<const Example> examples;
    std::size_t first;
  };

  void answer(const Batch& b, std::span<Outcome> out, const Keep& keep) const {
    std::vector<const models::Prompt*> prompts;
    std::vector<std::uint64_t> ids;
    for (std::size_t i = 0; i < b.examples.size(); ++i) {
      prompts.push_back(&b.examples[i].prompt);
      ids.push_back(b.first + i);
    }
    const auto k = static_cast<std::size_t>(settings_.samples);
    const auto greedy = complete(prompts, ids, 0, models::Watch::marks);
    std::vector<gaze::Completion> sampled;
    if (k > 0) sampled = complete(prompts, ids, settings_.samples, models::Watch::marks);
    for (std::size_t i = 0; i < out.size(); ++i) {
      const Example& e = b.examples[i];
      std::vector<phyx::Completion> all;
      const auto add = [&](const gaze::Completion& c) {
        all.push_back(to_completion(c, tokenizer_, model_.config(), e.prompt));
      };
      add(greedy[i]);
      for (std::size_t j = 0; j < k; ++j) add(sampled[i * k + j]);
      out[i] = describe(e.problem);
      out[i].greedy = judge(e.problem, all.front());
      for (std::size_t j = 1; j < all.size(); ++j)
        out[i].sampled.push_back(judge(e.problem, all[j]));
      if (keep) keep(b.first + i, all);
    }
  }

  static Outcome describe(const Problem& p) {
    Outcome o;
    o.index = full_index(p);
    o.form = p.form;
    o.split = p.split == "test_new" ? "new" : "known";
    o.domain = p.category;
    o.subfield = p.subfield;
    o.reasoning = p.reasoning;
    o.template_id = p.template_id;
    o.needs_image = p.needs_image;
    return o;
  }

  /// The next problem of the same template and form with another answer: whose picture to swap in.
  static std::vector<std::size_t> swap_partners(const std::vector<Example>& examples) {
    std::map<std::string, std::vector<std::size_t>> families;
    for (std::size_t i = 0; i < examples.size(); ++i) {
      const Problem& p = examples[i].problem;
      families[p.template_id + (p.form == Form::mc ? "/mc" : "/oe")].push_back(i);
    }
    std::vector<std::size_t> partner(examples.size());
    for (const auto& [name, members] : families)
      for (std::size_t i = 0; i < members.size(); ++i) {
        partner[members[i]] = members[i];
        const Solution& own = examples[members[i]].problem.solution;
        for (std::size_t step = 1; step < members.size(); ++step) {
          const std::size_t other = members[(i + step) % members.size()];
          const Solution& theirs = examples[other].problem.solution;
          if (theirs.value == own.value && theirs.unit == own.unit) continue;
          partner[members[i]] = other;
          break;
        }
      }
    return partner;
  }

  /// The pictures to answer again with, null where there is none: only problems that need theirs.
  static bool needs_picture(const Example& e) { return e.problem.needs_image && e.prompt.rgb; }

  static std::vector<Pixels> blank(const Batch& b) {
    std::vector<Pixels> out;
    for (const Example& e : b.examples)
      out.push_back(needs_picture(e) ? std::make_shared<const std::vector<std::uint8_t>>(
                                           e.prompt.rgb->size(), 255)
                                     : nullptr);
    return out;
  }

  static std::vector<Pixels> swapped(const Batch& b, const std::vector<Example>& all,
                                     const std::vector<std::size_t>& partner) {
    std::vector<Pixels> out;
    for (std::size_t i = 0; i < b.examples.size(); ++i) {
      const std::size_t other = partner[b.first + i];
      const bool some = needs_picture(b.examples[i]) && other != b.first + i;
      out.push_back(some ? all[other].prompt.rgb : nullptr);
    }
    return out;
  }

  /// Answers again with these pictures.
  void perturb(const Batch& b, std::span<Outcome> out, const std::vector<Pixels>& pictures,
               Perturbed Outcome::*where) const {
    std::vector<models::Prompt> changed;
    std::vector<std::size_t> which;
    for (std::size_t i = 0; i < pictures.size(); ++i) {
      if (!pictures[i]) continue;
      changed.push_back(b.examples[i].prompt);
      changed.back().rgb = pictures[i];
      which.push_back(i);
    }
    if (changed.empty()) return;
    std::vector<const models::Prompt*> prompts;
    std::vector<std::uint64_t> ids;
    for (const auto& p : changed) prompts.push_back(&p);
    for (const std::size_t i : which) ids.push_back(b.first + i);
    for (const bool greedy : {true, false}) {
      if (!greedy && settings_.samples == 0) break;
      const auto done = complete(prompts, ids, greedy ? 0 : 1, models::Watch::nothing);
      for (std::size_t j = 0; j < which.size(); ++j) {
        const Problem& p = b.examples[which[j]].problem;
        const auto c = to_completion(done[j], tokenizer_, model_.config(), changed[j]);
        const bool correct = judge_strict(p, c.text).correct;
        Perturbed& to = out[which[j]].*where;
        if (greedy)
          to.greedy = correct;
        else
          to.sampled.push_back(correct);
      }
    }
  }

  const Model<Device>& model_;
  const text::Tokenizer& tokenizer_;
  EvaluationSettings settings_;
};

}  // namespace gaze::phyx
