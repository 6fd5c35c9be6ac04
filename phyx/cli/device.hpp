// SPDX-License-Identifier: MIT
// The device of a run, chosen when it starts: --device cpu, cuda or auto.
#pragma once
#include <cstdio>
#include <string>

#include "gaze/gaze.hpp"
#ifdef GAZE_WITH_CUDA
#include "cuda/kernels.hpp"
#endif

namespace gaze::phyx {

/// Why a run cannot be on the GPU, in one line; empty where it can.
inline std::string no_cuda() {
#ifdef GAZE_WITH_CUDA
  return cuda::unavailable();
#else
  return "built without CUDA; -DGAZE_CUDA=ON and a toolkit of version 12 or newer add it";
#endif
}

/// Is a run on the GPU? `auto` tells on stderr what it chose.
inline bool wants_cuda(const std::string& asked) {
  if (asked == "cpu") return false;
  const std::string reason = no_cuda();
  if (asked == "auto")
    std::fprintf(stderr, "device: %s\n", reason.empty() ? "cuda" : ("cpu, " + reason).c_str());
  else
    GAZE_CHECK(reason.empty(), "device", "cuda: ", reason);
  return reason.empty();
}

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
