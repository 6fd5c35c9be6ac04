// SPDX-License-Identifier: MIT
// parallel_for and its threads: every index once, at any number of threads; jobs before and after
// the threads stop spinning and sleep; exceptions, nested calls, several callers at once, and
// changes of the number of threads. The thread sanitizer runs these too.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gaze/core/parallel.hpp"
#include "tests/restore.hpp"
#include "tests/test.hpp"

namespace test_parallel {
namespace {

using gaze::parallel_for;
using gaze::set_threads;
using Clock = std::chrono::steady_clock;

/// Does one job over [0, n) visit each index exactly once?
bool each_once(std::int64_t n, std::int64_t grain) {
  std::vector<int> seen(static_cast<std::size_t>(n));  // unguarded: the pieces are disjoint
  parallel_for(n, grain, [&](std::int64_t begin, std::int64_t end) {
    for (auto i = begin; i < end; ++i) ++seen[static_cast<std::size_t>(i)];
  });
  return std::all_of(seen.begin(), seen.end(), [](int count) { return count == 1; });
}

void wait_awake(std::chrono::microseconds time) {
  for (const auto until = Clock::now() + time; Clock::now() < until;) continue;
}

TEST_CASE("parallel_for visits every index once, in pieces of at least half a grain",
          "[parallel]") {
  const gaze::test::Restore restore;
  for (int count = 1; count <= 4; ++count) {
    set_threads(count);
    REQUIRE(gaze::threads() == count);
    for (const std::int64_t n : {0, 1, 2, 3, 4, 5, 7, 64, 1001})
      for (const std::int64_t grain : {0, 1, 3, 64, 100000}) {
        CAPTURE(count, n, grain);
        CHECK(each_once(n, grain));
        std::atomic<std::int64_t> pieces{0}, small{0};
        parallel_for(n, grain, [&](std::int64_t begin, std::int64_t end) {
          ++pieces;
          if (end < n && 2 * (end - begin) <= grain) ++small;
        });
        CHECK(pieces <= count);
        CHECK(small == 0);
      }
  }
}

TEST_CASE("thousands of tiny jobs in a row are complete", "[parallel]") {
  const gaze::test::Restore restore;
  for (int count = 2; count <= 4; ++count) {
    set_threads(count);
    int wrong = 0;
    for (int job = 0; job < 3000; ++job) wrong += !each_once(1 + job % 5, 1);
    CHECK(wrong == 0);
  }
}

TEST_CASE("jobs after pauses near the threads' spin time are complete", "[parallel]") {
  const gaze::test::Restore restore;
  set_threads(2);
  int wrong = 0;
  for (int job = 0; job < 1500; ++job) {
    wait_awake(std::chrono::microseconds(job * 37 % 400));
    wrong += !each_once(2, 1);
  }
  CHECK(wrong == 0);
}

TEST_CASE("sleeping threads wake for a job, and the caller sleeps until a slow piece is done",
          "[parallel]") {
  const gaze::test::Restore restore;
  for (const int count : {2, 4}) {
    set_threads(count);
    int wrong = 0;
    for (int job = 0; job < 25; ++job) {
      std::this_thread::sleep_for(std::chrono::milliseconds(3));
      wrong += !each_once(count, 1);
      std::atomic<int> done{0};
      parallel_for(count, 1, [&](std::int64_t begin, std::int64_t) {
        if (begin > 0) std::this_thread::sleep_for(std::chrono::milliseconds(3));
        ++done;
      });
      wrong += done != count;
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("an exception from any piece reaches the caller, and the threads keep working",
          "[parallel]") {
  const gaze::test::Restore restore;
  set_threads(4);
  int missed = 0, wrong = 0;
  for (int job = 0; job < 400; ++job) {
    try {
      parallel_for(4, 1, [&](std::int64_t begin, std::int64_t) {
        if (begin == job % 4 || job % 5 == 0) throw std::runtime_error(std::to_string(job));
      });
      ++missed;
    } catch (const std::runtime_error& error) {
      wrong += error.what() != std::to_string(job);
    }
    wrong += !each_once(4, 1);
  }
  CHECK(missed == 0);
  CHECK(wrong == 0);
}

TEST_CASE("the number of threads can change while they spin or sleep", "[parallel]") {
  const gaze::test::Restore restore;
  int wrong = 0;
  for (int round = 0; round < 200; ++round) {
    set_threads(1 + round * 7 % 4);
    if (round % 3) wrong += !each_once(8, 1);
    if (round % 10 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  CHECK(wrong == 0);
  CHECK_THROWS_AS(set_threads(0), gaze::Error);
  CHECK_THROWS_AS(set_threads(1025), gaze::Error);
}

TEST_CASE("a nested call runs, and a piece cannot change the number of threads", "[parallel]") {
  const gaze::test::Restore restore;
  set_threads(3);
  std::atomic<int> inner{0}, thrown{0};
  parallel_for(3, 1, [&](std::int64_t, std::int64_t) {
    parallel_for(10, 1, [&](std::int64_t begin, std::int64_t end) { inner += int(end - begin); });
    try {
      set_threads(2);
    } catch (const gaze::Error&) {
      ++thrown;
    }
  });
  CHECK(inner == 30);
  CHECK(thrown == 3);
  CHECK(gaze::threads() == 3);
}

TEST_CASE("a piece may wait for its own thread that calls parallel_for", "[parallel]") {
  const gaze::test::Restore restore;
  set_threads(2);
  std::atomic<int> right{0};
  parallel_for(2, 1, [&](std::int64_t, std::int64_t) {
    std::thread([&] { right += each_once(100, 1); }).join();
  });
  CHECK(right == 2);
}

TEST_CASE("several callers work at once while the number of threads changes", "[parallel]") {
  const gaze::test::Restore restore;
  set_threads(2);
  std::atomic<int> wrong{0}, missed{0}, running{4};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller)
    callers.emplace_back([&, caller] {
      for (int job = 0; job < 4000; ++job) {
        wrong += !each_once(1 + job % 9, 1);
        if (job % 50) continue;
        try {
          parallel_for(8, 1, [&](std::int64_t, std::int64_t) { throw caller; });
          ++missed;
        } catch (int from) {
          wrong += from != caller;
        }
      }
      --running;
    });
  for (int round = 0; running > 0; ++round) {
    set_threads(1 + round % 4);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  for (auto& caller : callers) caller.join();
  CHECK(wrong == 0);
  CHECK(missed == 0);
}

/// Runs pieces one after another on the caller, from the last to the first, and counts them.
class Backwards : public gaze::Executor {
 public:
  explicit Backwards(int threads) : threads_(threads) {}
  std::atomic<int> jobs{0}, pieces{0};

  int threads() const override { return threads_; }
  void run(int count, const std::function<void(int)>& piece) override {
    ++jobs;
    pieces += count;
    for (int i = count - 1; i >= 0; --i) piece(i);
  }

 private:
  int threads_;
};

/// A thread for every piece.
class Threads : public gaze::Executor {
 public:
  int threads() const override { return 3; }
  void run(int count, const std::function<void(int)>& piece) override {
    std::vector<std::thread> threads;
    for (int i = 0; i < count; ++i) threads.emplace_back(piece, i);
    for (auto& t : threads) t.join();
  }
};

/// Restores Gaze's threads after a test.
struct KeepExecutor {
  explicit KeepExecutor(gaze::Executor& e) { gaze::use_executor(&e); }
  ~KeepExecutor() { gaze::use_executor(nullptr); }
};

TEST_CASE("an executor replaces the threads", "[parallel]") {
  const int own = gaze::threads();
  Backwards backwards(5);
  Threads threads;
  {
    const KeepExecutor keep(backwards);
    CHECK(gaze::threads() == 5);
    CHECK(each_once(100, 1));
    CHECK(backwards.jobs == 1);
    CHECK(backwards.pieces == 5);
    CHECK(each_once(100, 1000));  // too little to split
    CHECK(backwards.jobs == 1);
    CHECK_THROWS_AS(set_threads(2), gaze::Error);
  }
  CHECK(gaze::threads() == own);
  const KeepExecutor keep(threads);
  int wrong = 0;
  for (int job = 0; job < 50; ++job) wrong += !each_once(1 + job % 7, 1);
  CHECK(wrong == 0);
}

TEST_CASE("under an executor, nested calls run inline and exceptions reach the caller",
          "[parallel]") {
  Threads threads;
  const KeepExecutor keep(threads);
  std::atomic<int> inner{0};
  parallel_for(3, 1, [&](std::int64_t, std::int64_t) {
    parallel_for(10, 1, [&](std::int64_t begin, std::int64_t end) { inner += int(end - begin); });
  });
  CHECK(inner == 30);
  for (int job = 0; job < 20; ++job)
    CHECK_THROWS_AS(parallel_for(3, 1,
                                 [&](std::int64_t begin, std::int64_t) {
                                   if (begin == job % 3) throw std::runtime_error("piece");
                                 }),
                    std::runtime_error);
  CHECK(each_once(9, 1));
}

TEST_CASE("arithmetic is counted for the calling thread, whichever thread does it", "[parallel]") {
  const gaze::test::Restore restore;
  const auto work = [] {
    const auto before = gaze::arithmetic();
    parallel_for(64, 1,
                 [](std::int64_t begin, std::int64_t end) { gaze::count_arithmetic(end - begin); });
    return gaze::arithmetic() - before;
  };
  for (const int count : {1, 2, 4}) {
    set_threads(count);
    CHECK(work() == 64);
  }
  Threads threads;
  const KeepExecutor executor(threads);
  CHECK(work() == 64);
  std::int64_t elsewhere = -1;
  const auto before = gaze::arithmetic();
  std::thread([&] { elsewhere = work(); }).join();
  CHECK(elsewhere == 64);
  CHECK(gaze::arithmetic() == before);
}

}  // namespace
}  // namespace test_parallel
