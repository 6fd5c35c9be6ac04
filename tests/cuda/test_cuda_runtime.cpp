// SPDX-License-Identifier: MIT
// The device seen from the host: memory, copies, tensors, graphs, and errors.
#include "cuda/host/staging.hpp"
#include "tests/cuda/device.hpp"

namespace test_cuda_runtime {
namespace {

using namespace gaze;
using gaze::test::error_of;
using K = Kernels<Cuda>;

/// Records the calls to a ring's fences.
struct Asked {
  static inline std::vector<std::string> log;
  static inline int made = 0;
  int number = made++;
  void record() { log.push_back("record " + std::to_string(number)); }
  void wait() { log.push_back("wait " + std::to_string(number)); }
};

}  // namespace

TEST_CASE("staging memory is reused only after its fence", "[cuda]") {
  std::vector<std::byte> memory(3 * 256);
  Asked::log.clear();
  Asked::made = 0;
  cuda::StagingRing<Asked> ring(memory.data(), 256, 3);
  CHECK(ring.largest() == 256);
  CHECK(ring.take(1) == memory.data());
  CHECK(ring.take(192) == memory.data() + 64);
  CHECK(Asked::log.empty());
  CHECK(ring.take(1) == memory.data() + 256);
  CHECK(ring.take(256) == memory.data() + 512);
  CHECK(ring.take(0) == memory.data() + 512 + 256);  // full, and no fence is queried
  CHECK(ring.take(65) == memory.data());
  CHECK(Asked::log ==
        std::vector<std::string>{"record 0", "wait 1", "record 1", "wait 2", "record 2", "wait 0"});
}

TEST_CASE("values survive the copy to the device and back", "[cuda]") {
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

TEST_CASE("freed memory is reused, and all of it is released when memory runs out", "[cuda]") {
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
  void* const other = Memory::allocate(half - 4096);  // the cached block is released to make room
  Memory::free(other, half - 4096);
  Memory::keep_at_most(0);
  CHECK(Memory::kept() == 0);
  Memory::keep_at_most(static_cast<std::size_t>(-1));
}

TEST_CASE("a graph repeats the recorded work in its own memory", "[cuda]") {
  GAZE_NEEDS_DEVICE();
  auto x = Tensor<double, Cuda>::full({100}, 1.0);
  const auto w = Tensor<double, Cuda>::full({100, 100}, 1.0);
  const std::size_t before = Allocator<Cuda>::in_use();
  const Index counted = arithmetic();
  {
    const cuda::Graph graph([&] {
      Tensor<double, Cuda> twice({100}), product({1, 100});
      K::add<double>(100, x.data(), x.data(), twice.data());
      K::gemm(args::Gemm<double>{.transpose_a = false,
                                 .transpose_b = false,
                                 .m = 1,
                                 .n = 100,
                                 .k = 100,
                                 .a = twice.data(),
                                 .lda = 100,
                                 .b = w.data(),
                                 .ldb = 100,
                                 .c = product.data(),
                                 .ldc = 100});
      K::scale<double>(100, 0.01, product.data(), x.data());
    });
    CHECK(x.to_vector() == std::vector<double>(100, 1.0));  // nothing ran yet
    CHECK(arithmetic() == counted);
    const auto between = Tensor<double, Cuda>::full({100}, 7.0);  // not in the graph's memory
    for (int i = 0; i < 3; ++i) graph.launch();
    CHECK(arithmetic() == counted + 3 * 2 * 100 * 100);
    for (const double value : x.to_vector()) CHECK(value == Catch::Approx(8));
    CHECK(between.to_vector() == std::vector<double>(100, 7.0));
    CHECK(Allocator<Cuda>::in_use() > before);
  }
  CHECK(Allocator<Cuda>::in_use() == before);
  CHECK_FALSE(cuda::recording());
  CHECK_THAT(error_of([&] { const cuda::Graph graph([&] { x.to_vector(); }); }),
             Catch::Contains("a copy from the device cannot be recorded"));
  CHECK_THAT(
      error_of([&] { const cuda::Graph graph([&] { Tensor<double, Cuda>::from({1}, {1.0}); }); }),
      Catch::Contains("a copy to the device cannot be recorded"));
  CHECK_FALSE(cuda::recording());
  CHECK(x.to_vector().size() == 100);
}

TEST_CASE("a graph with the same kernels reuses the previous executable", "[cuda]") {
  GAZE_NEEDS_DEVICE();
  auto x = Tensor<float, Cuda>::full({5000}, 1), y = Tensor<float, Cuda>::full({5000}, 2);
  const auto doubled = [](Tensor<float, Cuda> t, Index n) {
    return std::make_unique<cuda::Graph>([=]() mutable {
      Tensor<float, Cuda> twice({n});
      K::add<float>(n, t.data(), t.data(), twice.data());
      K::copy<float>(n, twice.data(), t.data());
    });
  };
  const auto ends = [](const Tensor<float, Cuda>& t) {
    const auto all = t.to_vector();
    return std::pair(all.front(), all.back());
  };
  const std::size_t before = Allocator<Cuda>::in_use();
  auto first = doubled(x, 10);
  first->launch();
  auto second = doubled(y, 5000);  // both are alive, each with its own executable
  CHECK_FALSE(second->reused_executable());
  first.reset();
  first = doubled(x, 5000);  // of another size
  CHECK(first->reused_executable());
  first->launch();
  second->launch();
  CHECK(ends(x) == std::pair(4.0f, 2.0f));
  CHECK(ends(y) == std::pair(4.0f, 4.0f));
  first.reset();
  const cuda::Graph other([&] { K::fill(5000, 7.0f, x.data()); });
  CHECK_FALSE(other.reused_executable());
  other.launch();
  second->launch();
  CHECK(ends(x) == std::pair(7.0f, 7.0f));
  CHECK(ends(y) == std::pair(8.0f, 8.0f));
  second.reset();
  CHECK(Allocator<Cuda>::in_use() == before);  // a spare executable needs no memory
}

TEST_CASE("a missing device is refused", "[cuda]") {
  GAZE_NEEDS_DEVICE();
  CHECK_THAT(error_of([] { cuda::use_device(1000); }), Catch::Contains("[gaze::use_device]"));
  CHECK(cuda::devices().size() >= 1);
  CHECK(cuda::devices()[0].memory > 0);
}

}  // namespace test_cuda_runtime
