// SPDX-License-Identifier: MIT
// An event file for TensorBoard, with scalars only.
//
//   EventFile events("run/" + std::string(event_file_name));
//   events.add(wall_time_now(), step, {{"loss", 0.5}});
//
// The file is a sequence of TFRecords: the length of the data (8 bytes), its masked CRC-32C (4),
// the data, its masked CRC-32C (4); integers are little-endian. The data of a record is a protobuf
// message Event (tensorflow/core/util/event.proto): wall_time = 1 (double), step = 2 (int64),
// file_version = 3 (string, only in the first record), summary = 5. A Summary repeats value = 1,
// whose tag = 1 (string) and simple_value = 2 (float).
#pragma once
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/io/atomic_file.hpp"
#include "gaze/io/crc32c.hpp"

namespace gaze::io {

/// The name of a folder's event file. TensorBoard reads files whose name contains "tfevents".
inline constexpr const char* event_file_name = "events.out.tfevents.0000000000.gaze";

/// Seconds since 1970, for the wall time of an event.
inline double wall_time_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// Values by tag, in the order of the file.
using Scalars = std::vector<std::pair<std::string, double>>;

namespace detail {

template <class Unsigned>
void append_little_endian(std::string& out, Unsigned value) {
  for (std::size_t i = 0; i < sizeof value; ++i) out += static_cast<char>(value >> (8 * i) & 0xFF);
}
template <class Unsigned>
Unsigned little_endian(std::string_view bytes) {
  Unsigned value = 0;
  for (std::size_t i = 0; i < sizeof value; ++i)
    value |= static_cast<Unsigned>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  return value;
}

// Protobuf's wire format: a key (field number, wire type) before each value.
enum class WireType : std::uint64_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

inline void append_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>((value & 0x7F) | 0x80);
  out += static_cast<char>(value);
}
inline void append_key(std::string& out, std::uint64_t field, WireType type) {
  append_varint(out, field << 3 | static_cast<std::uint64_t>(type));
}
inline void append_bytes(std::string& out, std::uint64_t field, std::string_view bytes) {
  append_key(out, field, WireType::bytes);
  append_varint(out, bytes.size());
  out += bytes;
}

}  // namespace detail

/// The protobuf message of one event. Values become float; those that are not finite are kept.
inline std::string scalar_event(double wall_time, std::int64_t step, const Scalars& scalars) {
  using detail::WireType;
  std::string event, summary;
  detail::append_key(event, 1, WireType::fixed64);
  detail::append_little_endian(event, __builtin_bit_cast(std::uint64_t, wall_time));
  detail::append_key(event, 2, WireType::varint);
  detail::append_varint(event, static_cast<std::uint64_t>(step));
  for (const auto& [tag, number] : scalars) {
    std::string value;
    detail::append_bytes(value, 1, tag);
    detail::append_key(value, 2, WireType::fixed32);
    detail::append_little_endian(value,
                                 __builtin_bit_cast(std::uint32_t, static_cast<float>(number)));
    detail::append_bytes(summary, 1, value);
  }
  detail::append_bytes(event, 5, summary);
  return event;
}

/// The protobuf message of a file's first record.
inline std::string version_event(double wall_time) {
  std::string event;
  detail::append_key(event, 1, detail::WireType::fixed64);
  detail::append_little_endian(event, __builtin_bit_cast(std::uint64_t, wall_time));
  detail::append_bytes(event, 3, "brain.Event:2");
  return event;
}

/// The bytes of a record in the file.
inline std::string event_record(std::string_view data) {
  std::string out;
  detail::append_little_endian(out, std::uint64_t{data.size()});
  detail::append_little_endian(out, masked_crc32c(out));
  out += data;
  detail::append_little_endian(out, masked_crc32c(data));
  return out;
}

/// An append-only event file with one writer. Every event is one write, so that a TensorBoard that
/// is watching and crashes see whole records.
class EventFile {
 public:
  /// The largest record that is read, in bytes.
  static constexpr std::uint64_t largest_record = 64 << 20;

  /// Opens or creates a file. An unfinished last record of a killed run is dropped. Throws Error,
  /// and leaves the file unchanged, if a record before it is damaged, if the file is not an event
  /// file, or if it is a link or being written by another process.
  explicit EventFile(std::string path)
      : path_(std::move(path)),
        file_(::open(path_.c_str(),
                     O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666)) {
    check(file_.get() >= 0, errno == ELOOP ? "is a link" : "cannot open");
    struct stat status {};
    check(::fstat(file_.get(), &status) == 0, "cannot read its status");
    GAZE_CHECK(S_ISREG(status.st_mode), "event_file", path_, ": not a regular file");
    GAZE_CHECK(detail::lock_file(file_.get()) != detail::Lock::busy, "event_file", path_,
               ": another process is writing it");
    read_records(static_cast<std::uint64_t>(status.st_size));
    cut(ends_.empty() ? 0 : ends_.back());
    if (ends_.empty()) append(version_event(wall_time_now()));
  }

  /// The number of events, not counting the record with the file's version.
  std::size_t size() const noexcept { return ends_.size() - 1; }

  /// Appends one event: values at `step`. A tag's steps should increase.
  void add(double wall_time, std::int64_t step, const Scalars& scalars) {
    append(scalar_event(wall_time, step, scalars));
  }

  /// Keeps the first `events` events; an Error if there are fewer.
  void truncate_to(std::size_t events) {
    GAZE_CHECK(events <= size(), "event_file", path_, ": cannot truncate to ", events,
               " events, it has only ", size());
    ends_.resize(events + 1);
    cut(ends_.back());
  }

  const std::string& path() const { return path_; }  ///< as it was opened

 private:
  static constexpr std::size_t kHeader = 12, kFooter = 4;

  /// Finds the end of every whole record.
  void read_records(std::uint64_t file_size) {
    std::string buffer;
    const std::string begins = event_record(version_event(0)).substr(0, kHeader);
    read(buffer, 0, static_cast<std::size_t>(std::min<std::uint64_t>(file_size, kHeader)));
    GAZE_CHECK(begins.compare(0, buffer.size(), buffer) == 0, "event_file", path_,
               ": not an event file of this program; it is unchanged");
    for (std::uint64_t at = 0; file_size - at >= kHeader;) {
      read(buffer, at, kHeader);
      const auto length = detail::little_endian<std::uint64_t>(buffer);
      const auto length_sum = detail::little_endian<std::uint32_t>(buffer.substr(8));
      check_record(length_sum == masked_crc32c(buffer.substr(0, 8)), at, "length");
      GAZE_CHECK(length <= largest_record, "event_file", path_, ": the record at byte ", at,
                 " has ", length, " bytes, more than the ", largest_record, " allowed");
      if (file_size - at < kHeader + length + kFooter) return;
      read(buffer, at + kHeader, static_cast<std::size_t>(length) + kFooter);
      const auto sum = detail::little_endian<std::uint32_t>(
          std::string_view(buffer).substr(static_cast<std::size_t>(length)));
      buffer.resize(static_cast<std::size_t>(length));
      check_record(sum == masked_crc32c(buffer), at, "data");
      at += kHeader + length + kFooter;
      ends_.push_back(at);
    }
  }
  void check_record(bool ok, std::uint64_t at, const char* part) const {
    GAZE_CHECK(ok, "event_file", path_, ": the checksum of the ", part, " of the record at byte ",
               at, " is wrong; the file is unchanged");
  }
  void read(std::string& out, std::uint64_t at, std::size_t count) const {
    out.resize(count);
    const ssize_t n = ::pread(file_.get(), out.data(), count, static_cast<off_t>(at));
    check(n >= 0, "cannot read");
    GAZE_CHECK(static_cast<std::size_t>(n) == count, "event_file", path_, ": ends at byte ",
               at + static_cast<std::uint64_t>(n), " while it is read");
  }
  void append(std::string_view data) {
    const std::string record = event_record(data);
    const std::uint64_t end = ends_.empty() ? 0 : ends_.back();
    check(detail::append_all(file_.get(), end,
                             std::as_bytes(std::span(record.data(), record.size()))),
          "cannot write");
    ends_.push_back(end + record.size());
  }
  void cut(std::uint64_t length) {
    check(::ftruncate(file_.get(), static_cast<off_t>(length)) == 0, "cannot truncate");
  }
  void check(bool ok, const char* what) const {
    const int code = errno;
    GAZE_CHECK(ok, "event_file", path_, ": ", what, ": ", errno_text(code));
  }

  std::string path_;
  detail::Descriptor file_;
  std::vector<std::uint64_t> ends_;  // the end of each record, in bytes; the first is the version
};

}  // namespace gaze::io
