// SPDX-License-Identifier: MIT
// How a picture becomes square tiles for a vision tower: sizes only, no pixels (those: tiles.hpp).
//
// Two published ways, both for pictures larger than the tower's input:
//  - Idefics3 and SmolVLM resize the picture until both sides are whole tiles and split it. The
//    whole picture, shrunk to one tile, comes last.
//  - LLaVA-NeXT and Granite Vision ("any resolution") choose the best of a few canvases, fit the
//    picture into it, pad with black and split. The whole picture, squashed to one tile, comes
//    first; features of padding are dropped afterwards.
// Every rounding is that of transformers 5.24, in doubles as there:
// image_processing_pil_idefics3.py, image_processing_pil_llava_next.py, modeling_llava_next.py.
// (LLaVA-NeXT in 4.49 lost a pixel of odd padding.)
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/image/hostile_file.hpp"
#include "gaze/image/image.hpp"
#include "gaze/image/resize.hpp"

namespace gaze::image {

/// Idefics3, SmolVLM.
struct SplitTiling {
  int longest_edge = 2048;  // of the picture before it is split, smaller pictures too
  int side = 512;           // of a tile
  bool split = true;        // otherwise one tile, the whole picture
};

/// LLaVA-NeXT, Granite Vision.
struct AnyresTiling {
  int side = 384;                 // of a tile
  std::vector<Size> resolutions;  // canvases to choose from, each of whole tiles
};

/// The tiles of one picture.
struct TilePlan {
  Size picture;
  int side = 0;  // of a tile
  Filter filter = Filter::lanczos;
  std::vector<Size> resizes;       // of the picture, one after the other, each rounded to bytes
  int left = 0, top = 0;           // of the resized picture on the black canvas that is split
  int rows = 0, columns = 0;       // tiles of the grid, row by row; 0: only the whole picture
  bool whole_picture_last = true;  // shrunk from the resized picture; or first, from the original

  int grid() const { return rows * columns; }  ///< tiles without the whole picture
  int tiles() const { return grid() + 1; }     ///< all tiles
  /// The index of the tile that shows the whole picture.
  int whole_picture() const { return whole_picture_last ? grid() : 0; }
};

/// The features of a grid that remain when those of padding are dropped.
struct FeatureWindow {
  int top = 0, left = 0, rows = 0, columns = 0;
};

/// Limits of a plan. Known models have up to 65 tiles and 17 million pixels in them.
inline constexpr int kMostTiles = 256;
inline constexpr std::int64_t kMostTilePixels = std::int64_t{64} << 20;
/// A picture is never resized to more than this for SplitTiling, whatever its longest edge.
inline constexpr int kMostSplitEdge = 4096, kMostLongestEdge = 1 << 20;

namespace detail {

inline void check_picture(Size picture) {
  const auto [width, height] = picture;
  const DecodeLimits limits;
  GAZE_CHECK(width > 0 && height > 0, "plan_tiles", "a picture of ", width, "x", height, " pixels");
  GAZE_CHECK(width <= limits.max_side && height <= limits.max_side &&
                 std::int64_t{width} * height <= limits.max_pixels,
             "plan_tiles", "a picture of ", width, "x", height, " pixels; the limits are ",
             limits.max_side, " per side and ", limits.max_pixels, " in total");
}

inline void check_tiles(std::int64_t rows, std::int64_t columns, int side) {
  GAZE_CHECK(rows <= kMostTiles && columns <= kMostTiles && rows * columns < kMostTiles,
             "plan_tiles", rows, "x", columns, " tiles and the whole picture are more than ",
             kMostTiles);
  const std::int64_t tiles = rows * columns + 1;
  GAZE_CHECK(side <= kMostSplitEdge && tiles * side * side <= kMostTilePixels, "plan_tiles", tiles,
             " tiles of ", side, "x", side, " pixels; the limits are ", kMostSplitEdge,
             " per side and ", kMostTilePixels, " in total");
}

inline Size at_least_one(Size size) { return {std::max(size.width, 1), std::max(size.height, 1)}; }

/// The longer side becomes `edge`, the other is rounded down.
inline Size scaled_to_edge(Size in, int edge) {
  const double aspect = static_cast<double>(in.width) / in.height;
  if (in.width >= in.height) return {edge, static_cast<int>(edge / aspect)};
  return {static_cast<int>(edge * aspect), edge};
}

/// The longer side becomes `edge`, up to kMostSplitEdge; the other is then even, unless it is 1.
inline Size longest_edge_size(Size in, int edge) {
  Size out = scaled_to_edge(in, edge);
  int& shorter = in.width >= in.height ? out.height : out.width;
  shorter += shorter % 2;
  out = at_least_one(out);
  if (std::max(out.width, out.height) <= kMostSplitEdge) return out;
  return at_least_one(scaled_to_edge(out, kMostSplitEdge));
}

/// Both sides rounded up to whole tiles: the longer one, then the other in proportion to it.
inline Size whole_tiles(Size in, int side) {
  const auto up = [side](int length) { return (std::max(length, 1) + side - 1) / side * side; };
  const int edge = up(std::max(in.width, in.height));
  const Size scaled = scaled_to_edge(in, edge);
  return {up(scaled.width), up(scaled.height)};
}

/// The resolution at which most of the picture's pixels survive; among equals the smallest rest.
inline Size best_resolution(Size picture, const std::vector<Size>& resolutions) {
  Size best;
  std::int64_t most = 0, least_wasted = std::numeric_limits<std::int64_t>::max();
  for (const Size r : resolutions) {
    const double scale = std::min(static_cast<double>(r.width) / picture.width,
                                  static_cast<double>(r.height) / picture.height);
    const auto width = static_cast<std::int64_t>(picture.width * scale);
    const auto height = static_cast<std::int64_t>(picture.height * scale);
    const std::int64_t effective =
        std::min(width * height, std::int64_t{picture.width} * picture.height);
    const std::int64_t wasted = std::int64_t{r.width} * r.height - effective;
    if (effective > most || (effective == most && wasted < least_wasted)) {
      most = effective;
      least_wasted = wasted;
      best = r;
    }
  }
  return best;
}

/// The largest size with the picture's aspect ratio inside the target, rounded up.
inline Size fitted_size(Size picture, Size target) {
  const double across = static_cast<double>(target.width) / picture.width;
  const double down = static_cast<double>(target.height) / picture.height;
  if (across < down) {
    const auto height = static_cast<int>(std::ceil(picture.height * across));
    return {target.width, std::min(height, target.height)};
  }
  const auto width = static_cast<int>(std::ceil(picture.width * down));
  return {std::min(width, target.width), target.height};
}

/// Python's int(round(x, 7)): rounded down, unless x is an integer but for an error of rounding.
inline int rounded_down(double x) {
  const double above = std::ceil(x);
  return static_cast<int>(above - x < 5e-8 ? above : std::floor(x));
}

}  // namespace detail

/// Tiles of a picture for Idefics3 and SmolVLM.
inline TilePlan plan_tiles(const SplitTiling& tiling, Size picture) {
  GAZE_CHECK(tiling.side > 0 && tiling.longest_edge > 0 && tiling.longest_edge <= kMostLongestEdge,
             "plan_tiles", "tiles of ", tiling.side, " pixels, longest edge ", tiling.longest_edge);
  detail::check_picture(picture);
  detail::check_tiles(0, 0, tiling.side);
  TilePlan plan;
  plan.picture = picture;
  plan.side = tiling.side;
  plan.resizes = {detail::longest_edge_size(picture, tiling.longest_edge)};
  if (!tiling.split) return plan;
  const Size whole = detail::whole_tiles(plan.resizes.back(), tiling.side);
  plan.resizes.push_back(whole);
  const int rows = whole.height / tiling.side, columns = whole.width / tiling.side;
  detail::check_tiles(rows, columns, tiling.side);
  if (rows * columns > 1) {
    plan.rows = rows;
    plan.columns = columns;
  }
  return plan;
}

/// Tiles of a picture for LLaVA-NeXT and Granite Vision.
inline TilePlan plan_tiles(const AnyresTiling& tiling, Size picture) {
  GAZE_CHECK(tiling.side > 0 && !tiling.resolutions.empty(), "plan_tiles", "tiles of ", tiling.side,
             " pixels and ", tiling.resolutions.size(), " resolutions");
  for (const auto [width, height] : tiling.resolutions) {
    GAZE_CHECK(width > 0 && height > 0 && width % tiling.side == 0 && height % tiling.side == 0,
               "plan_tiles", "a resolution of ", width, "x", height,
               " pixels is not whole tiles of ", tiling.side);
    detail::check_tiles(height / tiling.side, width / tiling.side, tiling.side);
  }
  detail::check_picture(picture);
  const Size canvas = detail::best_resolution(picture, tiling.resolutions);
  const Size fitted = detail::fitted_size(picture, canvas);
  return {.picture = picture,
          .side = tiling.side,
          .filter = Filter::bicubic,
          .resizes = {fitted},
          .left = (canvas.width - fitted.width) / 2,
          .top = (canvas.height - fitted.height) / 2,
          .rows = canvas.height / tiling.side,
          .columns = canvas.width / tiling.side,
          .whole_picture_last = false};
}

/// The most tiles that any picture has: those of a square one.
inline int most_tiles(const SplitTiling& tiling) {
  return plan_tiles(tiling, {tiling.side, tiling.side}).tiles();
}

/// The most tiles that any picture has: those of the largest canvas.
inline int most_tiles(const AnyresTiling& tiling) {
  int most = 0;
  for (const Size canvas : tiling.resolutions)
    most = std::max(most, plan_tiles(AnyresTiling{tiling.side, {canvas}}, canvas).tiles());
  return most;
}

/// The window of the grid's features, per_side x per_side of each tile, that AnyresTiling keeps.
/// It follows from the picture's size and not from its pixels on the canvas, and can be empty for
/// pictures hundreds of times as long as wide.
inline FeatureWindow unpadded_features(const TilePlan& plan, int per_side) {
  GAZE_CHECK(per_side > 0 && per_side <= plan.side && plan.grid() > 0 && !plan.whole_picture_last,
             "unpadded_features", per_side, " features per side of ", plan.rows, "x", plan.columns,
             " tiles of ", plan.side, " pixels");
  const auto [width, height] = plan.picture;
  FeatureWindow out{0, 0, plan.rows * per_side, plan.columns * per_side};
  if (static_cast<double>(width) / height > static_cast<double>(out.columns) / out.rows) {
    const double scale = static_cast<double>(out.columns) / width;
    out.top = (out.rows - detail::rounded_down(height * scale)) / 2;
    out.rows -= 2 * out.top;
  } else {
    const double scale = static_cast<double>(out.rows) / height;
    out.left = (out.columns - detail::rounded_down(width * scale)) / 2;
    out.columns -= 2 * out.left;
  }
  return out;
}

/// Tokens of a picture: the whole picture's features, then the window's rows, each with a newline.
inline int anyres_tokens(const TilePlan& plan, int per_side) {
  const FeatureWindow kept = unpadded_features(plan, per_side);
  return per_side * per_side + kept.rows * (kept.columns + 1);
}

}  // namespace gaze::image
