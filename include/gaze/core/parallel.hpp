// SPDX-License-Identifier: MIT
// parallel_for: a range split into contiguous pieces, one per thread.
//
// The pieces depend on the thread count, so a body must compute each index on its own (no sums
// across indices): then results are the same bits at any number of threads.
#pragma once
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "gaze/core/error.hpp"

namespace gaze {

namespace detail {

/// Set while a body runs, so that a nested parallel_for runs inline instead of waiting on itself.
inline thread_local bool inside_parallel = false;

/// Worker threads that wait for one job at a time. The caller takes piece 0 itself.
class ThreadPool {
 public:
  using Piece = void (*)(void* body, int piece);

  static ThreadPool& instance() {
    static ThreadPool pool;
    return pool;
  }

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  /// Must not be called while work runs.
  void resize(int threads) {
    GAZE_CHECK(threads >= 1 && threads <= 1024, "set_threads", "threads must be 1 to 1024, got ",
               threads);
    stop();
    stopping_.store(false);
    for (int i = 1; i < threads; ++i)
      workers_.emplace_back([this, i, g = generation_.load()] { loop(i, g); });
  }

  void run(Piece piece, void* body, int pieces) {
    std::lock_guard<std::mutex> one_job(job_mutex_);
    piece_ = piece;
    body_ = body;
    pieces_ = pieces;
    pending_.store(static_cast<int>(workers_.size()), std::memory_order_relaxed);
    {
      std::lock_guard<std::mutex> lock(mutex_);  // a worker about to sleep sees the job first
      generation_.fetch_add(1, std::memory_order_release);
    }
    start_.notify_all();
    run_piece(piece, body, 0);
    const auto idle = [this] { return pending_.load(std::memory_order_acquire) == 0; };
    if (!spin_until(idle)) {
      std::unique_lock<std::mutex> lock(mutex_);
      done_.wait(lock, idle);
    }
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  }

 private:
  ThreadPool() { resize(default_threads()); }
  ~ThreadPool() { stop(); }

  static int default_threads() {
    if (const char* text = std::getenv("GAZE_THREADS")) {
      const int n = std::atoi(text);
      if (n >= 1 && n <= 1024) return n;
    }
    return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  }

  void run_piece(Piece piece, void* body, int index) {
    inside_parallel = true;
    try {
      piece(body, index);
    } catch (...) {
      std::lock_guard<std::mutex> lock(mutex_);
      if (!error_) error_ = std::current_exception();
    }
    inside_parallel = false;
  }

  /// Watches for a moment before anybody sleeps: the next job is usually some microseconds away,
  /// and waking a thread takes longer than most jobs.
  template <class Ready>
  static bool spin_until(const Ready& ready) {
    for (int i = 0; i < 4000; ++i) {
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
      if (index < pieces_) run_piece(piece_, body_, index);
      if (pending_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        std::lock_guard<std::mutex> lock(mutex_);
        done_.notify_one();
      }
    }
  }

  void stop() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stopping_.store(true, std::memory_order_relaxed);
    }
    start_.notify_all();
    for (auto& worker : workers_) worker.join();
    workers_.clear();
  }

  std::vector<std::thread> workers_;
  std::mutex job_mutex_, mutex_;
  std::condition_variable start_, done_;
  Piece piece_ = nullptr;
  void* body_ = nullptr;
  int pieces_ = 0;
  std::atomic<int> pending_{0};
  std::atomic<std::uint64_t> generation_{0};
  std::atomic<bool> stopping_{false};
  std::exception_ptr error_;
};

}  // namespace detail

/// Threads that parallel_for uses: GAZE_THREADS, else one per processor.
inline int threads() { return detail::ThreadPool::instance().threads(); }

/// Sets the number of threads; not while work runs.
inline void set_threads(int count) { detail::ThreadPool::instance().resize(count); }

/// Calls body(begin, end) on disjoint pieces that cover [0, n). A piece has at least `grain`
/// indices (but the last), so small ranges stay on the calling thread.
template <class Body>
void parallel_for(std::int64_t n, std::int64_t grain, Body&& body) {
  if (n <= 0) return;
  if (n <= grain || detail::inside_parallel || threads() == 1) {
    body(std::int64_t{0}, n);
    return;
  }
  struct Job {
    std::remove_reference_t<Body>* body;
    std::int64_t n, step;
  };
  const std::int64_t wanted = std::min<std::int64_t>(threads(), (n + grain - 1) / grain);
  Job job{&body, n, (n + wanted - 1) / wanted};
  const int pieces = static_cast<int>((n + job.step - 1) / job.step);
  detail::ThreadPool::instance().run(
      [](void* context, int piece) {
        const Job& j = *static_cast<Job*>(context);
        const std::int64_t begin = piece * j.step;
        (*j.body)(begin, std::min(j.n, begin + j.step));
      },
      &job, pieces);
}

}  // namespace gaze
