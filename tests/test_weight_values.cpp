// SPDX-License-Identifier: MIT
// Tensors of weight files: conversions compared bit by bit, rows, mapped tensors.
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "gaze/io/weight_files.hpp"
#include "tests/folder.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"
#include "tests/weight_folders.hpp"

namespace test_weight_values {
namespace {

using namespace gaze::io;
using namespace gaze::test::weights;
using gaze::bf16;
using gaze::f16;
using gaze::test::contains;
using gaze::test::error_of;
using gaze::test::Folder;
using Names = std::vector<std::string>;
namespace fs = std::filesystem;

/// The bits of floats or bf16, so that NaN and signs of zero are compared too.
template <class T>
auto bits_of(const std::vector<T>& values) {
  using Bits = std::conditional_t<sizeof(T) == 2, std::uint16_t, std::uint32_t>;
  std::vector<Bits> out;
  for (const T& x : values) out.push_back(std::bit_cast<Bits>(x));
  return out;
}

/// All patterns of 16 bits.
template <class T>
std::vector<T> every_half() {
  std::vector<T> out(1 << 16);
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = std::bit_cast<T>(static_cast<std::uint16_t>(i));
  return out;
}

/// An F16 by its definition, IEEE 754-2019 section 3.4: sign, exponent and fraction.
double half_value(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 31, fraction = bits & 1023;
  const double size = exponent == 31  ? (fraction ? std::nan("") : HUGE_VAL)
                      : exponent == 0 ? std::ldexp(fraction, -24)
                                      : std::ldexp(1024 + fraction, exponent - 25);
  return bits & 0x8000 ? -size : size;
}

/// The bf16 nearest to a finite float, by comparing distances to both neighbours in double.
std::uint16_t nearest_bf16(float x) {
  const auto value = [](std::uint32_t upper) {  // 2^128 where infinity is, for the distances
    return upper == 0x7F80 ? 0x1p128 : static_cast<double>(std::bit_cast<float>(upper << 16));
  };
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t sign = bits >> 31 << 15, low = (bits & 0x7FFFFFFFu) >> 16;
  const double size = std::fabs(static_cast<double>(x)), below = size - value(low),
               above = value(low + 1) - size;
  const bool up = above < below || (above == below && low % 2 == 1);
  return static_cast<std::uint16_t>(sign | (up ? low + 1 : low));
}

}  // namespace

TEST_CASE("every F16 and BF16 becomes the exact float, and F16 the nearest bf16") {
  const Folder folder("weights");
  const std::string path = folder.file("x.safetensors");
  write_safetensors(path, {entry("f16", {256, 256}, every_half<f16>()),
                           entry("bf16", {256, 256}, every_half<bf16>())});
  const WeightFiles files(path);
  const auto from_f16 = read<float>(files, "f16", {256, 256}),
             from_bf16 = read<float>(files, "bf16", {256, 256});
  const auto rounded = bits_of(read<bf16>(files, "f16", {256, 256}));
  for (std::uint32_t bits = 0; bits < 1 << 16; ++bits) {
    const auto i = static_cast<std::uint16_t>(bits);
    const float wide = from_f16[bits];
    const double value = half_value(i);
    const bool same = std::isnan(value) ? std::isnan(wide) : static_cast<double>(wide) == value;
    const bool nearest = std::isnan(value)   ? std::isnan(float(bf16::from_bits(rounded[bits])))
                         : std::isinf(value) ? rounded[bits] == (i & 0x8000 ? 0xFF80 : 0x7F80)
                                             : rounded[bits] == nearest_bf16(wide);
    if (!same || !nearest || std::signbit(wide) != (bits >= 0x8000)) FAIL("F16 " << bits);
    if (std::bit_cast<std::uint32_t>(from_bf16[bits]) != bits << 16) FAIL("BF16 " << bits);
  }
  CHECK(bits_of(read<bf16>(files, "bf16", {256, 256})) == bits_of(every_half<bf16>()));
  CHECK(bits_of(read<f16>(files, "f16", {256, 256})) == bits_of(every_half<f16>()));
}

TEST_CASE("F32 is rounded to the nearest bf16, ties to even") {
  // Around each bf16: exact, just above, just below the tie, the tie, just above it, the last.
  constexpr std::array<std::uint32_t, 6> lower = {0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF};
  std::vector<float> values;
  for (std::uint32_t upper = 0; upper < 1 << 16; ++upper)
    for (const std::uint32_t low : lower) values.push_back(std::bit_cast<float>(upper << 16 | low));
  const auto n = static_cast<std::int64_t>(values.size());
  const Folder folder("weights");
  const std::string path = folder.file("x.safetensors");
  write_safetensors(path, {entry("w", {n}, values)});
  const auto rounded = bits_of(read<bf16>(WeightFiles(path), "w", {n}));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float x = values[i];
    const bool right = std::isnan(x) ? std::isnan(float(bf16::from_bits(rounded[i]))) &&
                                           std::signbit(x) == (rounded[i] >= 0x8000)
                       : std::isinf(x) ? rounded[i] == std::bit_cast<std::uint32_t>(x) >> 16
                                       : rounded[i] == nearest_bf16(x);
    if (!right) FAIL(std::hexfloat << x << " became " << rounded[i]);
  }
  // Named cases: ties to both sides, the largest float, subnormal numbers, zeros.
  const auto bf16_of = [](float x) { return bf16(x).bits; };
  CHECK(bf16_of(0x1.01p0f) == 0x3F80);
  CHECK(bf16_of(0x1.03p0f) == 0x3F82);
  CHECK(bf16_of(std::numeric_limits<float>::max()) == 0x7F80);
  CHECK(bf16_of(0x1p-134f) == 0);
  CHECK(bf16_of(0x1.8p-133f) == 2);
  CHECK(bf16_of(-0.0f) == 0x8000);
}

TEST_CASE("rows of a tensor equal those of the whole, across blocks") {
  constexpr std::int64_t rows = 300, columns = 257;  // 77,100 elements: several blocks of 64 KiB
  std::vector<float> f32(rows * columns);
  std::vector<f16> half(f32.size());
  for (std::size_t i = 0; i < f32.size(); ++i) {
    f32[i] = static_cast<float>(i) * 0.37f;
    half[i].bits = static_cast<std::uint16_t>(i * 40503u >> 3);
  }
  const Folder folder("weights");
  const std::string path = folder.file("x.safetensors");
  write_safetensors(path, {entry("f32", {rows, columns}, f32), entry("f16", {rows, columns}, half),
                           entry<float>("none", {4, 0}, {}), entry<float>("one", {}, {1})});
  const WeightFiles files(path);
  const auto compare = [&]<class T>(const std::string& name, T) {
    const auto whole = bits_of(read<T>(files, name, {rows, columns}));
    for (const auto& [at, count] :
         {std::pair(0, 300), {0, 1}, {299, 1}, {1, 298}, {17, 256}, {300, 0}, {5, 0}}) {
      std::vector<T> part(static_cast<std::size_t>(count * columns));
      files.read_rows<T>(name, Shape{rows, columns}, {at, count}, part);
      const auto begin = whole.begin() + at * columns;
      CHECK(bits_of(part) == std::vector(begin, begin + count * columns));
    }
  };
  compare("f32", float{});
  compare("f32", bf16{0.0f});
  compare("f16", float{});
  compare("f16", bf16{0.0f});
  CHECK(read<float>(files, "f32", {rows, columns}) == f32);

  std::vector<float> row(columns), empty;
  files.read_rows<float>("none", Shape{4, 0}, {1, 3}, empty);
  const std::string label = "[gaze::load] " + path + " tensor 'f32': ";
  const auto error = [&](Shape shape, Rows range) {
    return error_of([&] { files.read_rows<float>("f32", shape, range, row); });
  };
  for (const Rows& range : {Rows{300, 1},
                            {-1, 1},
                            {299, 2},
                            {0, -1},
                            {1, std::numeric_limits<std::int64_t>::max()},
                            {std::numeric_limits<std::int64_t>::max(), 1}})
    CHECK(contains(error({rows, columns}, range), "are not within its 300"));
  CHECK(error({rows, columns}, {299, 2}) ==
        label + "2 rows from row 299 on are not within its 300");
  CHECK(error({rows, columns}, {0, 2}) == label + "2056 bytes do not fit a buffer of 1028");
  CHECK(error({columns, rows}, {0, 1}) == label + "shape [300,257], expected [257,300]");
  CHECK(contains(error_of([&] {
                   files.read_rows<float>("one", Shape{}, {0, 1}, row);
                 }),
                 "a scalar has no rows"));
}

TEST_CASE("types that cannot be read as another are refused by name") {
  const Folder folder("weights");
  const std::string path = folder.file("x.safetensors");
  write_safetensors(path, {entry<std::int64_t>("i64", {1}, {1}),
                           entry<float>("f32", {1}, {1}),
                           {"f8", "F8_E4M3", {2}, std::vector<std::byte>(2)},
                           {"f64", "F64", {1}, std::vector<std::byte>(8)}});
  const WeightFiles files(path);
  const auto refused = [&]<class T>(T, const std::string& name, const std::string& reason) {
    std::vector<T> out(1);
    const Shape shape = files.info(name).shape;
    CHECK(error_of([&] { files.read<T>(name, shape, out); }) ==
          "[gaze::load] " + path + " tensor '" + name + "': " + reason);
  };
  refused(float{}, "i64", "dtype I64, expected F32");
  refused(bf16{0.0f}, "i64", "dtype I64, expected BF16");
  refused(std::int32_t{}, "i64", "dtype I64, expected I32");
  refused(float{}, "f8", "dtype F8_E4M3, expected F32");
  refused(bf16{0.0f}, "f64", "dtype F64, expected BF16");
  refused(f16{}, "f32", "dtype F32, expected F16");
  refused(std::int64_t{}, "f32", "dtype F32, expected I64");
}

TEST_CASE("mapped tensors equal those read, and outlive the files") {
  const Folder folder("weights");
  write_shards(folder);
  std::optional<WeightFiles> files(std::in_place, folder.path.string());
  CHECK(files->can_map<float>("a"));
  CHECK_FALSE(files->can_map<bf16>("a"));
  const MappedTensor a = files->map("a");
  const MappedTensor again = files->map("a"), ids = files->map("ids");
  CHECK(a.values<float>().data() == again.values<float>().data());  // mapped once
  const auto read_values = read<float>(*files, "a", {2, 3});
  CHECK(std::vector<float>(a.values<float>().begin(), a.values<float>().end()) == read_values);
  CHECK(files->map("b").values<std::int32_t>()[0] == 5);
  CHECK(error_of([&] { a.values<bf16>(); }) ==
        "[gaze::map] " + folder.file(first) + " tensor 'a': dtype F32, expected BF16");
  files.reset();
  fs::remove(folder.file(first));
  CHECK(a.values<float>()[5] == 6);
  CHECK(ids.values<std::int64_t>()[0] == -7);
}

TEST_CASE("a tensor that its file does not align can be read but not mapped as values") {
  const Folder folder("weights");
  const std::string path = folder.file("x.safetensors"),
                    header = R"({"n":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                             R"("w":{"dtype":"F32","shape":[2],"data_offsets":[1,9]}})";
  const std::uint64_t length = header.size();
  const std::array<float, 2> values = {1.5f, -2.0f};
  std::string bytes(sizeof length, '\0');
  std::memcpy(bytes.data(), &length, sizeof length);
  bytes += header + std::string(1 + sizeof values, '\0');
  std::memcpy(bytes.data() + bytes.size() - sizeof values, values.data(), sizeof values);
  // Of four positions of the header's end, the writer's padding decides for one.
  for (int padding = 0; padding < 4; ++padding) {
    std::string padded = bytes;
    padded.insert(sizeof length + header.size(), static_cast<std::size_t>(padding), ' ');
    padded[0] = static_cast<char>(header.size() + static_cast<std::size_t>(padding));
    write_file(path, padded);
    const WeightFiles files(path);
    CHECK(read<float>(files, "w", {2}) == std::vector<float>{1.5f, -2.0f});
    const bool aligned = files.info("w").begin % 4 == 0;
    CHECK(files.can_map<float>("w") == aligned);
    CHECK(files.map("w").bytes().size() == 8);
    const std::string error = error_of([&] { files.map("w").values<float>(); });
    CHECK(error == (aligned ? ""
                            : "[gaze::map] " + path +
                                  " tensor 'w': not aligned to 4 bytes in its "
                                  "file, so it can only be read"));
  }
}

namespace {

/// Kilobytes of files that this process holds in memory; 0 if the system does not say.
long file_kilobytes() {
  std::ifstream status("/proc/self/status");
  long total = 0;
  for (std::string line; std::getline(status, line);)
    if (line.rfind("RssFile:", 0) == 0 || line.rfind("RssShmem:", 0) == 0)
      total += std::stol(line.substr(line.find(':') + 1));
  return total;
}

}  // namespace

TEST_CASE("a released tensor leaves memory and has the same bytes afterwards") {
  std::vector<std::int32_t> values(1 << 22);  // 16 MiB
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::int32_t>(i * 7 + 1);
  const Folder folder("weights");
  const std::string path = folder.file("x.safetensors");
  write_safetensors(path, {entry("w", {1 << 22}, values), entry<std::uint8_t>("v", {3}, {1, 2, 3}),
                           entry<float>("none", {0}, {})});
  const WeightFiles files(path);
  const MappedTensor w = files.map("w"), v = files.map("v"), none = files.map("none");
  const auto same = [&] {
    const auto mapped = w.values<std::int32_t>();
    return std::equal(values.begin(), values.end(), mapped.begin(), mapped.end()) &&
           v.values<std::uint8_t>()[2] == 3;
  };
  CHECK(same());
  const long before = file_kilobytes();
  w.release();
  if (before > 0) CHECK(file_kilobytes() < before - (12 << 10));
  CHECK(same());
  w.release(1, 5);  // any range
  w.release(w.bytes().size(), 0);
  w.release(w.bytes().size() - 1, 1);
  v.release();
  none.release();
  CHECK(same());
  const std::string label = "[gaze::map] " + path + " tensor 'v': ";
  CHECK(error_of([&] { v.release(1, 3); }) ==
        label + "3 bytes from byte 1 on are not within its 3");
  CHECK_THROWS_AS(v.release(4, 0), gaze::Error);
  CHECK_THROWS_AS(v.release(1, std::numeric_limits<std::size_t>::max()), gaze::Error);
}

TEST_CASE("a file that changed its size since it was opened is not mapped or read further") {
  const Folder folder("weights");
  write_shards(folder);
  const WeightFiles files(folder.path.string());
  const auto size = fs::file_size(folder.file(first));
  fs::resize_file(folder.file(first), size - 1);
  CHECK(error_of([&] { files.map("a"); }) == "[gaze::load] " + folder.file(first) + ": " +
                                                 std::to_string(size - 1) + " bytes, but " +
                                                 std::to_string(size) + " when it was opened");
  // Data are sorted by type: ids first, then a.
  CHECK(read<std::int64_t>(files, "ids", {2})[0] == -7);
  CHECK(contains(error_of([&] { read<float>(files, "a", {2, 3}); }), "the file ends at byte"));
  CHECK(contains(error_of([&] { read<bf16>(files, "a", {2, 3}); }), "the file ends at byte"));
  CHECK(files.unused() == Names{"a", "b"});
}

TEST_CASE("several threads read and map at a time") {
  const Folder folder("weights");
  std::vector<float> values(50000);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  std::vector<TensorEntry> tensors;
  for (int i = 0; i < 8; ++i) tensors.push_back(entry(std::to_string(i), {50000}, values));
  const std::string path = folder.file("x.safetensors");
  write_safetensors(path, tensors);
  const WeightFiles files(path);
  std::array<bool, 8> right{};
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < right.size(); ++i)
    threads.emplace_back([&, i] {
      const std::string name = std::to_string(i);
      const auto mapped = files.map("0").values<float>();
      right[i] = read<float>(files, name, {50000}) == values &&
                 bits_of(read<bf16>(files, name, {50000}))[3] == 0x4040 && mapped[7] == 7;
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(right == std::array<bool, 8>{true, true, true, true, true, true, true, true});
  CHECK(files.unused().empty());
}

}  // namespace test_weight_values
