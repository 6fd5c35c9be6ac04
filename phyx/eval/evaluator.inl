// SPDX-License-Identifier: MIT
// Evaluator on any device.
#pragma once
#include <algorithm>

#include "gaze/generate/rollout.hpp"
#include "phyx/answer/strict_rule.hpp"
#include "phyx/eval/evaluator.hpp"
#include "phyx/eval/other_pictures.hpp"

namespace gaze::phyx {

template <class Device>
std::vector<Outcome> Evaluator<Device>::operator()(const std::vector<Example>& examples,
                                                   const Progress& progress,
                                                   const Keep& keep) const {
  std::vector<Outcome> out(examples.size());
  const auto batch = static_cast<std::size_t>(settings_.batch);
  const auto others = swap_partners(examples);
  for (std::size_t at = 0; at < examples.size(); at += batch) {
    const std::size_t end = std::min(examples.size(), at + batch);
    const Batch part{{examples.data() + at, end - at}, at};
    answer(part, {out.data() + at, end - at}, keep);
    if (settings_.many > 0) sample_many(part, {out.data() + at, end - at});
    if (settings_.gold_look) continue_gold_look(part, {out.data() + at, end - at});
    if (settings_.pictures) {
      perturb(part, {out.data() + at, end - at}, blank_pictures(part.examples), &Outcome::blank);
      perturb(part, {out.data() + at, end - at},
              swapped_pictures(part.examples, part.first, examples, others), &Outcome::swapped);
    }
    if (progress) progress(end, examples.size());
  }
  return out;
}

template <class Device>
std::vector<Outcome> Evaluator<Device>::batch(std::span<const Example> examples, std::size_t first,
                                              const Keep& keep) const {
  std::vector<Outcome> out(examples.size());
  const Batch part{examples, first};
  answer(part, out, keep);
  if (settings_.pictures) perturb(part, out, blank_pictures(part.examples), &Outcome::blank);
  return out;
}

template <class Device>
std::vector<gaze::SampledTokens> Evaluator<Device>::complete(
    std::span<const models::Prompt* const> prompts, std::span<const std::uint64_t> ids, Index count,
    models::Watch watch) const {
  SamplingSettings s = settings_.sampling;
  s.greedy = count == 0;
  return rollout(model_, prompts, std::max<Index>(1, count), s, codec_.ends(),
                 Philox(settings_.seed, Purpose::evaluation), ids, watch);
}

template <class Device>
void Evaluator<Device>::answer(const Batch& b, std::span<Outcome> out, const Keep& keep) const {
  std::vector<const models::Prompt*> prompts;
  std::vector<std::uint64_t> ids;
  for (std::size_t i = 0; i < b.examples.size(); ++i) {
    prompts.push_back(&b.examples[i].prompt);
    ids.push_back(b.first + i);
  }
  const auto k = static_cast<std::size_t>(settings_.samples);
  const auto watch = watch_of(model_.config());
  const auto greedy = complete(prompts, ids, 0, watch);
  std::vector<gaze::SampledTokens> sampled;
  if (k > 0) sampled = complete(prompts, ids, settings_.samples, watch);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const Example& e = b.examples[i];
    std::vector<phyx::Completion> all;
    const auto add = [&](const gaze::SampledTokens& c) {
      all.push_back(codec_.completion(c, e.prompt));
    };
    add(greedy[i]);
    for (std::size_t j = 0; j < k; ++j) add(sampled[i * k + j]);
    out[i] = unanswered_outcome(e.problem);
    out[i].greedy = score_attempt(e.problem, all.front());
    for (std::size_t j = 1; j < all.size(); ++j)
      out[i].sampled.push_back(score_attempt(e.problem, all[j]));
    if (keep) keep(b.first + i, all);
  }
}

template <class Device>
void Evaluator<Device>::continue_gold_look(const Batch& b, std::span<Outcome> out) const {
  std::vector<Changed> changed;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::string look = gold_look(b.examples[i].problem);
    if (look.empty()) continue;
    Changed& c = changed.emplace_back(Changed{i, b.examples[i].prompt, codec_.encode(look)});
    c.prompt.tokens.insert(c.prompt.tokens.end(), c.prefix.begin(), c.prefix.end());
  }
  answer_changed(b, changed, out, &Outcome::gold_look);
}

template <class Device>
void Evaluator<Device>::sample_many(const Batch& b, std::span<Outcome> out) const {
  std::vector<std::size_t> chosen;
  for (std::size_t i = 0; i < out.size(); ++i)
    if (in_share(b.examples[i].problem, settings_.many_share)) chosen.push_back(i);
  const auto many = static_cast<std::size_t>(settings_.many);
  // About as many samples at once as in answer().
  const std::size_t at_once = std::max<std::size_t>(
      1, static_cast<std::size_t>(settings_.batch * std::max<Index>(1, settings_.samples)) / many);
  for (std::size_t begin = 0; begin < chosen.size(); begin += at_once) {
    const std::size_t end = std::min(chosen.size(), begin + at_once);
    std::vector<const models::Prompt*> prompts;
    std::vector<std::uint64_t> ids;
    for (std::size_t c = begin; c < end; ++c) {
      prompts.push_back(&b.examples[chosen[c]].prompt);
      ids.push_back(b.first + chosen[c]);
    }
    const auto sampled = complete(prompts, ids, settings_.many, models::Watch::nothing);
    for (std::size_t i = 0; i < sampled.size(); ++i) {
      const std::size_t which = chosen[begin + i / many];
      const Example& e = b.examples[which];
      const auto c = codec_.completion(sampled[i], e.prompt);
      out[which].many.push_back(grade_completion(e.problem, c.text).correct);
    }
  }
}

template <class Device>
void Evaluator<Device>::perturb(const Batch& b, std::span<Outcome> out,
                                const std::vector<Pixels>& pictures,
                                Perturbed Outcome::*where) const {
  std::vector<Changed> changed;
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    if (!pictures[i]) continue;
    changed.push_back({i, b.examples[i].prompt, {}});
    changed.back().prompt.rgb = pictures[i];
  }
  answer_changed(b, changed, out, where);
}

template <class Device>
void Evaluator<Device>::answer_changed(const Batch& b, const std::vector<Changed>& changed,
                                       std::span<Outcome> out, Perturbed Outcome::*where) const {
  if (changed.empty()) return;
  std::vector<const models::Prompt*> prompts;
  std::vector<std::uint64_t> ids;
  for (const Changed& c : changed) {
    prompts.push_back(&c.prompt);
    ids.push_back(b.first + c.which);
  }
  for (const bool greedy : {true, false}) {
    if (!greedy && settings_.samples == 0) break;
    auto done = complete(prompts, ids, greedy ? 0 : 1, models::Watch::nothing);
    for (std::size_t j = 0; j < changed.size(); ++j) {
      const Changed& c = changed[j];
      done[j].tokens.insert(done[j].tokens.begin(), c.prefix.begin(), c.prefix.end());
      const auto said = codec_.completion(done[j], c.prompt);
      const bool correct = grade_completion(b.examples[c.which].problem, said.text).correct;
      Perturbed& to = out[c.which].*where;
      if (greedy)
        to.greedy = correct;
      else
        to.sampled.push_back(correct);
    }
  }
}

}  // namespace gaze::phyx
