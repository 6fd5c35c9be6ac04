// SPDX-License-Identifier: MIT
// A stroke font: digits, letters and signs as polylines on a grid 4 wide and 6 high (descenders
// reach 8). Two characters per point, x then y, y downwards; a space lifts the pen.
#pragma once
#include <string_view>
#include <vector>

#include "phyx/synth/canvas.hpp"

namespace gaze::phyx::synth {

/// The strokes of a character; empty for a space; Error for a character without a glyph.
inline std::string_view glyph(char c) {
  static constexpr std::string_view digits[] = {"103041453616050110",
                                                "112026 1636",
                                                "01103041420646",
                                                "011030414233 1333 334445361605",
                                                "36300444",
                                                "4000023243453616 1605",
                                                "413010010516364544331304",
                                                "00404116",
                                                "103041423313020110 130405163645443"
                                                "3",
                                                "423313020110304145361605"};
  static constexpr std::string_view capitals[] = {
      "06014"
      "6",
      "06003041423303 334445360"
      "6",
      "41301001051636"
      "45",
      "060020424420"
      "06",
      "40000646 0333",
      "400006 0333",
      "4130100105163645"
      "4323",
      "0006 4046 0343",
      "1030 2026 1636",
      "3035261605",
      "0006 4003 1346",
      "000646",
      "0600234046",
      "06004640",
      "103041453616050110",
      "060030414233"
      "03",
      "103041453616050110 2446",
      "0600304142330"
      "3 2346",
      "411000"
      "01024344"
      "453605",
      "0040 2026",
      "0005163645"
      "40",
      "002640",
      "0016233640",
      "0046 4006",
      "0023 402326",
      "00400646"};
  static constexpr std::string_view smalls[] = {
      "02324346 4313040516364"
      "5",
      "0006 0312324345361605",
      "4232120305163646",
      "4046 4332120305163645",
      "0444433212030516364"
      "6",
      "4030212"
      "6 0333",
      "42473817 4332120305163645",
      "0006 03123243"
      "46",
      "2226 2020",
      "3237281"
      "8 3030",
      "0006 4204 1446",
      "2025"
      "36",
      "0602 03122326 23324346",
      "0602 0312324346",
      "123243453616050312",
      "0208 0312324345361605",
      "4248 4332120305163645",
      "0602 04133242",
      "4212030"
      "4344536"
      "06",
      "2025"
      "36 1242",
      "020516364542 4246",
      "022642",
      "0216233642",
      "0246 4206",
      "0226 4208",
      "02420646"};
  switch (c) {
    case ' ':
      return "";
    case '+':
      return "0343 2125";
    case '-':
      return "0343";
    case '=':
      return "0242 0444";
    case '?':
      return "01103041422324 2626";
    case '.':
      return "2626";
    case '/':
      return "0640";
    default:
      break;
  }
  if (c >= '0' && c <= '9') return digits[c - '0'];
  if (c >= 'A' && c <= 'Z') return capitals[c - 'A'];
  if (c >= 'a' && c <= 'z') return smalls[c - 'a'];
  GAZE_FAIL("glyph", "no glyph for character code ", static_cast<int>(c));
}

/// Horizontal distance between two characters, and the width of a text, for capitals of `height`.
inline float glyph_advance(float height) { return height; }
inline float text_width(std::string_view text, float height) {
  if (text.empty()) return 0;
  return glyph_advance(height) * static_cast<float>(text.size() - 1) + height * 4 / 6;
}

/// The strokes of a text centred at `centre`.
inline std::vector<Segment> text_strokes(std::string_view text, Point centre, float height) {
  const float grid = height / 6;
  Point pen{centre.x - text_width(text, height) / 2, centre.y - height / 2};
  std::vector<Segment> strokes;
  for (const char c : text) {
    const std::string_view code = glyph(c);
    bool down = false;
    Point last;
    for (std::size_t i = 0; i + 1 < code.size();) {
      if (code[i] == ' ') {
        down = false;
        ++i;
        continue;
      }
      const Point p = pen + grid * Point{static_cast<float>(code[i] - '0'),
                                         static_cast<float>(code[i + 1] - '0')};
      if (down) strokes.push_back({last, p});
      last = p;
      down = true;
      i += 2;
    }
    pen.x += glyph_advance(height);
  }
  return strokes;
}

/// Draws a text with capitals of `height`, centred; with a halo it stays legible over lines.
inline void draw_text(Canvas& canvas, std::string_view text, Point centre, float height,
                      Colour ink) {
  canvas.segments(text_strokes(text, centre, height), .15f * height, ink);
}

inline void draw_text(Canvas& canvas, std::string_view text, Point centre, float height, Colour ink,
                      Colour halo) {
  canvas.segments(text_strokes(text, centre, height), .45f * height, halo);
  draw_text(canvas, text, centre, height, ink);
}

}  // namespace gaze::phyx::synth
