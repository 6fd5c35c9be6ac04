// SPDX-License-Identifier: MIT
// Creation functions: intervals stay half-open after rounding to the type.
#include "gaze/gaze.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_creation {
namespace {

using namespace gaze;
using namespace gaze::test;

const Philox numbers(3, Purpose::test);

/// uniform() without the correction at the upper bound.
template <class T>
std::vector<T> plain_uniform(Index n, double low, double high) {
  std::vector<T> out;
  for (Index i = 0; i < n; ++i)
    out.push_back(
        static_cast<T>(low + (high - low) * numbers.uniform(1, static_cast<std::uint64_t>(i))));
  return out;
}

template <class T>
double as_double(T x) {
  return static_cast<double>(static_cast<float>(x));
}
template <>
double as_double(double x) {
  return x;
}

/// Checks that all n numbers lie in [low, high), and that those in range are uncorrected. T
/// represents the bounds exactly.
template <class T>
void check_uniform(double low, double high, Index n = 20000) {
  INFO(low << " to " << high);
  const auto got = uniform<T>({n}, numbers, 1, low, high).to_vector();
  const auto before = plain_uniform<T>(n, low, high);
  bool inside = true, same = true;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double x = as_double(got[i]), old = as_double(before[i]);
    inside = inside && x >= low && x < high;
    same = same && (old >= high || x == old);
  }
  CHECK(inside);
  CHECK(same);
}

}  // namespace

TEST_CASE("uniform numbers stay below the upper bound in every type", "[ops]") {
  check_uniform<float>(0, 1);
  check_uniform<float>(1, 1 + 0x1p-22);  // four numbers fit, half of all draws round up
  check_uniform<float>(-1, -1 + 0x1p-23);
  check_uniform<float>(16777216, 16777218);
  check_uniform<float>(-0x1p-149, 0);
  check_uniform<float>(0, 0x1p-149);
  check_uniform<float>(-3, 1e30f);
  check_uniform<double>(1, 1 + 0x1p-51);
  check_uniform<double>(-0x1p60, -0x1p60 + 256);
  check_uniform<bf16>(0, 1);  // 256 numbers from 0.5 on: one draw in 512 rounds up to 1
  check_uniform<bf16>(-2, -1);
  check_uniform<bf16>(-1, 0);
  check_uniform<bf16>(128, 130);
}

TEST_CASE("bounds that the type cannot represent are rounded first", "[ops]") {
  for (const double high : {0.3, 0.7, 0.1}) {  // 0.7 rounds down to float, the others up
    const auto x = uniform<float>({100000}, numbers, 2, high - 1e-7, high).to_vector();
    const float largest = *std::max_element(x.begin(), x.end());
    CHECK(largest < static_cast<float>(high));
  }
}

TEST_CASE("an interval without a representable number is refused", "[ops]") {
  const auto refused = [](double low, double high) {
    return contains(error_of([=] { uniform<float>({1}, numbers, 1, low, high); }),
                    "[gaze::uniform] ");
  };
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK(refused(1, 1));
  CHECK(refused(2, 1));
  CHECK(refused(1, 1 + 1e-12));
  CHECK(refused(0, infinity));
  CHECK(refused(-infinity, 0));
  CHECK(refused(0, std::numeric_limits<double>::quiet_NaN()));
  CHECK(refused(0, 1e39));
  CHECK(refused(-1e308, 1e308));
  CHECK(contains(error_of([] { normal<float>({1}, numbers, 1, 0, -1); }), "[gaze::normal] mean 0"));
  CHECK(contains(error_of([=] { normal<float>({1}, numbers, 1, infinity, 1); }), "[gaze::normal]"));
}

TEST_CASE("a range never reaches its end", "[ops]") {
  CHECK(arange<float>(0, 0.3f, 0.1f).to_vector() == std::vector<float>{0, 0.1f, 2 * 0.1f});
  CHECK(arange<float>(0, 0.6f, 0.2f).numel() == 3);
  CHECK(arange<float>(0.3f, 0, -0.1f).to_vector() ==
        std::vector<float>{0.3f, 0.3f - 0.1f, 0.3f - 2 * 0.1f});
  CHECK(arange<double>(1, 2, 0.25).to_vector() == std::vector<double>{1, 1.25, 1.5, 1.75});
  CHECK(arange<float>(16777216, 16777220, 1).numel() == 3);  // odd ones are rounded
  Index checked = 0;
  for (int steps = 1; steps <= 60; ++steps)
    for (int parts = 1; parts <= 60; ++parts) {
      const float by = 1.0f / static_cast<float>(parts), end = static_cast<float>(steps) * by;
      for (const float x : arange<float>(0, end, by).to_vector()) {
        if (!(x < end)) FAIL_CHECK("0 to " << end << " by " << by << " has " << x);
        ++checked;
      }
    }
  CHECK(checked > 100000);
}

TEST_CASE("arange supports bf16 and integers", "[ops]") {
  const auto half = arange<bf16>(bf16(0), bf16(1), bf16(0.25f)).to_vector();
  REQUIRE(half.size() == 4);
  CHECK(static_cast<float>(half[3]) == 0.75f);
  for (const bf16 x : arange<bf16>(bf16(0), bf16(0.3f), bf16(0.1f)).to_vector())
    CHECK(static_cast<float>(x) < static_cast<float>(bf16(0.3f)));
  CHECK(arange<std::int32_t>(-2000000000, 2000000000, 1000000000).to_vector() ==
        std::vector<std::int32_t>{-2000000000, -1000000000, 0, 1000000000});
}

}  // namespace test_creation
