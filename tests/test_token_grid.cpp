// SPDX-License-Identifier: MIT
// Image tokens on the picture: maps worked by hand, and sums that no tiling changes.
#include "models/token_grid.hpp"

#include <numeric>
#include <vector>

#include "gaze/core/philox.hpp"
#include "models/hf/llava_next.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_token_grid {
namespace {

using namespace gaze;
using gaze::models::token_grid;
using gaze::models::TokenGrid;
using gaze::test::contains;
using gaze::test::error_of;

void check_map(const TokenGrid& grid, const std::vector<float>& weights,
               const std::vector<float>& want) {
  const auto map = grid.map(weights);
  REQUIRE(map.size() == want.size());
  for (std::size_t i = 0; i < map.size(); ++i) {
    INFO("cell " << i);
    CHECK(map[i] == Catch::Approx(want[i]).margin(1e-4));
  }
}

/// The map of random weights has their sum, and no cell is negative.
void check_sum(const TokenGrid& grid, std::uint64_t seed) {
  const Philox random(seed, Purpose::test);
  std::vector<float> weights;
  for (Index i = 0; i < grid.tokens(); ++i)
    weights.push_back(static_cast<float>(random.uniform(1, static_cast<std::uint64_t>(i))));
  const auto map = grid.map(weights);
  CHECK(static_cast<Index>(map.size()) == grid.cells());
  for (const float cell : map) CHECK(cell >= 0);
  CHECK(std::accumulate(map.begin(), map.end(), 0.0) ==
        Catch::Approx(std::accumulate(weights.begin(), weights.end(), 0.0)).epsilon(1e-5));
}

}  // namespace

TEST_CASE("the tokens of one tile are the cells of the map") {
  const TokenGrid grid = token_grid(2);
  CHECK(grid.rows() == 2);
  CHECK(grid.columns() == 2);
  check_map(grid, {1, 2, 3, 4}, {1, 2, 3, 4});
  CHECK(contains(error_of([&] { grid.map(std::vector<float>(5)); }), "5 weights for 4"));
}

TEST_CASE("tiles of a split picture and the whole picture add up") {
  const auto plan = image::plan_tiles(image::SplitTiling{8, 4}, {16, 8});
  REQUIRE(plan.rows == 1);
  REQUIRE(plan.columns == 2);
  // The left tile, the right tile, and the whole picture, whose tokens are two cells wide.
  check_map(token_grid(plan, 2), {1, 2, 3, 4, 10, 20, 30, 40, 100, 200, 300, 400},
            {1 + 50, 2 + 50, 10 + 100, 20 + 100,  //
             3 + 150, 4 + 150, 30 + 200, 40 + 200});
}

TEST_CASE("a picture that is not split is one tile") {
  const auto plan = image::plan_tiles(image::SplitTiling{8, 4, false}, {16, 8});
  check_map(token_grid(plan, 2), {1, 2, 3, 4}, {1, 2, 3, 4});
}

TEST_CASE("a newline weighs on its row, and padding is no part of the map") {
  const image::AnyresTiling tiling{4, {{8, 4}}};
  // Fitted to 4 x 4 pixels in the middle of 8 x 4: columns 1 and 2 of the 4 columns are kept.
  check_map(token_grid(image::plan_tiles(tiling, {4, 4}), 2),
            {1, 2, 3, 4, 10, 20, 100, 30, 40, 200},
            {1 + 10 + 50, 2 + 20 + 50, 3 + 30 + 100, 4 + 40 + 100});
  // 3 x 4 pixels from 2 on: column 1 covers 0 to 2/3 of the picture, column 2 the rest and padding.
  check_map(token_grid(image::plan_tiles(tiling, {3, 4}), 2), {1, 2, 3, 4, 16, 20, 0, 32, 40, 0},
            {1 + 12, 2 + 4 + 20, 3 + 24, 4 + 8 + 40});
}

TEST_CASE("maps have the sum of the weights for pictures of any shape") {
  const image::AnyresTiling anyres{384, {{768, 384}, {384, 768}, {768, 768}, {1152, 384}}};
  const image::SplitTiling split{2048, 512};
  for (std::uint64_t i = 0; i < 12; ++i) {
    const Philox random(i, Purpose::test);
    const image::Size size{1 + static_cast<int>(random.below(1500, 2, 0)),
                           1 + static_cast<int>(random.below(1500, 2, 1))};
    INFO(size.width << " x " << size.height);
    const auto padded = image::plan_tiles(anyres, size);
    const TokenGrid grid = token_grid(padded, 27);
    CHECK(grid.tokens() == static_cast<Index>(models::hf::anyres_rows(padded, 27).size()));
    check_sum(grid, i);
    const auto tiles = image::plan_tiles(split, size);
    const TokenGrid stretched = token_grid(tiles, 8);
    CHECK(stretched.tokens() == tiles.tiles() * 64);
    check_sum(stretched, i);
    CHECK(std::max(grid.rows(), grid.columns()) <= models::kMostCells);
    CHECK(std::max(stretched.rows(), stretched.columns()) <= models::kMostCells);
  }
}

}  // namespace test_token_grid
