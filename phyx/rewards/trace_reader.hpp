// SPDX-License-Identifier: MIT
// Reads attention masses from a trace: means over chosen layers and heads.
#pragma once
#include <cstddef>
#include <string_view>
#include <vector>

#include "phyx/completion.hpp"

namespace gaze::phyx {

/// Reads one trace, which must outlive it.
class TraceReader {
 public:
  /// `layers`, `heads`: those that count; empty: all. Throws Error if the trace does not match its
  /// sizes, or a layer or head does not exist.
  TraceReader(const AttentionTrace& trace, const std::vector<int>& layers,
              const std::vector<int>& heads);

  bool has(std::string_view mark) const;

  /// The mean mass that a token put on a mark, in [0, 1]; 0 for an unknown mark.
  double mass(int token, std::string_view mark) const;

  /// The derivative of mass(): adds `gradient` times it to `to`, which has the sizes of the trace's
  /// masses.
  void add_gradient(int token, std::string_view mark, double gradient,
                    std::vector<float>& to) const;

 private:
  /// The place of a mark's mass in the trace.
  std::size_t place(int token, int layer, int head, std::size_t mark) const;

  const AttentionTrace& trace_;
  std::vector<int> layers_, heads_;
};

}  // namespace gaze::phyx
