// SPDX-License-Identifier: MIT
// Files: atomic writes, limits on reading, strict JSON, logs that are truncated to an offset, and
// safetensors, mostly malformed ones.
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include "gaze/io/append_log.hpp"
#include "gaze/io/atomic_file.hpp"
#include "gaze/io/json.hpp"
#include "gaze/io/safetensors.hpp"
#include "tests/folder.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_io {
namespace {

using namespace gaze::io;
using gaze::test::contains;
using gaze::test::error_of;
using gaze::test::Folder;
using Shape = std::vector<std::int64_t>;

template <class T>
TensorEntry entry(const std::string& name, Shape shape, const std::vector<T>& values) {
  const auto bytes = std::as_bytes(std::span(values));
  return {name, std::string(dtype_of<T>()), std::move(shape), {bytes.begin(), bytes.end()}};
}

/// A safetensors file with any header and this many bytes of data.
void write_raw(const std::string& path, const std::string& header, std::size_t data_bytes,
               std::int64_t claimed = -1) {
  const std::uint64_t length = claimed < 0 ? header.size() : static_cast<std::uint64_t>(claimed);
  std::string bytes(sizeof length, '\0');
  std::memcpy(bytes.data(), &length, sizeof length);
  write_file(path, bytes + header + std::string(data_bytes, 'x'));
}

std::string tensor_json(const std::string& dtype, const std::string& shape, std::string offsets) {
  return "{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}";
}

}  // namespace

TEST_CASE("a file is written completely and leaves no temporary file") {
  const Folder folder("io");
  const std::string path = folder.file("a.txt");
  write_file(path, std::string_view("first"));
  write_file(path, std::string_view("second\0!", 8));
  CHECK(read_file(path) == std::string("second\0!", 8));
  write_file(path, std::string_view(""));
  CHECK(read_file(path).empty());
  {
    AtomicFile unfinished(path);
    unfinished.write("half");
    CHECK(folder.count() == 2);
  }
  CHECK(read_file(path).empty());
  CHECK(folder.count() == 1);
}

TEST_CASE("file errors name the file and the reason") {
  const Folder folder("io");
  const std::string nowhere = folder.file("no/such/folder.txt");
  const std::string written = error_of([&] { write_file(nowhere, std::string_view("x")); });
  CHECK(contains(written, nowhere));
  CHECK(contains(written, "No such file or directory"));
  CHECK(contains(error_of([&] { read_file(nowhere); }), nowhere + ": cannot open: No such file"));
  CHECK(contains(error_of([&] { read_file(folder.path.string()); }), "not a regular file"));
  const std::string path = folder.file("big");
  write_file(path, std::string(100, 'x'));
  CHECK(contains(error_of([&] { read_file(path, 99); }), "100 bytes, more than the 99 allowed"));
  CHECK(read_file(path, 100).size() == 100);
  // A folder cannot be replaced by a file; the temporary file must be removed anyway.
  const std::size_t before = folder.count();
  std::filesystem::create_directories(folder.path / "taken" / "x");
  CHECK(contains(error_of([&] { write_file(folder.file("taken"), std::string_view("x")); }),
                 "cannot rename"));
  CHECK(folder.count() == before + 1);
}

TEST_CASE("JSON is parsed strictly") {
  CHECK(parse_json("{\"a\": [1, {\"a\": 2}]}", "t")["a"][1]["a"] == 2);
  CHECK(contains(error_of([] { parse_json("{\"a\": 1, \"a\": 2}", "t.json"); }),
                 "t.json: key 'a' is there twice"));
  CHECK(contains(error_of([] { parse_json("{\"a\": ", "t.json"); }), "t.json"));
  CHECK(contains(error_of([] { parse_json("{} x", "t.json"); }), "t.json"));
  CHECK(contains(error_of([] { parse_json("\"\xFF\"", "t.json"); }), "t.json"));
  CHECK(contains(error_of([] { parse_json(std::string(1000000, '['), "t.json"); }), "nested"));
  const Json object = parse_json("{\"a\": 1}", "t");
  CHECK(json_at(object, "a", "t") == 1);
  CHECK(contains(error_of([&] { json_at(object, "b", "t.json"); }), "t.json: no 'b'"));
  CHECK(contains(error_of([&] { json_at(object["a"], "b", "t.json"); }), "not an object"));
  CHECK(contains(error_of([] { dump_json(Json("\xFF"), "t.json"); }), "t.json"));
}

TEST_CASE("a log grows by lines and can be truncated to an offset") {
  const Folder folder("io");
  const std::string path = folder.file("metrics.jsonl");
  std::uint64_t offset = 0;
  {
    AppendLog log(path);
    CHECK(log.offset() == 0);
    log.line("one");
    log.sync();
    offset = log.offset();
    CHECK(offset == 4);
    log.line("two");
    CHECK(contains(error_of([&] { log.line("a\nb"); }), "line feed"));
  }
  std::ofstream(path, std::ios::app) << "half a li";
  AppendLog log(path);
  CHECK(log.offset() == 17);
  log.truncate_to(offset);
  log.line("again");
  CHECK(read_file(path) == "one\nagain\n");
  CHECK(contains(error_of([&] { log.truncate_to(11); }), "there are only 10"));
  CHECK(contains(error_of([&] { AppendLog(folder.file("no/log")); }), "cannot open"));
}

TEST_CASE("safetensors read back as written") {
  const Folder folder("io");
  const std::string path = folder.file("a.safetensors");
  const std::vector<TensorEntry> tensors = {
      entry<std::uint8_t>("bytes", {3}, {1, 2, 3}),
      entry<float>("decoder.0.wq", {2, 3}, {1, 2, 3, 4, 5, 6}),
      entry<double>("scalar", {}, {2.5}),
      entry<std::int32_t>("i32", {1, 2}, {-1, 7}),
      entry<std::int64_t>("i64", {1}, {std::numeric_limits<std::int64_t>::min()}),
      entry<float>("empty", {4, 0}, {}),
      {"half", "BF16", {2}, std::vector<std::byte>(4, std::byte{0x3F})},
  };
  write_safetensors(path, tensors, {{"step", "7"}, {"note", "a \"b\" \xC3\xA9"}});
  const SafetensorsFile file(path);
  CHECK(file.metadata() == Metadata{{"step", "7"}, {"note", "a \"b\" \xC3\xA9"}});
  REQUIRE(file.tensors().size() == tensors.size());
  for (const TensorEntry& expected : tensors) {
    const TensorEntry found = file.read(expected.name);
    INFO(expected.name);
    CHECK(found.dtype == expected.dtype);
    CHECK(found.shape == expected.shape);
    CHECK(found.data == expected.data);
    CHECK(file.info(expected.name).begin % dtype_size(expected.dtype) == 0);
  }
  std::vector<float> values(6);
  file.read<float>("decoder.0.wq", Shape{2, 3}, values);
  CHECK(values == std::vector<float>{1, 2, 3, 4, 5, 6});
  std::vector<std::byte> half(4);
  file.read("half", "BF16", Shape{2}, half);
  CHECK(half[3] == std::byte{0x3F});
}

TEST_CASE("errors of reading a tensor give the expected type and shape") {
  const Folder folder("io");
  const std::string path = folder.file("ckpt.safetensors");
  write_safetensors(path, {entry<float>("decoder.0.wq", {2, 3}, {1, 2, 3, 4, 5, 6})});
  const SafetensorsFile file(path);
  std::vector<float> values(6);
  const std::string label = "[gaze::load] " + path + " tensor 'decoder.0.wq': ";
  CHECK(error_of([&] {
          file.read<float>("decoder.0.wq", Shape{3, 2}, values);
        }) == label + "shape [2,3], expected [3,2]");
  CHECK(error_of([&] {
          file.read<float>("decoder.0.wq", Shape{2, 3, 1}, values);
        }) == label + "shape [2,3], expected [2,3,1]");
  std::vector<double> wide(6);
  CHECK(error_of([&] {
          file.read<double>("decoder.0.wq", Shape{2, 3}, wide);
        }) == label + "dtype F32, expected F64");
  values.resize(5);
  CHECK(contains(error_of([&] {
                   file.read<float>("decoder.0.wq", Shape{2, 3}, values);
                 }),
                 "24 bytes do not fit a buffer of 20"));
  CHECK(contains(error_of([&] { file.read("wk"); }), "tensor 'wk': not in the file"));
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 1);
  CHECK(contains(error_of([&] { file.read("decoder.0.wq"); }), "the file ends"));
}

TEST_CASE("inconsistent tensors are not written") {
  const Folder folder("io");
  const std::string path = folder.file("a.safetensors");
  const auto refused = [&](std::vector<TensorEntry> tensors, const std::string& reason) {
    const std::string error = error_of([&] { write_safetensors(path, tensors); });
    INFO(error);
    CHECK(contains(error, reason));
    CHECK(folder.count() == 0);
  };
  refused({entry<float>("a", {3}, {1, 2})}, "is 12 bytes, but there are 8");
  refused({entry<float>("a", {1}, {1}), entry<float>("a", {1}, {1})}, "twice");
  refused({entry<float>("__metadata__", {1}, {1})}, "the format's own");
  refused({entry<float>("\xFF", {1}, {1})}, "UTF-8");
  refused({{"a", "F12", {1}, {}}}, "dtype F12 is not known");
  refused({{"a", "F16", {1}, {}}}, "is 2 bytes, but there are 0");
  refused({{"a", "F32", {-1}, {}}}, "negative");
}

TEST_CASE("invalid safetensors are refused before memory is allocated") {
  const Folder folder("io");
  const std::string path = folder.file("a.safetensors");
  const auto refused = [&](const std::string& reason) {
    const std::string error = error_of([&] { SafetensorsFile file(path); });
    INFO(error);
    CHECK(contains(error, reason));
    CHECK(contains(error, path));
  };
  const auto header = [&](const std::string& tensors, std::size_t data, const std::string& reason) {
    write_raw(path, "{" + tensors + "}", data);
    refused(reason);
  };
  refused("cannot open");
  write_file(path, std::string_view("1234567"));
  refused("too few");
  write_raw(path, "{}", 0, 3);
  refused("claims 3 bytes in a file of 10");
  write_raw(path, "{}", 0, std::numeric_limits<std::int64_t>::max());
  refused("claims");
  write_raw(path, "{\"a\":", 0);
  refused("header");
  write_raw(path, "[]", 0);
  refused("not an object");
  const std::string good = tensor_json("F32", "[2]", "[0,8]");
  header("\"a\":" + good + ",\"a\":" + good, 8, "key 'a' is there twice");
  header("\"a\":" + good, 7, "not within the 7 bytes");
  header("\"a\":" + good, 9, "1 bytes at the end belong to no tensor");
  header("\"a\":" + good + ",\"b\":" + good, 8, "overlaps");
  header("\"a\":" + good + ",\"b\":" + tensor_json("F32", "[1]", "[4,8]"), 8, "overlaps");
  header("\"a\":" + good + ",\"b\":" + tensor_json("U8", "[1]", "[9,10]"), 10, "hole of 1 bytes");
  header("\"a\":" + tensor_json("F32", "[3]", "[0,8]"), 8, "tensor 'a': shape [3] of F32 is 12");
  header("\"a\":" + tensor_json("F32", "[2]", "[8,0]"), 8, "not within");
  header("\"a\":" + tensor_json("F12", "[2]", "[0,4]"), 4, "dtype F12 is not known");
  header("\"a\":" + tensor_json("F16", "[2]", "[0,8]"), 8, "tensor 'a': shape [2] of F16 is 4");
  header("\"a\":" + tensor_json("F32", "[-2]", "[0,8]"), 8, "not a list of sizes");
  header("\"a\":" + tensor_json("F32", "[2.0]", "[0,8]"), 8, "not a list of sizes");
  header("\"a\":" + tensor_json("F32", "2", "[0,8]"), 8, "not a list of sizes");
  header("\"a\":" + tensor_json("F32", "[4294967296,4294967296]", "[0,8]"), 8, "overflows");
  header("\"a\":" + tensor_json("F32", "[9223372036854775807,0,3]", "[0,0]"), 0, "overflows");
  header("\"a\":" + tensor_json("F32", "[18446744073709551615]", "[0,8]"), 8, "list of sizes");
  header("\"a\":" + tensor_json("F32", "[2]", "[0]"), 8, "not a pair");
  header("\"a\":" + tensor_json("F32", "[2]", "[0,1e3]"), 8, "not a pair");
  header("\"a\":" + tensor_json("F32", "[2]", "[0,18446744073709551615]"), 8, "not a pair");
  header("\"a\":3", 0, "not an object");
  header("\"a\":{}", 0, "no 'dtype'");
  header("\"a\":{\"dtype\":7}", 0, "not a string");
  header("\"__metadata__\":{\"a\":1}", 0, "not a string");
  header("\"__metadata__\":[]", 0, "not an object");
}

TEST_CASE("a safetensors file cut anywhere is refused") {
  const Folder folder("io");
  const std::string path = folder.file("a.safetensors");
  write_safetensors(path, {entry<float>("a", {2, 3}, {1, 2, 3, 4, 5, 6})});
  const std::string whole = read_file(path);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    write_file(path, std::string_view(whole).substr(0, length));
    CHECK_THROWS_AS(SafetensorsFile(path), gaze::Error);
  }
}

TEST_CASE("a file with every tensor type of the format can be opened") {
  const Folder folder("io");
  const std::string path = folder.file("a.safetensors");
  const std::vector<std::pair<std::string, std::size_t>> types = {
      {"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"F8_E5M2", 1}, {"F8_E4M3", 1},
      {"I16", 2},  {"U16", 2}, {"F16", 2}, {"BF16", 2},    {"I32", 4},
      {"U32", 4},  {"F32", 4}, {"F64", 8}, {"I64", 8},     {"U64", 8}};
  std::string header = "{";
  std::size_t at = 0;
  for (const auto& [name, size] : types) {
    if (at > 0) header += ",";
    header += "\"" + name + "\":" +
              tensor_json(name, "[3]",
                          "[" + std::to_string(at) + "," + std::to_string(at + 3 * size) + "]");
    at += 3 * size;
  }
  write_raw(path, header + "}", at);
  const SafetensorsFile file(path);
  CHECK(file.tensors().size() == types.size());
  std::vector<float> values(3);
  for (const auto& [name, size] : types) {
    INFO(name);
    CHECK(dtype_size(name) == size);
    CHECK(file.read(name).data == std::vector<std::byte>(3 * size, std::byte{'x'}));
    const std::string error =
        error_of([&, &tensor = name] { file.read<float>(tensor, Shape{3}, values); });
    const bool readable = name == "F32" || name == "F16" || name == "BF16";
    CHECK(error == (readable ? ""
                             : "[gaze::load] " + path + " tensor '" + name + "': dtype " + name +
                                   ", expected F32"));
  }
}

TEST_CASE("F16 and BF16 are converted exactly to float") {
  const Folder folder("io");
  const std::string path = folder.file("a.safetensors");
  const auto halves = [](const std::string& name, const std::string& dtype,
                         const std::vector<std::uint16_t>& bits) {
    const auto bytes = std::as_bytes(std::span(bits));
    return TensorEntry{
        name, dtype, {static_cast<std::int64_t>(bits.size())}, {bytes.begin(), bytes.end()}};
  };
  // IEEE 754-2019, table 3.5: 1, -2, the largest, the smallest normal and subnormal numbers, 1/3.
  write_safetensors(path, {halves("f16", "F16",
                                  {0x3C00, 0xC000, 0x7BFF, 0x0400, 0x0001, 0x83FF, 0x3555, 0x0000,
                                   0x8000, 0x7C00, 0xFC00, 0x7E00}),
                           halves("bf16", "BF16", {0x3F80, 0xC000, 0x0001, 0x7F80})});
  const SafetensorsFile file(path);
  const float infinity = std::numeric_limits<float>::infinity();
  std::vector<float> f16(12), bf16(4);
  file.read<float>("f16", Shape{12}, f16);
  CHECK(std::isnan(f16.back()));
  f16.pop_back();
  CHECK(f16 == std::vector<float>{1, -2, 65504, 0x1p-14f, 0x1p-24f, -1023 * 0x1p-24f,
                                  1365 * 0x1p-12f, 0, -0.0f, infinity, -infinity});
  CHECK(std::signbit(f16[8]));
  file.read<float>("bf16", Shape{4}, bf16);
  CHECK(bf16 == std::vector<float>{1, -2, 0x1p-133f, infinity});
  CHECK(error_of([&] {
          file.read<float>("f16", Shape{3, 4}, std::span(f16));
        }) == "[gaze::load] " + path + " tensor 'f16': shape [12], expected [3,4]");
  std::vector<double> wide(12);
  CHECK(contains(error_of([&] { file.read<double>("f16", Shape{12}, wide); }),
                 "dtype F16, expected F64"));
}

}  // namespace test_io
