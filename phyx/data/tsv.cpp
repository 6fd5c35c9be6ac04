// SPDX-License-Identifier: MIT
// Splitting and quoting fields.
#include "phyx/data/tsv.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "gaze/core/error.hpp"
#include "gaze/core/printable.hpp"
#include "gaze/io/input_file.hpp"

namespace gaze::phyx {

namespace {

constexpr int end_of_file = -1;

// Number of bytes before the next quote (`quoted`), or before the next tab or line end.
std::size_t before_stop(const char* text, std::size_t size, bool quoted) noexcept {
  if (quoted) {
    const void* quote = std::memchr(text, '"', size);
    return quote ? static_cast<std::size_t>(static_cast<const char*>(quote) - text) : size;
  }
  std::size_t count = 0;
  while (count < size && text[count] != '\t' && text[count] != '\n' && text[count] != '\r') ++count;
  return count;
}

}  // namespace

TsvReader::TsvReader(const std::filesystem::path& path, TsvLimits limits)
    : TsvReader(io::open_regular_file(path, "read_tsv"), path.string(), limits) {}

TsvReader::TsvReader(std::unique_ptr<std::istream> stream, std::string name, TsvLimits limits)
    : stream_(std::move(stream)), name_(std::move(name)), limits_(limits) {
  GAZE_CHECK(stream_ && *stream_, "read_tsv", name_, ": cannot open");
  for (const int byte : {0xEF, 0xBB, 0xBF}) {  // a byte order mark, or nothing
    if (peek() != byte) break;
    ++at_;
  }
  GAZE_CHECK(read_fields(columns_), "read_tsv", name_, ": no header");
  for (std::size_t i = 0; i < columns_.size(); ++i)
    GAZE_CHECK(column(columns_[i]) == i, "read_tsv", name_, " header: column ",
               printable(columns_[i], kShownBytes), " occurs twice");
}

std::size_t TsvReader::column(std::string_view wanted) const noexcept {
  const auto found = std::find(columns_.begin(), columns_.end(), wanted);
  return found == columns_.end() ? none : static_cast<std::size_t>(found - columns_.begin());
}

void TsvReader::skip(std::size_t at) {
  GAZE_CHECK(at < columns_.size(), "read_tsv", name_, ": no column ", at, " to skip");
  skipped_.resize(columns_.size());
  skipped_[at] = true;
}

bool TsvReader::next(Row& fields) {
  ++row_;
  if (!read_fields(fields)) {
    --row_;
    return false;
  }
  GAZE_CHECK(fields.size() == columns_.size(), "read_tsv", where(), fields.size(),
             " fields where the header has ", columns_.size(), " (truncated file?)");
  return true;
}

void TsvReader::seek(std::uint64_t offset, std::size_t row) {
  stream_->clear();
  stream_->seekg(static_cast<std::streamoff>(offset));
  GAZE_CHECK(*stream_, "read_tsv", name_, ": cannot seek");
  at_ = end_ = 0;
  buffer_offset_ = offset;
  row_ = row - 1;
}

std::string TsvReader::where() const {
  return name_ + (row_ == 0 ? " header: " : " row " + std::to_string(row_) + ": ");
}

int TsvReader::peek() {
  if (at_ == end_) {
    buffer_offset_ += end_;
    stream_->read(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
    at_ = 0;
    end_ = static_cast<std::size_t>(stream_->gcount());
    GAZE_CHECK(!stream_->bad(), "read_tsv", name_, ": cannot read");
  }
  return at_ == end_ ? end_of_file : static_cast<unsigned char>(buffer_[at_]);
}

// Reads up to the next stop and appends to `field`, unless that is null.
void TsvReader::take_until_stop(std::string* field, bool quoted) {
  while (peek() != end_of_file) {
    const std::size_t left = end_ - at_;
    const std::size_t count = before_stop(buffer_.data() + at_, left, quoted);
    if (field) {
      GAZE_CHECK(field->size() + count <= limits_.field_bytes, "read_tsv", where(),
                 "a field of over ", limits_.field_bytes, " bytes");
      field->append(buffer_.data() + at_, count);
    }
    at_ += count;
    if (count < left) return;
  }
}

// One field, up to its tab or line end. Quotes are special only at the start, as in pandas.
void TsvReader::read_field(std::string* field) {
  if (field) field->clear();
  if (peek() == '"') {
    ++at_;
    for (;;) {
      take_until_stop(field, true);
      GAZE_CHECK(peek() != end_of_file, "read_tsv", where(),
                 "the file ends inside quotes (truncated file?)");
      ++at_;
      if (peek() != '"') break;
      if (field) *field += '"';
      ++at_;
    }
  }
  take_until_stop(field, false);
}

// C code such as pandas' would end the text there.
void TsvReader::refuse_nul(std::size_t column) const {
  GAZE_FAIL("read_tsv", where(), printable(columns_[column], kShownBytes),
            ": a NUL byte (UTF-16, or a damaged file?)");
}

// Reads one record into `fields`, reusing their memory; false at the end of the file.
bool TsvReader::read_fields(Row& fields) {
  while (peek() == '\n' || peek() == '\r') ++at_;
  if (peek() == end_of_file) return false;
  row_offset_ = buffer_offset_ + at_;
  const std::size_t most = columns_.empty() ? limits_.columns : columns_.size();
  std::size_t count = 0;
  for (;;) {
    GAZE_CHECK(count < most, "read_tsv", where(), "more than ", most, " fields");
    if (count == fields.size()) fields.emplace_back();
    const bool skipped = count < skipped_.size() && skipped_[count];
    if (skipped) fields[count].clear();
    read_field(skipped ? nullptr : &fields[count]);
    if (!skipped && fields[count].find('\0') != std::string::npos) refuse_nul(count);
    ++count;
    if (peek() != '\t') break;
    ++at_;
  }
  fields.resize(count);
  if (peek() == '\r') ++at_;
  if (peek() == '\n') ++at_;
  return true;
}

TsvWriter::TsvWriter(const std::filesystem::path& path, const std::vector<std::string>& columns)
    : path_(path.string()), columns_(columns.size()), file_(path_) {
  write(columns);
}

void TsvWriter::write(const std::vector<std::string>& fields) {
  GAZE_CHECK(fields.size() == columns_, "write_tsv", path_, ": ", fields.size(),
             " fields where the header has ", columns_);
  GAZE_CHECK(!finished_, "write_tsv", path_, ": already finished");
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) text_ += '\t';
    append_field(fields[i]);
  }
  text_ += '\n';
  if (text_.size() >= std::size_t{1} << 16) flush();
}

void TsvWriter::finish() {
  GAZE_CHECK(!finished_, "write_tsv", path_, ": already finished");
  flush();
  file_.commit();
  finished_ = true;
}

void TsvWriter::append_field(const std::string& field) {
  const bool lonely = field.empty() && columns_ == 1;  // unquoted, it would be a blank line
  if (!lonely && field.find_first_of("\t\"\r\n") == std::string::npos) {
    text_ += field;
    return;
  }
  text_ += '"';
  for (const char c : field) text_.append(c == '"' ? 2 : 1, c);
  text_ += '"';
}

void TsvWriter::flush() {
  file_.write(text_);
  text_.clear();
}

}  // namespace gaze::phyx
