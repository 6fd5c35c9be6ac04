// SPDX-License-Identifier: MIT
// Graph: kernels recorded once and relaunched with one call, for work that is too small to be
// launched kernel by kernel, such as a decoding step.
#pragma once
#include <functional>
#include <memory>

#include "gaze/core/index.hpp"

namespace gaze::cuda {

/// Calls work() once and records its kernels instead of running them; launch() runs them in order,
/// any number of times. work() may create and destroy tensors (their memory stays with the graph).
/// Error: it copies from or to the host, or waits. All other tensors it uses must outlive the
/// graph.
class Graph {
 public:
  explicit Graph(const std::function<void()>& work);
  ~Graph();
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  void launch() const;

  /// True if it reused the executable graph of the previously destroyed Graph instead of building
  /// one: if both have the same kernels in the same order, whatever their sizes and arguments.
  bool reused_executable() const;

 private:
  struct Recording;
  std::unique_ptr<Recording> recording_;
  Index arithmetic_ = 0;  // operations per launch
};

/// Whether a graph is being recorded.
bool recording();

}  // namespace gaze::cuda
