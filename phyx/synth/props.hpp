// SPDX-License-Identifier: MIT
// Objects of several templates: walls, blocks, charges, dimension lines, circuit parts, mirrors.
#pragma once
#include "phyx/synth/canvas.hpp"

namespace gaze::phyx::synth {

class Draft;

/// A wall or floor from a to b, hatched on the side of `behind`.
void draw_wall(Draft& d, Point a, Point b, Point behind);

/// A rounded body with an outline and a soft shadow.
void draw_block(Draft& d, Box shape, Colour fill);

/// A shiny ball with an outline.
void draw_ball(Draft& d, Point centre, float radius, Colour fill);

/// A charged ball: its colour names the body, the white sign is its charge.
Box draw_charge(Draft& d, Point centre, float radius, Colour fill, bool plus);

/// A blue dimension line between a and b with end marks.
void draw_length(Draft& d, Point a, Point b);

/// The two plates of a battery across a vertical wire at `centre`.
void draw_battery(Draft& d, Point centre);

/// A resistor, drawn as a box, across a wire at `centre`.
void draw_resistor(Draft& d, Point centre, bool vertical);

/// A plane mirror: a dark line with a silvered back on the side of `behind`.
void draw_mirror(Draft& d, Point a, Point b, Point behind);

}  // namespace gaze::phyx::synth
