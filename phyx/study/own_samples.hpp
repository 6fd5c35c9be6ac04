// SPDX-License-Identifier: MIT
// The right answers of a warm start, sampled for a condition of method rft: rejection sampling
// (Yuan et al. 2023, arXiv 2308.01825).
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "phyx/completion.hpp"
#include "phyx/listener.hpp"
#include "phyx/study/settings.hpp"
#include "phyx/study/task.hpp"
#include "phyx/train/lessons.hpp"

namespace gaze::phyx {

/// An answer to a training problem, as tokens with the end token.
struct OwnSample {
  std::size_t example = 0;
  std::vector<std::int32_t> tokens;
};

struct OwnSamples {
  std::vector<OwnSample> kept;  // different right answers: complete, well-formed and correct
  Index prompts = 0, sampled = 0, right = 0;
  Index arithmetic = 0;  // of the rollouts

  /// "1200 problems, 9600 answers, 4012 right, 2300 kept".
  std::string text() const;
};

/// Keeps those of a model's answers that a condition of method rft is trained on: complete ones
/// that the accuracy reward pays for, different ones of each problem up to a limit.
class OwnSampleFilter {
 public:
  /// `most`: kept per problem.
  explicit OwnSampleFilter(Index most) : most_(most) {}

  /// Takes an answer to a problem, the example of this index, as tokens and as text. Adds to
  /// `right` and `kept`.
  void take(std::size_t example, const Problem& problem, const std::vector<std::int32_t>& tokens,
            const Completion& said, OwnSamples& to);

 private:
  Index most_;
  std::map<std::size_t, std::set<std::vector<std::int32_t>>> seen_;  // kept ones, by example
};

/// Samples answers to the prompts of GRPO's steps, with GRPO's sampling settings and random
/// numbers, and keeps those that the filter does. `own`: the settings of the condition. Throws
/// Interrupted when stopped.
template <class Device>
OwnSamples draw_own_samples(const Model<Device>& model, const PhyxTask<Device>& source,
                            const AblationSettings& own, std::uint64_t seed,
                            const Listener& listener);

/// The samples as a file, so that a resumed run trains on the same ones: a line of counts, then one
/// line per sample.
void write_own_samples(const std::string& path, const OwnSamples& samples);

/// The inverse. Throws Error with the line for a malformed file, or for a problem or token that
/// does not exist.
OwnSamples read_own_samples(const std::string& path, std::size_t examples, Index vocabulary);

/// The lessons of each step: `batch` samples, drawn with replacement. `samples` are copied;
/// `examples` must outlive the function.
Lessons own_lessons(OwnSamples samples, const std::vector<Example>& examples, Index batch,
                    std::uint64_t seed);

extern template OwnSamples draw_own_samples<Cpu>(const Model<Cpu>&, const PhyxTask<Cpu>&,
                                                 const AblationSettings&, std::uint64_t,
                                                 const Listener&);

}  // namespace gaze::phyx
