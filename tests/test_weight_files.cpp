// SPDX-License-Identifier: MIT
// Weights of published checkpoints: folders with one file or shards, refused folders, conversions
// compared bit by bit, mapped tensors.
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

namespace test_weight_files {
namespace {

using namespace gaze::io;
using gaze::bf16;
using gaze::f16;
using gaze::test::contains;
using gaze::test::error_of;
using gaze::test::Folder;
using Shape = std::vector<std::int64_t>;
using Names = std::vector<std::string>;
namespace fs = std::filesystem;

const std::string first = "model-00001-of-00002.safetensors",
                  second = "model-00002-of-00002.safetensors",
                  index_name = "model.safetensors.index.json";

template <class T>
TensorEntry entry(const std::string& name, Shape shape, const std::vector<T>& values) {
  const auto bytes = std::as_bytes(std::span(values));
  return {name, std::string(dtype_of<T>()), std::move(shape), {bytes.begin(), bytes.end()}};
}

/// An index with these tensors and files.
std::string index_of(const std::vector<std::pair<std::string, std::string>>& weight_map) {
  Json index;
  index["metadata"]["total_size"] = 1;  // wrong, as in some published files
  for (const auto& [tensor, file] : weight_map) index["weight_map"][tensor] = file;
  return dump_json(index, "index");
}

/// A folder with two shards and their index.
void write_shards(const Folder& folder) {
  write_safetensors(folder.file(first), {entry<float>("a", {2, 3}, {1, 2, 3, 4, 5, 6}),
                                         entry<std::int64_t>("ids", {2}, {-7, 1LL << 40})});
  write_safetensors(folder.file(second), {entry<std::int32_t>("b", {}, {5})});
  folder.put(index_name, index_of({{"a", first}, {"b", second}, {"ids", first}}));
}

std::string opening_error(const std::string& path) {
  return error_of([&] { WeightFiles files(path); });
}
std::string opening_error(const Folder& folder) { return opening_error(folder.path.string()); }

template <class T>
std::vector<T> read(const WeightFiles& files, const std::string& name, Shape shape) {
  std::vector<T> out(files.info(name).elements());
  files.read<T>(name, shape, out);
  return out;
}

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

TEST_CASE("a folder with one file of weights") {
  const Folder folder("weights");
  write_safetensors(folder.file("model.safetensors"),
                    {entry<float>("w", {2, 2}, {1, 2, 3, 4}), entry<float>("v", {1}, {5})},
                    {{"format", "pt"}});
  for (const std::string& path :
       {folder.path.string(), folder.path.string() + "/", folder.file("model.safetensors")}) {
    const WeightFiles files(path);
    CHECK(files.path() == path);
    CHECK(files.files() == Names{files.file("w")});
    CHECK(files.names() == Names{"v", "w"});
    CHECK(files.info("w").dtype == "F32");
    CHECK(files.info("w").shape == Shape{2, 2});
    CHECK(files.info("w").bytes() == 16);
    CHECK(files.info("w").elements() == 4);
    CHECK(fs::equivalent(files.file("w"), folder.file("model.safetensors")));
    CHECK(read<float>(files, "w", {2, 2}) == std::vector<float>{1, 2, 3, 4});
    CHECK(error_of([&] { files.info("x"); }) ==
          "[gaze::load] " + path + " tensor 'x': not in the checkpoint");
  }
}

TEST_CASE("a folder with an index and shards") {
  const Folder folder("weights");
  write_shards(folder);
  folder.put("consolidated.safetensors", "not in the index, so not opened");
  for (const std::string& path : {folder.path.string(), folder.file(index_name)}) {
    const WeightFiles files(path);
    CHECK(files.files() == Names{folder.file(first), folder.file(second)});
    CHECK(files.names() == Names{"a", "b", "ids"});
    CHECK(files.file("b") == folder.file(second));
    CHECK(read<float>(files, "a", {2, 3}) == std::vector<float>{1, 2, 3, 4, 5, 6});
    CHECK(read<std::int64_t>(files, "ids", {2}) == std::vector<std::int64_t>{-7, 1LL << 40});
    CHECK(read<std::int32_t>(files, "b", {}) == std::vector<std::int32_t>{5});
  }
  // From within the folder: the index has no folder in its path.
  const fs::path before = fs::current_path();
  fs::current_path(folder.path);
  CHECK(WeightFiles(index_name).names().size() == 3);
  CHECK(WeightFiles(".").names().size() == 3);
  fs::current_path(before);
}

TEST_CASE("a record of which tensors were used, and which are missing") {
  const Folder folder("weights");
  write_shards(folder);
  const WeightFiles files(folder.path.string());
  CHECK(files.unused() == Names{"a", "b", "ids"});
  CHECK_THROWS_AS(read<float>(files, "a", {3, 2}), gaze::Error);
  CHECK(files.unused().size() == 3);  // the read failed
  read<float>(files, "a", {2, 3});
  CHECK(files.unused() == Names{"b", "ids"});
  CHECK_FALSE(files.map<float>("ids", Shape{2}));
  CHECK(files.unused() == Names{"b", "ids"});
  CHECK(files.map<std::int64_t>("ids", Shape{2}));
  CHECK(files.unused() == Names{"b"});
  read<std::int32_t>(files, "b", {});
  CHECK(files.unused().empty());
  CHECK(files.missing({"a", "lm_head.weight", "b", "c"}) == Names{"lm_head.weight", "c"});
  CHECK(files.missing({}).empty());
}

TEST_CASE("folders without weights, or with two kinds of them, are refused") {
  const Folder folder("weights");
  const std::string path = folder.path.string();
  CHECK(opening_error(folder) == "[gaze::load] " + path +
                                     ": neither model.safetensors nor "
                                     "model.safetensors.index.json is in this folder");
  CHECK(contains(opening_error(folder.file("nowhere")), "nowhere: cannot open: No such file"));
  write_shards(folder);
  write_safetensors(folder.file("model.safetensors"), {entry<float>("a", {1}, {1})});
  CHECK(contains(opening_error(folder), path + ": both model.safetensors and "));
  CHECK(WeightFiles(folder.file(index_name)).names().size() == 3);
  CHECK(WeightFiles(folder.file("model.safetensors")).names().size() == 1);
}

TEST_CASE("an index that does not agree with its shards is refused") {
  const Folder folder("weights");
  write_shards(folder);
  const std::string index = folder.file(index_name);
  const auto refused = [&](const std::vector<std::pair<std::string, std::string>>& weight_map,
                           const std::string& message) {
    folder.put(index_name, index_of(weight_map));
    CHECK(opening_error(folder) == "[gaze::load] " + message);
  };
  refused({{"a", first}, {"b", second}, {"ids", first}, {"c", second}},
          index + " weight_map 'c': not in " + second);
  refused({{"a", first}, {"b", second}},
          folder.file(first) + " tensor 'ids': not in weight_map of the index");
  refused({{"a", first}, {"b", second}, {"ids", second}},
          folder.file(first) + " tensor 'ids': weight_map of the index maps it to " + second);
  refused({{"a", first}, {"b", "model-3.safetensors"}, {"ids", first}},
          index + " weight_map 'b': model-3.safetensors: cannot open: No such file or directory");
  // The same tensor in two shards; the index can name one of them only.
  write_safetensors(folder.file(second), {entry<std::int32_t>("b", {}, {5}),
                                          entry<float>("a", {2, 3}, {1, 2, 3, 4, 5, 6})});
  refused({{"a", first}, {"b", second}, {"ids", first}},
          folder.file(second) + " tensor 'a': weight_map of the index maps it to " + first);
}

TEST_CASE("an index can name only safetensors files of its folder") {
  const Folder folder("weights");
  write_shards(folder);
  fs::create_directories(folder.path / "sub");
  fs::copy_file(folder.file(second), folder.file("sub/" + second));
  fs::copy_file(folder.file(second), folder.file("weights.bin"));
  const std::string key = folder.file(index_name) + " weight_map 'b': ";
  for (const std::string& name :
       {folder.file(second), "sub/" + second, "./" + second, "../" + second, "..\\" + second,
        second + std::string(1, '\0') + ".safetensors", std::string(""), std::string("."),
        std::string(".."), std::string("sub"), std::string("weights.bin")}) {
    folder.put(index_name, index_of({{"a", first}, {"b", name}, {"ids", first}}));
    const std::string error = opening_error(folder);
    INFO(error);
    CHECK(contains(error, key));
    CHECK(contains(error, "is not the name of a safetensors file in the same folder"));
  }
  const std::string endless = std::string(100000, 'x') + ".safetensors";
  folder.put(index_name, index_of({{"a", first}, {"b", endless}, {"ids", first}}));
  CHECK(contains(opening_error(folder), "cannot open: "));
  CHECK(opening_error(folder).size() < 5000);
  fs::create_directories(folder.path / "dir.safetensors");
  folder.put(index_name, index_of({{"a", first}, {"b", "dir.safetensors"}, {"ids", first}}));
  CHECK(contains(opening_error(folder), "dir.safetensors: not a regular file"));
}

TEST_CASE("a malformed index is refused") {
  const Folder folder("weights");
  write_shards(folder);
  const auto refused = [&](const std::string& text, const std::string& message) {
    const std::string error = opening_error(folder.put(index_name, text));
    INFO(error);
    CHECK(contains(error, message));
    CHECK(contains(error, folder.file(index_name)));
  };
  refused("", "parse error");
  refused("[]", "not a JSON object");
  refused("{}", "no 'weight_map'");
  refused("{\"weight_map\": []}", "does not map names of tensors to files");
  refused("{\"weight_map\": {}}", "does not map names of tensors to files");
  refused("{\"weight_map\": {\"a\": 1}}", " weight_map 'a': not the name of a file");
  refused("{\"weight_map\": {\"a\": [\"" + first + "\"]}}", "not the name of a file");
  refused("{\"weight_map\": {\"a\": null}}", "not the name of a file");
  refused("{\"weight_map\": {\"a\": \"x.safetensors\", \"a\": \"y.safetensors\"}}",
          "key 'a' appears twice");
  refused("{\"weight_map\": " + std::string(100, '['), "nested deeper");
  refused(std::string(kMaxJsonFileBytes + 1, ' '), "more than the");
  fs::remove(folder.file(index_name));
  fs::create_directories(folder.path / index_name);
  CHECK(contains(opening_error(folder), "not a regular file"));
}

TEST_CASE("a damaged index or shard is an error of one line or still a whole checkpoint") {
  const Folder folder("weights");
  write_shards(folder);
  for (const std::string& name : {index_name, second}) {
    const std::string whole = folder.read(name);
    const auto check = [&](const std::string& damaged) {
      fs::remove(folder.file(name));  // a new file is not flushed to the disk
      std::ofstream(folder.file(name), std::ios::binary) << damaged;
      const std::string error = opening_error(folder);
      if (error.find('\n') != error.npos || error.size() > 5000) FAIL(error);
      return error.empty();
    };
    for (std::size_t at = 0; at < whole.size(); ++at) {
      CHECK_FALSE(check(whole.substr(0, at)));
      for (const char byte : {'\0', '"', '/', '{', '0', '\x80', '\xFF'}) {
        std::string damaged = whole;
        damaged[at] = byte;
        check(damaged);
      }
    }
    folder.put(name, whole);
  }
  CHECK(opening_error(folder).empty());
}

TEST_CASE("links must stay in the folder") {
  const Folder folder("weights"), other("weights_elsewhere");
  write_shards(folder);
  fs::rename(folder.file(second), other.file(second));
  fs::create_symlink(other.file(second), folder.file(second));
  const std::string refused = ": is a link to a file outside its folder";
  CHECK(opening_error(folder) ==
        "[gaze::load] " + folder.file(index_name) + " weight_map 'b': " + second + refused);
  fs::remove(folder.file(second));
  fs::create_directories(folder.path / "data");
  fs::rename(other.file(second), folder.file("data/x"));
  fs::create_symlink("data/x", folder.file(second));
  CHECK(opening_error(folder).empty());
  fs::remove(folder.file("data/x"));
  CHECK(contains(opening_error(folder), "weight_map 'b': " + second + ": cannot open: No such"));
  fs::create_symlink("../" + second, folder.file("data/x"));
  CHECK(contains(opening_error(folder), "cannot open: "));
  // One file, and the index itself.
  write_safetensors(other.file("w"), {entry<float>("a", {1}, {1})});
  const Folder single("weights_single");
  fs::create_symlink(other.file("w"), single.file("model.safetensors"));
  CHECK(opening_error(single) == "[gaze::load] " + single.file("model.safetensors") + refused);
  CHECK(WeightFiles(single.file("model.safetensors")).names() == Names{"a"});  // the user's choice
  fs::rename(single.file("model.safetensors"), single.file(index_name));
  CHECK(opening_error(single) == "[gaze::load] " + single.file(index_name) + refused);
}

TEST_CASE("folders of the cache of Hugging Face's hub can be opened") {
  const Folder cache("weights_hub");
  const std::string blobs = "models--a--b/blobs/", revision = "models--a--b/snapshots/0123abc/";
  for (const std::string& folder : {blobs, revision, std::string("blobs/ab/")})
    fs::create_directories(cache.path / folder);
  write_safetensors(cache.file(blobs + "one"), {entry<float>("a", {1}, {1})});
  write_safetensors(cache.file("blobs/ab/two"), {entry<float>("b", {1}, {2})});
  cache.put(blobs + "index", index_of({{"a", first}, {"b", second}}));
  fs::create_symlink("../../blobs/one", cache.file(revision + first));
  fs::create_symlink("../../blobs/two", cache.file(revision + second));
  fs::create_symlink("../../blobs/ab/two", cache.file(blobs + "two"));
  fs::create_symlink("../../blobs/index", cache.file(revision + index_name));
  CHECK(WeightFiles(cache.file(revision)).names() == Names{"a", "b"});
  // No other folder of the cache, and in no other layout.
  fs::create_directories(cache.path / "models--c--d");
  fs::rename(cache.file("blobs/ab/two"), cache.file("models--c--d/two"));
  fs::remove(cache.file(blobs + "two"));
  fs::create_symlink("../../models--c--d/two", cache.file(blobs + "two"));
  CHECK(contains(opening_error(cache.file(revision)), "outside its folder"));
  fs::remove(cache.file(blobs + "two"));
  fs::rename(cache.file("models--c--d/two"), cache.file(blobs + "two"));
  CHECK(opening_error(cache.file(revision)).empty());
  fs::rename(cache.file("models--a--b/snapshots"), cache.file("models--a--b/other"));
  CHECK(contains(opening_error(cache.file("models--a--b/other/0123abc")), "outside its folder"));
}

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

}  // namespace test_weight_files
