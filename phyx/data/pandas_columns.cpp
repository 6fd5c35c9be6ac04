// SPDX-License-Identifier: MIT
// The parsers of pandas' C engine: integers, floats with their rounding, special words.
#include "phyx/data/pandas_columns.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>

namespace gaze::phyx {

namespace {

using WholeNumber = ColumnType::WholeNumber;

/// A cell read from left to right. Past its end head() is NUL, which no cell contains.
struct CellCursor {
  std::string_view rest;

  char head() const noexcept { return rest.empty() ? '\0' : rest.front(); }
  bool at_digit() const noexcept { return head() >= '0' && head() <= '9'; }
  unsigned take_digit() noexcept {
    const auto digit = static_cast<unsigned>(rest.front() - '0');
    rest.remove_prefix(1);
    return digit;
  }
  void pass_spaces() noexcept {  // C's isspace
    while (head() == ' ' || (head() >= '\t' && head() <= '\r')) rest.remove_prefix(1);
  }
  /// Skips a sign; true for a minus.
  bool pass_sign() noexcept {
    const char sign = head();
    if (sign == '+' || sign == '-') rest.remove_prefix(1);
    return sign == '-';
  }
};

/// Reads digits, then blanks up to the end of the cell.
WholeNumber read_digits(CellCursor cursor, std::uint64_t most, std::uint64_t& value) noexcept {
  if (!cursor.at_digit()) return WholeNumber::no_number;
  for (value = 0; cursor.at_digit();) {
    const unsigned digit = cursor.take_digit();
    if (value > (most - digit) / 10) return WholeNumber::too_large;
    value = value * 10 + digit;
  }
  cursor.pass_spaces();
  return cursor.rest.empty() ? WholeNumber::read : WholeNumber::no_number;
}

constexpr auto most_int64 = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

WholeNumber read_int64(std::string_view cell, std::int64_t& value) noexcept {
  CellCursor cursor{cell};
  cursor.pass_spaces();
  const bool negative = cursor.pass_sign();
  std::uint64_t size = 0;
  const WholeNumber how = read_digits(cursor, negative ? most_int64 + 1 : most_int64, size);
  value = static_cast<std::int64_t>(negative ? 0 - size : size);
  return how;
}

/// Reads only the sign of a negative number.
WholeNumber read_uint64(std::string_view cell, std::uint64_t& value, bool& negative) noexcept {
  CellCursor cursor{cell};
  cursor.pass_spaces();
  negative = cursor.pass_sign();
  if (negative) return WholeNumber::read;
  return read_digits(cursor, std::numeric_limits<std::uint64_t>::max(), value);
}

/// 10^n for n from 0 to 308, correctly rounded.
double power_of_ten(int n) noexcept {
  static const auto powers = [] {
    std::array<double, 309> all{};
    for (std::size_t i = 0; i < all.size(); ++i) {
      const std::string text = "1e" + std::to_string(i);
      std::from_chars(text.data(), text.data() + text.size(), all[i]);
    }
    return all;
  }();
  return powers[static_cast<std::size_t>(n)];
}

/// value * 10^exponent in at most two roundings; infinite beyond the range.
double scaled_by_ten(double value, int exponent) noexcept {
  constexpr int most = 308;
  if (exponent > most) return std::numeric_limits<double>::infinity();
  if (exponent >= 0) return value * power_of_ten(exponent);
  if (exponent >= -most) return value / power_of_ten(-exponent);
  if (exponent < -2 * most) return 0;
  return value / power_of_ten(-most - exponent) / power_of_ten(most);
}

/// The first 17 digits of a number, including leading zeros, accumulated as pandas does: the
/// product is rounded, then the sum.
class SeventeenDigits {
 public:
  static constexpr int most = 17;

  bool full() const noexcept { return count_ == most; }
  int count() const noexcept { return count_; }
  double value() const noexcept { return value_; }
  void add(unsigned digit) noexcept {
    const volatile double tenfold = value_ * 10;  // volatile: not one fused operation
    value_ = tenfold + digit;
    ++count_;
  }

 private:
  double value_ = 0;
  int count_ = 0;
};

/// The exponent after the mantissa: "e-5". At most 17 digits; wraps at 32 bits. Without a digit
/// after the sign nothing is consumed, so the cell is not a number.
std::uint32_t read_exponent(CellCursor& cursor) noexcept {
  if (cursor.head() != 'e' && cursor.head() != 'E') return 0;
  CellCursor after = cursor;
  after.rest.remove_prefix(1);
  const bool negative = after.pass_sign();
  if (!after.at_digit()) return 0;
  std::uint32_t exponent = 0;
  for (int i = 0; i < SeventeenDigits::most && after.at_digit(); ++i)
    exponent = exponent * 10 + after.take_digit();
  cursor = after;
  return negative ? 0 - exponent : exponent;
}

/// Case-insensitive comparison with a lower-case word.
bool is_cell_word(std::string_view cell, std::string_view word) noexcept {
  return std::equal(cell.begin(), cell.end(), word.begin(), word.end(),
                    [](char a, char b) { return (a | 32) == b; });
}

/// The words for infinity in any case, without blanks.
bool read_infinity(std::string_view cell, double& value) noexcept {
  const bool negative = cell.starts_with('-');
  if (negative || cell.starts_with('+')) cell.remove_prefix(1);
  value = std::numeric_limits<double>::infinity() * (negative ? -1 : 1);
  return is_cell_word(cell, "inf") || is_cell_word(cell, "infinity");
}

/// Parses a cell like pandas' default converter (float_precision=None), which does not always give
/// the nearest double. False for other texts and for numbers out of range, which pandas keeps as
/// text.
bool read_float(std::string_view cell, double& value) noexcept {
  CellCursor cursor{cell};
  cursor.pass_spaces();
  const bool negative = cursor.pass_sign();
  SeventeenDigits digits;
  std::uint32_t exponent = 0;  // wraps where pandas' int does
  for (; cursor.at_digit(); cursor.rest.remove_prefix(1)) {
    if (digits.full())
      ++exponent;
    else
      digits.add(static_cast<unsigned>(cursor.head() - '0'));
  }
  if (cursor.head() == '.') {
    cursor.rest.remove_prefix(1);
    for (; cursor.at_digit(); cursor.rest.remove_prefix(1)) {
      if (digits.full()) continue;
      digits.add(static_cast<unsigned>(cursor.head() - '0'));
      --exponent;
    }
  }
  if (digits.count() == 0) return read_infinity(cell, value);
  exponent += read_exponent(cursor);
  value = scaled_by_ten(negative ? -digits.value() : digits.value(), static_cast<int>(exponent));
  cursor.pass_spaces();
  return cursor.rest.empty() && std::isfinite(value);
}

}  // namespace

bool is_missing(std::string_view text) noexcept {
  static constexpr std::string_view tokens[] = {
      "",        "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND",
      "1.#QNAN", "<NA>", "N/A",      "NA",  "NULL",    "NaN",      "n/a",  "nan",  "null"};
  return std::find(std::begin(tokens), std::end(tokens), text) != std::end(tokens);
}

std::string python_float_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  const double size = std::abs(value);
  const bool fixed = size == 0 || (size >= 1e-4 && size < 1e16);
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, value,
                                 fixed ? std::chars_format::fixed : std::chars_format::scientific);
  std::string written(text, end.ptr);
  if (fixed && written.find('.') == std::string::npos) written += ".0";
  return written;
}

void ColumnType::see(std::string_view cell) noexcept {
  if (is_missing(cell)) {
    missing_ = true;
    return;
  }
  std::int64_t integer = 0;
  if (signed_ == WholeNumber::read) signed_ = read_int64(cell, integer);
  if (unsigned_ == WholeNumber::read) {
    std::uint64_t large = 0;
    bool negative = false;
    unsigned_ = read_uint64(cell, large, negative);
    negative_ = negative_ || negative;
    large_ = large_ || (unsigned_ == WholeNumber::read && large > most_int64);
  }
  double number = 0;
  floats_ = floats_ && read_float(cell, number);
  booleans_ = booleans_ && (is_cell_word(cell, "true") || is_cell_word(cell, "false"));
}

std::string ColumnType::text(std::string_view cell) const {
  const Kind kind = this->kind();
  if (kind != Kind::raw_texts && is_missing(cell)) return "nan";
  switch (kind) {
    case Kind::integers:
      return integer_text(cell);
    case Kind::large_integers: {
      std::uint64_t value = 0;
      bool negative = false;
      read_uint64(cell, value, negative);
      return std::to_string(value);
    }
    case Kind::floats: {
      double value = 0;
      read_float(cell, value);
      return python_float_text(value);
    }
    case Kind::booleans:
      return is_cell_word(cell, "true") ? "True" : "False";
    case Kind::texts:
    case Kind::raw_texts:
      break;
  }
  return std::string(cell);
}

// The first type that fits. If a number is too large for int64 and the column is not uint64 either,
// pandas does not try floats; if only a sign or a missing cell rules out uint64, missing cells stay
// text: "NA".
ColumnType::Kind ColumnType::kind() const noexcept {
  if (signed_ == WholeNumber::read) return Kind::integers;
  if (signed_ == WholeNumber::too_large && unsigned_ != WholeNumber::no_number) {
    if (unsigned_ != WholeNumber::read || !large_) return Kind::texts;
    return negative_ || missing_ ? Kind::raw_texts : Kind::large_integers;
  }
  return floats_ ? Kind::floats : booleans_ ? Kind::booleans : Kind::texts;
}

// int64 cannot represent a missing cell: the column becomes float, and the smallest integer,
// pandas' placeholder for a missing cell, is lost.
std::string ColumnType::integer_text(std::string_view cell) const {
  std::int64_t value = 0;
  read_int64(cell, value);
  if (!missing_) return std::to_string(value);
  if (value == std::numeric_limits<std::int64_t>::min()) return "nan";
  return python_float_text(static_cast<double>(value));
}

}  // namespace gaze::phyx
