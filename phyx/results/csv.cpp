// SPDX-License-Identifier: MIT
// Writing and parsing CSV.
#include "phyx/results/csv.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <system_error>
#include <type_traits>
#include <utility>

#include "gaze/core/error.hpp"
#include "gaze/core/printable.hpp"
#include "gaze/io/atomic_file.hpp"

namespace gaze::phyx {

namespace {

void append_field(std::string& out, std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += text;
    return;
  }
  out += '"';
  for (char c : text) out.append(c == '"' ? 2 : 1, c);
  out += '"';
}

void append_number(std::string& out, double v) {
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, v, std::chars_format::general, 7);
  out.append(buffer, end.ptr);
}

/// Splits a file into records and tracks the line of each.
class CsvReader {
 public:
  CsvReader(std::string_view text, std::string name) : text_(text), name_(std::move(name)) {}

  /// The next record; false at the end.
  bool next(std::vector<std::string>& fields) {
    fields.clear();
    if (at_ >= text_.size()) return false;
    line_ = next_line_;
    while (true) {
      fields.push_back(at_ < text_.size() && text_[at_] == '"' ? quoted() : plain());
      if (at_ < text_.size() && text_[at_] == ',') {
        ++at_;
        continue;
      }
      break;
    }
    if (at_ < text_.size() && text_[at_] == '\r') ++at_;
    GAZE_CHECK(at_ >= text_.size() || text_[at_] == '\n', "read_results", where(),
               ": text after a closing quote");
    ++at_;
    ++next_line_;
    return true;
  }
  std::string where() const { return name_ + " line " + std::to_string(line_); }

 private:
  std::string plain() {
    const std::size_t end = std::min(text_.find_first_of(",\r\n", at_), text_.size());
    const std::string out(text_.substr(at_, end - at_));
    at_ = end;
    return out;
  }
  std::string quoted() {
    std::string out;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '"') {
        if (at_ + 1 >= text_.size() || text_[at_ + 1] != '"') {
          ++at_;
          return out;
        }
        ++at_;
      }
      if (text_[at_] == '\n') ++next_line_;
      out += text_[at_];
    }
    GAZE_FAIL("read_results", where(), ": unterminated quote");
  }

  std::string_view text_;
  std::string name_;
  std::size_t at_ = 0;
  std::int64_t line_ = 0, next_line_ = 1;
};

template <class Number>
Number read_number(const std::string& text, const std::string& where, const char* column) {
  Number v{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, v);
  GAZE_CHECK(error == std::errc() && stop == end && !text.empty(), "read_results", where, ", ",
             column, ": '", text, "' is not a number");
  if constexpr (std::is_floating_point_v<Number>)
    GAZE_CHECK(std::isfinite(v), "read_results", where, ", ", column, ": not finite");
  return v;
}

/// The header of earlier versions, whose rows end with `high`.
constexpr std::string_view short_header = results_header.substr(0, results_header.find(",scenes"));

ResultRow row_of(const std::vector<std::string>& f, const std::string& where) {
  ResultRow row{f[0],
                f[1],
                f[2],
                f[3],
                f[4],
                f[5],
                f[6],
                read_number<std::int64_t>(f[7], where, "n"),
                read_number<double>(f[8], where, "value"),
                read_number<double>(f[9], where, "low"),
                read_number<double>(f[10], where, "high")};
  if (f.size() == 11) return row;
  row.scenes = read_number<int>(f[11], where, "scenes");
  row.seeds = read_number<int>(f[12], where, "seeds");
  row.error = read_number<double>(f[13], where, "error");
  row.df = read_number<double>(f[14], where, "df");
  const auto basis = basis_of(f[15]);
  GAZE_CHECK(basis, "read_results", where, ", interval: '", printable(f[15], kShownBytes),
             "' is not a kind of interval");
  row.basis = *basis;
  return row;
}

}  // namespace

Interval interval_of(const ResultRow& row) {
  return {row.value, row.low, row.high, row.error, row.df, row.seeds, row.scenes, row.basis};
}

std::string results_to_csv(const std::vector<ResultRow>& rows) {
  std::string out(results_header);
  out += '\n';
  for (const auto& r : rows) {
    for (const std::string* field :
         {&r.condition, &r.seed, &r.split, &r.format, &r.slice_kind, &r.slice, &r.metric}) {
      append_field(out, *field);
      out += ',';
    }
    out += std::to_string(r.n);
    for (double v : {r.value, r.low, r.high}) {
      out += ',';
      append_number(out, v);
    }
    out += ',' + std::to_string(r.scenes) + ',' + std::to_string(r.seeds);
    for (double v : {r.error, r.df}) {
      out += ',';
      append_number(out, v);
    }
    out += ',';
    out += basis_name(r.basis);
    out += '\n';
  }
  return out;
}

std::vector<ResultRow> results_from_csv(std::string_view text, const std::string& name) {
  constexpr std::string_view mark = "\xEF\xBB\xBF";  // the byte order mark of Excel
  if (text.starts_with(mark)) text.remove_prefix(mark.size());
  GAZE_CHECK(text.find('\0') == text.npos, "read_results", name, ": a NUL byte at character ",
             text.find('\0'));
  CsvReader reader(text, name);
  std::vector<std::string> f;
  GAZE_CHECK(reader.next(f), "read_results", name, ": empty");
  std::string header;
  for (const auto& field : f) header += (header.empty() ? "" : ",") + field;
  GAZE_CHECK(header == results_header || header == short_header, "read_results", reader.where(),
             ": expected the header ", results_header);
  const std::size_t columns = f.size();
  std::vector<ResultRow> rows;
  while (reader.next(f)) {
    const std::string where = reader.where();
    GAZE_CHECK(f.size() == columns, "read_results", where, ": ", f.size(), " fields instead of ",
               columns);
    rows.push_back(row_of(f, where));
  }
  return rows;
}

void write_results(const std::string& path, const std::vector<ResultRow>& rows) {
  io::write_file(path, results_to_csv(rows));
}

std::vector<ResultRow> read_results(const std::string& path) {
  return results_from_csv(io::read_file(path), path);
}

}  // namespace gaze::phyx
