// SPDX-License-Identifier: MIT
// Directions in words: "east", "to the left", "counter-clockwise", "out of the page", "-x".
//
//   direction_of("upwards")         == direction_of("vertically up")
//   compare(east, west)             -> opposite
//   compare(east, nothing)          -> missing
//
// Directions are compared within a frame (compass, picture, axes, ...); this file does not assume
// that north is up in a picture.
#pragma once
#include <array>
#include <string_view>

namespace gaze::phyx {

/// Signs along the axes that a text names. `clash`: it names both directions of one axis.
struct Direction {
  enum Axis {
    east,  // compass
    north,
    right,  // picture
    up,
    x,  // axes
    y,
    z,
    clockwise,
    page,    // into it
    inward,  // towards the centre
    towards,
    forward,
    above,
    front,
    attraction,
    order,  // 30° "north of east" is not "east of north"
    axes
  };
  std::array<int, axes> signs{};
  bool clash = false;
  bool pure = true;  // the text contains nothing else

  bool empty() const { return signs == std::array<int, axes>{}; }
};

/// The direction that a text names; empty if none.
Direction direction_of(std::string_view text);

/// An answer's direction relative to the true one. `opposite`: reversed in every frame that both
/// name; `missing`: the truth names a direction in a frame that the answer does not mention.
enum class DirectionMatch { same, missing, opposite, different };

/// Compares frame by frame, ignoring frames that the truth does not mention.
DirectionMatch compare(const Direction& truth, const Direction& answer);

}  // namespace gaze::phyx
