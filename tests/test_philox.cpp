// SPDX-License-Identifier: MIT
// Counter-based random numbers: published vectors, independence of addresses, ranges and moments.
#include "gaze/core/philox.hpp"

#include <algorithm>
#include <numeric>
#include <set>
#include <vector>

#include "tests/test.hpp"

namespace test_philox {

using gaze::Philox;
using gaze::Purpose;

TEST_CASE("philox reproduces the published test vectors", "[philox]") {
  using gaze::detail::Counter;
  using gaze::detail::philox4x32;
  CHECK(philox4x32({0, 0, 0, 0}, 0, 0) == Counter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox4x32({~0u, ~0u, ~0u, ~0u}, ~0u, ~0u) ==
        Counter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0xa4093822, 0x299f31d0) ==
        Counter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
  static_assert(philox4x32({0, 0, 0, 0}, 0, 0)[0] == 0x6627e8d5);  // also at compile time
}

TEST_CASE("every part of the address changes the number", "[philox]") {
  std::set<std::uint64_t> seen;
  std::size_t asked = 0;
  for (const std::uint64_t seed : {0ull, 1ull, 1ull << 32, 1ull << 63})
    for (const Purpose purpose : {Purpose::init, Purpose::data, Purpose::sampling, Purpose::test})
      for (const std::uint64_t sample : {0ull, 1ull, 1ull << 32})
        for (const std::uint64_t position : {0ull, 1ull, 1ull << 40}) {
          seen.insert(Philox(seed, purpose).bits(sample, position));
          ++asked;
        }
  CHECK(seen.size() == asked);
  CHECK(Philox(3, Purpose::data).bits(4, 5) == Philox(3, Purpose::data).bits(4, 5));
}

TEST_CASE("uniform numbers lie in [0, 1) with the right moments", "[philox]") {
  const Philox random(1, Purpose::test);
  double total = 0, squares = 0;
  constexpr int n = 100000;
  for (int i = 0; i < n; ++i) {
    const double u =
        random.uniform(static_cast<std::uint64_t>(i % 10), static_cast<std::uint64_t>(i));
    REQUIRE((u >= 0 && u < 1));
    total += u;
    squares += u * u;
  }
  CHECK(total / n == Catch::Approx(0.5).margin(0.005));
  CHECK(squares / n == Catch::Approx(1.0 / 3).margin(0.005));
}

TEST_CASE("normal numbers have mean 0, variance 1, kurtosis 3", "[philox]") {
  const Philox random(2, Purpose::test);
  double sums[5] = {};
  constexpr int n = 100000;
  for (int i = 0; i < n; ++i) {
    const double x = random.normal(7, static_cast<std::uint64_t>(i));
    double power = 1;
    for (double& sum : sums) {
      sum += power / n;
      power *= x;
    }
  }
  CHECK(sums[1] == Catch::Approx(0).margin(0.015));
  CHECK(sums[2] == Catch::Approx(1).margin(0.02));
  CHECK(sums[3] == Catch::Approx(0).margin(0.05));
  CHECK(sums[4] == Catch::Approx(3).margin(0.15));
}

TEST_CASE("integers below n are in range and uniform", "[philox]") {
  const Philox random(3, Purpose::test);
  std::vector<int> count(7, 0);
  for (std::uint64_t i = 0; i < 70000; ++i) {
    const auto k = random.below(7, 1, i);
    REQUIRE(k < 7);
    ++count[k];
  }
  for (const int c : count) CHECK(std::abs(c - 10000) < 500);
  CHECK(random.below(1, 0, 0) == 0);
  const std::uint64_t large = 0xffffffffull;
  for (std::uint64_t i = 0; i < 100; ++i) CHECK(random.below(large, 0, i) < large);
}

TEST_CASE("a shuffle is a permutation, repeats, and differs by epoch", "[philox]") {
  const Philox random(4, Purpose::data);
  std::vector<int> sorted(50);
  std::iota(sorted.begin(), sorted.end(), 0);
  auto a = sorted, b = sorted, c = sorted;
  gaze::shuffle(a, random, 0);
  gaze::shuffle(b, random, 0);
  gaze::shuffle(c, random, 1);
  CHECK(a == b);
  CHECK(a != c);
  CHECK(a != sorted);
  std::sort(a.begin(), a.end());
  CHECK(a == sorted);
  std::vector<int> none;
  gaze::shuffle(none, random, 0);
  CHECK(none.empty());
}

}  // namespace test_philox
