// SPDX-License-Identifier: MIT
// Images: the same pixels as Pillow (tests/golden/make_image_golden.py), our own PNG files read
// back, and files that are damaged, huge or not images.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "gaze/image/decode.hpp"
#include "gaze/image/png.hpp"
#include "gaze/image/resize.hpp"
#include "gaze/io/atomic_file.hpp"
#include "gaze/io/json.hpp"
#include "tests/data.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_image {
namespace {

using namespace gaze::image;
using gaze::test::contains;
using gaze::test::error_of;
using Bytes = std::vector<std::uint8_t>;

Bytes from_hex(const std::string& hex) {
  Bytes bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

Image image_of(const gaze::io::Json& golden) {
  return {golden["width"].get<int>(), golden["height"].get<int>(),
          from_hex(golden["rgb"].get<std::string>())};
}

const gaze::io::Json& golden() {
  static const gaze::io::Json json = gaze::test::golden_json("image_golden.json");
  return json;
}

Image gradient(int width, int height) {
  Image image{width, height, {}};
  for (int i = 0; i < width * height * 3; ++i) {
    image.rgb.push_back(static_cast<std::uint8_t>(i * 7 + i / (3 * width) * 11));
  }
  return image;
}

/// A PNG whose header declares this size, with a valid checksum.
Bytes png_claiming(int width, int height) {
  Bytes png = encode_png(gradient(1, 1));
  Bytes header(png.begin(), png.begin() + 8), data;
  gaze::image::detail::put_u32(data, static_cast<std::uint32_t>(width));
  gaze::image::detail::put_u32(data, static_cast<std::uint32_t>(height));
  data.insert(data.end(), {8, 2, 0, 0, 0});
  gaze::image::detail::put_chunk(header, "IHDR", data);
  header.insert(header.end(), png.begin() + 33, png.end());
  return header;
}

}  // namespace

TEST_CASE("resize reproduces Pillow's pixels") {
  const Image source = image_of(golden());
  REQUIRE(golden()["resized"].size() == 16);
  for (const auto& one : golden()["resized"]) {
    const Image expected = image_of(one);
    const bool bicubic = one["filter"] == "bicubic";
    INFO(one["filter"] << " " << expected.width << "x" << expected.height);
    const Image found = resize(source, expected.width, expected.height,
                               bicubic ? Filter::bicubic : Filter::bilinear);
    CHECK(found.width == expected.width);
    CHECK(found.height == expected.height);
    CHECK(found.rgb == expected.rgb);
  }
  CHECK_THROWS_AS(resize(source, 0, 3, Filter::bilinear), gaze::Error);
  CHECK_THROWS_AS(resize(Image{2, 2, Bytes(11)}, 3, 3, Filter::bilinear), gaze::Error);
}

TEST_CASE("PNG files of every kind decode to Pillow's pixels") {
  REQUIRE(golden()["png"].size() == 7);
  for (const auto& one : golden()["png"]) {
    const Image expected = image_of(one);
    const Image found = decode_image(from_hex(one["file"].get<std::string>()));
    CHECK(found.width == expected.width);
    CHECK(found.height == expected.height);
    CHECK(found.rgb == expected.rgb);
  }
}

TEST_CASE("JPEG files decode to Pillow's pixels within rounding") {
  REQUIRE(golden()["jpeg"].size() == 6);
  for (const auto& one : golden()["jpeg"]) {
    const Image expected = image_of(one);
    const Image found = decode_image(from_hex(one["file"].get<std::string>()));
    REQUIRE(found.rgb.size() == expected.rgb.size());
    int worst = 0;
    for (std::size_t i = 0; i < found.rgb.size(); ++i) {
      worst = std::max(worst, std::abs(int{found.rgb[i]} - int{expected.rgb[i]}));
    }
    CHECK(worst <= 4);
  }
}

TEST_CASE("our PNG files decode to the same pixels and are reproducible") {
  for (const auto& [width, height] : {std::pair{1, 1}, {3, 5}, {64, 64}, {17, 200}, {300, 2}}) {
    const Image image = gradient(width, height);
    for (const int level : {4, 9}) {
      const Bytes png = encode_png(image, level);
      const Image found = decode_image(png);
      CHECK(found.width == width);
      CHECK(found.height == height);
      CHECK(found.rgb == image.rgb);
      CHECK(encode_png(image.rgb.data(), width, height, level) == png);
    }
  }
  const Image white{256, 256, Bytes(256 * 256 * 3, 255)};
  CHECK(encode_png(white).size() < 3000);
  CHECK_THROWS_AS(encode_png(white.rgb.data(), 0, 5), gaze::Error);
  CHECK_THROWS_AS(encode_png(nullptr, 5, 5), gaze::Error);
  CHECK_THROWS_AS(encode_png(white.rgb.data(), 1 << 30, 1 << 30), gaze::Error);
  CHECK_THROWS_AS(encode_png(Image{2, 2, Bytes(11)}), gaze::Error);
}

TEST_CASE("images that declare too large a size are refused") {
  CHECK(contains(error_of([] { decode_image(png_claiming(16000, 16000), "bomb.png"); }),
                 "bomb.png: declares 16000x16000 pixels"));
  CHECK(contains(error_of([] { decode_image(png_claiming(20000, 1)); }), "declares 20000x1"));
  const Bytes small = encode_png(gradient(8, 8));
  CHECK(image_size(small) == std::pair{8, 8});
  CHECK(decode_image(small, "x", {64, 8}).width == 8);
  CHECK(contains(error_of([&] { decode_image(small, "x", {63, 8}); }), "declares 8x8"));
  CHECK(contains(error_of([&] { decode_image(small, "x", {64, 7}); }), "declares 8x8"));
}

TEST_CASE("endless compressed data is refused") {
  // 4 MiB of zeros in the data of a PNG that declares 16x16 pixels.
  std::vector<unsigned char> zeros(std::size_t{4} << 20);
  int length = 0;
  unsigned char* packed =
      stbi_zlib_compress(zeros.data(), static_cast<int>(zeros.size()), &length, 5);
  REQUIRE(packed != nullptr);
  Bytes png = png_claiming(16, 16);
  png.resize(33);
  gaze::image::detail::put_chunk(png, "IDAT", {packed, static_cast<std::size_t>(length)});
  gaze::image::detail::put_chunk(png, "IEND", {});
  std::free(packed);
  CHECK(contains(error_of([&] { decode_image(png, "bomb.png"); }),
                 "bomb.png: damaged (its data unpack to more than its pixels)"));
}

TEST_CASE("files that are not images are refused") {
  const std::string gif("GIF89a\x01\x00\x01\x00\x00\x00\x00;", 14);
  for (const std::string& text : {std::string(), std::string("hello"), std::string(500, '\xFF'),
                                  gif, std::string("\x89PNG\r\n\x1a\n")}) {
    CHECK(contains(error_of([&] { decode_image(text, "a.png"); }), "a.png: not a PNG or JPEG"));
  }
  CHECK(contains(error_of([] { decode_image(png_claiming(64, 64)); }), "damaged"));
}

TEST_CASE("damaged files cause at worst an Error") {
  std::vector<Bytes> files = {encode_png(gradient(20, 20))};
  for (const auto& one : golden()["png"]) files.push_back(from_hex(one["file"].get<std::string>()));
  for (const auto& one : golden()["jpeg"]) {
    files.push_back(from_hex(one["file"].get<std::string>()));
  }
  std::size_t decoded = 0, refused = 0;
  const DecodeLimits limits{1 << 20, 4096};
  for (const Bytes& file : files) {
    for (std::size_t i = 0; i < file.size(); i += 3) {
      Bytes cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(i)), flipped = file;
      flipped[i] ^= 0x55;
      for (const Bytes& bytes : {cut, flipped}) {
        try {
          const Image image = decode_image(bytes, "damaged", limits);
          const auto pixels = static_cast<std::size_t>(image.width * image.height);
          decoded += image.rgb.size() == 3 * pixels ? 1 : 1000000;
        } catch (const gaze::Error&) {
          ++refused;
        }
      }
    }
  }
  CHECK(decoded < 1000000);
  CHECK(refused > 100);
}

TEST_CASE("pixels become normalised planes and patches") {
  const Image image = gradient(4, 6);
  const Normalization norm{{0.5f, 0.25f, 0.0f}, {0.5f, 1.0f, 2.0f}};
  const auto planes = to_float(image, norm);
  const auto patches = to_patches(image, 2, norm);
  REQUIRE(planes.size() == 3 * 6 * 4);
  REQUIRE(patches.size() == planes.size());
  const auto expected = [&](int c, int y, int x) {
    const auto i = static_cast<std::size_t>((y * 4 + x) * 3 + c);
    const auto k = static_cast<std::size_t>(c);
    return (static_cast<double>(image.rgb[i]) / 255 - norm.mean[k]) / norm.std[k];
  };
  for (int c = 0; c < 3; ++c) {
    for (int y = 0; y < 6; ++y) {
      for (int x = 0; x < 4; ++x) {
        const int patch = y / 2 * 2 + x / 2, inside = c * 4 + y % 2 * 2 + x % 2;
        const double value = expected(c, y, x);
        CHECK(std::abs(planes[static_cast<std::size_t>((c * 6 + y) * 4 + x)] - value) < 1e-6);
        CHECK(std::abs(patches[static_cast<std::size_t>(patch * 12 + inside)] - value) < 1e-6);
      }
    }
  }
  CHECK_THROWS_AS(to_patches(image, 4), gaze::Error);
  CHECK_THROWS_AS(to_patches(image, 0), gaze::Error);
  CHECK_THROWS_AS(to_float(image, {{0, 0, 0}, {1, 0, 1}}), gaze::Error);
}

}  // namespace test_image
