// SPDX-License-Identifier: MIT
// Detecting a usable GPU.
#include "phyx/cli/device.hpp"

#include <cstdio>

#include "gaze/core/error.hpp"

namespace gaze::phyx {

std::string no_cuda() {
#ifdef GAZE_WITH_CUDA
  return cuda::unavailable();
#else
  return "built without CUDA; rebuild with -DGAZE_CUDA=ON and CUDA 12 or newer";
#endif
}

bool wants_cuda(const std::string& asked) {
  if (asked == "cpu") return false;
  const std::string reason = no_cuda();
  if (asked == "auto")
    std::fprintf(stderr, "device: %s\n", reason.empty() ? "cuda" : ("cpu, " + reason).c_str());
  else
    GAZE_CHECK(reason.empty(), "device", "cuda: ", reason);
  return reason.empty();
}

}  // namespace gaze::phyx
