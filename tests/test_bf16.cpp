// SPDX-License-Identifier: MIT
// bf16: rounding to the nearest, ties to even, at every exponent; infinities and NaN.
#include <cmath>
#include <limits>

#include "gaze/core/bf16.hpp"
#include "test.hpp"

namespace test_bf16 {

using gaze::bf16;

TEST_CASE("every bf16 survives conversion to float and back") {
  for (std::uint32_t bits = 0; bits < 0x10000u; ++bits) {
    const auto x = bf16::from_bits(static_cast<std::uint16_t>(bits));
    const float wide = static_cast<float>(x);
    if (std::isnan(wide))
      CHECK(std::isnan(static_cast<float>(bf16(wide))));
    else if (bf16(wide).bits != x.bits)
      FAIL("bits " << bits);
  }
}

TEST_CASE("float rounds to the nearest bf16, ties to even") {
  for (std::uint32_t upper = 0; upper < 0x7f7fu; upper += 3) {  // finite, positive
    const float low = std::bit_cast<float>(upper << 16),
                high = std::bit_cast<float>((upper + 1) << 16);
    const auto between = [&](std::uint32_t lower) {
      return bf16(std::bit_cast<float>((upper << 16) | lower)).bits;
    };
    REQUIRE(between(0x7fffu) == upper);
    REQUIRE(between(0x8001u) == upper + 1);
    REQUIRE(between(0x8000u) == upper + (upper & 1u));
    REQUIRE(bf16(-high).bits == (0x8000u | (upper + 1)));
    REQUIRE(static_cast<float>(bf16(low)) == low);
  }
}

TEST_CASE("bf16 converts extreme values correctly") {
  constexpr float inf = std::numeric_limits<float>::infinity();
  CHECK(static_cast<float>(bf16(inf)) == inf);
  CHECK(static_cast<float>(bf16(std::numeric_limits<float>::max())) == inf);
  CHECK(std::isnan(static_cast<float>(bf16(std::numeric_limits<float>::quiet_NaN()))));
  CHECK(std::isnan(static_cast<float>(bf16(std::bit_cast<float>(0x7f800001u)))));
  CHECK(std::signbit(static_cast<float>(bf16(-0.0f))));
  static_assert(static_cast<float>(bf16(1.0f)) == 1.0f);
  static_assert(std::is_same_v<gaze::GradOf<bf16>, float>);
}

}  // namespace test_bf16
