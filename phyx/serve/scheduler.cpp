// SPDX-License-Identifier: MIT
// The scheduler's loop.
#include "phyx/serve/scheduler.hpp"

#include <iterator>
#include <utility>

#include "phyx/serve/api_error.hpp"

namespace gaze::phyx::serve {

namespace {

std::exception_ptr stopped_error() {
  return std::make_exception_ptr(ApiError(503, "the server is shutting down"));
}

bool is_cancelled(const BatchRequest& request) { return request.cancelled && request.cancelled(); }

}  // namespace

Scheduler::Scheduler(MakeBatch make_batch, std::size_t queue)
    : make_batch_(std::move(make_batch)),
      batch_(make_batch_()),
      slots_(batch_->slots()),
      queue_(queue),
      thread_([this] { run(); }) {}

void Scheduler::submit(std::vector<BatchRequest> group) {
  const std::lock_guard lock(mutex_);
  if (stopping_) std::rethrow_exception(stopped_error());
  drop_cancelled();
  if (waiting_.size() >= queue_)
    throw ApiError(429, concat("the queue is full: ", waiting_.size(), " requests wait"));
  waiting_.emplace_back(std::make_move_iterator(group.begin()),
                        std::make_move_iterator(group.end()));
  changed_.notify_one();
}

void Scheduler::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

std::size_t Scheduler::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

std::size_t Scheduler::running() const {
  const std::lock_guard lock(mutex_);
  return running_;
}

void Scheduler::run() {
  while (wait_for_work()) step();
  batch_.reset();
  fail_running(stopped_error());
  fail_waiting(stopped_error());
}

void Scheduler::step() {
  try {
    if (!batch_) batch_ = make_batch_();
  } catch (...) {
    return fail_waiting(std::current_exception());
  }
  try {
    admit();
    batch_->step();
  } catch (...) {
    batch_.reset();  // its state is not known; the next step makes another
    fail_running(std::current_exception());
  }
}

/// False to stop.
bool Scheduler::wait_for_work() {
  std::unique_lock lock(mutex_);
  running_ = unfinished_.size();
  changed_.wait(lock, [this] { return stopping_ || !waiting_.empty() || !unfinished_.empty(); });
  return !stopping_;
}

/// Takes the request that has waited longest. A later one that is shorter does not overtake it, or
/// a long one could wait for ever.
bool Scheduler::next(BatchRequest& request) {
  const std::lock_guard lock(mutex_);
  drop_cancelled();
  if (waiting_.empty()) return false;
  std::deque<BatchRequest>& group = waiting_.front();
  if (batch_->ever_fits(group.front()) && !batch_->fits(group.front())) return false;
  request = std::move(group.front());
  group.pop_front();
  if (group.empty()) waiting_.pop_front();
  return true;
}

void Scheduler::admit() {
  for (BatchRequest request; next(request);) {
    if (batch_->ever_fits(request))
      start(std::move(request));
    else
      request.done(false, std::make_exception_ptr(ApiError(
                              400, concat("a prompt of ", request.prompt.tokens.size(),
                                          " tokens and ", request.sampling.max_tokens,
                                          " more do not fit into the server's ", slots_))));
  }
}

/// Adds a request, whose `done` is from now on called exactly once, even if the batch throws.
void Scheduler::start(BatchRequest request) {
  const std::uint64_t id = started_++;
  unfinished_[id] = std::move(request.done);
  request.done = [this, id](bool ended, std::exception_ptr error) {
    if (const auto found = unfinished_.extract(id)) found.mapped()(ended, std::move(error));
  };
  try {
    batch_->add(std::move(request));
  } catch (...) {  // this request's fault: the batch is as it was
    if (const auto found = unfinished_.extract(id)) found.mapped()(false, std::current_exception());
  }
}

/// Waiting groups whose client is gone. The caller holds the lock.
void Scheduler::drop_cancelled() {
  std::erase_if(waiting_, [](const auto& group) { return is_cancelled(group.front()); });
}

void Scheduler::fail_running(const std::exception_ptr& error) {
  for (auto& [id, done] : std::exchange(unfinished_, {})) done(false, error);
}

void Scheduler::fail_waiting(const std::exception_ptr& error) {
  std::deque<std::deque<BatchRequest>> waiting;
  {
    const std::lock_guard lock(mutex_);
    waiting.swap(waiting_);
  }
  for (auto& group : waiting)
    for (BatchRequest& request : group) request.done(false, error);
}

}  // namespace gaze::phyx::serve
