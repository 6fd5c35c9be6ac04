// SPDX-License-Identifier: MIT
// parallel_for: a range split into contiguous pieces, one per thread.
//
// The pieces depend on the thread count, so a body must compute each index on its own (no sums
// across indices): then results are the same bits at any number of threads.
#pragma once
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <functional>
#include <mutex>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>
#if defined(__linux__)
#include <sched.h>
#endif

#include "gaze/core/arithmetic.hpp"
#include "gaze/core/error.hpp"
#include "gaze/core/fork.hpp"

namespace gaze {

/// Runs the pieces of parallel_for instead of Gaze's own threads, see use_executor().
class Executor {
 public:
  virtual ~Executor() = default;
  /// Maximum number of pieces of a range; at least 1.
  virtual int threads() const = 0;
  /// Calls piece(i) once for every i in [0, pieces), in any order and on any threads, and returns
  /// when all calls are done. `piece` does not throw. If several threads use Gaze, they call run()
  /// concurrently.
  virtual void run(int pieces, const std::function<void(int)>& piece) = 0;
};

namespace detail {

inline std::atomic<Executor*> executor{nullptr};

/// Set while a piece runs, so that a nested parallel_for runs inline instead of waiting on itself.
inline thread_local bool inside_parallel = false;

/// The processors that this process may use: fewer than the machine has under taskset, or in a
/// container that is given some of them; 0 if unknown.
inline int processors() {
#if defined(__linux__)
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) == 0) return CPU_COUNT(&allowed);
#endif
  return static_cast<int>(std::thread::hardware_concurrency());
}

/// Worker threads that run one job at a time; the caller runs the first piece itself. Threads
/// do not survive fork(): the child creates its own pool of the same size when it first needs one.
class ThreadPool {
 public:
  using Piece = void (*)(void* body, int piece);

  static ThreadPool& instance() {
    ThreadPool* const pool = owner().pool.load(std::memory_order_acquire);
    return pool ? *pool : make();
  }

  int threads() const { return threads_.load(std::memory_order_relaxed); }

  /// Waits until the current job is done.
  void resize(int threads) {
    GAZE_CHECK(threads >= 1 && threads <= most_threads, "set_threads", "threads must be 1 to ",
               most_threads, ", got ", threads);
    GAZE_CHECK(!inside_parallel, "set_threads", "called from inside a parallel_for");
    std::lock_guard<std::mutex> one_job(job_mutex_);
    start(threads);
  }

  /// Runs every piece, then rethrows the first exception. Returns false without running anything
  /// while another thread's job runs.
  bool try_run(Piece piece, void* body, int pieces) {
    std::unique_lock<std::mutex> one_job(job_mutex_, std::try_to_lock);
    if (!one_job) return false;
    piece_ = piece;
    body_ = body;
    pieces_ = pieces;
    pending_.store(threads() - 1, std::memory_order_relaxed);
    {
      std::lock_guard<std::mutex> lock(mutex_);  // a worker about to sleep sees the job first
      generation_.fetch_add(1, std::memory_order_release);
    }
    start_.notify_all();
    run_share(0);
    const auto idle = [this] { return pending_.load(std::memory_order_acquire) == 0; };
    if (!spin_until(idle)) {
      std::unique_lock<std::mutex> lock(mutex_);
      done_.wait(lock, idle);
    }
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
    return true;
  }

 private:
  static constexpr int most_threads = 1024;

  /// The process's pool.
  struct Owner {
    std::atomic<ThreadPool*> pool{nullptr};
    ThreadPool* parents = nullptr;  // in a forked child: leaked, because its threads are gone
    std::mutex making;

    Owner() {
      constexpr auto release = [] { owner().making.unlock(); };
      at_fork([] { owner().making.lock(); }, release, [] { owner().forked(); });
    }
    ~Owner() { delete pool.load(); }
    Owner(const Owner&) = delete;
    Owner& operator=(const Owner&) = delete;

    void forked() {
      if (ThreadPool* const lost = pool.exchange(nullptr)) parents = lost;
      making.unlock();
    }
  };

  static Owner& owner() {
    static Owner the_owner;
    return the_owner;
  }

  static ThreadPool& make() {
    Owner& o = owner();
    const std::lock_guard<std::mutex> lock(o.making);
    if (!o.pool) o.pool = new ThreadPool(o.parents ? o.parents->threads() : default_threads());
    return *o.pool;
  }

  explicit ThreadPool(int threads) { start(threads); }
  ~ThreadPool() { stop(); }
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  static int default_threads() {
    const char* const text = std::getenv("GAZE_THREADS");
    if (!text) return std::clamp(processors(), 1, most_threads);
    char* end = nullptr;
    const long n = std::strtol(text, &end, 10);
    GAZE_CHECK(end != text && *end == '\0' && n >= 1 && n <= most_threads, "threads",
               "GAZE_THREADS=", text, ": must be a number from 1 to ", most_threads);
    return static_cast<int>(n);
  }

  /// The pieces of one thread: usually one, more if the pool shrank after they were counted.
  void run_share(int first) {
    inside_parallel = true;
    try {
      for (int i = first; i < pieces_; i += threads()) piece_(body_, i);
    } catch (...) {
      std::lock_guard<std::mutex> lock(mutex_);
      if (!error_) error_ = std::current_exception();
    }
    inside_parallel = false;
  }

  /// Spins briefly before sleeping: the next job is usually some microseconds away, and waking a
  /// thread takes longer than most jobs.
  template <class Ready>
  bool spin_until(const Ready& ready) const {
    for (int i = 0; i < spins_; ++i) {
      if (ready()) return true;
      relax();
    }
    return false;
  }

  static void relax() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#else
    std::this_thread::yield();
#endif
  }

  void loop(int index, std::uint64_t seen) {
    const auto called = [&] {
      return stopping_.load(std::memory_order_relaxed) ||
             generation_.load(std::memory_order_acquire) != seen;
    };
    for (;;) {
      if (!spin_until(called)) {
        std::unique_lock<std::mutex> lock(mutex_);
        start_.wait(lock, called);
      }
      if (stopping_.load(std::memory_order_relaxed)) return;
      ++seen;
      run_share(index);
      if (pending_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        std::lock_guard<std::mutex> lock(mutex_);
        done_.notify_one();
      }
    }
  }

  void start(int threads) {
    stop();
    stopping_.store(false, std::memory_order_relaxed);
    spins_ = threads <= processors() ? 4000 : 0;  // otherwise spinning slows the workers
    workers_.reserve(static_cast<std::size_t>(threads - 1));
    try {
      for (int i = 1; i < threads; ++i)
        workers_.emplace_back([this, i, g = generation_.load()] { loop(i, g); });
    } catch (const std::system_error& error) {
      stop();
      GAZE_FAIL("set_threads", "cannot start ", threads, " threads: ", error.what());
    }
    threads_.store(threads, std::memory_order_relaxed);
  }

  void stop() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stopping_.store(true, std::memory_order_relaxed);
    }
    start_.notify_all();
    for (auto& worker : workers_) worker.join();
    workers_.clear();
    threads_.store(1, std::memory_order_relaxed);
  }

  std::vector<std::thread> workers_;
  std::mutex job_mutex_, mutex_;
  std::condition_variable start_, done_;
  Piece piece_ = nullptr;
  void* body_ = nullptr;
  int pieces_ = 0, spins_ = 0;
  std::atomic<int> threads_{1}, pending_{0};
  std::atomic<std::uint64_t> generation_{0};
  std::atomic<bool> stopping_{false};
  std::exception_ptr error_;
};

}  // namespace detail

/// Makes `executor` (null: Gaze's own threads) run every later parallel_for; it must outlive them.
/// If called before the first parallel_for, Gaze starts no threads. Results have the same bits.
/// Call it only while no parallel_for runs.
inline void use_executor(Executor* executor) { detail::executor = executor; }

/// The maximum number of pieces of a range: the executor's, else the number of Gaze's own threads
/// (GAZE_THREADS, else one per processor that the process may use).
inline int threads() {
  if (const Executor* const e = detail::executor) return std::max(1, e->threads());
  return detail::ThreadPool::instance().threads();
}

/// Sets the number of Gaze's own threads (1: all work runs on the calling thread) once no
/// parallel_for runs on them; an Error from inside one, or while an executor replaces them.
inline void set_threads(int count) {
  GAZE_CHECK(!detail::executor.load(), "set_threads", "an executor replaces the threads");
  detail::ThreadPool::instance().resize(count);
}

namespace detail {

/// A type-erased body of parallel_for, so that one function for all of them is compiled once.
using RangeBody = void (*)(void* body, std::int64_t begin, std::int64_t end);

/// The pieces of one parallel_for, wherever they run.
struct Job {
  RangeBody call;
  void* body;
  std::int64_t n, step;
  std::atomic<Index> arithmetic{0};

  void run(int piece) {
    const Index before = arithmetic_done;
    const std::int64_t begin = piece * step;
    call(body, begin, std::min(n, begin + step));
    arithmetic.fetch_add(std::exchange(arithmetic_done, before) - before,
                         std::memory_order_relaxed);
  }
};

/// Runs all pieces on the executor, then rethrows the first exception.
inline void run_on(Executor& executor, Job& job, int pieces) {
  std::mutex mutex;
  std::exception_ptr error;
  const auto run = [&](int piece) {
    const bool before = std::exchange(inside_parallel, true);
    try {
      job.run(piece);
    } catch (...) {
      const std::lock_guard<std::mutex> lock(mutex);
      if (!error) error = std::current_exception();
    }
    inside_parallel = before;
  };
  executor.run(pieces, std::ref(run));  // a reference: std::function allocates nothing for it
  if (error) std::rethrow_exception(error);
}

inline void run_range(std::int64_t n, std::int64_t grain, RangeBody call, void* body) {
  grain = std::max<std::int64_t>(grain, 1);
  const int most = n <= grain || inside_parallel ? 1 : threads();
  if (most == 1) return call(body, 0, n);
  const std::int64_t wanted = std::min<std::int64_t>(most, (n - 1) / grain + 1);
  Job job{call, body, n, (n - 1) / wanted + 1};
  const int pieces = static_cast<int>((n - 1) / job.step + 1);
  if (Executor* const e = executor) {
    run_on(*e, job, pieces);
  } else {
    const auto run = [](void* context, int piece) { static_cast<Job*>(context)->run(piece); };
    if (!ThreadPool::instance().try_run(run, &job, pieces)) call(body, 0, n);
  }
  count_arithmetic(job.arithmetic);
}

}  // namespace detail

/// Calls body(begin, end) on disjoint pieces that cover [0, n). Every piece but the last has more
/// than half of `grain` indices, so small ranges stay on the calling thread. So do nested calls,
/// and calls while the threads work for another caller. The first exception of a body is rethrown
/// when all threads are done; some of the other pieces may not have run.
template <class Body>
void parallel_for(std::int64_t n, std::int64_t grain, Body&& body) {
  using Type = std::remove_reference_t<Body>;
  const auto call = [](void* it, std::int64_t begin, std::int64_t end) {
    (*static_cast<Type*>(it))(begin, end);
  };
  if (n > 0) detail::run_range(n, grain, call, const_cast<void*>(static_cast<const void*>(&body)));
}

}  // namespace gaze
