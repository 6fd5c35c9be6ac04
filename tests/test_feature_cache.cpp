// SPDX-License-Identifier: MIT
// Features of pictures are computed once while somebody holds the picture.
#include <memory>
#include <vector>

#include "gaze/cpu/kernels.hpp"
#include "models/feature_cache.hpp"
#include "tests/test.hpp"

namespace test_feature_cache {

using namespace gaze;
using namespace gaze::models;

TEST_CASE("a tile's features are computed once while its picture lives") {
  const auto picture = [](std::uint8_t value) {
    return std::make_shared<const std::vector<std::uint8_t>>(12, value);
  };
  ImageBytes a = picture(1), b = picture(2);
  const auto values = std::make_shared<const std::vector<float>>(12, 3.0f);
  std::vector<Tile> tiles = {
      {a, nullptr, 0}, {a, nullptr, 1}, {b, nullptr, 0}, {nullptr, values, 0}, {a, nullptr, 1}};
  std::size_t encoded = 0;
  const auto encode = [&](std::span<const Tile> missing) {  // two rows of two numbers each
    std::vector<float> out;
    for (const Tile& t : missing)
      for (int i = 0; i < 4; ++i)
        out.push_back((t.rgb ? (*t.rgb)[0] : (*t.values)[0]) * 100.0f + float(t.number) * 10 +
                      float(i));
    encoded += missing.size();
    return Tensor<float>::from({static_cast<Index>(2 * missing.size()), 2}, out);
  };
  FeatureCache<float, Cpu> cache;
  const std::vector<float> first = {100, 101, 102, 103}, second = {110, 111, 112, 113},
                           third = {200, 201, 202, 203}, fourth = {300, 301, 302, 303};
  std::vector<float> expected;
  for (const auto* part : {&first, &second, &third, &fourth, &second})
    expected.insert(expected.end(), part->begin(), part->end());
  CHECK(cache(tiles, 2, encode).to_vector() == expected);
  CHECK(encoded == 4);
  CHECK(cache(tiles, 2, encode).to_vector() == expected);
  CHECK(cache(std::span(tiles).subspan(1, 1), 2, encode).to_vector() == second);
  CHECK(encoded == 4);
  tiles.clear();  // nobody holds b's first picture any more
  b = picture(4);
  const std::vector<Tile> again = {{b, nullptr, 0}, {a, nullptr, 0}};
  CHECK(cache(again, 2, encode).to_vector() ==
        std::vector<float>{400, 401, 402, 403, 100, 101, 102, 103});
  CHECK(encoded == 5);
}

TEST_CASE("a large picture is encoded a few tiles at a time") {
  const auto picture = std::make_shared<const std::vector<std::uint8_t>>(1, std::uint8_t{0});
  std::vector<Tile> tiles;
  std::vector<float> expected;
  for (std::size_t i = 0; i < 2 * tiles_together + 1; ++i) {
    tiles.push_back({picture, nullptr, i});
    expected.push_back(float(i));
  }
  std::vector<std::size_t> sizes;
  FeatureCache<float, Cpu> cache;
  const auto out = cache(tiles, 1, [&](std::span<const Tile> some) {
    std::vector<float> numbers;
    for (const Tile& t : some) numbers.push_back(float(t.number));
    sizes.push_back(some.size());
    return Tensor<float>::from({static_cast<Index>(some.size()), 1}, numbers);
  });
  CHECK(out.to_vector() == expected);
  CHECK(sizes == std::vector<std::size_t>{tiles_together, tiles_together, 1});
}

}  // namespace test_feature_cache
