// SPDX-License-Identifier: MIT
// A stroke font: digits, letters and signs as polylines on a grid 4 wide and 6 high (descenders
// reach 8). Two characters per point, x then y, y downwards; a space lifts the pen.
#pragma once
#include <string_view>
#include <vector>

#include "phyx/synth/canvas.hpp"

namespace gaze::phyx::synth {

/// The strokes of a character; empty for a space. Throws Error for a character without a glyph.
std::string_view glyph(char c);

/// Horizontal distance between two characters, for capitals of `height`.
inline float glyph_advance(float height) { return height; }

/// The width of a text, for capitals of `height`.
float text_width(std::string_view text, float height);

/// The strokes of a text centred at `centre`.
std::vector<Segment> text_strokes(std::string_view text, Point centre, float height);

/// Draws a centred text with capitals of `height`. Throws Error for a character without a glyph.
void draw_text(Canvas& canvas, std::string_view text, Point centre, float height, Colour ink);

/// The same over a wider stroke of colour `halo`, to be legible over lines.
void draw_text(Canvas& canvas, std::string_view text, Point centre, float height, Colour ink,
               Colour halo);

}  // namespace gaze::phyx::synth
