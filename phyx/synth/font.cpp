// SPDX-License-Identifier: MIT
// Glyphs and text layout.
#include "phyx/synth/font.hpp"

#include <cstddef>

#include "gaze/core/error.hpp"

namespace gaze::phyx::synth {

namespace {

// 0 to 9.
constexpr std::string_view digits[] = {"103041453616050110",
                                       "112026 1636",
                                       "01103041420646",
                                       "011030414233 1333 334445361605",
                                       "36300444",
                                       "4000023243453616 1605",
                                       "413010010516364544331304",
                                       "00404116",
                                       "103041423313020110 1304051636454433",
                                       "423313020110304145361605"};

// A to Z.
constexpr std::string_view capitals[] = {"060146",
                                         "06003041423303 3344453606",
                                         "4130100105163645",
                                         "06002042442006",
                                         "40000646 0333",
                                         "400006 0333",
                                         "41301001051636454323",
                                         "0006 4046 0343",
                                         "1030 2026 1636",
                                         "3035261605",
                                         "0006 4003 1346",
                                         "000646",
                                         "0600234046",
                                         "06004640",
                                         "103041453616050110",
                                         "06003041423303",
                                         "103041453616050110 2446",
                                         "06003041423303 2346",
                                         "41100001024344453605",
                                         "0040 2026",
                                         "000516364540",
                                         "002640",
                                         "0016233640",
                                         "0046 4006",
                                         "0023 402326",
                                         "00400646"};

// a to z.
constexpr std::string_view smalls[] = {"02324346 43130405163645",
                                       "0006 0312324345361605",
                                       "4232120305163646",
                                       "4046 4332120305163645",
                                       "04444332120305163646",
                                       "40302126 0333",
                                       "42473817 4332120305163645",
                                       "0006 0312324346",
                                       "2226 2020",
                                       "32372818 3030",
                                       "0006 4204 1446",
                                       "202536",
                                       "0602 03122326 23324346",
                                       "0602 0312324346",
                                       "123243453616050312",
                                       "0208 0312324345361605",
                                       "4248 4332120305163645",
                                       "0602 04133242",
                                       "4212030434453606",
                                       "202536 1242",
                                       "020516364542 4246",
                                       "022642",
                                       "0216233642",
                                       "0246 4206",
                                       "0226 4208",
                                       "02420646"};

}  // namespace

std::string_view glyph(char c) {
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

float text_width(std::string_view text, float height) {
  if (text.empty()) return 0;
  return glyph_advance(height) * static_cast<float>(text.size() - 1) + height * 4 / 6;
}

std::vector<Segment> text_strokes(std::string_view text, Point centre, float height) {
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

void draw_text(Canvas& canvas, std::string_view text, Point centre, float height, Colour ink) {
  canvas.segments(text_strokes(text, centre, height), .15f * height, ink);
}

void draw_text(Canvas& canvas, std::string_view text, Point centre, float height, Colour ink,
               Colour halo) {
  canvas.segments(text_strokes(text, centre, height), .45f * height, halo);
  draw_text(canvas, text, centre, height, ink);
}

}  // namespace gaze::phyx::synth
