// SPDX-License-Identifier: MIT
// The types that pandas.read_csv gives columns, and the text that Python's str() makes of a cell
// afterwards: "12" among decimals is "12.0", "6.626e-34" is "6.626000000000001e-34". The official
// scores compare these texts, so they must agree bit for bit.
//
//   is_missing           which texts are missing cells
//   python_float_text    str() of a float
//   ColumnType           the type of a column, and its cells after the round trip
//
// This is the C engine with its defaults, as in pandas 1.5.3 and 2.3.3, which agree in all of
// tests/golden/pandas_golden.json. They differ in one word: pandas 2 takes "None" for a missing
// cell; here it is text, as in the pandas 1.5.3 that made the official cases. pandas types tables
// of over 2^19 cells in pieces, here a column is always one; PhyX's have less than 2^16.
#pragma once
#include <string>
#include <string_view>

namespace gaze::phyx {

/// Whether pandas 1.5.3 takes this text for a missing cell.
bool is_missing(std::string_view text) noexcept;

/// A float as Python's str() writes it: "5.0", "0.0001", "1e-05", "1e+16".
std::string python_float_text(double value);

/// pandas guesses one type per column. Show this one every cell, in the table's order, then ask for
/// the text that Python's str() would give.
class ColumnType {
 public:
  void see(std::string_view cell) noexcept;

  /// `cell` after the round trip through pandas; "nan" for a missing one.
  std::string text(std::string_view cell) const;

  /// How a cell reads as a whole number. `too_large` is known at the digit that is too many, so it
  /// also holds for "99999999999999999999.5".
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
