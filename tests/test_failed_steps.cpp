// SPDX-License-Identifier: MIT
// Training steps that run out of memory at every allocation, or every few. A retried step gives the
// bits of a step that did not fail, or an error that gradients must be cleared.
#include <memory_resource>

#include "gaze/train/loop.hpp"
#include "tests/folder.hpp"
#include "tests/small_steps.hpp"

namespace test_failed_steps {
namespace {

using namespace gaze;
using namespace gaze::test;
using Catch::Contains;
using Memory = Allocator<Cpu>;

/// Fails one request after `left` others, and then works again.
class FailsOnce : public std::pmr::memory_resource {
 public:
  static constexpr Index never = -1;
  Index left = never, failures = 0;

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override {
    if (left >= 0 && left-- == 0) {
      ++failures;
      throw std::bad_alloc();
    }
    return std::pmr::new_delete_resource()->allocate(bytes, alignment);
  }
  void do_deallocate(void* p, std::size_t bytes, std::size_t alignment) override {
    std::pmr::new_delete_resource()->deallocate(p, bytes, alignment);
  }
  bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }
};

/// Disables the allocator's cache during its lifetime. Must precede all tensors.
struct FailingMemory : FailsOnce {
  FailingMemory() {
    Memory::keep_at_most(0);
    Memory::use(this);
  }
  ~FailingMemory() override {
    Memory::use(nullptr);
    Memory::keep_at_most(static_cast<std::size_t>(-1));
  }
};

/// Results of retrying the failed steps.
struct Outcomes {
  Index failed = 0, repeated = 0, refused = 0;
};

/// Calls step() with every `stride`-th allocation failing, from the same weights each time; step()
/// creates its optimiser. A retry must give the weights of a step that did not fail, or throw until
/// the gradients are cleared.
template <class Step>
Outcomes fail_each(FailingMemory& memory, Parameters<float>& parameters, Index stride, Step step) {
  const auto start = values_of(parameters);
  step();
  const auto expected = bits(values_of(parameters));
  Outcomes out;
  for (Index k = 0;; k += stride) {
    INFO("allocation " << k << " fails");
    set_values(parameters, start);
    memory.left = k;
    try {
      step();
      memory.left = FailsOnce::never;
      CHECK(bits(values_of(parameters)) == expected);
      return out;
    } catch (const Error& error) {
      CHECK_THAT(error.what(), Contains("out of memory"));
    }
    memory.left = FailsOnce::never;
    ++out.failed;
    CHECK(bits(values_of(parameters)) == bits(start));
    try {
      step();
      ++out.repeated;
    } catch (const Error& error) {
      CHECK_THAT(error.what(), Contains("unfinished") && Contains("clear"));
      ++out.refused;
      parameters.clear_gradients();
      step();
    }
    CHECK(bits(values_of(parameters)) == expected);
  }
}

}  // namespace

TEST_CASE("a supervised step that ran out of memory anywhere can be retried", "[memory]") {
  FailingMemory memory;
  for (const bool bf16 : {false, true}) {
    INFO((bf16 ? "bf16" : "float32"));
    SmallSteps steps(bf16);
    const auto out = fail_each(memory, steps.parameters(), 1, [&] {
      AdamW<float> optimiser(steps.parameters(), {});
      steps.supervised(optimiser);
    });
    CHECK(out.failed > 100);
    CHECK(out.repeated > 20);
    CHECK(out.refused > 50);
  }
}

TEST_CASE("a GRPO step that ran out of memory can be retried", "[memory]") {
  FailingMemory memory;
  SmallSteps steps;
  const auto out = fail_each(memory, steps.parameters(), 7, [&] {
    AdamW<float> optimiser(steps.parameters(), {});
    steps.grpo(optimiser);
  });
  CHECK(out.failed > 30);
  CHECK(out.repeated > 0);
  CHECK(out.refused > 0);
}

TEST_CASE("a gradient of a failed backward is refused until it is cleared", "[memory]") {
  FailingMemory memory;
  Parameters<float> parameters;
  const Linear<float, Cpu> first(parameters, "first", "model", 3, 3, true);
  const Linear<float, Cpu> second(parameters, "second", "model", 3, 3, true);
  parameters.allocate(1);
  AdamW<float> optimiser(parameters, {});
  const auto x = Tensor<float>::full({2, 3}, 1);
  const auto loss = [&] { return sum(square(second(gelu(first(x))))); };

  // The last allocation of backward(): some gradients have arrived, others not.
  Index most = 0;
  for (Index k = 0; memory.failures == most; ++k) {
    const auto y = loss();
    parameters.clear_gradients();
    memory.left = k;
    try {
      backward(y);
      memory.left = FailsOnce::never;
      break;
    } catch (const Error&) {
      most = memory.failures;
    }
  }
  REQUIRE(most > 0);
  const auto y = loss();
  parameters.clear_gradients();
  memory.left = most - 1;
  CHECK_THROWS_WITH(backward(y), Contains("out of memory"));
  memory.left = FailsOnce::never;

  CHECK_THROWS_WITH(parameters.find("second.weight")->value.grad(), Contains("unfinished"));
  CHECK_THROWS_WITH(optimiser.step(0.1), Contains("unfinished") && Contains("second.weight") &&
                                             Contains("clear_gradients()") &&
                                             !Contains("first.weight"));
  CHECK_THROWS_WITH(backward(loss()), Contains("unfinished") && Contains("clear it"));
  CHECK_THROWS_AS(backward(y), Error);  // the graph of the failed pass is unusable
  parameters.clear_gradients();
  backward(loss());
  const auto once = parameters.find("second.weight")->value.grad().to_vector();
  parameters.clear_gradients();
  backward(loss());
  CHECK(parameters.find("second.weight")->value.grad().to_vector() == once);
}

TEST_CASE("gradients that a failed backward passed through a checkpoint are refused too",
          "[memory]") {
  auto w = Tensor<float>::from({2}, {1, 2}), x = Tensor<float>::from({2}, {3, 4});
  w.requires_grad();
  x.requires_grad();
  const auto fails = [](const Tensor<float>& in) {
    Tensor<float> y = in.detach();
    record(
        "fails", y, [](const auto&) { GAZE_FAIL("fails", "always"); }, in);
    return y;
  };
  const auto times_w = [&](const Tensor<float>& in) { return mul(in, w); };
  // In backward the checkpoint runs first and adds to w; the operation before it throws.
  CHECK_THROWS_WITH(backward(sum(checkpoint(times_w, fails(x)))), Contains("always"));
  CHECK_THROWS_WITH(w.grad(), Contains("unfinished"));
  CHECK(!x.grad().defined());
  CHECK_THROWS_WITH(backward(sum(mul(x, w))), Contains("unfinished"));
  w.node()->clear();
  x.node()->clear();
  backward(sum(mul(x, w)));
  CHECK(w.grad().to_vector() == std::vector<float>{3, 4});
}

TEST_CASE("micro-batches of one gradient fail together", "[autograd]") {
  auto w = Tensor<float>::from({2}, {1, 2});
  w.requires_grad();
  const auto step = [&](bool fails) {
    WholeGradient gradient;
    backward(sum(square(w)));
    GAZE_CHECK(!fails, "second", "no memory for its forward pass");
    backward(sum(square(w)));
    gradient.done();
  };
  CHECK_THROWS_WITH(step(true), Contains("no memory"));
  CHECK_THROWS_WITH(step(false), Contains("unfinished"));
  w.node()->clear();
  step(false);
  CHECK(w.grad().to_vector() == std::vector<float>{4, 8});
  step(false);  // further gradients accumulate as usual
  CHECK(w.grad().to_vector() == std::vector<float>{8, 16});
}

TEST_CASE("a trainer does not continue after a step that threw", "[train]") {
  const Folder folder("failed_steps");
  Parameters<float> parameters;
  const Linear<float, Cpu> layer(parameters, "layer", "model", 2, 1, true);
  parameters.allocate(1);
  RunFolder run;
  run.path = folder.file("run");
  Trainer<float> trainer(parameters, run);
  Stage stage;
  stage.steps = 3;
  const auto x = Tensor<float>::full({4, 2}, 1);
  const auto step = [&](Index i, const Update& update) -> Metrics {
    backward(sum(square(layer(x))));
    GAZE_CHECK(i < 1, "step", "no memory");
    update();
    return {};
  };
  CHECK_THROWS_WITH(trainer.run(stage, step), Contains("no memory"));
  CHECK_THROWS_WITH(AdamW<float>(parameters, {}).step(0.1), Contains("unfinished"));
  CHECK_THROWS_WITH(trainer.run(stage, step), Contains("did not finish"));
}

}  // namespace test_failed_steps
