// SPDX-License-Identifier: MIT
// The device of a run, chosen at run time: --device cpu, cuda or auto.
#pragma once
#include <string>

#include "gaze/core/device.hpp"
#ifdef GAZE_WITH_CUDA
#include "cuda/kernels.hpp"
#endif

namespace gaze::phyx {

/// The reason why the GPU cannot be used, in one line; empty if it can.
std::string no_cuda();

/// Whether to run on the GPU. `auto` prints its choice to stderr; `cuda` throws Error if there is
/// no usable GPU.
bool wants_cuda(const std::string& asked);

/// Calls run(device) with a value of the device's type.
template <class Run>
auto on_device(const std::string& asked, Run run) {
  const bool cuda = wants_cuda(asked);
#ifdef GAZE_WITH_CUDA
  if (cuda) return run(Cuda{});
#endif
  static_cast<void>(cuda);
  return run(Cpu{});
}

}  // namespace gaze::phyx
