// SPDX-License-Identifier: MIT
// Lines about single answers of an arm, for the report: answers during training, shown ones, and
// those that two rules judge differently.
#pragma once
#include <cstdint>
#include <string>

#include "gaze/io/json.hpp"
#include "phyx/rewards/registry.hpp"
#include "phyx/study/conditions.hpp"
#include "phyx/train/examples.hpp"

namespace gaze::phyx {

/// What every line begins with: {"condition": .., "seed": ..}.
io::OrderedJson arm_tags(const Condition& c, std::int64_t seed);

/// An answer at a step of training, with what each term of the mix gave it; null where it gave
/// nothing. `picture` is a path relative to the output folder, "" for none.
std::string training_line(const Condition& c, std::int64_t seed, Index step, const Example& e,
                          const phyx::Completion& done, const std::string& picture,
                          const RewardMix& mix, const MixScore& score);

/// An answer that the strict and the official rule judge differently, for the report; "" where they
/// agree.
std::string differing_line(const Condition& c, std::int64_t seed, const Example& e,
                           const phyx::Completion& done);

}  // namespace gaze::phyx
