// SPDX-License-Identifier: MIT
// The device of a run, chosen when it starts: --device cpu, cuda or auto.
#pragma once
#include <string>

#include "gaze/core/device.hpp"
#ifdef GAZE_WITH_CUDA
#include "cuda/kernels.hpp"
#endif

namespace gaze::phyx {

/// Why a run cannot be on the GPU, in one line; empty where it can.
std::string no_cuda();

/// Is a run on the GPU? `auto` tells on stderr what it chose; `cuda` is an Error where there is
/// none.
bool wants_cuda(const std::string& asked);

/// Calls run(device), where the device's type is what everything below is made for.
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
