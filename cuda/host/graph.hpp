// SPDX-License-Identifier: MIT
// Graph: kernels recorded once and launched again by one call, for work too small to launch
// kernel by kernel, such as one decoding step.
#pragma once
#include <functional>
#include <memory>

#include "gaze/core/index.hpp"

namespace gaze::cuda {

/// Calls work() once, recording its kernels instead of running them; each launch() runs them in
/// order. Work may create and drop tensors (their memory stays with the graph), but copying from or
/// to the host, or waiting, is an Error. External data that it uses must outlive the graph.
class Graph {
 public:
  explicit Graph(const std::function<void()>& work);
  ~Graph();
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  void launch() const;

  /// True if it reused the previous executable graph, which requires the same kernels in the same
  /// order, with any sizes and arguments, and that the previous Graph is destroyed.
  bool took_over() const;

 private:
  struct Recording;
  std::unique_ptr<Recording> recording_;
  Index arithmetic_ = 0;  // per launch
};

/// Whether a graph is being recorded.
bool recording();

}  // namespace gaze::cuda
