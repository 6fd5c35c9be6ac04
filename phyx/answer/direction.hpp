// SPDX-License-Identifier: MIT
// Directions in words: "east", "to the left", "counter-clockwise", "out of the page", "-x".
//
//   direction_of("upwards")         == direction_of("vertically up")
//   compare(east, west)             -> opposite
//   compare(east, nothing)          -> missing
//
// Directions compare within a frame (compass, picture, axes, ...): whether north is up in a picture
// is not for this file to say.
#pragma once
#include <array>
#include <string_view>

namespace gaze::phyx {

/// Signs along the axes that a text names. `clash`: it names both ways of one axis.
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
  bool pure = true;  // the text says nothing else

  bool empty() const { return signs == std::array<int, axes>{}; }
};

/// The direction that a text names; empty when it names none.
Direction direction_of(std::string_view text);

/// What an answer's direction is to the true one. `opposite`: turned round in every frame that both
/// name; `missing`: the truth names a direction in a frame of which the answer says nothing.
enum class DirectionMatch { same, missing, opposite, different };

/// Compares frame by frame; what the answer says in frames that the truth leaves out is no matter.
DirectionMatch compare(const Direction& truth, const Direction& answer);

}  // namespace gaze::phyx
