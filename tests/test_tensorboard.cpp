// SPDX-License-Identifier: MIT
// Event files for TensorBoard: checksums, known bytes, reopening and damaged files.
#include "gaze/io/tensorboard.hpp"

#include <cmath>
#include <filesystem>

#include "gaze/core/error.hpp"
#include "gaze/train/metrics_events.hpp"
#include "tests/event_records.hpp"
#include "tests/folder.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_tensorboard {
namespace {

using namespace gaze;
using namespace gaze::test;

std::string from_hex(std::string_view digits) {
  std::string out;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    out += static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16));
  return out;
}

TEST_CASE("CRC-32C of the examples of RFC 3720, B.4") {
  std::string up, down;
  for (int i = 0; i < 32; ++i) {
    up += static_cast<char>(i);
    down += static_cast<char>(31 - i);
  }
  CHECK(io::crc32c(std::string(32, '\0')) == 0x8A9136AA);
  CHECK(io::crc32c(std::string(32, '\xFF')) == 0x62A8AB43);
  CHECK(io::crc32c(up) == 0x46DD794E);
  CHECK(io::crc32c(down) == 0x113FDB5C);
  // An iSCSI SCSI Read (10) command PDU.
  CHECK(io::crc32c(from_hex("01c00000000000000000000000000000140000000000040000000014"
                            "0000001828000000000000000200000000000000")) == 0xD9963A56);
  CHECK(io::crc32c("") == 0);
  CHECK(io::crc32c("123456789") == 0xE3069283);
}

TEST_CASE("one event, encoded by hand") {
  // wall_time = 1.5, step = 300, summary { value { tag: "loss" simple_value: 0.25 } }
  const std::string data = from_hex(
      "09000000000000f83f"
      "10ac02"
      "2a0d"
      "0a0b"
      "0a046c6f7373"
      "150000803e");
  CHECK(io::scalar_event(1.5, 300, {{"loss", 0.25}}) == data);
  CHECK(io::event_record(data) == from_hex("1b00000000000000"
                                           "1a0d9e13") +
                                      data + from_hex("9908deed"));
  CHECK(io::version_event(1.5) == from_hex("09000000000000f83f"
                                           "1a0d627261696e2e4576656e743a32"));
}

TEST_CASE("steps of any size, several values, and values that are not finite") {
  const auto event = read_event(io::scalar_event(
      0, -1, {{std::string(200, 't'), 0.1}, {"nan", std::nan("")}, {"inf", -HUGE_VAL}}));
  CHECK(event.step == -1);
  REQUIRE(event.values.size() == 3);
  CHECK(event.values[0].first == std::string(200, 't'));
  CHECK(event.values[0].second == 0.1f);
  CHECK(std::isnan(event.values[1].second));
  CHECK(event.values[2].second == -HUGE_VALF);
  CHECK(read_event(io::scalar_event(0, std::int64_t{1} << 62, {})).step == std::int64_t{1} << 62);
}

TEST_CASE("a file is reopened, cut back and continued") {
  const Folder folder("tensorboard");
  const std::string path = folder.file(io::event_file_name);
  {
    io::EventFile file(path);
    CHECK(file.size() == 0);
    CHECK(contains(error_of([&] { io::EventFile{path}; }), "another process is writing it"));
    for (int step = 0; step < 5; ++step) file.add(step, step, {{"loss", step}});
  }
  io::EventFile file(path);
  CHECK(file.size() == 5);
  CHECK(contains(error_of([&] { file.truncate_to(6); }), "6 events, it has only 5"));
  file.truncate_to(3);
  file.add(9, 3, {{"loss", 30}});
  const auto events = read_events(path);
  REQUIRE(events.size() == 4);
  CHECK(events[2].values == std::vector<std::pair<std::string, float>>{{"loss", 2.f}});
  CHECK(events[3].wall_time == 9);
  CHECK(events[3].values[0].second == 30);
  file.truncate_to(0);
  CHECK(read_events(path).empty());
}

TEST_CASE("an unfinished last record is dropped, wherever it ends") {
  const Folder folder("tensorboard_part");
  const std::string path = folder.file("events");
  {
    io::EventFile file(path);
    for (int step = 0; step < 2; ++step) file.add(0, step, {{"loss", step}});
  }
  const std::string whole = io::read_file(path);
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    folder.put("events", whole.substr(0, size));
    io::EventFile file(path);
    const std::size_t one = io::event_record(io::scalar_event(0, 1, {{"loss", 1}})).size();
    const std::size_t lost = (whole.size() - size + one - 1) / one;
    CHECK(file.size() == 2 - std::min<std::size_t>(lost, 2));
    CHECK(read_events(path).size() == file.size());
  }
}

TEST_CASE("a damaged file, or another kind of file, is an error and left unchanged") {
  const Folder folder("tensorboard_damaged");
  const auto error = [&](const std::string& bytes) {
    const std::string path = folder.put("events", bytes);
    const std::string said = error_of([&] { io::EventFile{path}; });
    CHECK(io::read_file(path) == bytes);
    CHECK(contains(said, path));
    return said;
  };
  CHECK(contains(error("{}"), "not an event file"));
  CHECK(contains(error("a text of several lines,\nwhich is no event file\n"), "not an event file"));
  const std::string version = io::event_record(io::version_event(1)),
                    event = io::event_record(io::scalar_event(1, 2, {{"loss", 3}}));
  for (const std::size_t at : {0, 9, 20}) {
    std::string bytes = version + event + event;
    bytes[version.size() + at] ^= 1;
    CHECK(contains(error(bytes), at < 12 ? "checksum of the length" : "checksum of the data"));
    CHECK(contains(error(bytes), "at byte " + std::to_string(version.size())));
  }
  std::string huge = "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F";
  io::detail::append_little_endian(huge, io::masked_crc32c(huge));
  CHECK(contains(error(version + huge), "more than the 67108864 allowed"));
  std::filesystem::create_symlink(folder.file("events"), folder.file("link"));
  CHECK(contains(error_of([&] { io::EventFile{folder.file("link")}; }), "is a link"));
}

TEST_CASE("the event file of a run is brought in step with its metrics") {
  const Folder folder("tensorboard_metrics");
  io::AppendLog log(folder.file("metrics.jsonl"));
  const io::OrderedJson tags = {{"seed", 4}};
  const std::string path = folder.file(io::event_file_name);
  const auto line = [&](int step) {
    log.line("{\"seed\":4,\"stage\":\"sft\",\"step\":" + std::to_string(step) +
             ",\"loss\":0.5,\"odd\":null}");
  };
  line(0);
  const auto offset = log.offset();
  line(1);
  {
    MetricsEvents events(folder.path.string(), log, tags);  // writes the lines that there are
    events.add("sft", 2, {{"loss", 0.25}, {"odd", HUGE_VAL}});
  }
  auto events = read_events(path);
  REQUIRE(events.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(events[i].step == static_cast<std::int64_t>(i));
    CHECK(events[i].wall_time > 1.5e9);
    REQUIRE(events[i].values.size() == 2);
    CHECK(events[i].values[0] == std::pair<std::string, float>("sft/loss", i < 2 ? 0.5f : 0.25f));
    CHECK(events[i].values[1].first == "sft/odd");
    CHECK(std::isnan(events[i].values[1].second));
  }
  log.truncate_to(offset);
  { const MetricsEvents shorter(folder.path.string(), log, tags); }
  events = read_events(path);
  REQUIRE(events.size() == 1);
  CHECK(events[0].step == 0);

  log.line("{\"seed\":4,\"stage\":\"sft\",\"step\":1,\"loss\":\"0.5\"}");
  CHECK(contains(error_of([&] { MetricsEvents(folder.path.string(), log, tags); }),
                 "metrics.jsonl line 2, loss: not a number"));
}

}  // namespace
}  // namespace test_tensorboard
