// SPDX-License-Identifier: MIT
// The CPU's allocator: counters, cache, limit, and a custom memory resource, which may run out.
#include <memory_resource>
#include <optional>
#include <thread>

#include "gaze/gaze.hpp"
#include "tests/test.hpp"

namespace test_memory {
namespace {

using namespace gaze;
using Catch::Contains;
using Memory = Allocator<Cpu>;

/// Counts its blocks; fails from block `fails_at` on, `failures` times.
class Counted : public std::pmr::memory_resource {
 public:
  std::size_t given = 0, taken = 0, live = 0, misaligned = 0;
  std::size_t fails_at = static_cast<std::size_t>(-1), failures = 1000;

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    if (given >= fails_at && failures > 0) {
      --failures;
      throw std::bad_alloc();
    }
    void* const p = std::pmr::new_delete_resource()->allocate(bytes, alignment);
    ++given;
    live += bytes;
    misaligned += reinterpret_cast<std::uintptr_t>(p) % Memory::alignment != 0;
    return p;
  }
  void do_deallocate(void* p, std::size_t bytes, std::size_t alignment) override {
    ++taken;
    live -= bytes;
    std::pmr::new_delete_resource()->deallocate(p, bytes, alignment);
  }
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }
};

/// Restores the allocator after a test.
struct KeepMemory {
  KeepMemory() { Memory::reset_peak(); }
  ~KeepMemory() {
    Memory::use(nullptr);
    Memory::keep_at_most(static_cast<std::size_t>(-1));
  }
};

/// A training step that creates and frees tensors of several sizes.
float train_a_little() {
  Parameters<float> parameters;
  const Linear<float, Cpu> layer(parameters, "layer", "model", 30, 7, true);
  parameters.allocate(1);
  AdamW<float> optimiser(parameters, {});
  float last = 0;
  for (int step = 0; step < 5; ++step) {
    const auto loss = mean(square(layer(Tensor<float>::full({20, 30}, 0.5f))));
    backward(loss);
    optimiser.step(0.1);
    last = loss.item();
  }
  return last;
}

}  // namespace

TEST_CASE("sizes are rounded up by at most a quarter, to whole cache lines", "[memory]") {
  for (std::size_t bytes = 0; bytes < 5000; ++bytes) {
    const std::size_t size = Memory::rounded(bytes);
    CHECK(size >= bytes);
    CHECK(size % Memory::alignment == 0);
    CHECK((size <= 256 || size - bytes <= bytes / 4));
  }
  for (std::size_t bytes = 1 << 20; bytes < (1 << 21); bytes += 77777)
    CHECK(Memory::rounded(bytes) - bytes <= bytes / 4);
}

TEST_CASE("blocks are counted, cached and released at a limit", "[memory]") {
  const KeepMemory keep;
  Counted source;
  Memory::use(&source);
  Memory::reset_peak();
  {
    const Tensor<float> a({1000}), b({1000});
    CHECK(Memory::in_use() == 2 * Memory::rounded(4000));
    CHECK(source.live == Memory::in_use());
  }
  CHECK(Memory::in_use() == 0);
  CHECK(Memory::kept() == 2 * Memory::rounded(4000));
  CHECK(Memory::peak() == Memory::kept());
  { const Tensor<float> again({1000}); }
  CHECK(source.given == 2);  // the third block came from the cache
  Memory::keep_at_most(Memory::rounded(4000));
  CHECK(Memory::kept() == 0);
  CHECK(source.live == 0);
  { const Tensor<float> a({1000}), b({1000}); }
  CHECK(Memory::kept() == Memory::rounded(4000));  // one of the two
  CHECK(source.live == Memory::kept());
  Memory::keep_at_most(0);
  { const Tensor<float> a({1000}); }
  CHECK(source.live == 0);
}

TEST_CASE("sizes that change between steps do not accumulate memory", "[memory]") {
  const KeepMemory keep;
  Counted source;
  Memory::use(&source);
  Memory::reset_peak();
  std::size_t most = 0;
  for (Index step = 0; step < 50; ++step) {
    std::vector<Tensor<float>> alive;
    for (Index i = 0; i < 8; ++i) alive.emplace_back(Shape({1000 * (1 + (step * 13 + i) % 40)}));
    most = std::max(most, source.live);
    CHECK(source.live == Memory::in_use() + Memory::kept());
  }
  CHECK(Memory::peak() > 0);
  CHECK(most <= Memory::peak() + Memory::peak() / 8);
  Memory::use(nullptr);
}

TEST_CASE("a memory resource replaces the program's memory", "[memory]") {
  const KeepMemory keep;
  const float expected = train_a_little();
  Counted source;
  Memory::use(&source);
  CHECK(train_a_little() == expected);
  CHECK(source.given > 10);
  CHECK(source.misaligned == 0);
  CHECK(Memory::in_use() == 0);
  {
    const Tensor<float> alive({3});
    CHECK_THROWS_WITH(Memory::use(nullptr), Contains("[gaze::Allocator]") &&
                                                Contains("256 bytes") &&
                                                Contains("while they are in use"));
  }
  Memory::use(nullptr);
  CHECK(source.live == 0);  // cached blocks were released to their source
  CHECK(source.given == source.taken);
  const std::size_t given = source.given;
  CHECK(train_a_little() == expected);
  CHECK(source.given == given);
}

TEST_CASE("a standard-library arena works as a memory resource", "[memory]") {
  const KeepMemory keep;
  const float expected = train_a_little();
  std::pmr::monotonic_buffer_resource arena;
  std::pmr::synchronized_pool_resource pool(&arena);
  Memory::use(&pool);
  CHECK(train_a_little() == expected);
  Memory::use(nullptr);
}

TEST_CASE("running out of memory is a recoverable error", "[memory]") {
  const KeepMemory keep;
  const float expected = train_a_little();
  for (const std::size_t blocks : {0, 1, 3, 7, 12}) {
    Counted source;
    source.fails_at = blocks;
    Memory::use(&source);
    CHECK_THROWS_WITH(train_a_little(), Contains("[gaze::allocate] out of memory: asked for "));
    CHECK(Memory::in_use() == 0);  // memory allocated before the failure is free again
    source.fails_at = static_cast<std::size_t>(-1);
    CHECK(train_a_little() == expected);
    Memory::use(nullptr);
    CHECK(source.live == 0);
  }
}

TEST_CASE("cached blocks are released before memory runs out", "[memory]") {
  const KeepMemory keep;
  Counted source;
  Memory::use(&source);
  { const Tensor<float> large({1000000}); }
  CHECK(Memory::kept() > 0);
  source.fails_at = 1;
  source.failures = 1;  // the next block fails once, as if cached blocks used the memory
  {
    const Tensor<float> other({50000});
    CHECK(source.live == Memory::in_use());
    CHECK(Memory::kept() == 0);
  }
  Memory::use(nullptr);
}

TEST_CASE("several threads allocate at once", "[memory]") {
  const KeepMemory keep;
  const std::size_t before = Memory::in_use();
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&wrong, t] {
      for (Index i = 0; i < 3000; ++i) {
        const Index n = 1 + (i * 37 + t) % 500;
        const auto x = Tensor<float>::full({n}, static_cast<float>(t));
        wrong += x.data()[n - 1] != static_cast<float>(t);
      }
    });
  for (auto& t : threads) t.join();
  CHECK(wrong == 0);
  CHECK(Memory::in_use() == before);
}

}  // namespace test_memory
