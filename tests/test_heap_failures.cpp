// SPDX-License-Identifier: MIT
// Training steps in which an allocation fails, be it of a tensor or of anything else: this file
// replaces operator new. A step that throws has either made its optimiser step or changed nothing,
// leaks nothing, and later steps give the same bits as if none had failed.
#include <atomic>
#include <cstdlib>
#include <new>

#include "tests/small_steps.hpp"

namespace test_heap_failures {
namespace {

/// Number of allocations that are live, and of those before the one that fails (negative: none).
std::atomic<std::int64_t> live{0}, left{-1};
std::atomic<bool> lasting{false};  // all allocations after the failed one fail too
std::atomic<bool> failed{false};

constexpr std::size_t kUsual = alignof(std::max_align_t);

[[gnu::noinline]] void* take(std::size_t bytes, std::size_t alignment) noexcept {
  if (left >= 0 && left.fetch_sub(1) == 0) {
    failed = true;
    if (lasting) left = 0;
    return nullptr;
  }
  const std::size_t whole = (bytes / alignment + 1) * alignment;
  void* const p = alignment > kUsual ? std::aligned_alloc(alignment, whole) : std::malloc(whole);
  live += p != nullptr;
  return p;
}

void* take_or_throw(std::size_t bytes, std::size_t alignment) {
  void* const p = take(bytes, alignment);
  if (!p) throw std::bad_alloc();
  return p;
}

[[gnu::noinline]] void give(void* p) noexcept {
  live -= p != nullptr;
  std::free(p);
}

}  // namespace
}  // namespace test_heap_failures

// Every form, because those of a sanitizer do not call each other.
#define GAZE_REPLACE(NEW, DELETE)                                                                \
  void* operator NEW(std::size_t bytes) {                                                        \
    return test_heap_failures::take_or_throw(bytes, test_heap_failures::kUsual);                 \
  }                                                                                              \
  void* operator NEW(std::size_t bytes, std::align_val_t alignment) {                            \
    return test_heap_failures::take_or_throw(bytes, static_cast<std::size_t>(alignment));        \
  }                                                                                              \
  void* operator NEW(std::size_t bytes, const std::nothrow_t&) noexcept {                        \
    return test_heap_failures::take(bytes, test_heap_failures::kUsual);                          \
  }                                                                                              \
  void operator DELETE(void* p) noexcept { test_heap_failures::give(p); }                        \
  void operator DELETE(void* p, std::size_t) noexcept { test_heap_failures::give(p); }           \
  void operator DELETE(void* p, std::align_val_t) noexcept { test_heap_failures::give(p); }      \
  void operator DELETE(void* p, const std::nothrow_t&) noexcept { test_heap_failures::give(p); } \
  void operator DELETE(void* p, std::size_t, std::align_val_t) noexcept {                        \
    test_heap_failures::give(p);                                                                 \
  }
GAZE_REPLACE(new, delete)
GAZE_REPLACE(new[], delete[])
#undef GAZE_REPLACE

namespace test_heap_failures {
namespace {

using namespace gaze;
using namespace gaze::test;
using Memory = Allocator<Cpu>;

/// Disables the allocator's cache during its lifetime, so that freed tensors are freed memory.
struct NoCache {
  NoCache() { Memory::keep_at_most(0); }
  ~NoCache() { Memory::keep_at_most(static_cast<std::size_t>(-1)); }
};

/// Calls step() with allocation k failing. Returns whether it threw.
template <class Step>
bool threw(std::int64_t k, Step step) {
  failed = false;
  left = k;
  try {
    step();
    left = -1;
    return false;
  } catch (const Error&) {
    left = -1;
  } catch (const std::bad_alloc&) {
    left = -1;
  }
  return true;
}

/// Weights and moments.
std::vector<std::uint32_t> bits(const Parameters<float>& parameters, AdamW<float>& optimiser) {
  auto all = test::bits(values_of(parameters));
  for (const auto& moments : optimiser.moments())
    for (const auto& m : {moments.first, moments.second})
      if (m.defined()) {
        const auto more = test::bits(m);
        all.insert(all.end(), more.begin(), more.end());
      }
  return all;
}

/// The number of steps that threw before and after their optimiser step, and of those that finished
/// without that memory.
struct Outcomes {
  Index undone = 0, done = 0, finished = 0;
};

/// Calls step(optimiser) from the same weights with allocation 0, stride, 2 stride, ... failing.
template <class Step>
Outcomes fail_each(Parameters<float>& parameters, std::int64_t stride, Step step) {
  const auto start = values_of(parameters);
  std::vector<std::uint32_t> before, after, next;
  {
    AdamW<float> optimiser(parameters, {});
    before = bits(parameters, optimiser);
    step(optimiser);
    after = bits(parameters, optimiser);
    step(optimiser);
    next = bits(parameters, optimiser);
  }
  Outcomes out;
  std::int64_t blocks = -1;
  std::size_t bytes = 0;
  for (std::int64_t k = 0;; k += stride) {
    INFO("allocation " << k << " fails");
    set_values(parameters, start);
    {
      AdamW<float> optimiser(parameters, {});
      const bool thrown = threw(k, [&] { step(optimiser); });
      if (!failed) return out;
      const bool done = optimiser.steps() == 1;
      ++(!thrown ? out.finished : done ? out.done : out.undone);
      REQUIRE((thrown || done));
      REQUIRE((bits(parameters, optimiser) == (done ? after : before)));
      if (!done) {
        parameters.clear_gradients();
        step(optimiser);
        REQUIRE((bits(parameters, optimiser) == after));
      }
      step(optimiser);
      REQUIRE((bits(parameters, optimiser) == next));
    }
    if (blocks < 0) blocks = live, bytes = Memory::in_use();
    REQUIRE(live == blocks);
    REQUIRE(Memory::in_use() == bytes);
  }
}

/// Runs all pieces on the calling thread.
struct InTurn : Executor {
  int threads() const override { return 4; }
  void run(int pieces, const std::function<void(int)>& piece) override {
    for (int i = 0; i < pieces; ++i) piece(i);
  }
};

/// Both steps, with one allocation failing, and with all from one on.
void fail_steps(std::int64_t stride) {
  const NoCache no_cache;
  const Restore restore;
  set_threads(2);
  for (const bool all : {false, true}) {
    INFO((all ? "with all later ones" : "alone"));
    lasting = all;
    for (const bool bf16 : {false, true}) {
      SmallSteps steps(bf16);
      const auto out = fail_each(steps.parameters(), stride,
                                 [&](AdamW<float>& optimiser) { steps.supervised(optimiser); });
      CHECK(out.undone > 900 / stride);
    }
    SmallSteps steps;
    const auto out = fail_each(steps.parameters(), stride,
                               [&](AdamW<float>& optimiser) { steps.grpo(optimiser); });
    CHECK(out.undone > 1500 / stride);
    if (stride == 1) CHECK(out.done > 0);  // for instance without memory for the metrics
  }
}

}  // namespace

TEST_CASE("a parallel range allocates nothing, so an optimiser step is not left half done") {
  const Restore restore;
  set_threads(2);
  InTurn executor;
  std::atomic<Index> done{0};
  const auto add_up = [&] {
    parallel_for(1000, 1, [&](Index begin, Index end) { done += end - begin; });
  };
  for (Executor* by : {static_cast<Executor*>(nullptr), static_cast<Executor*>(&executor)}) {
    use_executor(by);
    done = 0;
    const bool thrown = threw(0, add_up);
    use_executor(nullptr);
    CHECK_FALSE((thrown || failed));
    CHECK(done == 1000);
  }
}

TEST_CASE("training goes on after a step in which an allocation failed") { fail_steps(37); }

TEST_CASE("training goes on after a step in which any allocation failed", "[slow]") {
  fail_steps(1);
}

}  // namespace test_heap_failures
