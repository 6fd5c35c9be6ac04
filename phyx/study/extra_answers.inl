// SPDX-License-Identifier: MIT
// Generating further answers, on any device.
#pragma once
#include <algorithm>
#include <cstddef>
#include <utility>

#include "gaze/core/philox.hpp"
#include "gaze/generate/rollout.hpp"
#include "phyx/eval/attempt.hpp"
#include "phyx/eval/other_pictures.hpp"
#include "phyx/rewards/attention.hpp"
#include "phyx/study/extra_answers.hpp"

namespace gaze::phyx {

template <class Device>
ExtraAnswers<Device>::ExtraAnswers(const Model<Device>& policy,
                                   const std::vector<Example>& examples, const ProblemCodec& codec,
                                   const SamplingSettings& sampling, std::uint64_t seed,
                                   RewardNeeds needs)
    : policy_(policy),
      examples_(examples),
      codec_(codec),
      sampling_(sampling),
      seed_(seed),
      needs_(needs) {
  if (needs.answer_swapped || needs.twin_swapped) partner_ = swap_partners(examples);
}

template <class Device>
FurtherAnswers ExtraAnswers<Device>::operator()(Prompts prompts,
                                                std::span<const gaze::SampledTokens> tokens,
                                                std::span<const phyx::Completion> said) const {
  FurtherAnswers out;
  out.given = needs_;
  out.group = tokens.size() / prompts.size();
  if (needs_.answer_from_look) out.from_look = continue_look(prompts, tokens, said);
  if (needs_.answer_swapped) out.swapped = swap_pictures(prompts, 1, true);
  if (needs_.twin_swapped) out.twin = swap_pictures(prompts, out.group, false);
  return out;
}

template <class Device>
std::vector<phyx::Completion> ExtraAnswers<Device>::continue_look(
    Prompts prompts, std::span<const gaze::SampledTokens> tokens,
    std::span<const phyx::Completion> said) const {
  const std::size_t group = tokens.size() / prompts.size();
  std::vector<models::Prompt> changed(tokens.size());
  std::vector<std::size_t> kept;  // tokens of the completion that the prompt ends with
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const models::Prompt& own = *prompts[i / group].prompt;
    auto& ids = changed[i].tokens;
    for (const std::int32_t id : own.tokens)
      if (id != codec_.image()) ids.push_back(id);
    const auto& completion = tokens[i].tokens;
    const TokenSpan look = window_of(said[i].tokens, AttentionWindow::look);
    const std::size_t words = completion.size() - (tokens[i].ended ? 1 : 0);  // without the end
    kept.push_back(std::min(static_cast<std::size_t>(look.end), words));
    ids.insert(ids.end(), completion.begin(),
               completion.begin() + static_cast<std::ptrdiff_t>(kept.back()));
  }
  std::vector<const models::Prompt*> pointers;
  for (const auto& p : changed) pointers.push_back(&p);
  SamplingSettings s = sampling_;
  s.greedy = true;
  auto done = rollout(policy_, std::span<const models::Prompt* const>(pointers), 1, s,
                      codec_.ends(), Philox(seed_, Purpose::sampling),
                      std::vector<std::uint64_t>(changed.size()), models::Watch::nothing);
  std::vector<phyx::Completion> out;
  for (std::size_t i = 0; i < done.size(); ++i) {
    const auto first = tokens[i].tokens.begin();
    done[i].tokens.insert(done[i].tokens.begin(), first,
                          first + static_cast<std::ptrdiff_t>(kept[i]));
    out.push_back(codec_.completion(done[i], changed[i]));
  }
  return out;
}

template <class Device>
std::vector<std::optional<phyx::Completion>> ExtraAnswers<Device>::swap_pictures(
    Prompts prompts, std::size_t group, bool greedy) const {
  std::vector<models::Prompt> changed;
  std::vector<std::size_t> which;
  std::vector<std::uint64_t> ids;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    const Pixels other = swapped_picture(examples_, partner_, prompts[i].index);
    if (!other) continue;
    changed.push_back(*prompts[i].prompt);
    changed.back().rgb = other;
    which.push_back(i);
    ids.push_back(prompts[i].id);
  }
  std::vector<std::optional<phyx::Completion>> out(prompts.size() * group);
  if (changed.empty()) return out;
  std::vector<const models::Prompt*> pointers;
  for (const auto& p : changed) pointers.push_back(&p);
  SamplingSettings s = sampling_;
  s.greedy = s.greedy || greedy;
  const auto done =
      rollout(policy_, std::span<const models::Prompt* const>(pointers), static_cast<Index>(group),
              s, codec_.ends(), Philox(seed_, Purpose::sampling), ids, models::Watch::nothing);
  for (std::size_t j = 0; j < done.size(); ++j)
    out[which[j / group] * group + j % group] = codec_.completion(done[j], changed[j / group]);
  return out;
}

}  // namespace gaze::phyx
