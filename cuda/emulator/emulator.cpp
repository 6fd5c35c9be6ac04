// SPDX-License-Identifier: MIT
// Implements the emulator (emulator.hpp) and driver.hpp: blocks of threads on fibres.
#undef _FORTIFY_SOURCE  // its longjmp refuses to switch stacks
#include "cuda/emulator/emulator.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <exception>
#include <functional>
#include <memory>
#include <numeric>
#include <random>
#include <string_view>
#include <vector>

#include "cuda/device/fragments.hpp"
#include "cuda/emulator/emulated_memory.hpp"
#include "cuda/emulator/fibre.hpp"
#include "cuda/host/driver.hpp"
#include "cuda/host/report.hpp"
#include "gaze/core/index.hpp"
#include "gaze/core/parallel.hpp"

namespace gaze::cuda {

using emulator::Memory;

namespace {

void refuse_while_recording(const char* what) {
  GAZE_CHECK(!recording(), "Graph", what, " cannot be recorded");
}

/// A graph is the list of its launches.
struct RecordedLaunch {
  const char* kernel;
  std::function<void()> run;
};
using Launches = std::vector<RecordedLaunch>;
Launches* recorded_launches = nullptr;

}  // namespace

namespace driver {

void begin_recording() { recorded_launches = new Launches; }
void* end_recording() { return std::exchange(recorded_launches, nullptr); }
void drop_recorded(void* recorded) noexcept { delete static_cast<Launches*>(recorded); }

void* make_runnable(void* recorded) { return new Launches(*static_cast<Launches*>(recorded)); }
bool update_runnable(void* runnable, void* recorded) {
  auto& old = *static_cast<Launches*>(runnable);
  const auto& wanted = *static_cast<const Launches*>(recorded);
  const auto same_kernel = [](const RecordedLaunch& a, const RecordedLaunch& b) {
    return std::string_view(a.kernel) == b.kernel;
  };
  if (!std::equal(old.begin(), old.end(), wanted.begin(), wanted.end(), same_kernel)) return false;
  old = wanted;
  return true;
}
void run(void* runnable) {
  for (const auto& launch : *static_cast<const Launches*>(runnable)) launch.run();
}
void drop_runnable(void* runnable) noexcept { delete static_cast<Launches*>(runnable); }

void* take(std::size_t bytes) { return Memory::instance().take(bytes); }
void give(void* p) noexcept { Memory::instance().give(p); }
void lend(void* p, std::size_t bytes) {
  void* const memory = Memory::instance().real(p);
  ASAN_UNPOISON_MEMORY_REGION(memory, bytes);
  std::memset(memory, 0xff, bytes);  // NaNs: old contents must not be read
}
void take_back(void* p, std::size_t bytes) noexcept {
  ASAN_POISON_MEMORY_REGION(Memory::instance().real(p), bytes);
}

SharedMemory take_shared(std::size_t bytes) {
  void* const device = take(bytes);
  GAZE_CHECK(device, "emulator", "no room for ", bytes, " bytes");
  lend(device, bytes);
  return {Memory::instance().real(device), device};
}

}  // namespace driver

std::vector<DeviceInfo> devices() { return {{"emulated", 90, threads(), memory().total}}; }
const DeviceInfo& device() {
  static const DeviceInfo info = devices().at(0);
  return info;
}
std::string unavailable() { return ""; }
void use_device(int index) {
  GAZE_CHECK(index == 0, "use_device", "there is no device ", index, ", only the emulated one, 0");
}
void synchronize() {
  refuse_while_recording("waiting for the device");
  throw_reported();
}
MemoryInfo memory() { return Memory::instance().info(); }

void copy_in(void* to, const void* from, std::size_t bytes) {
  refuse_while_recording("a copy to the device");
  if (bytes > 0) std::memcpy(emulator::real(to, "copy_in", 0), from, bytes);
}
void copy_out(void* to, const void* from, std::size_t bytes) {
  refuse_while_recording("a copy from the device");
  if (bytes == 0) return;
  std::memcpy(to, emulator::real(from, "copy_out", 1), bytes);
  throw_reported();
}

namespace emulator {

void* real(const void* device, const char* kernel, std::size_t argument) {
  void* const p = Memory::instance().real(device);
  GAZE_CHECK(p, "cuda", kernel, ": argument ", argument, " is not device memory");
  return p;
}

namespace {

constexpr unsigned warp_size = kLanes;

std::atomic<std::uint64_t>& order_seed() {
  static std::atomic<std::uint64_t> seed{number_from("GAZE_EMULATOR_ORDER", 0)};
  return seed;
}

/// The numbers below n in the order chosen by set_order().
std::vector<unsigned> order_of(unsigned n) {
  std::vector<unsigned> order(n);
  std::iota(order.begin(), order.end(), 0u);
  const std::uint64_t seed = order_seed();
  if (seed == 1) std::reverse(order.begin(), order.end());
  if (seed > 1) {
    std::mt19937_64 random(seed);
    for (unsigned i = n; i > 1; --i) std::swap(order[i - 1], order[random() % i]);
  }
  return order;
}

struct Runner;

/// A fibre and the CUDA thread that it is running.
struct Worker {
  Worker(Runner& runner) : runner(&runner), fibre(&Worker::main, this) {}
  static void main(void* self);

  Runner* runner;
  Fibre fibre;
  unsigned thread = 0;
};

/// The barrier where a thread waits; null file: it does not wait.
struct Waiting {
  const char* file = nullptr;
  unsigned line = 0;
  bool warp = false;
};

/// Runs the blocks of one host thread.
struct Runner {
  const Grid* grid = nullptr;
  void (*body)(void*) = nullptr;
  void* context = nullptr;
  std::vector<unsigned> order;
  unsigned threads = 0, next = 0, done = 0, block_waits = 0;
  std::vector<Worker*> ready, idle;
  std::vector<std::unique_ptr<Worker>> workers;
  Worker* running = nullptr;
  std::exception_ptr error;
  struct Thread {
    Waiting waiting;
    Worker* worker = nullptr;
    bool left = false, parity = false;
  };
  std::vector<Thread> state;
  std::vector<unsigned> warp_waits;
  std::vector<std::byte> exchanged;
  std::unique_ptr<std::byte[]> shared;  // exactly the requested size

  static Runner& instance() {
    static thread_local Runner runner;
    return runner;
  }

  void begin(const Grid& g, void (*b)(void*), void* c) {
    grid = &g;
    body = b;
    context = c;
    threads = g.threads.x * g.threads.y * g.threads.z;
    order = order_of(threads);
    position.threads = g.threads;
    position.blocks = g.blocks;
    exchanged.resize(std::size_t{2} * (threads + warp_size) * exchange_bytes);
    shared.reset(new std::byte[g.shared_bytes]);
  }

  void run_block(unsigned block) {
    const dim3 b = grid->blocks;
    position.block = dim3(block % b.x, block / b.x % b.y, block / b.x / b.y);
    next = done = block_waits = 0;
    state.assign(threads, {});
    warp_waits.assign((threads + warp_size - 1) / warp_size, 0);
    std::fill_n(shared.get(), grid->shared_bytes, std::byte{0xff});
    while (next < threads || !ready.empty()) {
      Worker* const worker = next_worker();
      running = worker;
      worker->fibre.resume();
      if (error) fail();
    }
    if (done < threads) stuck();
  }

  /// Threads released from a barrier run first, then those that have not started.
  Worker* next_worker() {
    if (!ready.empty()) {
      Worker* const worker = ready.back();
      ready.pop_back();
      enter(worker->thread);
      return worker;
    }
    if (idle.empty()) {
      workers.push_back(std::make_unique<Worker>(*this));
      idle.push_back(workers.back().get());
    }
    Worker* const worker = idle.back();
    idle.pop_back();
    return worker;
  }

  /// The body of a fibre: runs one thread after another until all have started.
  void run_threads() {
    while (next < threads) {
      const unsigned thread = order[next++];
      running->thread = thread;
      enter(thread);
      try {
        body(context);
      } catch (...) {
        error = std::current_exception();
      }
      state[thread].left = true;
      ++done;
      if (error) break;
    }
    idle.push_back(running);
    running->fibre.suspend();
  }

  void enter(unsigned thread) {
    const dim3 t = grid->threads;
    position.thread = dim3(thread % t.x, thread / t.x % t.y, thread / t.x / t.y);
  }

  void wait(Waiting where) {
    Worker* const self = running;
    const unsigned thread = self->thread, warp = thread / warp_size;
    state[thread].waiting = where;
    state[thread].worker = self;
    unsigned& waits = where.warp ? warp_waits[warp] : block_waits;
    const unsigned first = where.warp ? warp * warp_size : 0;
    const unsigned count = where.warp ? std::min(warp_size, threads - first) : threads;
    if (++waits == count && release(first, count, where)) {
      waits = 0;
      ready.erase(std::find(ready.begin(), ready.end(), self));
      return;
    }
    self->fibre.suspend();
  }

  /// Releases the threads if all of them wait at the same barrier.
  bool release(unsigned first, unsigned count, const Waiting& where) {
    for (unsigned i = first; i < first + count; ++i)
      if (state[i].waiting.line != where.line || state[i].waiting.file != where.file) return false;
    for (unsigned i = threads; i-- > 0;) {
      const unsigned thread = order[i];
      if (thread < first || thread >= first + count) continue;
      state[thread].waiting = {};
      ready.push_back(state[thread].worker);
    }
    return true;
  }

  /// Drops waiting threads, which will never be resumed.
  void forget_workers() {
    ready.clear();
    idle.clear();
    workers.clear();
  }

  void fail() {
    const std::exception_ptr thrown = std::exchange(error, nullptr);
    forget_workers();
    std::rethrow_exception(thrown);
  }

  [[noreturn]] void stuck() {
    std::string waiting;
    unsigned left = 0;
    const char* file = nullptr;
    unsigned line = 0;
    for (unsigned i = 0; i < threads; ++i) {
      const Thread& t = state[i];
      left += t.left;
      if (t.left || (t.waiting.file == file && t.waiting.line == line)) continue;
      file = t.waiting.file;
      line = t.waiting.line;
      waiting += gaze::concat(waiting.empty() ? "" : ", ", "thread ", i, " at ", file, ":", line,
                              t.waiting.warp ? " (its warp)" : "");
    }
    forget_workers();
    GAZE_FAIL("cuda", grid->kernel, ": deadlock: ", waiting, "; ", left, " of ", threads,
              " threads have returned");
  }
};

void Worker::main(void* self) {
  Worker* const worker = static_cast<Worker*>(self);
  for (;;) worker->runner->run_threads();
}

}  // namespace

constinit thread_local Position position;

void sync_block(const char* file, unsigned line) { Runner::instance().wait({file, line, false}); }
void sync_warp(const char* file, unsigned line) { Runner::instance().wait({file, line, true}); }

const std::byte* exchange_bytes_of_warp(const void* mine, std::size_t bytes) {
  Runner& r = Runner::instance();
  const unsigned thread = r.running->thread, warp = thread / warp_size;
  GAZE_CHECK(r.threads % warp_size == 0, "cuda", r.grid->kernel, ": blocks of ", r.threads,
             " threads have a warp with fewer than 32 lanes");
  bool& parity = r.state[thread].parity;
  parity = !parity;
  std::byte* const first =
      r.exchanged.data() + (std::size_t{2} * warp + parity) * warp_size * exchange_bytes;
  std::memcpy(first + thread % warp_size * exchange_bytes, mine, bytes);
  r.wait({"an exchange of the warp", 0, true});
  return first;
}

std::byte* dynamic_shared_memory() { return Runner::instance().shared.get(); }

void record(const char* kernel, std::function<void()> launch) {
  recorded_launches->push_back({kernel, std::move(launch)});
}

void set_order(std::uint64_t seed) { order_seed() = seed; }

void run(const Grid& grid, void (*body)(void*), void* context) {
  const Index blocks = Index{grid.blocks.x} * grid.blocks.y * grid.blocks.z;
  const Index size = Index{grid.threads.x} * grid.threads.y * grid.threads.z;
  const auto order = order_of(static_cast<unsigned>(blocks));
  parallel_for(blocks, 8192 / size + 1, [&](Index begin, Index end) {
    Runner& runner = Runner::instance();
    runner.begin(grid, body, context);
    for (Index i = begin; i < end; ++i) runner.run_block(order[static_cast<std::size_t>(i)]);
  });
}

}  // namespace emulator

}  // namespace gaze::cuda
