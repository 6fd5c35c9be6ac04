// SPDX-License-Identifier: MIT
// NaN, infinities and signed zeros through every operation on Cuda, as on the CPU.
#define GAZE_OPS_ON_CUDA
#include "tests/cuda/device.hpp"
#include "tests/special_values.hpp"

using namespace gaze;
using namespace gaze::test;

TEST_CASE("NaN, infinities and signed zeros go through operations on Cuda as stated",
          "[cuda][ops]") {
  GAZE_NEEDS_DEVICE();
  for (const SpecialCase& c : special_cases()) {
    check_special<double, Cuda>(c, c.functions.cuda_wide);
    check_special<float, Cuda>(c, c.functions.cuda_narrow);
  }
}
