// SPDX-License-Identifier: MIT
// Log lines of single answers of an arm, for the report: answers during training, and answers on
// which the two rules differ.
#pragma once
#include <cstdint>
#include <string>

#include "gaze/io/json.hpp"
#include "phyx/rewards/registry.hpp"
#include "phyx/study/conditions.hpp"
#include "phyx/train/examples.hpp"

namespace gaze::phyx {

/// The start of every line: {"condition": .., "seed": ..}.
io::OrderedJson arm_tags(const Condition& c, std::int64_t seed);

/// An answer at a step of training with its score by each term of the mix (null if undefined).
/// `picture`: path relative to the output folder, "" for none.
std::string training_line(const Condition& c, std::int64_t seed, Index step, const Example& e,
                          const phyx::Completion& done, const std::string& picture,
                          const RewardMix& mix, const MixScore& score);

/// An answer on which the strict and the official rule differ; "" if they agree.
std::string differing_line(const Condition& c, std::int64_t seed, const Example& e,
                           const phyx::Completion& done);

}  // namespace gaze::phyx
