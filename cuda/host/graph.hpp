// SPDX-License-Identifier: MIT
// Graph: kernels recorded once and launched again by one call, for work that is too small to be
// launched kernel by kernel, such as one decoding step.
#pragma once
#include <functional>
#include <memory>

#include "gaze/core/index.hpp"

namespace gaze::cuda {

/// Calls work() once, recording its kernels instead of running them; launch() runs them, in order,
/// as often as wanted. Work may make and drop tensors (their memory stays with the graph), but it
/// must not copy from or to the host, nor wait: that is an Error. What it uses from outside must
/// live as long as the graph.
class Graph {
 public:
  explicit Graph(const std::function<void()>& work);
  ~Graph();
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  void launch() const;

  /// Did it take over what the graph before it was run by, instead of having that made? Where the
  /// kernels are the same ones in the same order, whatever their sizes and arguments, and the graph
  /// before is gone.
  bool took_over() const;

 private:
  struct Recording;
  std::unique_ptr<Recording> recording_;
  Index arithmetic_ = 0;  // of one launch
};

/// Is a graph being recorded?
bool recording();

}  // namespace gaze::cuda
