// SPDX-License-Identifier: MIT
// Checked arithmetic on external sizes: overflow of Index or of 32 bits is an Error instead of a
// wrapped number.
#pragma once
#include <limits>
#include <optional>
#include <span>

#include "gaze/core/error.hpp"
#include "gaze/core/index.hpp"

namespace gaze {

/// a + b and a * b; errors name operation `where`.
inline Index checked_sum(const char* where, Index a, Index b) {
  Index sum = 0;
  GAZE_CHECK(!__builtin_add_overflow(a, b, &sum), where, "a size of ", a, " + ", b,
             " does not fit in 64 bits");
  return sum;
}
/// A * b; an overflow is an Error of operation `where`.
inline Index checked_product(const char* where, Index a, Index b) {
  Index product = 0;
  GAZE_CHECK(!__builtin_mul_overflow(a, b, &product), where, "a size of ", a, " x ", b,
             " does not fit in 64 bits");
  return product;
}

/// The number of elements of an array of these sizes; nothing if a size is negative or the product
/// overflows Index. A size of 0 does not excuse the others: strides are their products.
constexpr std::optional<Index> element_count(std::span<const Index> sizes) {
  Index product = 1;
  bool empty = false;
  for (const Index size : sizes) {
    if (size < 0 || __builtin_mul_overflow(product, size > 0 ? size : 1, &product)) return {};
    empty = empty || size == 0;
  }
  return empty ? 0 : product;
}

/// `value` as 32 bits; an Error of operation `where` about `what` unless it is 0 to `most`.
inline std::int32_t checked_int32(const char* where, const char* what, Index value,
                                  std::int32_t most = std::numeric_limits<std::int32_t>::max()) {
  GAZE_CHECK(value >= 0 && value <= most, where, what, " is ", value, ", which is not within 0 to ",
             most);
  return static_cast<std::int32_t>(value);
}

}  // namespace gaze
