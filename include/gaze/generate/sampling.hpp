// SPDX-License-Identifier: MIT
// Choosing the next token from a row of logits.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/core/index.hpp"

namespace gaze {

/// Below it, rounding a logit of 100 to a float changes its probability by half or more; far below,
/// all probabilities are 0. Such settings are refused: use `greedy`.
inline constexpr double min_temperature = 1e-5;

/// Applied in this order, each to the result of the one before.
struct SamplingSettings {
  bool greedy = false;  // the likeliest token; ignores the settings below
  double repetition_penalty =
      1;                   // divides positive logits of seen tokens, multiplies negative ones
  double temperature = 1;  // divides the logits; at least min_temperature
  int top_k = 0;           // keep the k likeliest; 0: all
  double top_p = 1;        // keep the smallest set of likeliest tokens with this probability
  double min_p = 0;        // keep those with this share of the likeliest one's probability
  Index max_tokens = 64;   // longest completion, the end token included

  /// Throws an Error that names a setting out of range.
  void check() const {
    GAZE_CHECK(repetition_penalty > 0, "sampling", "repetition_penalty must be above 0, got ",
               repetition_penalty);
    GAZE_CHECK(temperature >= min_temperature && std::isfinite(temperature), "sampling",
               "temperature must be finite and at least ", min_temperature,
               " (for less, use greedy), got ", temperature);
    GAZE_CHECK(top_k >= 0, "sampling", "top_k must not be negative, got ", top_k);
    GAZE_CHECK(top_p > 0 && top_p <= 1, "sampling", "top_p must be in (0, 1], got ", top_p);
    GAZE_CHECK(min_p >= 0 && min_p <= 1, "sampling", "min_p must be in [0, 1], got ", min_p);
    GAZE_CHECK(max_tokens > 0, "sampling", "max_tokens must be above 0, got ", max_tokens);
  }
};

/// The tokens that end a completion.
struct EndTokens {
  std::vector<std::int32_t> ids;

  /// One token; implicit, because most models have one.
  EndTokens(std::int32_t id) : ids{id} {}  // implicit: most models have one
  /// Several tokens.
  explicit EndTokens(std::vector<std::int32_t> several) : ids(std::move(several)) {}

  /// Whether the token ends a completion.
  bool contains(std::int32_t token) const {
    return std::find(ids.begin(), ids.end(), token) != ids.end();
  }
};

namespace detail {

/// Throws unless probabilities have a sum to draw from: above 0 and finite.
inline void check_sum(double sum) {
  GAZE_CHECK(sum > 0 && std::isfinite(sum), "sampling", "the probabilities sum to ", sum,
             ": the logits are not finite, or too large for the temperature");
}

/// Throws unless the log-probability of a chosen token is finite, as it is for finite logits.
inline void check_logp(double logp) {
  GAZE_CHECK(std::isfinite(logp), "sampling", "the chosen token's log-probability is ", logp,
             ": the logits are not finite");
}

/// Applies top_k, top_p (Holtzman et al. 2020) and min_p to probabilities p that sum to about 1:
/// sets the cut ones to 0. Of equal ones, the first are kept.
template <class T>
void cut_tail(std::vector<T>& p, const SamplingSettings& s) {
  const bool some = s.top_k > 0 && static_cast<std::size_t>(s.top_k) < p.size();
  if (!some && s.top_p == 1 && s.min_p == 0) return;
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return p[a] > p[b]; });
  if (some) order.resize(static_cast<std::size_t>(s.top_k));
  double all = 0, kept = 0;
  for (const std::size_t i : order) all += p[i];
  std::size_t count = 0;
  while (count < order.size() && (s.top_p == 1 || count == 0 || kept < s.top_p * all))
    kept += p[order[count++]];
  const double min = s.min_p * p[order[0]];
  while (p[order[count - 1]] < min) --count;
  std::vector<T> rest(p.size(), T(0));
  for (std::size_t i = 0; i < count; ++i) rest[order[i]] = p[order[i]];
  p = std::move(rest);
}

}  // namespace detail

/// Probabilities [V] of the next token. The repetition penalty (Keskar et al. 2019) acts on `seen`.
inline std::vector<double> filtered_probabilities(std::span<const double> logits,
                                                  const SamplingSettings& s,
                                                  std::span<const std::int32_t> seen = {}) {
  s.check();
  GAZE_CHECK(!logits.empty(), "sampling", "no logits");
  std::vector<double> p(logits.begin(), logits.end());
  std::vector<bool> penalised(p.size(), false);
  for (const std::int32_t token : seen) {
    GAZE_CHECK(token >= 0 && static_cast<std::size_t>(token) < p.size(), "sampling", "token ",
               token, " is outside the ", p.size(), " logits");
    penalised[static_cast<std::size_t>(token)] = true;
  }
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (penalised[i]) p[i] = p[i] > 0 ? p[i] / s.repetition_penalty : p[i] * s.repetition_penalty;
    p[i] /= s.temperature;
  }
  const double largest = *std::max_element(p.begin(), p.end());
  const auto normalise = [&p] {
    const double sum = std::accumulate(p.begin(), p.end(), 0.0);
    detail::check_sum(sum);
    for (double& v : p) v /= sum;
  };
  for (double& v : p) v = std::exp(v - largest);
  normalise();
  detail::cut_tail(p, s);
  normalise();
  return p;
}

namespace detail {
/// Sum of n values, in four independent chains of additions for speed.
inline double chunk_sum(const float* p, std::size_t n) {
  double sum[4] = {};
  std::size_t i = 0;
  for (; i + 4 <= n; i += 4)
    for (std::size_t j = 0; j < 4; ++j) sum[j] += p[i + j];
  for (; i < n; ++i) sum[0] += p[i];
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}
}  // namespace detail

/// Draws a token with u in [0, 1) from probabilities p [V] that sum to about 1, after top_k, top_p
/// and min_p.
inline std::int32_t draw(std::vector<float>& p, double u, const SamplingSettings& s) {
  detail::check_sum(detail::chunk_sum(p.data(), p.size()));
  detail::cut_tail(p, s);
  constexpr std::size_t chunk = 64;
  std::vector<double> sums;
  double left = 0;
  for (std::size_t i = 0; i < p.size(); i += chunk)
    left += sums.emplace_back(detail::chunk_sum(&p[i], std::min(chunk, p.size() - i)));
  left *= u;
  for (std::size_t c = 0; c < sums.size(); ++c) {
    if (left >= sums[c]) {
      left -= sums[c];
      continue;
    }
    for (std::size_t i = c * chunk; i < std::min((c + 1) * chunk, p.size()); ++i) {
      if (left < p[i]) return static_cast<std::int32_t>(i);
      left -= p[i];
    }
  }
  // Rounding left u beyond the last probability.
  const auto last = std::find_if(p.rbegin(), p.rend(), [](float q) { return q > 0; });
  return static_cast<std::int32_t>(std::max<std::ptrdiff_t>(p.rend() - last - 1, 0));
}

}  // namespace gaze
