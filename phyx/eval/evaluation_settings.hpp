// SPDX-License-Identifier: MIT
// Settings of an evaluation: answers per problem, batch, sampling, seed.
#pragma once
#include <cstddef>
#include <cstdint>

#include "gaze/core/index.hpp"
#include "gaze/generate/sampling.hpp"

namespace gaze::phyx {

struct EvaluationSettings {
  Index samples = 4;  // in addition to the greedy answer
  Index batch = 48;   // problems per batch; does not affect results
  /// Samples of each problem of a fixed part of the scenes, for pass@k alone; 0: none.
  Index many = 0;
  double many_share = 0.25;  // that part, chosen by a hash of the scene
  bool gold_look = false;    // also answer after the gold look section, given as a prefix
  bool pictures = true;      // also answer with a blank and with a swapped picture
  SamplingSettings sampling;
  std::uint64_t seed = 0;
};

/// The settings of a further evaluation at another temperature: greedy and sampled answers alone.
inline EvaluationSettings at_temperature(EvaluationSettings s, double temperature) {
  s.sampling.temperature = temperature;
  s.many = 0;
  s.gold_look = s.pictures = false;
  return s;
}

/// The answers of an evaluation and of `further` ones at other temperatures, per problem: greedy
/// and sampled; one of each with either other picture and after the gold look section; many of a
/// part.
inline double answers_per_problem(const EvaluationSettings& s, std::size_t further) {
  const double changed = s.samples > 0 ? 2 : 1;
  return static_cast<double>(s.samples + 1) * static_cast<double>(1 + further) +
         changed * (2 * s.pictures + s.gold_look) + s.many_share * static_cast<double>(s.many);
}

/// The samples per problem that pass@k is estimated from.
inline Index pass_samples(const EvaluationSettings& s) { return s.many > 0 ? s.many : s.samples; }

}  // namespace gaze::phyx
