// SPDX-License-Identifier: MIT
// A thread that owns a batch: it takes requests from a bounded queue in their order, adds those
// that fit, and steps. Everything that a request's functions do must be quick and never block.
#pragma once
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "phyx/serve/batch.hpp"

namespace gaze::phyx::serve {

class Scheduler {
 public:
  using MakeBatch = std::function<std::unique_ptr<Batch>()>;

  /// `queue`: most groups that wait. `make_batch` is called now, and again to replace a batch that
  /// has thrown.
  Scheduler(MakeBatch make_batch, std::size_t queue);
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;
  ~Scheduler() { stop(); }

  /// Queues a group of requests, the choices of one answer. `done` of each is called once, on the
  /// scheduler's thread, unless the request is cancelled while it waits. Throws ApiError: 429 if
  /// the queue is full, 503 after stop().
  void submit(std::vector<BatchRequest> group);

  /// Ends all requests with an ApiError (503), and the thread.
  void stop();

  /// Most tokens of a prompt and its answer together.
  Index slots() const { return slots_; }
  /// Groups that wait, and requests that run.
  std::size_t waiting() const;
  std::size_t running() const;

 private:
  using Done = std::function<void(bool, std::exception_ptr)>;

  void run();
  bool wait_for_work();
  bool next(BatchRequest& request);
  void admit();
  void start(BatchRequest request);
  void drop_cancelled();
  void step();
  void fail_running(const std::exception_ptr& error);
  void fail_waiting(const std::exception_ptr& error);

  MakeBatch make_batch_;
  std::unique_ptr<Batch> batch_;  // the thread's, after construction
  Index slots_;
  std::size_t queue_;
  std::map<std::uint64_t, Done> unfinished_;  // requests in the batch; the thread's
  std::uint64_t started_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::deque<BatchRequest>> waiting_;
  std::size_t running_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace gaze::phyx::serve
