// SPDX-License-Identifier: MIT
// The column types that pandas.read_csv infers, and Python's str() of a cell afterwards: "12" among
// decimals is "12.0", "6.626e-34" is "6.626000000000001e-34". The official scores compare these
// texts, so they must agree exactly.
//
//   is_missing           whether a text is a missing cell
//   python_float_text    str() of a float
//   ColumnType           the type of a column, and its cells after pandas
//
// Follows the C engine with its defaults in pandas 1.5.3 and 2.3.3, which agree on all of
// tests/golden/pandas_golden.json. They differ in one word: "None" is a missing cell in pandas 2,
// and text here, as in the pandas 1.5.3 of the official cases. pandas infers types chunk by chunk
// in tables of over 2^19 cells, here once per column; PhyX's tables have fewer than 2^16.
#pragma once
#include <string>
#include <string_view>

namespace gaze::phyx {

/// Whether pandas 1.5.3 reads this text as a missing cell.
bool is_missing(std::string_view text) noexcept;

/// A float as Python's str() writes it: "5.0", "0.0001", "1e-05", "1e+16".
std::string python_float_text(double value);

/// Infers the type of a column. Call see() with every cell in order, then text() for cells as
/// Python's str() prints them.
class ColumnType {
 public:
  void see(std::string_view cell) noexcept;

  /// `cell` as pandas returns it; "nan" for a missing one.
  std::string text(std::string_view cell) const;

  /// Result of reading a cell as an integer. `too_large` is set at the digit that overflows, so
  /// also for "99999999999999999999.5".
  enum class WholeNumber { read, no_number, too_large };

 private:
  /// int64, uint64, float64, bool, object; raw_texts is object without missing cells.
  enum class Kind { integers, large_integers, floats, booleans, texts, raw_texts };

  Kind kind() const noexcept;
  std::string integer_text(std::string_view cell) const;

  WholeNumber signed_ = WholeNumber::read, unsigned_ = WholeNumber::read;
  bool negative_ = false, large_ = false, floats_ = true, booleans_ = true, missing_ = false;
};

}  // namespace gaze::phyx
