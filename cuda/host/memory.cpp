// SPDX-License-Identifier: MIT
// Allocator<Cuda>, a BlockCache over the driver's memory, and the memory of graphs.
//
// Freed blocks are reused without waiting: all kernels and copies run in one stream, so the next
// user of a block runs after the work that still reads it. That does not hold for the kernels of a
// graph, which run again later: while a graph is recorded, blocks come from the graph's own pool
// and return to it, and are released when the graph is destroyed.
#include <unordered_map>
#include <utility>

#include "cuda/host/driver.hpp"
#include "cuda/host/runtime.hpp"
#include "gaze/core/arithmetic.hpp"

namespace gaze {

namespace {

struct DeviceMemory {
  void* take(std::size_t bytes) { return cuda::driver::take(bytes); }
  void give(void* p, std::size_t) noexcept { cuda::driver::give(p); }
};

using Cache = BlockCache<DeviceMemory>;

Cache& cache() {
  static auto* c = new Cache;  // never destroyed: tensors with static lifetime may be freed later
  return *c;
}

[[noreturn]] void out_of_memory(std::size_t bytes) {
  const cuda::MemoryInfo memory = cuda::memory();
  GAZE_FAIL("allocate", "out of memory on the device: asked for ", bytes, " bytes, ", memory.free,
            " of ", memory.total, " are free and ", cache().in_use(),
            " are in use here; lower the batch (--batch, --prompts, --group) or the model");
}

void* take_block(std::size_t bytes) {
  void* const p = cache().allocate(bytes);
  if (!p) out_of_memory(bytes);
  return p;
}

/// The blocks of one graph.
class GraphMemory {
 public:
  ~GraphMemory();

  void* allocate(std::size_t bytes) {
    const std::size_t size = Cache::rounded(bytes);
    auto& kept = free_[size];
    if (!kept.empty()) {
      void* const p = kept.back();
      kept.pop_back();
      return p;
    }
    void* const p = take_block(size);
    cuda::driver::lend(p, size);
    return p;
  }
  void free(void* p, std::size_t bytes) { free_[Cache::rounded(bytes)].push_back(p); }

 private:
  std::map<std::size_t, std::vector<void*>> free_;
};

/// The graph that owns a block, for blocks of graphs only.
struct Owners {
  std::mutex mutex;
  std::unordered_map<void*, GraphMemory*> of;
  GraphMemory* recording = nullptr;  // memory of the graph being recorded

  static Owners& instance() {
    static auto* o = new Owners;
    return *o;
  }
};

/// Blocks that tensors still own become ordinary ones.
GraphMemory::~GraphMemory() {
  Owners& owners = Owners::instance();
  const std::lock_guard<std::mutex> lock(owners.mutex);
  std::erase_if(owners.of, [this](const auto& entry) { return entry.second == this; });
  for (const auto& [size, blocks] : free_)
    for (void* p : blocks) {
      cuda::driver::take_back(p, size);
      cache().free(p, size);
    }
}

}  // namespace

void* Allocator<Cuda>::allocate(std::size_t bytes) {
  Owners& owners = Owners::instance();
  {
    const std::lock_guard<std::mutex> lock(owners.mutex);
    if (owners.recording) {
      void* const p = owners.recording->allocate(bytes);
      owners.of[p] = owners.recording;
      return p;
    }
  }
  void* const p = take_block(bytes);
  cuda::driver::lend(p, bytes);
  return p;
}

void Allocator<Cuda>::free(void* p, std::size_t bytes) noexcept {
  Owners& owners = Owners::instance();
  {
    const std::lock_guard<std::mutex> lock(owners.mutex);
    const auto found = owners.of.find(p);
    if (found != owners.of.end()) return found->second->free(p, bytes);
  }
  cuda::driver::take_back(p, Cache::rounded(bytes));
  cache().free(p, bytes);
}

void Allocator<Cuda>::keep_at_most(std::size_t bytes) { cache().keep_at_most(bytes); }
std::size_t Allocator<Cuda>::peak() { return cache().peak(); }
std::size_t Allocator<Cuda>::in_use() { return cache().in_use(); }
std::size_t Allocator<Cuda>::kept() { return cache().kept(); }
void Allocator<Cuda>::reset_peak() { cache().reset_peak(); }

namespace cuda {

namespace {

/// The executable of the last destroyed graph, kept for the next one.
class SpareRunnable {
 public:
  static SpareRunnable& instance() {
    static auto* spare = new SpareRunnable;
    return *spare;
  }

  /// The spare, updated to run `recorded`; null if there is none that can.
  void* take(void* recorded) {
    const std::lock_guard<std::mutex> lock(mutex_);
    void* const runnable = std::exchange(spare_, nullptr);
    if (!runnable || driver::update_runnable(runnable, recorded)) return runnable;
    driver::drop_runnable(runnable);
    return nullptr;
  }
  void keep(void* runnable) {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::swap(spare_, runnable);
    if (runnable) driver::drop_runnable(runnable);
  }

 private:
  std::mutex mutex_;
  void* spare_ = nullptr;
};

}  // namespace

struct Graph::Recording {
  GraphMemory memory;
  void* runnable = nullptr;
  bool reused = false;

  ~Recording() {
    if (runnable) SpareRunnable::instance().keep(runnable);
  }

  void make_runnable(void* recorded) {
    runnable = SpareRunnable::instance().take(recorded);
    reused = runnable != nullptr;
    if (!reused) runnable = driver::make_runnable(recorded);
    driver::drop_recorded(recorded);
    GAZE_CHECK(runnable, "Graph", "the recording cannot be run");
  }
};

bool recording() { return Owners::instance().recording != nullptr; }

Graph::Graph(const std::function<void()>& work) : recording_(std::make_unique<Recording>()) {
  GAZE_CHECK(!recording(), "Graph", "recorded while another one is being recorded");
  const Index before = arithmetic();
  driver::begin_recording();
  Owners::instance().recording = &recording_->memory;
  try {
    work();
  } catch (...) {
    Owners::instance().recording = nullptr;
    if (void* const recorded = driver::end_recording()) driver::drop_recorded(recorded);
    throw;
  }
  Owners::instance().recording = nullptr;
  void* const recorded = driver::end_recording();
  GAZE_CHECK(recorded, "Graph", "the recording failed");
  recording_->make_runnable(recorded);
  arithmetic_ = arithmetic() - before;
  count_arithmetic(-arithmetic_);  // nothing has run yet
}

Graph::~Graph() = default;

void Graph::launch() const {
  driver::run(recording_->runnable);
  count_arithmetic(arithmetic_);
}

bool Graph::reused_executable() const { return recording_->reused; }

}  // namespace cuda

}  // namespace gaze
