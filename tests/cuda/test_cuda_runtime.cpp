// SPDX-License-Identifier: MIT
// The device as the host sees it: memory, copies, tensors, and what goes wrong.
#include "tests/cuda/device.hpp"

namespace {

using namespace gaze;
using K = Kernels<Cuda>;

std::string error_of(auto f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("values go to the device and come back", "[cuda]") {
  GAZE_NEEDS_DEVICE();
  const auto x = Tensor<float, Cuda>::from({2, 3}, {1, 2, 3, 4, 5, 6});
  CHECK(x.to_vector() == std::vector<float>{1, 2, 3, 4, 5, 6});
  const auto column = x.view(1, {2}, {3});
  CHECK(column.to_vector() == std::vector<float>{2, 5});
  CHECK(x.view(4, {}, {}).item() == 5);
  CHECK(Tensor<double, Cuda>::full({3}, 1.5).to_vector() == std::vector<double>(3, 1.5));
  CHECK(Tensor<float, Cuda>::zeros({0, 4}).to_vector().empty());
  CHECK(x.to<Cpu>().to_vector() == x.to_vector());
  CHECK(x.to<Cpu>().to<Cuda>().to_vector() == x.to_vector());
}

TEST_CASE("freed memory is given out again, and everything is when there is no room", "[cuda]") {
  GAZE_NEEDS_DEVICE();
  using Memory = Allocator<Cuda>;
  Memory::keep_at_most(0);
  Memory::keep_at_most(static_cast<std::size_t>(-1));
  const std::size_t before = Memory::in_use();
  void* const first = Memory::allocate(1000);
  CHECK(Memory::in_use() == before + 1024);
  Memory::free(first, 1000);
  CHECK(Memory::kept() == 1024);
  void* const again = Memory::allocate(1020);
  CHECK(again == first);
  Memory::free(again, 1020);
  const std::size_t half = cuda::memory().total / 8 * 5;
  const std::string error = error_of([&] {
    void* const a = Memory::allocate(half);
    try {
      Memory::allocate(half);
    } catch (...) {
      Memory::free(a, half);
      throw;
    }
  });
  CHECK_THAT(error,
             Catch::Contains("out of memory on the device: asked for " + std::to_string(half)));
  CHECK_THAT(error, Catch::Contains("lower the batch"));
  Memory::keep_at_most(static_cast<std::size_t>(-1));
  void* const other = Memory::allocate(half - 4096);  // the kept block goes back to make room
  Memory::free(other, half - 4096);
  Memory::keep_at_most(0);
  CHECK(Memory::kept() == 0);
  Memory::keep_at_most(static_cast<std::size_t>(-1));
}

TEST_CASE("a device that is not there is refused", "[cuda]") {
  GAZE_NEEDS_DEVICE();
  CHECK_THAT(error_of([] { cuda::use_device(1000); }), Catch::Contains("[gaze::use_device]"));
  CHECK(cuda::devices().size() >= 1);
  CHECK(cuda::devices()[0].memory > 0);
}
