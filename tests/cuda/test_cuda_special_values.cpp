// SPDX-License-Identifier: MIT
// NaN, infinities and signed zeros in every operation on Cuda, as on the CPU.
#include "tests/cuda/device.hpp"
#include "tests/special_values.hpp"

namespace test_cuda_special_values {

using namespace gaze;
using namespace gaze::test;

TEST_CASE("NaN, infinities and signed zeros propagate on Cuda as specified", "[cuda][ops]") {
  GAZE_NEEDS_DEVICE();
  for (const SpecialCase& c : special_cases()) {
    check_special<double, Cuda>(c, c.functions.cuda_wide);
    check_special<float, Cuda>(c, c.functions.cuda_narrow);
  }
}

}  // namespace test_cuda_special_values
