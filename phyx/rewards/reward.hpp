// SPDX-License-Identifier: MIT
// A reward: a named function of a problem and a completion, with its formula and the ways in which
// it is known to be cheated. registry.hpp has the rewards by name.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gaze/io/json.hpp"
#include "phyx/answer/response.hpp"
#include "phyx/completion.hpp"
#include "phyx/problem.hpp"

namespace gaze::phyx {

/// Further answers by the policy that a reward compares a completion with. The trainer generates
/// those that a mix needs for the whole batch (phyx/study/extra_answers.hpp).
struct RewardNeeds {
  bool answer_from_look = false;  // RewardInput::from_look
  bool answer_swapped = false;    // RewardInput::swapped
  bool twin_swapped = false;      // RewardInput::twin

  bool any() const { return answer_from_look || answer_swapped || twin_swapped; }
  RewardNeeds& operator|=(const RewardNeeds& other) {
    answer_from_look |= other.answer_from_look;
    answer_swapped |= other.answer_swapped;
    twin_swapped |= other.twin_swapped;
    return *this;
  }
};

/// The address of a reward's random numbers: the run's seed, and the number of the completion,
/// unique in the run.
struct RewardDraw {
  std::uint64_t seed = 0, sample = 0;
};

/// The input of every reward. The response is parsed once, here. Keeps references to both
/// arguments and pointers to the further answers.
struct RewardInput {
  RewardInput(const Problem& p, const Completion& c)
      : problem(p), completion(c), response(parse_response(c.text)) {}

  const Problem& problem;
  const Completion& completion;
  ParsedResponse response;         // of completion.text
  std::optional<RewardDraw> draw;  // empty outside a rollout

  RewardNeeds given;  // the kinds of further answers that were generated for the batch
  /// The greedy continuation of this completion's look section, without the picture.
  const Completion* from_look = nullptr;
  /// The greedy answer with the picture of another problem of the same template; null for a problem
  /// that does not need its picture, or without such a partner.
  const Completion* swapped = nullptr;
  /// The same, but sampled with the random numbers of this completion.
  const Completion* twin = nullptr;
};

/// A reward. `score` returns nothing where the reward is undefined, e.g. attention without a trace.
struct Reward {
  using Score = std::optional<double>;

  std::string name;
  std::string doc;      // the behaviour it pays for
  std::string formula;  // as text, for reports
  std::string cheats;   // how models are known to raise it without getting better
  double low = 0, high = 1;
  /// Scores an input. Scores are finite. May be empty in a reward that is added with `score_batch`:
  /// the registry fills it in.
  std::function<Score(const RewardInput&)> score;

  /// Scores a batch, one result per input; empty: `score` is called for each.
  std::function<std::vector<Score>(std::span<const RewardInput>)> score_batch = {};
  /// The part that is measured, without the gates of `score`, e.g. the attention of a wrong answer.
  /// Empty if there is no such part.
  std::function<Score(const RewardInput&)> ungated = {};
  /// The derivative of `score` with respect to the completion's recorded attention, in the order of
  /// AttentionTrace::mass; an empty list where it is 0. No function: the score reads no attention.
  std::function<std::vector<float>(const RewardInput&)> attention_gradient = {};
  RewardNeeds needs = {};
  /// Lets a reward that keeps files (answers, a log) keep them under names that start with `stem`,
  /// a path. Called before the first score of a training. Empty: it keeps none.
  std::function<void(const std::string& stem)> keep_files = {};
  std::string program = {};               // digest of the program that computes it; empty: none
  io::Json options = io::Json::object();  // those it was made with, all of them
};

}  // namespace gaze::phyx
