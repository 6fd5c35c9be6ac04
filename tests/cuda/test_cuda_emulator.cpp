// SPDX-License-Identifier: MIT
// The emulator: barriers, exchanges, shared memory, thread orders, and errors.
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

#include "cuda/device/strides.cuh"
#include "tests/cuda/device.hpp"

namespace test_cuda_emulator {
namespace {

using namespace gaze;
using cuda::launch;
using gaze::test::error_of;

/// Runs the body with several orders of threads and blocks.
void in_every_order(auto body) {
  for (const std::uint64_t order : {0, 1, 2, 3}) {
    INFO("order " << order);
    cuda::emulator::set_order(order);
    body();
  }
  cuda::emulator::set_order(0);
}

/// y[i] = x[n - 1 - i] within each block, through shared memory.
__global__ void reverse_kernel(const float* x, float* y) {
  float* const shared = cuda::dynamic_shared<float>();
  const unsigned n = blockDim.x, first = blockIdx.x * n;
  shared[threadIdx.x] = x[first + threadIdx.x];
  __syncthreads();
  y[first + threadIdx.x] = shared[n - 1 - threadIdx.x];
}

/// The same without its barrier.
__global__ void racing_kernel(const float* x, float* y) {
  float* const shared = cuda::dynamic_shared<float>();
  const unsigned n = blockDim.x, first = blockIdx.x * n;
  shared[threadIdx.x] = x[first + threadIdx.x];
  y[first + threadIdx.x] = shared[n - 1 - threadIdx.x];
}

/// Folds and shuffles: y[i] = sum of the block + largest of the warp + the neighbour's x.
__global__ void fold_kernel(const double* x, double* y) {
  const double mine = x[threadIdx.x];
  const double sum = cuda::block_sum(mine);
  const double largest = cuda::warp_max(mine);
  const double neighbour = cuda::shuffle_xor(mine, 1);
  const unsigned odd = cuda::ballot(threadIdx.x % 2 == 1);
  y[threadIdx.x] = sum + largest + neighbour + odd;
}

__global__ void leaving_kernel(float* y) {
  if (threadIdx.x == 3) return;
  __syncthreads();
  y[threadIdx.x] = 1;
}

__global__ void parting_kernel(float* y) {
  if (threadIdx.x < 32)
    __syncthreads();
  else
    __syncthreads();
  y[threadIdx.x] = 1;
}

__global__ void half_warp_kernel(float* y) { y[threadIdx.x] = cuda::warp_sum(1.0f); }

__global__ void place_kernel(std::int32_t* y) {
  const unsigned thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  const unsigned block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  const unsigned threads = blockDim.x * blockDim.y * blockDim.z;
  y[block * threads + thread] = static_cast<std::int32_t>(block * threads + thread);
}

std::vector<float> counted(std::size_t n) {
  std::vector<float> x(n);
  for (std::size_t i = 0; i < n; ++i) x[i] = static_cast<float>(i);
  return x;
}

}  // namespace

TEST_CASE("launches cover pieces, blocks and strided offsets", "[cuda]") {
  CHECK(cuda::pieces(0, 4) == 0);
  CHECK(cuda::pieces(1, 4) == 1);
  CHECK(cuda::pieces(4, 4) == 1);
  CHECK(cuda::pieces(5, 4) == 2);
  CHECK(cuda::blocks_for(0, 256).x == 1);
  CHECK(cuda::blocks_for(257, 256).x == 2);
  CHECK(cuda::blocks_for(Index{1} << 40, 256).x == 1u << 20);
  const cuda::Dims dims(Shape{3, 1, 4, 2}), strides(Shape{1, 7, 6, 0});
  Index i = 0;
  for (Index a = 0; a < 3; ++a)
    for (Index c = 0; c < 4; ++c)
      for (Index d = 0; d < 2; ++d, ++i) CHECK(cuda::strided_offset(dims, strides, i) == a + 6 * c);
  CHECK(dims.numel() == i);
  CHECK(cuda::Dims(Shape{}).numel() == 1);
  CHECK(cuda::strided_offset(cuda::Dims(Shape{}), cuda::Dims(Shape{}), 0) == 0);
}

TEST_CASE("a barrier makes threads wait for each other", "[cuda]") {
  const auto x = Tensor<float, Cuda>::from({256}, counted(256));
  in_every_order([&] {
    auto y = Tensor<float, Cuda>::zeros({256});
    launch({"reverse", dim3(4), dim3(64), 64 * sizeof(float)}, reverse_kernel, x.data(), y.data());
    const auto got = y.to_vector();
    for (std::size_t i = 0; i < got.size(); ++i)
      CHECK(got[i] == static_cast<float>(i / 64 * 64 + 63 - i % 64));
  });
}

TEST_CASE("changing the thread order exposes a missing barrier", "[cuda]") {
  const auto x = Tensor<float, Cuda>::from({64}, counted(64));
  std::vector<std::vector<float>> results;
  in_every_order([&] {
    auto y = Tensor<float, Cuda>::zeros({64});
    launch({"racing", dim3(1), dim3(64), 64 * sizeof(float)}, racing_kernel, x.data(), y.data());
    results.push_back(y.to_vector());
  });
  const auto differ = [](const std::vector<float>& a, const std::vector<float>& b) {
    return std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) != 0;
  };
  CHECK(differ(results[0], results[1]));
}

TEST_CASE("warps and blocks reduce and exchange values", "[cuda]") {
  std::vector<double> values;
  for (int i = 0; i < 96; ++i) values.push_back(i);
  const auto x = Tensor<double, Cuda>::from({96}, values);
  in_every_order([&] {
    auto y = Tensor<double, Cuda>::zeros({96});
    launch({"fold", dim3(1), dim3(96)}, fold_kernel, x.data(), y.data());
    const auto got = y.to_vector();
    for (std::size_t i = 0; i < got.size(); ++i)
      CHECK(got[i] == 96 * 95 / 2 + static_cast<double>(i / 32 * 32 + 31) +
                          static_cast<double>(i ^ 1) + 0xaaaaaaaau);
  });
}

TEST_CASE("blocks and threads have three dimensions", "[cuda]") {
  auto y = Tensor<std::int32_t, Cuda>::zeros({2 * 3 * 4 * 24});
  launch({"place", dim3(2, 3, 4), dim3(4, 3, 2)}, place_kernel, y.data());
  const auto got = y.to_vector();
  for (std::size_t i = 0; i < got.size(); ++i) CHECK(got[i] == static_cast<std::int32_t>(i));
}

#ifdef __SANITIZE_ADDRESS__
TEST_CASE("the sanitizer knows the end and the lifetime of a tensor", "[cuda]") {
  const auto behind = [](const void* device) {
    return static_cast<std::byte*>(cuda::emulator::real(device, "test", 0));
  };
  std::byte* first = nullptr;
  {
    const auto x = Tensor<float, Cuda>::zeros({61});
    first = behind(x.data());
    CHECK_FALSE(__asan_address_is_poisoned(first + 61 * sizeof(float) - 1));
    CHECK(__asan_address_is_poisoned(first + 61 * sizeof(float)));
  }
  CHECK(__asan_address_is_poisoned(first));
}
#endif

TEST_CASE("behaviour undefined on a GPU is refused, naming the kernel", "[cuda]") {
  using Catch::Contains;
  auto y = Tensor<float, Cuda>::zeros({64});
  for (int again = 0; again < 2; ++again) {  // an error does not affect the next launch
    const std::string leaving = error_of([&] {
      launch({"leaving", dim3(1), dim3(64)}, leaving_kernel, y.data());
    });
    CHECK_THAT(leaving, Contains("leaving: deadlock"));
    CHECK_THAT(leaving, Contains("1 of 64 threads have returned"));
    CHECK_THAT(error_of([&] {
                 launch({"parting", dim3(1), dim3(64)}, parting_kernel, y.data());
               }),
               Contains("parting: deadlock: thread 0 at"));
    CHECK_THAT(error_of([&] {
                 launch({"half", dim3(1), dim3(16)}, half_warp_kernel, y.data());
               }),
               Contains("fewer than 32 lanes"));
  }
  std::vector<float> on_host(64);
  CHECK_THAT(
      error_of([&] {
        launch({"reverse", dim3(1), dim3(64), 256}, reverse_kernel, on_host.data(), y.data());
      }),
      Contains("reverse: argument") && Contains("is not device memory"));
  launch({"reverse", dim3(1), dim3(64), 256}, reverse_kernel, y.data(), y.data());
  CHECK(y.to_vector() == std::vector<float>(64, 0.0f));
}

}  // namespace test_cuda_emulator
