// SPDX-License-Identifier: MIT
// A reader of event files for TensorBoard, independent of their writer but for checksums.
#pragma once
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gaze/io/atomic_file.hpp"
#include "gaze/io/crc32c.hpp"
#include "tests/test.hpp"

namespace gaze::test {

struct ReadEvent {
  double wall_time = 0;
  std::int64_t step = 0;
  std::string version;
  std::vector<std::pair<std::string, float>> values;
};

/// Reads protobuf's wire format from front to back.
class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : rest_(bytes) {}

  bool empty() const { return rest_.empty(); }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 70; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1)[0]);
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    FAIL("a varint without end");
    return 0;
  }
  std::string_view bytes() { return take(varint()); }
  template <class T>
  T fixed() {
    T value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }

 private:
  std::string_view take(std::size_t count) {
    REQUIRE(count <= rest_.size());
    const auto out = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return out;
  }

  std::string_view rest_;
};

inline std::pair<std::string, float> read_value(std::string_view data) {
  std::pair<std::string, float> out;
  for (WireReader in(data); !in.empty();) {
    const auto key = in.varint();
    if (key == (1 << 3 | 2))
      out.first = in.bytes();
    else if (key == (2 << 3 | 5))
      out.second = in.fixed<float>();
    else
      FAIL("unknown key " << key);
  }
  return out;
}

inline ReadEvent read_event(std::string_view data) {
  ReadEvent out;
  for (WireReader in(data); !in.empty();) {
    const auto key = in.varint();
    if (key == (1 << 3 | 1))
      out.wall_time = in.fixed<double>();
    else if (key == (2 << 3 | 0))
      out.step = static_cast<std::int64_t>(in.varint());
    else if (key == (3 << 3 | 2))
      out.version = in.bytes();
    else if (key == (5 << 3 | 2))
      for (WireReader summary(in.bytes()); !summary.empty();) {
        REQUIRE(summary.varint() == (1 << 3 | 2));
        out.values.push_back(read_value(summary.bytes()));
      }
    else
      FAIL("unknown key " << key);
  }
  return out;
}

/// The events of a file whose checksums are right, without the first, which has its version.
inline std::vector<ReadEvent> read_events(const std::string& path) {
  const std::string file = io::read_file(path);
  std::string_view rest = file;
  std::vector<ReadEvent> out;
  while (!rest.empty()) {
    REQUIRE(rest.size() >= 16);
    WireReader header(rest.substr(0, 12));
    const auto length = header.fixed<std::uint64_t>();
    CHECK(header.fixed<std::uint32_t>() == io::masked_crc32c(rest.substr(0, 8)));
    REQUIRE(length <= rest.size() - 16);
    const auto data = rest.substr(12, length);
    CHECK(WireReader(rest.substr(12 + length, 4)).fixed<std::uint32_t>() ==
          io::masked_crc32c(data));
    out.push_back(read_event(data));
    rest.remove_prefix(16 + length);
  }
  REQUIRE(!out.empty());
  CHECK(out[0].version == "brain.Event:2");
  out.erase(out.begin());
  return out;
}

}  // namespace gaze::test
