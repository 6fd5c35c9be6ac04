// SPDX-License-Identifier: MIT
// Pictures as tiles: sizes, pixels, kept features and normalised values are those of transformers'
// image processors (tests/golden/make_pictures_golden.py), and sizes that cost too much are
// refused.
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gaze/image/resize.hpp"
#include "gaze/image/tile_plan.hpp"
#include "gaze/image/tiles.hpp"
#include "gaze/io/json.hpp"
#include "gaze/io/sha256.hpp"
#include "tests/data.hpp"
#include "tests/picture_formulas.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_picture_tiles {
namespace {

using namespace gaze::image;
using gaze::io::Json;
using gaze::test::contains;
using gaze::test::error_of;
using gaze::test::picture;

const Json& golden() {
  static const Json json = gaze::test::golden_json("pictures_golden.json");
  return json;
}

template <class T>
std::string digest(const std::vector<T>& values) {
  const std::string_view bytes(reinterpret_cast<const char*>(values.data()),
                               values.size() * sizeof(T));
  return gaze::io::sha256(bytes).substr(0, 16);
}

SplitTiling split_of(const Json& g) {
  return {g["edge"].get<int>(), g["side"].get<int>(), g.value("split", true)};
}
/// The golden file has grids as rows and columns of tiles.
AnyresTiling anyres_of(const Json& g) {
  AnyresTiling out{g["side"].get<int>(), {}};
  for (const Json& grid : g["grids"])
    out.resolutions.push_back({grid[1].get<int>() * out.side, grid[0].get<int>() * out.side});
  return out;
}
TilePlan plan_of(const Json& g, Size size) {
  return g.contains("grids") ? plan_tiles(anyres_of(g), size) : plan_tiles(split_of(g), size);
}

/// Compares all pictures of the golden file's tilings; returns their number.
int check_tiles(const Json& tilings) {
  int pictures = 0;
  for (const Json& tiling : tilings) {
    for (const Json& one : tiling["pictures"]) {
      const auto kind = one[0].get<std::string>();
      const Size size{one[1].get<int>(), one[2].get<int>()};
      INFO(kind << " " << size.width << "x" << size.height << " in tiles of " << tiling["side"]);
      const auto tiles = cut_tiles(picture(kind, size.width, size.height), plan_of(tiling, size));
      REQUIRE(tiles.size() == one[3].size());
      const auto corners = one[4].get<std::string>();
      for (std::size_t t = 0; t < tiles.size(); ++t) {
        INFO("tile " << t << ", its first pixel should be " << corners.substr(6 * t, 6));
        CHECK(tiles[t].width == tiling["side"]);
        CHECK(digest(tiles[t].rgb) == one[3][t].get<std::string>());
      }
      ++pictures;
    }
  }
  return pictures;
}

}  // namespace

TEST_CASE("Lanczos resizing reproduces Pillow's pixels") {
  REQUIRE(golden()["resized"].size() == 70);
  for (const Json& one : golden()["resized"]) {
    INFO(one);
    const Image from = picture(one[0], one[1], one[2]);
    const Image found = resize(from, one[3], one[4], Filter::lanczos);
    const auto start = one[6].get<std::vector<std::uint8_t>>();
    const auto end = found.rgb.begin() + static_cast<std::ptrdiff_t>(start.size());
    CHECK(std::vector(found.rgb.begin(), end) == start);
    CHECK(digest(found.rgb) == one[5].get<std::string>());
  }
}

TEST_CASE("pictures are resized and split into as many tiles as by Idefics3's processor") {
  int count = 0;
  for (const Json& tiling : golden()["split_sizes"]) {
    for (const Json& one : tiling["sizes"]) {
      INFO("longest edge " << tiling["edge"] << ", tiles of " << tiling["side"] << ": " << one);
      const TilePlan plan = plan_tiles(split_of(tiling), {one[0], one[1]});
      CHECK(plan.resizes == std::vector<Size>{{one[2], one[3]}, {one[4], one[5]}});
      CHECK(plan.rows == one[6]);
      CHECK(plan.columns == one[7]);
      CHECK(plan.whole_picture() == plan.tiles() - 1);
      ++count;
    }
  }
  CHECK(count == 494);
}

TEST_CASE("canvas, place, kept features and tokens are those of LLaVA-NeXT") {
  int count = 0;
  for (const Json& tiling : golden()["anyres_sizes"]) {
    const AnyresTiling anyres = anyres_of(tiling);
    const int per_side = tiling["per_side"];
    for (const Json& one : tiling["sizes"]) {
      INFO("tiles of " << anyres.side << ": " << one);
      const TilePlan plan = plan_tiles(anyres, {one[0], one[1]});
      CHECK(plan.columns * anyres.side == one[2]);
      CHECK(plan.rows * anyres.side == one[3]);
      CHECK(plan.resizes == std::vector<Size>{{one[4], one[5]}});
      CHECK(plan.left == one[6]);
      CHECK(plan.top == one[7]);
      CHECK(plan.whole_picture() == 0);
      const FeatureWindow kept = unpadded_features(plan, per_side);
      CHECK(kept.rows == one[9]);
      CHECK(kept.columns == one[10]);
      if (kept.rows * kept.columns > 0)
        CHECK(kept.top * plan.columns * per_side + kept.left == one[8]);
      CHECK(anyres_tokens(plan, per_side) == one[11]);
      ++count;
    }
  }
  CHECK(count == 302);
}

TEST_CASE("tiles have the pixels of transformers' processors") {
  CHECK(check_tiles(golden()["tiles"]) == 184);
}

TEST_CASE("tiles of the published sizes have the pixels of transformers' processors", "[slow]") {
  CHECK(check_tiles(golden()["slow_tiles"]) == 44);
}

TEST_CASE("normalised values have the bits of transformers' processors") {
  REQUIRE(golden()["values"].size() == 4);
  const Image from = picture("noise", 128, 128);
  const AnyresTiling tiling{128, {{256, 256}, {128, 256}, {256, 128}, {128, 384}, {384, 128}}};
  const Image tile = cut_tiles(from, plan_tiles(tiling, {128, 128})).front();
  CHECK(tile.rgb == from.rgb);
  for (const Json& one : golden()["values"]) {
    INFO(one);
    Normalization norm;
    for (std::size_t c = 0; c < 3; ++c) {
      norm.mean[c] = one["mean"][c];
      norm.std[c] = one["std"][c];
    }
    norm.rescale = one["rescale"];
    CHECK(digest(to_float(tile, norm)) == one["values"].get<std::string>());
  }
}

TEST_CASE("a byte times 1/255 is the float that the byte divided by 255 is") {
  const auto table = gaze::image::detail::normalization_table({{0, 0, 0}, {1, 1, 1}});
  for (std::size_t v = 0; v < 256; ++v) CHECK(table[0][v] == static_cast<float>(v) / 255.0f);
  CHECK_THROWS_AS(to_float(picture("noise", 1, 1), {{}, {1, 1, 1}, 0}), gaze::Error);
}

TEST_CASE("sizes of pictures that cannot be, or cost too much, are refused") {
  const AnyresTiling anyres{384, {{384, 768}}};
  const auto error = [&](Size size) {
    const std::string split = error_of([&] { plan_tiles(SplitTiling{}, size); });
    CHECK(error_of([&] { plan_tiles(anyres, size); }) == split);
    return split;
  };
  CHECK(contains(error({0, 5}), "a picture of 0x5 pixels"));
  CHECK(contains(error({5, -1}), "a picture of 5x-1 pixels"));
  CHECK(contains(error({60000, 60000}), "a picture of 60000x60000 pixels; the limits are 16384"));
  CHECK(contains(error({16384, 16384}), "67108864 in total"));
  CHECK(error({16384, 1}).empty());
  CHECK(error({1, 10000}).empty());
  const TilePlan plan = plan_tiles(anyres, {4, 4});
  CHECK(contains(error_of([&] { cut_tiles(picture("noise", 4, 5), plan); }),
                 "the picture has 4x5 pixels, the plan is for 4x4"));
  CHECK_THROWS_AS(cut_tiles(Image{4, 4, {1, 2, 3}}, plan), gaze::Error);
  CHECK_THROWS_AS(unpadded_features(plan, 0), gaze::Error);
  CHECK_THROWS_AS(unpadded_features(plan_tiles(SplitTiling{}, {4, 4}), 27), gaze::Error);
}

TEST_CASE("the most tiles of a picture are those of a square one or of the largest canvas") {
  CHECK(most_tiles(SplitTiling{}) == 17);
  CHECK(most_tiles(SplitTiling{2048, 512, false}) == 1);
  CHECK(most_tiles(AnyresTiling{384, {{384, 768}, {1152, 768}, {384, 384}}}) == 7);
  for (const Size size : {Size{640, 480}, {100, 3000}, {3000, 3000}, {7, 5}})
    CHECK(plan_tiles(SplitTiling{}, size).tiles() <= 17);
}

TEST_CASE("tilings of too many or too large tiles are refused") {
  constexpr int huge = std::numeric_limits<int>::max();
  const auto split = [](int edge, int side) {
    return error_of([&] { plan_tiles(SplitTiling{edge, side}, {800, 600}); });
  };
  CHECK(contains(split(4096, 16), "192x256 tiles and the whole picture are more than 256"));
  CHECK(contains(split(huge, 16), "longest edge 2147483647"));
  CHECK(
      contains(split(2048, huge), "1 tiles of 2147483647x2147483647 pixels; the limits are 4096"));
  CHECK(
      contains(split(4096, 4000), "5 tiles of 4000x4000 pixels; the limits are 4096 per side and"));
  CHECK(contains(split(2048, 0), "tiles of 0 pixels"));
  CHECK(split(1 << 20, 512).empty());
  const auto anyres = [](int side, std::vector<Size> resolutions) {
    return error_of([&] { plan_tiles(AnyresTiling{side, resolutions}, {800, 600}); });
  };
  CHECK(contains(anyres(384, {}), "0 resolutions"));
  CHECK(contains(anyres(384, {{384, 385}}), "a resolution of 384x385 pixels is not whole tiles"));
  CHECK(contains(anyres(1, {{huge, huge}}), "are more than 256"));
  CHECK(contains(anyres(1, {{16, 16}}), "16x16 tiles and the whole picture are more than 256"));
  CHECK(anyres(1, {{17, 15}}).empty());
}

}  // namespace test_picture_tiles
