// SPDX-License-Identifier: MIT
// Same bits on any threads: gradients of a batch and training repeat at any thread count, on an
// executor, and beside other threads that train.
#include <thread>

#include "gaze/optim/adamw.hpp"
#include "tests/policy_bits.hpp"

namespace test_same_bits_threads {
namespace {

using namespace gaze;
using namespace gaze::test;

Bits weight_bits(Policy& model) {
  Bits all;
  for (const auto& pack : model.parameters().packs()) {
    const Bits b = bits(pack.values);
    all.insert(all.end(), b.begin(), b.end());
  }
  return all;
}

}  // namespace

TEST_CASE("gradients of a batch have the same bits at any thread count", "[bits]") {
  for_each_model([](const Sized& sized) {
    Policy model(sized.config, image_token, 7);
    const Batch batch(sized.config, sized.name == "tiny" ? 3 : 6, 4);
    Bits first;
    at_thread_counts([&] {
      for (int again = 0; again < 2; ++again) {
        model.parameters().clear_gradients();
        make_gradients(model, batch);
        model.parameters().check_reached();
        const Bits now = gradient_bits(model);
        if (first.empty()) first = now;
        CHECK(now == first);
      }
    });
  });
}

TEST_CASE("an executor instead of the threads gives the same bits", "[bits]") {
  struct LastFirst : Executor {
    int threads() const override { return 3; }
    void run(int pieces, const std::function<void(int)>& piece) override {
      for (int i = pieces - 1; i >= 0; --i) piece(i);
    }
  };
  const auto c = config("nano");
  const Batch batch(c, 6, 4);
  const auto gradients = [&] {
    Policy model(c, image_token, 7);
    make_gradients(model, batch);
    return gradient_bits(model);
  };
  at_each_isa([&] {
    const Bits own = gradients();
    LastFirst executor;
    use_executor(&executor);
    const Bits other = gradients();
    use_executor(nullptr);
    CHECK(own == other);
  });
}

TEST_CASE("several threads can train separate models at once", "[bits]") {
  const auto c = config("nano");
  const Batch batch(c, 4, 3);
  const auto weights = [&] {
    Policy model(c, image_token, 7);
    AdamW<float> optimiser(model.parameters(), {});
    for (int step = 0; step < 2; ++step) {
      make_gradients(model, batch);
      optimiser.step(1e-2);
    }
    return weight_bits(model);
  };
  const Bits alone = weights();
  std::array<Bits, 3> together;
  std::vector<std::thread> threads;
  for (Bits& to : together) threads.emplace_back([&] { to = weights(); });
  for (auto& t : threads) t.join();
  for (const Bits& of : together) CHECK(of == alone);
}

TEST_CASE("training repeats bit for bit at any thread count", "[bits]") {
  const auto c = config("nano");
  const Batch batch(c, 4, 3);
  at_each_isa([&] {
    Bits first;
    at_thread_counts([&] {
      Policy model(c, image_token, 7);
      AdamW<float> optimiser(model.parameters(), {});
      const Bits start = weight_bits(model);
      for (int step = 0; step < 3; ++step) {
        make_gradients(model, batch);
        optimiser.step(1e-2);
      }
      const Bits weights = weight_bits(model);
      CHECK(weights != start);
      if (first.empty()) first = weights;
      CHECK(weights == first);
    });
  });
}

}  // namespace test_same_bits_threads
