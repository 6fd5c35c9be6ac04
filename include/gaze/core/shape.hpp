// SPDX-License-Identifier: MIT
// Shape: up to six sizes, by value. Strides are a Shape too: elements to step per index.
#pragma once
#include <algorithm>
#include <array>
#include <initializer_list>
#include <ostream>

#include "gaze/core/checked.hpp"
#include "gaze/core/error.hpp"
#include "gaze/core/index.hpp"

namespace gaze {

/// Up to max_rank sizes of a tensor, or its strides.
class Shape {
 public:
  static constexpr int max_rank = 6;

  Shape() = default;
  /// The sizes in order. Error: more than max_rank.
  Shape(std::initializer_list<Index> sizes) : rank_(static_cast<int>(sizes.size())) {
    GAZE_CHECK(rank_ <= max_rank, "Shape", "at most ", max_rank, " dimensions, got ", rank_);
    std::copy(sizes.begin(), sizes.end(), sizes_.begin());
  }
  /// `rank` sizes, all `value`.
  static Shape filled(int rank, Index value) {
    GAZE_CHECK(rank >= 0 && rank <= max_rank, "Shape", "at most ", max_rank, " dimensions");
    Shape s;
    s.rank_ = rank;
    std::fill_n(s.sizes_.begin(), rank, value);
    return s;
  }

  int rank() const { return rank_; }  ///< the number of dimensions
  /// Size i, from 0 to rank() - 1, unchecked.
  Index operator[](int i) const { return sizes_[static_cast<std::size_t>(i)]; }
  /// The same, to change it.
  Index& operator[](int i) { return sizes_[static_cast<std::size_t>(i)]; }
  /// The size at i, counted from the end when negative.
  Index at(int i) const {
    const int j = i < 0 ? i + rank_ : i;
    GAZE_CHECK(j >= 0 && j < rank_, "Shape", "dimension ", i, " of ", *this);
    return (*this)[j];
  }
  const Index* begin() const { return sizes_.data(); }        ///< the sizes in order
  const Index* end() const { return sizes_.data() + rank_; }  ///< one past the last size

  /// The number of elements: the product of the sizes (1 for rank 0). Negative sizes and products
  /// beyond 64 bits are an Error of operation `where`.
  Index numel(const char* where = "Shape") const {
    const auto n = element_count({begin(), end()});
    if (!n) {
      GAZE_CHECK(std::all_of(begin(), end(), [](Index s) { return s >= 0; }), where, "shape ",
                 *this, " has a negative size");
      GAZE_FAIL(where, "shape ", *this, " has more elements than 64 bits can count");
    }
    return *n;
  }

  /// Same rank and sizes.
  friend bool operator==(const Shape& a, const Shape& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }
  /// Prints "[2,3]".
  friend std::ostream& operator<<(std::ostream& out, const Shape& s) {
    out << '[';
    for (int i = 0; i < s.rank_; ++i) out << (i ? "," : "") << s[i];
    return out << ']';
  }

 private:
  int rank_ = 0;
  std::array<Index, max_rank> sizes_{};
};

/// Strides of a contiguous row-major array.
inline Shape contiguous_strides(const Shape& shape) {
  Shape strides = shape;
  Index step = 1;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    strides[i] = step;
    step *= shape[i];
  }
  return strides;
}

/// NumPy's broadcasting rule: sizes are aligned at the end; size 1 broadcasts.
inline Shape broadcast(const Shape& a, const Shape& b, const char* where) {
  Shape out = Shape::filled(std::max(a.rank(), b.rank()), 1);
  for (int i = 1; i <= out.rank(); ++i) {
    const Index x = i <= a.rank() ? a.at(-i) : 1, y = i <= b.rank() ? b.at(-i) : 1;
    GAZE_CHECK(x == y || x == 1 || y == 1, where, "shapes do not broadcast: ", a, " and ", b);
    out[out.rank() - i] = x == 1 ? y : x;
  }
  out.numel(where);
  return out;
}

/// Strides that view `from` (with these strides) as shape `to`; 0 where it broadcasts.
inline Shape broadcast_strides(const Shape& from, const Shape& strides, const Shape& to) {
  Shape out = Shape::filled(to.rank(), 0);
  for (int i = 1; i <= from.rank(); ++i) out[to.rank() - i] = from.at(-i) == 1 ? 0 : strides.at(-i);
  return out;
}

}  // namespace gaze
