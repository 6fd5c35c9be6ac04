// SPDX-License-Identifier: MIT
// Choosing the next token from a row of logits.
#pragma once
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/core/index.hpp"

namespace gaze {

struct SamplingSettings {
  bool greedy = false;     // the likeliest token; the settings below do not matter then
  double temperature = 1;  // logits are divided by it
  int top_k = 0;           // keep the k likeliest; 0: all
  double top_p = 1;        // keep the smallest set of likeliest tokens with this probability
  Index max_tokens = 64;   // longest completion, the end token included

  void check() const {
    GAZE_CHECK(temperature > 0, "sampling", "temperature must be above 0, got ", temperature);
    GAZE_CHECK(top_k >= 0, "sampling", "top_k must not be negative, got ", top_k);
    GAZE_CHECK(top_p > 0 && top_p <= 1, "sampling", "top_p must be in (0, 1], got ", top_p);
    GAZE_CHECK(max_tokens > 0, "sampling", "max_tokens must be above 0, got ", max_tokens);
  }
};

/// The index of the largest logit; the first on a tie.
inline std::int32_t argmax(const float* logits, Index v) {
  return static_cast<std::int32_t>(std::max_element(logits, logits + v) - logits);
}

/// A token drawn with u in [0, 1) from probabilities p [v] that sum to about 1. top_k and top_p
/// (Holtzman et al. 2020) cut the tail; ties are cut by ascending index.
inline std::int32_t draw(std::vector<float>& p, double u, const SamplingSettings& s) {
  const auto v = static_cast<std::int32_t>(p.size());
  if ((s.top_k > 0 && s.top_k < v) || s.top_p < 1) {
    std::vector<std::int32_t> order(p.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
      return p[static_cast<std::size_t>(a)] > p[static_cast<std::size_t>(b)];
    });
    double kept = 0, all = std::accumulate(p.begin(), p.end(), 0.0);
    std::size_t count = 0;
    const std::size_t limit = s.top_k > 0 ? static_cast<std::size_t>(s.top_k) : p.size();
    while (count < std::min(limit, p.size()) && (count == 0 || kept < s.top_p * all))
      kept += p[static_cast<std::size_t>(order[count++])];
    for (std::size_t i = count; i < order.size(); ++i) p[static_cast<std::size_t>(order[i])] = 0;
  }
  double left = u * std::accumulate(p.begin(), p.end(), 0.0);
  std::int32_t last = 0;
  for (std::int32_t i = 0; i < v; ++i) {
    const double q = p[static_cast<std::size_t>(i)];
    if (q <= 0) continue;
    last = i;
    if (left < q) return i;
    left -= q;
  }
  return last;
}

}  // namespace gaze
