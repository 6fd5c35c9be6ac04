// SPDX-License-Identifier: MIT
// Tensors of weight files: conversions compared bit by bit, mapped values.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
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

TEST_CASE("values are converted across blocks") {
  std::vector<float> values(100003);  // several blocks of 64 KiB
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 251);
  const Folder folder("weights");
  const std::string path = folder.file("x.safetensors");
  const std::int64_t size = 100003;
  write_safetensors(path, {entry("w", {size}, values)});
  const WeightFiles files(path);
  const auto rounded = read<bf16>(files, "w", {size});  // up to 251 all are bf16 numbers
  CHECK(std::equal(values.begin(), values.end(), rounded.begin(),
                   [](float x, bf16 y) { return x == static_cast<float>(y); }));
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

TEST_CASE("mapped values equal those read, and outlive the files") {
  const Folder folder("weights");
  write_shards(folder);
  std::optional<WeightFiles> files(std::in_place, folder.path.string());
  const auto a = files->map<float>("a", Shape{2, 3}), again = files->map<float>("a", Shape{2, 3});
  const auto ids = files->map<std::int64_t>("ids", Shape{2});
  REQUIRE((a && again && ids));
  CHECK(a->values.data() == again->values.data());  // mapped once
  CHECK(std::vector<float>(a->values.begin(), a->values.end()) == read<float>(*files, "a", {2, 3}));
  CHECK(files->map<std::int32_t>("b", Shape{})->values[0] == 5);
  CHECK_FALSE(files->map<bf16>("a", Shape{2, 3}));
  CHECK(error_of([&] {
          files->map<float>("a", Shape{3, 2});
        }) == "[gaze::load] " + folder.file(first) + " tensor 'a': shape [2,3], expected [3,2]");
  files.reset();
  fs::remove(folder.file(first));
  CHECK(a->values[5] == 6);
  CHECK(ids->values[0] == -7);
}

TEST_CASE("a tensor that its file does not align is read but not mapped") {
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
    CHECK(files.map<float>("w", Shape{2}).has_value() == aligned);
  }
}

TEST_CASE("a file that changed its size since it was opened is not mapped or read further") {
  const Folder folder("weights");
  write_shards(folder);
  const WeightFiles files(folder.path.string());
  const auto size = fs::file_size(folder.file(first));
  fs::resize_file(folder.file(first), size - 1);
  CHECK(error_of([&] {
          files.map<float>("a", Shape{2, 3});
        }) == "[gaze::load] " + folder.file(first) + ": " + std::to_string(size - 1) +
                  " bytes, but " + std::to_string(size) + " when it was opened");
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
      const auto mapped = files.map<float>("0", Shape{50000})->values;
      right[i] = read<float>(files, name, {50000}) == values &&
                 bits_of(read<bf16>(files, name, {50000}))[3] == 0x4040 && mapped[7] == 7;
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(right == std::array<bool, 8>{true, true, true, true, true, true, true, true});
  CHECK(files.unused().empty());
}

}  // namespace test_weight_values
