// SPDX-License-Identifier: MIT
// fork(): a child computes with threads of its own, whatever its parent's threads were doing.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <thread>

#include "gaze/cpu/kernels.hpp"
#include "gaze/ops/gemm.hpp"
#include "gaze/ops/rows.hpp"
#include "tests/gradcheck.hpp"

#if defined(__SANITIZE_THREAD__)
#define GAZE_NO_THREADS_AFTER_FORK 1  // the thread sanitizer ends a child that starts one
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define GAZE_NO_THREADS_AFTER_FORK 1
#endif
#endif

#ifndef GAZE_NO_THREADS_AFTER_FORK
namespace {

using namespace gaze;
using namespace gaze::test;

/// Does `work` in a child give true? A child that hangs is ended by its alarm, which counts as no.
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

struct KeepThreads {
  ~KeepThreads() { set_threads(count); }
  int count = threads();
};

std::vector<float> product() {
  const auto a = random_tensor<float>({300, 200}, 1), b = random_tensor<float>({200, 250}, 2);
  return matmul(a, b).to_vector();
}

}  // namespace

TEST_CASE("a child that is forked after a product has threads of its own", "[parallel]") {
  const KeepThreads keep;
  for (const int count : {1, 3}) {
    set_threads(count);
    const auto expected = product();
    CHECK(in_child([&] { return threads() == count && product() == expected; }));
    CHECK(in_child([&] {
      set_threads(2);
      return product() == expected;
    }));
    CHECK(product() == expected);  // the parent's own go on
  }
}

TEST_CASE("a child can fork again, also before it used its threads", "[parallel]") {
  const KeepThreads keep;
  set_threads(3);
  const auto expected = product();
  const auto good = [&] { return threads() == 3 && product() == expected; };
  CHECK(in_child([&] { return in_child(good); }));
  CHECK(in_child([&] { return good() && in_child(good) && good(); }));
}

TEST_CASE("a child is not caught in what the parent's other threads had locked", "[parallel]") {
  const KeepThreads keep;
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
