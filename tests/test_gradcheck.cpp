// SPDX-License-Identifier: MIT
// Tests of the gradient check: it finds a slightly wrong derivative in the cases of every
// operation, and every kind of mistake.
#include <set>

#include "tests/op_cases.hpp"
#include "tests/texts.hpp"

namespace test_gradcheck {
namespace {

using namespace gaze;
using namespace gaze::test;
using D = Tensor<double>;

/// The value of x with a derivative that is `factor` times the right one.
D skewed(const D& x, double factor) {
  D y = scale(x.detach(), 1.0);
  if (recorded(x))
    record(
        "skewed", y,
        [factor, to = x.node()](const auto& dy) {
          D g(dy.shape());
          Kernels<Cpu>::scale(g.numel(), factor, dy.data(), g.data());
          to->take(std::move(g));
        },
        x);
  return y;
}

/// x^2 with backward(x, dy, node of x) as its derivative.
template <class Backward>
Function<double> wrong_square(Backward backward) {
  return [backward](const Inputs<double>& in) {
    const D x = in[0];
    D y = square(x.detach());
    if (recorded(x))
      record(
          "wrong", y,
          [backward, x = x.detach(), to = x.node()](const auto& dy) { backward(x, dy, *to); }, x);
    return y;
  };
}

/// 2 x dy, the correct derivative.
D slope(const D& x, const D& dy) {
  const NoGrad no_grad;
  return scale(mul(x, dy), 2.0);
}

/// The message of the failed check, "" where it passes.
std::string gradient_error(const Function<double>& f, const Inputs<double>& inputs) {
  return error_of([&] { require_gradients("f", f, inputs); });
}

const Inputs<double>& input() {
  static const auto x = random_inputs<double>({{3, 4}});
  return x;
}

}  // namespace

TEST_CASE("a derivative that is off by a thousandth is found in every operation", "[ops]") {
  std::set<std::string> found, all;
  for (const OpCase& c : op_cases()) {
    all.insert(c.op);
    const Function<double> wrong = [&](const Inputs<double>& x) {
      return skewed(c.wide(x), 1.001);
    };
    if (!gradient_error(wrong, random_inputs<double>(c.shapes, c.low, c.high)).empty())
      found.insert(c.op);
  }
  CHECK(difference("the operations with cases", all, "those found", found) == "");
}

TEST_CASE("the check accepts correct derivatives", "[ops]") {
  const auto f = wrong_square([](const D& x, const D& dy, auto& to) { to.add(slope(x, dy)); });
  CHECK(gradient_error(f, input()) == "");
}

TEST_CASE("the check returns the worst element, and its message names it", "[ops]") {
  const auto f = wrong_square([](const D& x, const D& dy, auto& to) {
    D g = slope(x, dy);
    g.data()[5] += 0.5;
    g.data()[2] += 0.25;
    to.add(g);
  });
  const Gradcheck worst = gaze::testing::gradcheck(f, input());
  CHECK(worst.input == 0);
  CHECK(worst.element == 5);
  CHECK(worst.backward - worst.differences == Catch::Approx(0.5));
  CHECK(worst.error > 0.1);
  CHECK(gaze::testing::gradcheck(f, {D({0, 4})}).error == 0);
  CHECK_THAT(gradient_error(f, input()),
             Catch::Contains("[gaze::gradcheck] f: input 0, element 5: backward "));
}

TEST_CASE("each kind of wrong derivative is found", "[ops]") {
  const auto error = [](auto backward) { return gradient_error(wrong_square(backward), input()); };
  using Catch::Contains;
  CHECK_THAT(error([](const D&, const D&, auto&) {}), Contains("backward 0,"));  // forgotten
  CHECK_FALSE(error([](const D& x, const D& dy, auto& to) {                      // the other sign
                to.add(scale(slope(x, dy), -1.0));
              })
                  .empty());
  CHECK_FALSE(error([](const D& x, const D& dy, auto& to) {  // counted twice
                to.add(slope(x, dy));
                to.add(slope(x, dy));
              })
                  .empty());
  CHECK_FALSE(error([](const D&, const D& dy, auto& to) { to.add(dy); }).empty());  // no factor
  CHECK_THAT(error([](const D& x, const D& dy, auto& to) {  // one element of twelve
               D g = slope(x, dy);
               g.data()[7] = 0;
               to.add(g);
             }),
             Contains("input 0, element 7: backward 0,"));
  CHECK_FALSE(error([](const D& x, const D& dy, auto& to) {  // elements in another order
                D g = slope(x, dy);
                std::swap(g.data()[2], g.data()[3]);
                to.add(g);
              })
                  .empty());
  CHECK_FALSE(error([](const D& x, const D& dy, auto& to) {  // not a number
                D g = slope(x, dy);
                g.data()[0] = std::nan("");
                to.add(g);
              })
                  .empty());
}

TEST_CASE("a derivative that overwrites the gradient so far is found", "[ops]") {
  const auto overwriting = wrong_square([](const D& x, const D& dy, auto& to) {
    const D g = slope(x, dy);
    Kernels<Cpu>::copy(g.numel(), g.data(), to.target().data);
  });
  CHECK(gradient_error(overwriting, input()) == "");  // alone it goes unnoticed
  const Function<double> twice = [&](const Inputs<double>& x) {
    return add(overwriting(x), scale(overwriting(x), 3.0));
  };
  CHECK_FALSE(gradient_error(twice, input()).empty());
}

TEST_CASE("a derivative that assumes contiguous memory for a view is found", "[ops]") {
  const Function<double> f = [](const Inputs<double>& in) {
    const D x = permute(in[0], {1, 0});
    D y = square(contiguous(x.detach()));
    if (recorded(x))
      record(
          "wrong", y,
          [x = x.detach(), to = x.node()](const auto& dy) {
            const D careless = D::from(x.shape(), {x.data(), x.data() + x.numel()});
            to->add(slope(careless, dy));
          },
          x);
    return y;
  };
  CHECK_FALSE(gradient_error(f, input()).empty());
}

}  // namespace test_gradcheck
