// SPDX-License-Identifier: MIT
// fork(): a child computes with its own threads, whatever its parent's threads were doing.
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <thread>

#include "gaze/cpu/kernels.hpp"
#include "gaze/ops/gemm.hpp"
#include "gaze/ops/rows.hpp"
#include "tests/gradcheck.hpp"
#include "tests/restore.hpp"

#if defined(__SANITIZE_THREAD__)
#define GAZE_NO_THREADS_AFTER_FORK 1  // the thread sanitizer ends a child that starts one
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define GAZE_NO_THREADS_AFTER_FORK 1
#endif
#endif

namespace test_fork {

#ifndef GAZE_NO_THREADS_AFTER_FORK
namespace {

using namespace gaze;
using namespace gaze::test;

/// Does `work` return true in a child? An alarm ends a child that hangs, which counts as false.
bool in_child(const std::function<bool()>& work) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::alarm(60);
    bool good = false;
    try {
      good = work();
    } catch (...) {
    }
    ::_exit(good ? 0 : 1);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

std::vector<float> product() {
  const auto a = random_tensor<float>({300, 200}, 1), b = random_tensor<float>({200, 250}, 2);
  return matmul(a, b).to_vector();
}

}  // namespace

TEST_CASE("a child forked after a product has its own threads", "[parallel]") {
  const Restore restore;
  for (const int count : {1, 3}) {
    set_threads(count);
    const auto expected = product();
    CHECK(in_child([&] { return threads() == count && product() == expected; }));
    CHECK(in_child([&] {
      set_threads(2);
      return product() == expected;
    }));
    CHECK(product() == expected);  // the parent's threads keep working
  }
}

#if defined(__linux__)
TEST_CASE("the processors that count are those that the process may use", "[parallel]") {
  cpu_set_t allowed;
  REQUIRE(::sched_getaffinity(0, sizeof allowed, &allowed) == 0);
  CHECK(detail::processors() == CPU_COUNT(&allowed));
  CHECK(in_child([&] {
    int first = 0;
    while (!CPU_ISSET(first, &allowed)) ++first;
    CPU_ZERO(&allowed);
    CPU_SET(first, &allowed);
    return ::sched_setaffinity(0, sizeof allowed, &allowed) == 0 && detail::processors() == 1;
  }));
}
#endif

TEST_CASE("a child can fork again, even before using its threads", "[parallel]") {
  const Restore restore;
  set_threads(3);
  const auto expected = product();
  const auto good = [&] { return threads() == 3 && product() == expected; };
  CHECK(in_child([&] { return in_child(good); }));
  CHECK(in_child([&] { return good() && in_child(good) && good(); }));
}

TEST_CASE("a child does not deadlock on locks of the parent's other threads", "[parallel]") {
  const Restore restore;
  set_threads(2);
  std::atomic<bool> stop{false};
  std::vector<std::thread> busy;  // in the allocator, in the table of angles, in the pool
  for (int i = 0; i < 2; ++i)
    busy.emplace_back([&stop, i] {
      const auto positions = Indices<Cpu>::zeros({4});
      for (int turn = 0; !stop; ++turn) {
        const auto x = Tensor<float>::zeros({4, 8});
        rotary(x, 1, 8, static_cast<float>(10000 + i), positions);
        if (turn % 64 == 0) product();
      }
    });
  const auto expected = product();
  for (int i = 0; i < 100; ++i)
    if (!in_child([&] {
          const auto x = random_tensor<float>({4, 8}, 3);
          rotary(x, 1, 8, 500.0f, Indices<Cpu>::full({4}, 2));
          return product() == expected;
        })) {
      CHECK(i == -1);
      break;
    }
  stop = true;
  for (auto& thread : busy) thread.join();
}
#endif
#undef GAZE_NO_THREADS_AFTER_FORK

}  // namespace test_fork
