// SPDX-License-Identifier: MIT
// The tiles of a picture, cut as a plan says.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/image/image.hpp"
#include "gaze/image/resize.hpp"
#include "gaze/image/tile_plan.hpp"

namespace gaze::image {

namespace detail {

/// The square of the picture whose top left pixel is (x, y); black outside the picture.
inline Image square_at(const Image& picture, int x, int y, int side) {
  const auto bytes = [](int pixels) { return static_cast<std::ptrdiff_t>(pixels) * 3; };
  Image out{side, side,
            std::vector<std::uint8_t>(static_cast<std::size_t>(bytes(side)) *
                                      static_cast<std::size_t>(side))};
  const int first = std::max(x, 0), last = std::min(x + side, picture.width);
  const int top = std::max(y, 0), bottom = std::min(y + side, picture.height);
  if (first >= last) return out;
  for (int row = top; row < bottom; ++row) {
    const auto from = picture.rgb.begin() + row * bytes(picture.width) + bytes(first);
    std::copy_n(from, bytes(last - first),
                out.rgb.begin() + (row - y) * bytes(side) + bytes(first - x));
  }
  return out;
}

}  // namespace detail

/// The tiles, side x side pixels each, in the plan's order: bit for bit those of transformers'
/// image processors with Pillow < 13.
inline std::vector<Image> cut_tiles(const Image& picture, const TilePlan& plan) {
  detail::check_image(picture, "cut_tiles");
  GAZE_CHECK(picture.width == plan.picture.width && picture.height == plan.picture.height,
             "cut_tiles", "the picture has ", picture.width, "x", picture.height,
             " pixels, the plan is for ", plan.picture.width, "x", plan.picture.height);
  const auto whole = [&](const Image& from) {
    return resize(from, plan.side, plan.side, plan.filter);
  };
  std::vector<Image> out;
  out.reserve(static_cast<std::size_t>(plan.tiles()));
  if (!plan.whole_picture_last) out.push_back(whole(picture));
  Image resized = picture;
  for (const Size size : plan.resizes)
    resized = resize(resized, size.width, size.height, plan.filter);
  for (int t = 0; t < plan.grid(); ++t) {
    const int x = t % plan.columns * plan.side, y = t / plan.columns * plan.side;
    out.push_back(detail::square_at(resized, x - plan.left, y - plan.top, plan.side));
  }
  if (plan.whole_picture_last) out.push_back(whole(resized));
  return out;
}

}  // namespace gaze::image
