// SPDX-License-Identifier: MIT
// Implements runtime.hpp and driver.hpp with the CUDA runtime, and checks every launch.
//
// A kernel that fails while it runs is detected by a later call; the message names the kernel
// launched last. With GAZE_CUDA_SYNC=1 every launch waits, so that the message names the kernel
// that failed.
#include "cuda/host/driver.hpp"

#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "cuda/device/device.cuh"
#include "cuda/host/report.hpp"
#include "cuda/host/staging.hpp"

namespace gaze::cuda {

namespace {

struct LastLaunch {
  const char* kernel = nullptr;
  const char* file = "";
  int line = 0;
};
thread_local LastLaunch last_launch;

std::string last_launch_text() {
  if (!last_launch.kernel) return "";
  return gaze::concat(", after the launch of ", last_launch.kernel, " (", last_launch.file, ":",
                      last_launch.line, ")");
}

void check(cudaError_t error, const char* what) {
  GAZE_CHECK(error == cudaSuccess, "cuda", what, " failed: ", cudaGetErrorString(error),
             last_launch_text());
}

/// Chosen by use_device() before the first use.
int chosen_device = 0;

/// A mark in the stream.
class StreamFence {
 public:
  StreamFence() { check(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming), "an event"); }
  StreamFence(const StreamFence&) = delete;
  StreamFence(StreamFence&& other) noexcept : event_(std::exchange(other.event_, nullptr)) {}
  ~StreamFence() {
    if (event_) cudaEventDestroy(event_);
  }
  void record() { check(cudaEventRecord(event_, stream()), "an event"); }
  void wait() { check(cudaEventSynchronize(event_), "waiting for the device"); }

 private:
  cudaEvent_t event_ = nullptr;
};

/// Pinned buffers for copies to the device; larger copies do not use them.
StagingRing<StreamFence>& staging() {
  static auto* ring = [] {
    constexpr std::size_t bytes = std::size_t{4} << 20, count = 4;
    void* memory = nullptr;
    check(cudaMallocHost(&memory, bytes * count), "cudaMallocHost");
    return new StagingRing<StreamFence>(static_cast<std::byte*>(memory), bytes, count);
  }();
  return *ring;
}

struct Context {
  cudaStream_t stream;
  bool wait_always;

  Context() {
    const std::string reason = unavailable();
    GAZE_CHECK(reason.empty(), "cuda", reason);
    check(cudaSetDevice(chosen_device), "cudaSetDevice");
    check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreate");
    const char* const wait = std::getenv("GAZE_CUDA_SYNC");
    wait_always = wait && *wait && *wait != '0';
  }
};

/// Created on first use; never destroyed, because tensors may outlive it.
Context& context() {
  static auto* c = new Context;
  return *c;
}

bool context_made = false;

void refuse_while_recording(const char* what) {
  GAZE_CHECK(!recording(), "Graph", what, " cannot be recorded");
}

}  // namespace

std::string unavailable() {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error == cudaErrorInsufficientDriver) {
    int driver = 0, needed = 0;
    cudaDriverGetVersion(&driver);
    cudaRuntimeGetVersion(&needed);
    if (driver == 0) return "no CUDA driver is installed";
    return gaze::concat("the driver is too old: it knows CUDA ", driver / 1000, ".",
                        driver % 1000 / 10, ", this program needs ", needed / 1000, ".",
                        needed % 1000 / 10);
  }
  if (error == cudaErrorNoDevice || (error == cudaSuccess && count == 0))
    return "there is no CUDA device";
  if (error != cudaSuccess) return cudaGetErrorString(error);
  return "";
}

std::vector<DeviceInfo> devices() {
  std::vector<DeviceInfo> all;
  if (!unavailable().empty()) return all;
  int count = 0;
  check(cudaGetDeviceCount(&count), "cudaGetDeviceCount");
  for (int i = 0; i < count; ++i) {
    cudaDeviceProp p;
    check(cudaGetDeviceProperties(&p, i), "cudaGetDeviceProperties");
    all.push_back({p.name, p.major * 10 + p.minor, p.multiProcessorCount, p.totalGlobalMem});
  }
  return all;
}

void use_device(int index) {
  GAZE_CHECK(!context_made, "use_device", "the device is in use already");
  const auto count = static_cast<int>(devices().size());
  GAZE_CHECK(index >= 0 && index < count, "use_device", "there is no device ", index, ", only ",
             count);
  chosen_device = index;
}

const DeviceInfo& device() {
  stream();  // from here on the choice is final
  static const DeviceInfo info = devices().at(static_cast<std::size_t>(chosen_device));
  return info;
}

cudaStream_t stream() {
  context_made = true;
  return context().stream;
}

void synchronize() {
  refuse_while_recording("waiting for the device");
  check(cudaStreamSynchronize(stream()), "waiting for the device");
  throw_reported();
}

MemoryInfo memory() {
  stream();
  MemoryInfo info;
  check(cudaMemGetInfo(&info.free, &info.total), "cudaMemGetInfo");
  return info;
}

void copy_in(void* to, const void* from, std::size_t bytes) {
  if (bytes == 0) return;
  refuse_while_recording("a copy to the device");
  stream();
  if (bytes <= staging().largest()) {
    std::byte* const room = staging().take(bytes);
    std::memcpy(room, from, bytes);
    from = room;
  }
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream()), "a copy to the device");
}
void copy_out(void* to, const void* from, std::size_t bytes) {
  if (bytes == 0) return;
  refuse_while_recording("a copy from the device");
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream()),
        "a copy from the device");
  synchronize();
}

void check_launch(const Launch& l) {
  last_launch = {l.name, l.where.file, l.where.line};
  const cudaError_t error = cudaGetLastError();
  GAZE_CHECK(error == cudaSuccess, "cuda", l.name, " (", l.where.file, ":", l.where.line,
             ") was not launched: ", cudaGetErrorString(error), "; ", l.blocks.x, "x", l.blocks.y,
             "x", l.blocks.z, " blocks of ", l.threads.x * l.threads.y * l.threads.z, " threads, ",
             l.shared_bytes, " bytes of shared memory");
  if (context().wait_always && !recording()) synchronize();
}

void allow_shared(const void* kernel, const Launch& l) {
  static std::mutex mutex;
  static std::map<const void*, std::size_t> allowed;
  const std::lock_guard<std::mutex> lock(mutex);
  std::size_t& limit = allowed[kernel];
  if (l.shared_bytes <= limit) return;  // setting the attribute would lower the limit
  const cudaError_t error = cudaFuncSetAttribute(
      kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(l.shared_bytes));
  GAZE_CHECK(error == cudaSuccess, "cuda", l.name, ": ", l.shared_bytes,
             " bytes of shared memory in a block: ", cudaGetErrorString(error));
  limit = l.shared_bytes;
}

namespace driver {

void* take(std::size_t bytes) {
  stream();
  void* p = nullptr;
  const cudaError_t error = cudaMalloc(&p, bytes);
  if (error == cudaErrorMemoryAllocation) {
    cudaGetLastError();  // forgets it
    return nullptr;
  }
  check(error, "cudaMalloc");
  return p;
}
void give(void* p) noexcept { cudaFree(p); }
void lend(void*, std::size_t) {}
void take_back(void*, std::size_t) noexcept {}

SharedMemory take_shared(std::size_t bytes) {
  stream();
  SharedMemory memory{};
  check(cudaHostAlloc(&memory.host, bytes, cudaHostAllocMapped), "cudaHostAlloc");
  check(cudaHostGetDevicePointer(&memory.device, memory.host, 0), "cudaHostGetDevicePointer");
  return memory;
}

void begin_recording() {
  check(cudaStreamBeginCapture(stream(), cudaStreamCaptureModeRelaxed), "the start of a graph");
}
void* end_recording() {
  cudaGraph_t graph = nullptr;
  if (cudaStreamEndCapture(stream(), &graph) == cudaSuccess) return graph;
  cudaGetLastError();  // forgets it
  return nullptr;
}
void drop_recorded(void* recorded) noexcept {
  cudaGraphDestroy(static_cast<cudaGraph_t>(recorded));
}

void* make_runnable(void* recorded) {
  cudaGraphExec_t runnable = nullptr;
  if (cudaGraphInstantiate(&runnable, static_cast<cudaGraph_t>(recorded), 0) == cudaSuccess)
    return runnable;
  cudaGetLastError();
  return nullptr;
}
bool update_runnable(void* runnable, void* recorded) {
  cudaGraphExecUpdateResultInfo why;
  if (cudaGraphExecUpdate(static_cast<cudaGraphExec_t>(runnable),
                          static_cast<cudaGraph_t>(recorded), &why) == cudaSuccess)
    return true;
  cudaGetLastError();
  return false;
}
void run(void* runnable) {
  check(cudaGraphLaunch(static_cast<cudaGraphExec_t>(runnable), stream()), "a graph's launch");
}
void drop_runnable(void* runnable) noexcept {
  cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(runnable));
}

}  // namespace driver

}  // namespace gaze::cuda
