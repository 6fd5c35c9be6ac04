// SPDX-License-Identifier: MIT
// The threads of an HTTP server, in place of cpp-httplib's pool: there, a connection waits in a
// queue while the pool's threads are busy with slow clients.
#pragma once
#include <httplib.h>

#include <atomic>
#include <functional>
#include <list>
#include <system_error>
#include <thread>
#include <utility>

namespace gaze::phyx::serve {

/// A thread for each connection. Above `most` of them, or if no more threads can be started, a
/// connection is served in the accepting thread with `refusing` set: it must be refused at once.
class ConnectionThreads : public httplib::TaskQueue {
 public:
  ConnectionThreads(int most, std::atomic<int>& open) : most_(most), open_(open) {}

  /// In the accepting thread while a connection is to be refused.
  static inline thread_local bool refusing = false;

  using Queued = decltype(std::declval<httplib::TaskQueue&>().enqueue({}));  // void or bool
  Queued enqueue(std::function<void()> serve) override {
    join_finished();
    if (open_ >= most_ || !start(serve)) {
      refusing = true;
      serve();
      refusing = false;
    }
    return Queued(true);
  }

  void shutdown() override {
    for (Worker& w : workers_) w.thread.join();
    workers_.clear();
  }

 private:
  struct Worker {
    std::thread thread;
    std::atomic<bool> finished{false};
  };

  bool start(const std::function<void()>& serve) {
    Worker& w = workers_.emplace_back();
    ++open_;
    try {
      w.thread = std::thread([this, &w, serve] {
        serve();
        --open_;
        w.finished = true;
      });
      return true;
    } catch (const std::system_error&) {  // no more threads
      --open_;
      workers_.pop_back();
      return false;
    }
  }

  void join_finished() {
    for (Worker& w : workers_)
      if (w.finished) w.thread.join();
    workers_.remove_if([](const Worker& w) { return w.finished && !w.thread.joinable(); });
  }

  int most_;
  std::atomic<int>& open_;
  std::list<Worker> workers_;
};

}  // namespace gaze::phyx::serve
