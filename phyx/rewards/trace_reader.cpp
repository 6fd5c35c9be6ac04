// SPDX-License-Identifier: MIT
// Addressing a trace's masses, and checking its sizes.
#include "phyx/rewards/trace_reader.hpp"

#include <algorithm>
#include <cstddef>

#include "gaze/core/error.hpp"

namespace gaze::phyx {

namespace {

std::size_t size(int n) { return static_cast<std::size_t>(n); }

std::vector<int> chosen(std::vector<int> list, int count, const char* what) {
  if (list.empty())
    for (int i = 0; i < count; ++i) list.push_back(i);
  for (int i : list)
    GAZE_CHECK(i >= 0 && i < count, "attention_reward", what, " ", i, " of ", count);
  return list;
}

// The column of a mark; their number for an unknown one.
std::size_t column(const AttentionTrace& trace, std::string_view mark) {
  return static_cast<std::size_t>(std::find(trace.marks.begin(), trace.marks.end(), mark) -
                                  trace.marks.begin());
}

}  // namespace

TraceReader::TraceReader(const AttentionTrace& trace, const std::vector<int>& layers,
                         const std::vector<int>& heads)
    : trace_(trace),
      layers_(chosen(layers, trace.layers, "layer")),
      heads_(chosen(heads, trace.heads, "head")) {
  const std::size_t want =
      size(trace.tokens) * size(trace.layers) * size(trace.heads) * trace.marks.size();
  GAZE_CHECK(trace.mass.size() == want, "attention_reward", "trace has ", trace.mass.size(),
             " masses, its sizes say ", want);
}

bool TraceReader::has(std::string_view mark) const {
  return column(trace_, mark) < trace_.marks.size();
}

std::size_t TraceReader::place(int token, int layer, int head, std::size_t mark) const {
  const std::size_t row =
      (size(token) * size(trace_.layers) + size(layer)) * size(trace_.heads) + size(head);
  return row * trace_.marks.size() + mark;
}

double TraceReader::mass(int token, std::string_view mark) const {
  const std::size_t m = column(trace_, mark);
  if (m == trace_.marks.size()) return 0;
  double sum = 0;
  for (int l : layers_)
    for (int h : heads_) sum += static_cast<double>(trace_.mass[place(token, l, h, m)]);
  return sum / static_cast<double>(layers_.size() * heads_.size());
}

void TraceReader::add_gradient(int token, std::string_view mark, double gradient,
                               std::vector<float>& to) const {
  const std::size_t m = column(trace_, mark);
  if (m == trace_.marks.size()) return;
  const double each = gradient / static_cast<double>(layers_.size() * heads_.size());
  for (int l : layers_)
    for (int h : heads_) to[place(token, l, h, m)] += static_cast<float>(each);
}

}  // namespace gaze::phyx
