// SPDX-License-Identifier: MIT
// Where the image tokens of a prompt lie on its picture, and maps of what they weigh there.
//
// A token of a tile stands for its square of the tile, and that for a rectangle of the picture. A
// picture can be seen twice: in the tiles of a grid, and whole in a tile of its own. A map adds
// both: each token's weight is spread evenly over its rectangle, so the sum of the map is the sum
// of the weights, and a cell that a tile and the whole picture both weigh has the sum of both.
#pragma once
#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/core/index.hpp"
#include "gaze/image/tile_plan.hpp"

namespace gaze::models {

/// A rectangle of a picture; both sides of the picture are 1.
struct PictureArea {
  double left = 0, top = 0, right = 1, bottom = 1;

  /// Rectangle number (row, column) of rows x columns equal ones.
  PictureArea part(int row, int column, int rows, int columns) const {
    const double w = (right - left) / columns, h = (bottom - top) / rows;
    return {left + column * w, top + row * h, left + (column + 1) * w, top + (row + 1) * h};
  }
};

/// Most cells of a map along a side.
inline constexpr int kMostCells = 48;

/// The image tokens of one picture, in the order of the prompt, on a map of rows x columns cells.
class TokenGrid {
 public:
  /// Each token's area, clipped to the picture; one that is outside counts at the picture's edge.
  /// The map has the cells of the finest tokens, scaled down until a side has at most kMostCells.
  TokenGrid(std::span<const PictureArea> areas, int rows, int columns) {
    GAZE_CHECK(rows > 0 && columns > 0, "TokenGrid", rows, "x", columns, " cells");
    const int longest = std::max(rows, columns), side = std::min(longest, kMostCells);
    const auto scaled = [&](int n) { return std::max(1, (n * side + longest / 2) / longest); };
    rows_ = scaled(rows);
    columns_ = scaled(columns);
    for (const PictureArea& area : areas) {
      const auto down = overlaps(area.top, area.bottom, rows_);
      const auto across = overlaps(area.left, area.right, columns_);
      for (const auto& [row, height] : down)
        for (const auto& [column, width] : across)
          parts_.push_back({row * columns_ + column, static_cast<float>(height * width)});
      ends_.push_back(parts_.size());
    }
  }

  int rows() const { return rows_; }
  int columns() const { return columns_; }
  Index cells() const { return Index{rows_} * columns_; }
  Index tokens() const { return static_cast<Index>(ends_.size()); }

  /// The map [rows * columns] of weights [tokens]; the sums of both are equal.
  std::vector<float> map(std::span<const float> weights) const {
    GAZE_CHECK(weights.size() == ends_.size(), "TokenGrid", weights.size(), " weights for ",
               ends_.size(), " image tokens");
    std::vector<float> out(static_cast<std::size_t>(cells()), 0.0f);
    std::size_t part = 0;
    for (std::size_t token = 0; token < ends_.size(); ++token)
      for (; part < ends_[token]; ++part)
        out[static_cast<std::size_t>(parts_[part].cell)] += parts_[part].share * weights[token];
    return out;
  }

 private:
  struct Part {
    int cell;
    float share;  // of the token's area
  };
  struct Overlap {
    int cell;
    double share;
  };

  /// The cells of a side that the interval from `begin` to `end` overlaps, with shares of sum 1.
  static std::vector<Overlap> overlaps(double begin, double end, int cells) {
    begin = std::clamp(begin, 0.0, 1.0) * cells;
    end = std::clamp(end, 0.0, 1.0) * cells;
    const double least = 1e-6;  // of a cell: what rounding leaves
    const int first = std::clamp(static_cast<int>(begin + least), 0, cells - 1);
    const int last = std::clamp(static_cast<int>(std::ceil(end - least)) - 1, first, cells - 1);
    if (first == last) return {{first, 1.0}};
    std::vector<Overlap> out;
    for (int c = first; c <= last; ++c)
      out.push_back({c, (std::min(end, c + 1.0) - std::max(begin, double(c))) / (end - begin)});
    return out;
  }

  int rows_, columns_;
  std::vector<Part> parts_;
  std::vector<std::size_t> ends_;  // of each token's parts
};

namespace detail {

/// Adds the tokens of a tile, row by row.
inline void add_tile(std::vector<PictureArea>& out, const PictureArea& tile, int per_side) {
  for (int row = 0; row < per_side; ++row)
    for (int column = 0; column < per_side; ++column)
      out.push_back(tile.part(row, column, per_side, per_side));
}

/// Idefics3: the tiles of the stretched picture row by row, then the whole picture.
inline TokenGrid split_grid(const image::TilePlan& plan, int per_side) {
  std::vector<PictureArea> areas;
  for (int row = 0; row < plan.rows; ++row)
    for (int column = 0; column < plan.columns; ++column)
      add_tile(areas, PictureArea{}.part(row, column, plan.rows, plan.columns), per_side);
  add_tile(areas, {}, per_side);
  return {areas, std::max(1, plan.rows) * per_side, std::max(1, plan.columns) * per_side};
}

/// LLaVA-NeXT: the whole picture, then the rows of the canvas without its padding, each with a
/// newline, which stands for its whole row.
inline TokenGrid anyres_grid(const image::TilePlan& plan, int per_side) {
  const image::FeatureWindow kept = image::unpadded_features(plan, per_side);
  const auto [width, height] = plan.resizes.back();
  const double left = -static_cast<double>(plan.left) / width;
  const double top = -static_cast<double>(plan.top) / height;
  const PictureArea canvas{left, top, left + double(plan.columns) * plan.side / width,
                           top + double(plan.rows) * plan.side / height};
  std::vector<PictureArea> areas;
  add_tile(areas, {}, per_side);
  for (int row = kept.top; row < kept.top + kept.rows; ++row) {
    for (int column = kept.left; column < kept.left + kept.columns; ++column)
      areas.push_back(canvas.part(row, column, plan.rows * per_side, plan.columns * per_side));
    areas.push_back(canvas.part(row, 0, plan.rows * per_side, 1));
  }
  return {areas, std::max(per_side, kept.rows), std::max(per_side, kept.columns)};
}

}  // namespace detail

/// One tile of per_side x per_side tokens, squashed from the whole picture: our own models.
inline TokenGrid token_grid(int per_side) {
  std::vector<PictureArea> areas;
  detail::add_tile(areas, {}, per_side);
  return {areas, per_side, per_side};
}

/// The tiles of a picture, each of per_side x per_side tokens. Where a tower's patches leave a few
/// pixels of a tile's right and bottom edges unread, tokens are taken to cover them too.
inline TokenGrid token_grid(const image::TilePlan& plan, int per_side) {
  return plan.whole_picture_last ? detail::split_grid(plan, per_side)
                                 : detail::anyres_grid(plan, per_side);
}

}  // namespace gaze::models
