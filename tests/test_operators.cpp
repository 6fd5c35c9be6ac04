// SPDX-License-Identifier: MIT
// Arithmetic operators: values and derivatives, numbers on either side, and what they refuse.
#include <concepts>
#include <functional>
#include <map>

#include "gaze/gaze.hpp"
#include "tests/gradcheck.hpp"
#include "tests/texts.hpp"

namespace test_operators {
namespace {

using namespace gaze::test;
using gaze::Indices;
using D = gaze::Tensor<double>;
using Values = std::vector<double>;

/// Whether any operator takes these two.
template <class A, class B>
constexpr bool combine =
    std::invocable<std::plus<>, A, B> || std::invocable<std::minus<>, A, B> ||
    std::invocable<std::multiplies<>, A, B> || std::invocable<std::divides<>, A, B>;

// Without `using namespace gaze`: the operators are found by their arguments. Types do not mix.
static_assert(combine<D, D> && combine<D, double> && combine<float, D>);
static_assert(!combine<D, gaze::Tensor<float>> && !combine<gaze::Tensor<float>, D>);
static_assert(!combine<D, gaze::Tensor<double, gaze::Cuda>>);
static_assert(!combine<Indices<gaze::Cpu>, Indices<gaze::Cpu>> &&
              !combine<Indices<gaze::Cpu>, double> && !combine<D, Indices<gaze::Cpu>>);

}  // namespace

TEST_CASE("operators of two tensors broadcast", "[ops]") {
  const D a = D::from({2, 2}, {1, 2, 3, 4}), b = D::from({2}, {2, 4});
  CHECK((a + b).to_vector() == Values{3, 6, 5, 8});
  CHECK((a - b).to_vector() == Values{-1, -2, 1, 0});
  CHECK((a * b).to_vector() == Values{2, 8, 6, 16});
  CHECK((a / b).to_vector() == Values{0.5, 0.5, 1.5, 1});
  CHECK((-b).to_vector() == Values{-2, -4});
}

TEST_CASE("operators take a number on either side", "[ops]") {
  const D x = D::from({2}, {2, 3});
  CHECK((x + 1).to_vector() == Values{3, 4});
  CHECK((1 + x).to_vector() == Values{3, 4});
  CHECK((x - 1).to_vector() == Values{1, 2});
  CHECK((1 - x).to_vector() == Values{-1, -2});
  CHECK((x * 2).to_vector() == Values{4, 6});
  CHECK((2 * x).to_vector() == Values{4, 6});
  CHECK((x / 3).to_vector() == Values{2.0 / 3, 1});
  CHECK((6 / x).to_vector() == Values{3, 2});
  const auto narrow = gaze::Tensor<float>::from({1}, {3});
  CHECK((0.5 * narrow + 1).item() == 2.5f);
}

TEST_CASE("operators have the derivatives of their operations", "[ops]") {
  const std::map<std::string, Function<double>> cases{
      {"between tensors",
       [](const auto& x) { return (x[0] + x[1]) * (x[0] - x[1]) / (x[0] * x[0] + 1) - x[1]; }},
      {"a number on the right", [](const auto& x) { return ((x[0] + 2) * 3 - 1) / 4 * x[1]; }},
      {"a number on the left", [](const auto& x) { return 2 - 3 * (1 + x[0] * x[1]); }},
      {"a number divided", [](const auto& x) { return -(2 / (x[0] * x[0] + 1)) + x[1]; }}};
  for (const auto& [what, f] : cases) gradcheck(what, f, random_inputs<double>({{3, 2}, {2}}));
}

TEST_CASE("operators refuse what their operations refuse", "[ops]") {
  using Catch::Contains;
  const D a = D::zeros({2, 3}), b = D::zeros({4}), none;
  CHECK_THAT(error_of([&] { return a + b; }),
             Contains("[gaze::add] shapes do not broadcast: [2,3] and"));
  CHECK_THAT(error_of([&] { return a - b; }), Contains("[gaze::sub] shapes do not broadcast"));
  CHECK_THAT(error_of([&] { return a * b; }), Contains("[gaze::mul] shapes do not broadcast"));
  CHECK_THAT(error_of([&] { return a / b; }), Contains("[gaze::div] shapes do not broadcast"));
  CHECK_THAT(error_of([&] { return -none; }), Contains("[gaze::neg] the input is undefined"));
  CHECK_THAT(error_of([&] { return none * 2; }), Contains("[gaze::scale] the input is undefined"));
  CHECK_THAT(error_of([&] { return 2 / none; }),
             Contains("[gaze::div] the second input is undefined"));
}

}  // namespace test_operators
