// SPDX-License-Identifier: MIT
// PhyX's official rule score (valid_type STR, the rules of the repository's latest version).
//
//   score_official(form, truth, reply)   what the rules extract from a reply, and whether it counts
//   official_csv(items)                  the overall mean and one mean per category, as `_acc.csv`
//
// The rules are kept with all their oddities, because published numbers come from them: a bare
// "A" scores 0 in multiple choice, and an echo of all options scores 1. They work on Python
// strings, so strip, lower and word boundaries here follow Python's Unicode rules.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gaze/core/error.hpp"
#include "phyx/problem.hpp"
#include "phyx/tsv.hpp"

namespace gaze::phyx {

namespace detail {

/// A text as code points. A byte that is not UTF-8 becomes U+DC00 + byte, and back.
inline std::u32string to_points(std::string_view text) {
  std::u32string points;
  points.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    const char32_t point = next_code_point(text, at);
    points += point == bad_utf8 ? 0xDC00 + byte : point;
  }
  return points;
}

inline std::string to_utf8(std::u32string_view points) {
  std::string text;
  const auto add = [&](char32_t byte) { text += static_cast<char>(byte); };
  for (const char32_t p : points) {
    if (p < 0x80 || (p >= 0xDC80 && p <= 0xDCFF)) {
      add(p & 0xFF);
    } else if (p < 0x800) {
      add(0xC0 | p >> 6), add(0x80 | (p & 0x3F));
    } else if (p < 0x10000) {
      add(0xE0 | p >> 12), add(0x80 | (p >> 6 & 0x3F)), add(0x80 | (p & 0x3F));
    } else {
      add(0xF0 | p >> 18), add(0x80 | (p >> 12 & 0x3F));
      add(0x80 | (p >> 6 & 0x3F)), add(0x80 | (p & 0x3F));
    }
  }
  return text;
}

/// str.isspace, which is also what strip removes and what \s matches.
inline bool is_space(char32_t c) noexcept {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 ||
         c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
         c == 0x205F || c == 0x3000;
}

inline std::u32string_view strip(std::u32string_view text) noexcept {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

struct PointRange {
  char32_t first, last;
};

// clang-format off
/// The letters and digits beyond ASCII (Unicode 14), unassigned gaps closed.
inline constexpr PointRange word_ranges[] = {
    {0xAA,0xAA}, {0xB2,0xB3}, {0xB5,0xB5}, {0xB9,0xBA}, {0xBC,0xBE}, {0xC0,0xD6}, {0xD8,0xF6},
    {0xF8,0x2C1}, {0x2C6,0x2D1}, {0x2E0,0x2E4}, {0x2EC,0x2EC}, {0x2EE,0x2EE}, {0x370,0x374},
    {0x376,0x37D}, {0x37F,0x37F}, {0x386,0x386}, {0x388,0x3F5}, {0x3F7,0x481}, {0x48A,0x559},
    {0x560,0x588}, {0x5D0,0x5F2}, {0x620,0x64A}, {0x660,0x669}, {0x66E,0x66F}, {0x671,0x6D3},
    {0x6D5,0x6D5}, {0x6E5,0x6E6}, {0x6EE,0x6FC}, {0x6FF,0x6FF}, {0x710,0x710}, {0x712,0x72F},
    {0x74D,0x7A5}, {0x7B1,0x7EA}, {0x7F4,0x7F5}, {0x7FA,0x7FA}, {0x800,0x815}, {0x81A,0x81A},
    {0x824,0x824}, {0x828,0x828}, {0x840,0x858}, {0x860,0x887}, {0x889,0x88E}, {0x8A0,0x8C9},
    {0x904,0x939}, {0x93D,0x93D}, {0x950,0x950}, {0x958,0x961}, {0x966,0x96F}, {0x971,0x980},
    {0x985,0x9B9}, {0x9BD,0x9BD}, {0x9CE,0x9CE}, {0x9DC,0x9E1}, {0x9E6,0x9F1}, {0x9F4,0x9F9},
    {0x9FC,0x9FC}, {0xA05,0xA39}, {0xA59,0xA6F}, {0xA72,0xA74}, {0xA85,0xAB9}, {0xABD,0xABD},
    {0xAD0,0xAE1}, {0xAE6,0xAEF}, {0xAF9,0xAF9}, {0xB05,0xB39}, {0xB3D,0xB3D}, {0xB5C,0xB61},
    {0xB66,0xB6F}, {0xB71,0xB77}, {0xB83,0xBB9}, {0xBD0,0xBD0}, {0xBE6,0xBF2}, {0xC05,0xC39},
    {0xC3D,0xC3D}, {0xC58,0xC61}, {0xC66,0xC6F}, {0xC78,0xC7E}, {0xC80,0xC80}, {0xC85,0xCB9},
    {0xCBD,0xCBD}, {0xCDD,0xCE1}, {0xCE6,0xCF2}, {0xD04,0xD3A}, {0xD3D,0xD3D}, {0xD4E,0xD4E},
    {0xD54,0xD56}, {0xD58,0xD61}, {0xD66,0xD78}, {0xD7A,0xD7F}, {0xD85,0xDC6}, {0xDE6,0xDEF},
    {0xE01,0xE30}, {0xE32,0xE33}, {0xE40,0xE46}, {0xE50,0xE59}, {0xE81,0xEB0}, {0xEB2,0xEB3},
    {0xEBD,0xEC6}, {0xED0,0xF00}, {0xF20,0xF33}, {0xF40,0xF6C}, {0xF88,0xF8C}, {0x1000,0x102A},
    {0x103F,0x1049}, {0x1050,0x1055}, {0x105A,0x105D}, {0x1061,0x1061}, {0x1065,0x1066},
    {0x106E,0x1070}, {0x1075,0x1081}, {0x108E,0x108E}, {0x1090,0x1099}, {0x10A0,0x10FA},
    {0x10FC,0x135A}, {0x1369,0x138F}, {0x13A0,0x13FD}, {0x1401,0x166C}, {0x166F,0x167F},
    {0x1681,0x169A}, {0x16A0,0x16EA}, {0x16EE,0x1711}, {0x171F,0x1731}, {0x1740,0x1751},
    {0x1760,0x1770}, {0x1780,0x17B3}, {0x17D7,0x17D7}, {0x17DC,0x17DC}, {0x17E0,0x17F9},
    {0x1810,0x1884}, {0x1887,0x18A8}, {0x18AA,0x191E}, {0x1946,0x19DA}, {0x1A00,0x1A16},
    {0x1A20,0x1A54}, {0x1A80,0x1A99}, {0x1AA7,0x1AA7}, {0x1B05,0x1B33}, {0x1B45,0x1B59},
    {0x1B83,0x1BA0}, {0x1BAE,0x1BE5}, {0x1C00,0x1C23}, {0x1C40,0x1C7D}, {0x1C80,0x1CBF},
    {0x1CE9,0x1CEC}, {0x1CEE,0x1CF3}, {0x1CF5,0x1CF6}, {0x1CFA,0x1DBF}, {0x1E00,0x1FBC},
    {0x1FBE,0x1FBE}, {0x1FC2,0x1FCC}, {0x1FD0,0x1FDB}, {0x1FE0,0x1FEC}, {0x1FF2,0x1FFC},
    {0x2070,0x2079}, {0x207F,0x2089}, {0x2090,0x209C}, {0x2102,0x2102}, {0x2107,0x2107},
    {0x210A,0x2113}, {0x2115,0x2115}, {0x2119,0x211D}, {0x2124,0x2124}, {0x2126,0x2126},
    {0x2128,0x2128}, {0x212A,0x212D}, {0x212F,0x2139}, {0x213C,0x213F}, {0x2145,0x2149},
    {0x214E,0x214E}, {0x2150,0x2189}, {0x2460,0x249B}, {0x24EA,0x24FF}, {0x2776,0x2793},
    {0x2C00,0x2CE4}, {0x2CEB,0x2CEE}, {0x2CF2,0x2CF3}, {0x2CFD,0x2CFD}, {0x2D00,0x2D6F},
    {0x2D80,0x2DDE}, {0x2E2F,0x2E2F}, {0x3005,0x3007}, {0x3021,0x3029}, {0x3031,0x3035},
    {0x3038,0x303C}, {0x3041,0x3096}, {0x309D,0x309F}, {0x30A1,0x30FA}, {0x30FC,0x318E},
    {0x3192,0x3195}, {0x31A0,0x31BF}, {0x31F0,0x31FF}, {0x3220,0x3229}, {0x3248,0x324F},
    {0x3251,0x325F}, {0x3280,0x3289}, {0x32B1,0x32BF}, {0x3400,0x4DBF}, {0x4E00,0xA48C},
    {0xA4D0,0xA4FD}, {0xA500,0xA60C}, {0xA610,0xA66E}, {0xA67F,0xA69D}, {0xA6A0,0xA6EF},
    {0xA717,0xA71F}, {0xA722,0xA788}, {0xA78B,0xA801}, {0xA803,0xA805}, {0xA807,0xA80A},
    {0xA80C,0xA822}, {0xA830,0xA835}, {0xA840,0xA873}, {0xA882,0xA8B3}, {0xA8D0,0xA8D9},
    {0xA8F2,0xA8F7}, {0xA8FB,0xA8FB}, {0xA8FD,0xA8FE}, {0xA900,0xA925}, {0xA930,0xA946},
    {0xA960,0xA97C}, {0xA984,0xA9B2}, {0xA9CF,0xA9D9}, {0xA9E0,0xA9E4}, {0xA9E6,0xAA28},
    {0xAA40,0xAA42}, {0xAA44,0xAA4B}, {0xAA50,0xAA59}, {0xAA60,0xAA76}, {0xAA7A,0xAA7A},
    {0xAA7E,0xAAAF}, {0xAAB1,0xAAB1}, {0xAAB5,0xAAB6}, {0xAAB9,0xAABD}, {0xAAC0,0xAAC0},
    {0xAAC2,0xAADD}, {0xAAE0,0xAAEA}, {0xAAF2,0xAAF4}, {0xAB01,0xAB5A}, {0xAB5C,0xAB69},
    {0xAB70,0xABE2}, {0xABF0,0xFB1D}, {0xFB1F,0xFB28}, {0xFB2A,0xFBB1}, {0xFBD3,0xFD3D},
    {0xFD50,0xFDC7}, {0xFDF0,0xFDFB}, {0xFE70,0xFEFC}, {0xFF10,0xFF19}, {0xFF21,0xFF3A},
    {0xFF41,0xFF5A}, {0xFF66,0xFFDC}, {0x10000,0x100FA}, {0x10107,0x10133}, {0x10140,0x10178},
    {0x1018A,0x1018B}, {0x10280,0x102D0}, {0x102E1,0x10375}, {0x10380,0x1039D}, {0x103A0,0x103CF},
    {0x103D1,0x10563}, {0x10570,0x10855}, {0x10858,0x10876}, {0x10879,0x1091B}, {0x10920,0x10939},
    {0x10980,0x10A00}, {0x10A10,0x10A35}, {0x10A40,0x10A48}, {0x10A60,0x10A7E}, {0x10A80,0x10AC7},
    {0x10AC9,0x10AE4}, {0x10AEB,0x10AEF}, {0x10B00,0x10B35}, {0x10B40,0x10B91}, {0x10BA9,0x10D23},
    {0x10D30,0x10EA9}, {0x10EB0,0x10F45}, {0x10F51,0x10F54}, {0x10F70,0x10F81}, {0x10FB0,0x10FF6},
    {0x11003,0x11037}, {0x11052,0x1106F}, {0x11071,0x11072}, {0x11075,0x11075}, {0x11083,0x110AF},
    {0x110D0,0x110F9}, {0x11103,0x11126}, {0x11136,0x1113F}, {0x11144,0x11144}, {0x11147,0x11172},
    {0x11176,0x11176}, {0x11183,0x111B2}, {0x111C1,0x111C4}, {0x111D0,0x111DA}, {0x111DC,0x111DC},
    {0x111E1,0x1122B}, {0x11280,0x112A8}, {0x112B0,0x112DE}, {0x112F0,0x112F9}, {0x11305,0x11339},
    {0x1133D,0x1133D}, {0x11350,0x11350}, {0x1135D,0x11361}, {0x11400,0x11434}, {0x11447,0x1144A},
    {0x11450,0x11459}, {0x1145F,0x114AF}, {0x114C4,0x114C5}, {0x114C7,0x115AE}, {0x115D8,0x115DB},
    {0x11600,0x1162F}, {0x11644,0x11659}, {0x11680,0x116AA}, {0x116B8,0x116B8}, {0x116C0,0x1171A},
    {0x11730,0x1173B}, {0x11740,0x1182B}, {0x118A0,0x1192F}, {0x1193F,0x1193F}, {0x11941,0x11941},
    {0x11950,0x119D0}, {0x119E1,0x119E1}, {0x119E3,0x119E3}, {0x11A00,0x11A00}, {0x11A0B,0x11A32},
    {0x11A3A,0x11A3A}, {0x11A50,0x11A50}, {0x11A5C,0x11A89}, {0x11A9D,0x11A9D}, {0x11AB0,0x11C2E},
    {0x11C40,0x11C40}, {0x11C50,0x11C6C}, {0x11C72,0x11C8F}, {0x11D00,0x11D30}, {0x11D46,0x11D46},
    {0x11D50,0x11D89}, {0x11D98,0x11EF2}, {0x11FB0,0x11FD4}, {0x12000,0x1246E}, {0x12480,0x12FF0},
    {0x13000,0x1342E}, {0x14400,0x16A69}, {0x16A70,0x16AED}, {0x16B00,0x16B2F}, {0x16B40,0x16B43},
    {0x16B50,0x16E96}, {0x16F00,0x16F4A}, {0x16F50,0x16F50}, {0x16F93,0x16FE1}, {0x16FE3,0x16FE3},
    {0x17000,0x1BC99}, {0x1D2E0,0x1D2F3}, {0x1D360,0x1D6C0}, {0x1D6C2,0x1D6DA}, {0x1D6DC,0x1D6FA},
    {0x1D6FC,0x1D714}, {0x1D716,0x1D734}, {0x1D736,0x1D74E}, {0x1D750,0x1D76E}, {0x1D770,0x1D788},
    {0x1D78A,0x1D7A8}, {0x1D7AA,0x1D7C2}, {0x1D7C4,0x1D7FF}, {0x1DF00,0x1DF1E}, {0x1E100,0x1E12C},
    {0x1E137,0x1E14E}, {0x1E290,0x1E2AD}, {0x1E2C0,0x1E2EB}, {0x1E2F0,0x1E2F9}, {0x1E7E0,0x1E8CF},
    {0x1E900,0x1E943}, {0x1E94B,0x1E959}, {0x1EC71,0x1ECAB}, {0x1ECAD,0x1ECAF}, {0x1ECB1,0x1ED2D},
    {0x1ED2F,0x1EEBB}, {0x1F100,0x1F10C}, {0x1FBF0,0x3134A},
};

/// Simple lower case: every `step`-th point of a range moves by `shift`.
struct LowerRange {
  char32_t first, last;
  int step, shift;
};
inline constexpr LowerRange lower_ranges[] = {
    {0x41,0x5A,1,32}, {0xC0,0xD6,1,32}, {0xD8,0xDE,1,32}, {0x100,0x12E,2,1}, {0x132,0x136,2,1},
    {0x139,0x147,2,1}, {0x14A,0x176,2,1}, {0x178,0x178,1,-121}, {0x179,0x17D,2,1},
    {0x181,0x181,1,210}, {0x182,0x184,2,1}, {0x186,0x186,1,206}, {0x187,0x187,1,1},
    {0x189,0x18A,1,205}, {0x18B,0x18B,1,1}, {0x18E,0x18E,1,79}, {0x18F,0x18F,1,202},
    {0x190,0x190,1,203}, {0x191,0x191,1,1}, {0x193,0x193,1,205}, {0x194,0x194,1,207},
    {0x196,0x196,1,211}, {0x197,0x197,1,209}, {0x198,0x198,1,1}, {0x19C,0x19C,1,211},
    {0x19D,0x19D,1,213}, {0x19F,0x19F,1,214}, {0x1A0,0x1A4,2,1}, {0x1A6,0x1A6,1,218},
    {0x1A7,0x1A7,1,1}, {0x1A9,0x1A9,1,218}, {0x1AC,0x1AC,1,1}, {0x1AE,0x1AE,1,218},
    {0x1AF,0x1AF,1,1}, {0x1B1,0x1B2,1,217}, {0x1B3,0x1B5,2,1}, {0x1B7,0x1B7,1,219},
    {0x1B8,0x1B8,1,1}, {0x1BC,0x1BC,1,1}, {0x1C4,0x1C4,1,2}, {0x1C5,0x1C5,1,1}, {0x1C7,0x1C7,1,2},
    {0x1C8,0x1C8,1,1}, {0x1CA,0x1CA,1,2}, {0x1CB,0x1DB,2,1}, {0x1DE,0x1EE,2,1}, {0x1F1,0x1F1,1,2},
    {0x1F2,0x1F4,2,1}, {0x1F6,0x1F6,1,-97}, {0x1F7,0x1F7,1,-56}, {0x1F8,0x21E,2,1},
    {0x220,0x220,1,-130}, {0x222,0x232,2,1}, {0x23A,0x23A,1,10795}, {0x23B,0x23B,1,1},
    {0x23D,0x23D,1,-163}, {0x23E,0x23E,1,10792}, {0x241,0x241,1,1}, {0x243,0x243,1,-195},
    {0x244,0x244,1,69}, {0x245,0x245,1,71}, {0x246,0x24E,2,1}, {0x370,0x372,2,1},
    {0x376,0x376,1,1}, {0x37F,0x37F,1,116}, {0x386,0x386,1,38}, {0x388,0x38A,1,37},
    {0x38C,0x38C,1,64}, {0x38E,0x38F,1,63}, {0x391,0x3A1,1,32}, {0x3A3,0x3AB,1,32},
    {0x3CF,0x3CF,1,8}, {0x3D8,0x3EE,2,1}, {0x3F4,0x3F4,1,-60}, {0x3F7,0x3F7,1,1},
    {0x3F9,0x3F9,1,-7}, {0x3FA,0x3FA,1,1}, {0x3FD,0x3FF,1,-130}, {0x400,0x40F,1,80},
    {0x410,0x42F,1,32}, {0x460,0x480,2,1}, {0x48A,0x4BE,2,1}, {0x4C0,0x4C0,1,15},
    {0x4C1,0x4CD,2,1}, {0x4D0,0x52E,2,1}, {0x531,0x556,1,48}, {0x10A0,0x10C5,1,7264},
    {0x10C7,0x10C7,1,7264}, {0x10CD,0x10CD,1,7264}, {0x13A0,0x13EF,1,38864}, {0x13F0,0x13F5,1,8},
    {0x1C90,0x1CBA,1,-3008}, {0x1CBD,0x1CBF,1,-3008}, {0x1E00,0x1E94,2,1}, {0x1E9E,0x1E9E,1,-7615},
    {0x1EA0,0x1EFE,2,1}, {0x1F08,0x1F0F,1,-8}, {0x1F18,0x1F1D,1,-8}, {0x1F28,0x1F2F,1,-8},
    {0x1F38,0x1F3F,1,-8}, {0x1F48,0x1F4D,1,-8}, {0x1F59,0x1F5F,2,-8}, {0x1F68,0x1F6F,1,-8},
    {0x1F88,0x1F8F,1,-8}, {0x1F98,0x1F9F,1,-8}, {0x1FA8,0x1FAF,1,-8}, {0x1FB8,0x1FB9,1,-8},
    {0x1FBA,0x1FBB,1,-74}, {0x1FBC,0x1FBC,1,-9}, {0x1FC8,0x1FCB,1,-86}, {0x1FCC,0x1FCC,1,-9},
    {0x1FD8,0x1FD9,1,-8}, {0x1FDA,0x1FDB,1,-100}, {0x1FE8,0x1FE9,1,-8}, {0x1FEA,0x1FEB,1,-112},
    {0x1FEC,0x1FEC,1,-7}, {0x1FF8,0x1FF9,1,-128}, {0x1FFA,0x1FFB,1,-126}, {0x1FFC,0x1FFC,1,-9},
    {0x2126,0x2126,1,-7517}, {0x212A,0x212A,1,-8383}, {0x212B,0x212B,1,-8262},
    {0x2132,0x2132,1,28}, {0x2160,0x216F,1,16}, {0x2183,0x2183,1,1}, {0x24B6,0x24CF,1,26},
    {0x2C00,0x2C2F,1,48}, {0x2C60,0x2C60,1,1}, {0x2C62,0x2C62,1,-10743}, {0x2C63,0x2C63,1,-3814},
    {0x2C64,0x2C64,1,-10727}, {0x2C67,0x2C6B,2,1}, {0x2C6D,0x2C6D,1,-10780},
    {0x2C6E,0x2C6E,1,-10749}, {0x2C6F,0x2C6F,1,-10783}, {0x2C70,0x2C70,1,-10782},
    {0x2C72,0x2C72,1,1}, {0x2C75,0x2C75,1,1}, {0x2C7E,0x2C7F,1,-10815}, {0x2C80,0x2CE2,2,1},
    {0x2CEB,0x2CED,2,1}, {0x2CF2,0x2CF2,1,1}, {0xA640,0xA66C,2,1}, {0xA680,0xA69A,2,1},
    {0xA722,0xA72E,2,1}, {0xA732,0xA76E,2,1}, {0xA779,0xA77B,2,1}, {0xA77D,0xA77D,1,-35332},
    {0xA77E,0xA786,2,1}, {0xA78B,0xA78B,1,1}, {0xA78D,0xA78D,1,-42280}, {0xA790,0xA792,2,1},
    {0xA796,0xA7A8,2,1}, {0xA7AA,0xA7AA,1,-42308}, {0xA7AB,0xA7AB,1,-42319},
    {0xA7AC,0xA7AC,1,-42315}, {0xA7AD,0xA7AD,1,-42305}, {0xA7AE,0xA7AE,1,-42308},
    {0xA7B0,0xA7B0,1,-42258}, {0xA7B1,0xA7B1,1,-42282}, {0xA7B2,0xA7B2,1,-42261},
    {0xA7B3,0xA7B3,1,928}, {0xA7B4,0xA7C2,2,1}, {0xA7C4,0xA7C4,1,-48}, {0xA7C5,0xA7C5,1,-42307},
    {0xA7C6,0xA7C6,1,-35384}, {0xA7C7,0xA7C9,2,1}, {0xA7D0,0xA7D0,1,1}, {0xA7D6,0xA7D8,2,1},
    {0xA7F5,0xA7F5,1,1}, {0xFF21,0xFF3A,1,32}, {0x10400,0x10427,1,40}, {0x104B0,0x104D3,1,40},
    {0x10570,0x10594,2,39}, {0x10571,0x10579,2,39}, {0x1057D,0x10589,2,39}, {0x1058D,0x10591,2,39},
    {0x10595,0x10595,1,39}, {0x10C80,0x10CB2,1,64}, {0x118A0,0x118BF,1,32}, {0x16E40,0x16E5F,1,32},
    {0x1E900,0x1E921,1,34},
};
// clang-format on

/// \w: a letter, a digit or an underscore.
inline bool is_word(char32_t c) noexcept {
  if (c < 0x80) return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '_';
  const auto after = std::upper_bound(std::begin(word_ranges), std::end(word_ranges), c,
                                      [](char32_t x, const PointRange& r) { return x < r.first; });
  return after != std::begin(word_ranges) && c <= std::prev(after)->last;
}

/// The lower case of one code point; itself where there is none.
inline char32_t lower_point(char32_t c) noexcept {
  if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
  for (const LowerRange& r : lower_ranges) {
    if (c < r.first) break;  // ranges overlap only where a step of 2 leaves every other point out
    if (c <= r.last && (c - r.first) % static_cast<unsigned>(r.step) == 0)
      return static_cast<char32_t>(static_cast<std::int64_t>(c) + r.shift);
  }
  return c;
}

/// Whether `c` has a case, for the final-sigma rule: it is, or is made by, a lower-case mapping.
inline bool is_cased(char32_t c) noexcept {
  if (lower_point(c) != c || (c >= 'a' && c <= 'z')) return true;
  return std::any_of(std::begin(lower_ranges), std::end(lower_ranges),
                     [c](const LowerRange& r) {
                       const auto upper =
                           static_cast<char32_t>(static_cast<std::int64_t>(c) - r.shift);
                       return upper >= r.first && upper <= r.last &&
                              (upper - r.first) % static_cast<unsigned>(r.step) == 0;
                     }) ||
         c == 0x3C2 || (c >= 0xDF && c <= 0xFF && c != 0xF7);
}

/// What the final-sigma rule looks through: apostrophes, colons, accents and joiners.
inline bool is_case_ignorable(char32_t c) noexcept {
  return c == '\'' || c == '.' || c == ':' || c == '^' || c == '`' || c == 0xA8 || c == 0xAD ||
         c == 0xAF || c == 0xB4 || c == 0xB7 || c == 0xB8 || (c >= 0x2B0 && c <= 0x36F) ||
         (c >= 0x200B && c <= 0x200F) || c == 0x2018 || c == 0x2019 || c == 0x2024 || c == 0x2027;
}

/// A capital sigma at `at` ends its word: a cased letter stands before it and none after it.
inline bool is_final_sigma(std::u32string_view text, std::size_t at) noexcept {
  std::size_t before = at, after = at + 1;
  while (before > 0 && is_case_ignorable(text[before - 1])) --before;
  while (after < text.size() && is_case_ignorable(text[after])) ++after;
  return before > 0 && is_cased(text[before - 1]) &&
         (after == text.size() || !is_cased(text[after]));
}

/// str.lower.
inline std::u32string lower(std::u32string_view text) {
  std::u32string lowered;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == 0x130) {
      lowered += U"i\u0307";  // the one letter whose lower case is two code points
    } else if (text[i] == 0x3A3 && is_final_sigma(text, i)) {
      lowered += char32_t{0x3C2};
    } else {
      lowered += lower_point(text[i]);
    }
  }
  return lowered;
}

/// Reads one Python literal, as ast.literal_eval does, as far as O1 needs: whether the text is one,
/// and if it is a dict, the string under "content".
class PythonLiteral {
 public:
  enum class Kind { text, dict, hashable, unhashable };
  struct Value {
    Kind kind = Kind::hashable;
    std::u32string text;                    // Kind::text
    std::optional<std::u32string> content;  // Kind::dict: the value of "content", if a string
  };

  /// Nothing when `source` is not a literal.
  static std::optional<Value> parse(std::u32string_view source) {
    PythonLiteral reader(source);
    try {
      Value value = reader.value();
      reader.skip_space();
      if (reader.here() == ',') return Value{};  // a tuple without parentheses: not a dict anyhow
      if (reader.at_ != source.size()) return std::nullopt;
      return value;
    } catch (const Malformed&) {
      return std::nullopt;
    }
  }

 private:
  struct Malformed {};
  static constexpr int deepest = 200;  // where Python's own tokeniser gives up

  explicit PythonLiteral(std::u32string_view source) : source_(source) {}

  char32_t here(std::size_t ahead = 0) const {
    return at_ + ahead < source_.size() ? source_[at_ + ahead] : 0;
  }
  static void need(bool condition) {
    if (!condition) throw Malformed{};
  }
  bool eat(char32_t wanted) {
    skip_space();
    if (here() != wanted) return false;
    ++at_;
    return true;
  }
  bool eat_word(std::u32string_view word) {
    if (source_.substr(at_, word.size()) != word || is_word(here(word.size()))) return false;
    at_ += word.size();
    return true;
  }
  /// Blanks; inside brackets also line ends and comments.
  void skip_space() {
    for (;; ++at_) {
      const char32_t c = here();
      if (depth_ > 0 && c == '#')
        while (here(1) != 0 && here(1) != '\n') ++at_;
      else if (c != ' ' && c != '\t' && c != '\f' && (depth_ == 0 || (c != '\n' && c != '\r')))
        return;
    }
  }

  Value value() {
    skip_space();
    const char32_t c = here();
    if (c == '{') return braces();
    if (c == '[') return items(']', Kind::unhashable);
    if (c == '(') return items(')', Kind::hashable);
    if (starts_string()) return strings();
    if (eat_word(U"True") || eat_word(U"False") || eat_word(U"None")) return {};
    if (source_.substr(at_, 3) == U"...") {
      at_ += 3;
      return {};
    }
    return number();
  }

  /// A list or tuple; parentheses around one value without a comma are that value.
  Value items(char32_t close, Kind kind) {
    ++at_;
    need(++depth_ < deepest);
    Value first;
    std::size_t count = 0, commas = 0;
    bool hashable = true;
    while (!eat(close)) {
      need(count == commas);
      Value item = value();
      hashable = hashable && is_hashable(item);
      if (count++ == 0) first = std::move(item);
      if (eat(',')) ++commas;
    }
    --depth_;
    if (close == ')' && count == 1 && commas == 0) return first;
    Value result;
    result.kind = hashable ? kind : Kind::unhashable;
    return result;
  }

  static bool is_hashable(const Value& v) {
    return v.kind == Kind::text || v.kind == Kind::hashable;
  }

  /// A dict, a set, or {} (a dict).
  Value braces() {
    ++at_;
    need(++depth_ < deepest);
    Value dict;
    dict.kind = Kind::dict;
    bool is_set = false;
    for (bool first = true, comma = true; !eat('}'); first = false) {
      need(comma);
      const Value key = value();
      need(is_hashable(key));
      const bool pair = eat(':');
      need(first || pair != is_set);
      is_set = !pair;
      if (pair) {
        Value item = value();
        if (key.kind == Kind::text && key.text == U"content") {
          dict.content.reset();
          if (item.kind == Kind::text) dict.content = std::move(item.text);
        }
      }
      comma = eat(',');
    }
    --depth_;
    if (is_set) dict.kind = Kind::unhashable;
    return dict;
  }

  /// The length of a string prefix (r, u, b, br, rb in either case) when a quote follows it.
  bool starts_string() const {
    std::size_t n = 0;
    while (n < 2 && std::u32string_view(U"rRuUbB").find(here(n)) != std::u32string_view::npos) ++n;
    if (here(n) != '"' && here(n) != '\'') return false;
    const char32_t a = here(0) | 32, b = here(1) | 32;
    return n < 2 || (a == 'r' && b == 'b') || (a == 'b' && b == 'r');
  }

  /// One string, or several side by side, which Python joins.
  Value strings() {
    Value joined;
    bool bytes = false;
    for (bool first = true; starts_string(); first = false) {
      bool raw = false, is_bytes = false;
      for (; here() != '"' && here() != '\''; ++at_) {
        raw = raw || (here() | 32) == 'r';
        is_bytes = is_bytes || (here() | 32) == 'b';
      }
      need(first || bytes == is_bytes);
      bytes = is_bytes;
      one_string(joined.text, raw, bytes);
      skip_space();
    }
    joined.kind = bytes ? Kind::hashable : Kind::text;
    return joined;
  }

  void one_string(std::u32string& text, bool raw, bool bytes) {
    const char32_t quote = here();
    const bool triple = here(1) == quote && here(2) == quote;
    at_ += triple ? 3 : 1;
    while (here() != quote || (triple && (here(1) != quote || here(2) != quote))) {
      const char32_t c = here();
      need(c != 0 && (triple || c != '\n') && !(bytes && c >= 0x80));
      ++at_;
      if (c != '\\') {
        text += c;
      } else if (raw) {
        need(here() != 0);
        (text += c) += here();
        ++at_;
      } else {
        escape(text, bytes);
      }
    }
    at_ += triple ? 3 : 1;
  }

  /// What follows a backslash. An escape that Python does not know keeps its backslash.
  void escape(std::u32string& text, bool bytes) {
    static constexpr std::u32string_view names = U"abfnrtv\\'\"", codes = U"\a\b\f\n\r\t\v\\'\"";
    const char32_t c = here();
    need(c != 0);
    ++at_;
    if (const std::size_t known = names.find(c); known != names.npos) {
      text += codes[known];
    } else if (c == 'x' || (!bytes && (c == 'u' || c == 'U'))) {
      text += hexadecimal(c == 'x' ? 2 : c == 'u' ? 4 : 8);
    } else if (c >= '0' && c <= '7') {
      char32_t code = c - '0';
      for (int i = 0; i < 2 && here() >= '0' && here() <= '7'; ++i)
        code = code * 8 + source_[at_++] - '0';
      text += code;
    } else if (c != '\n') {
      need(bytes || c != 'N');  // \N{NAME}: no table of names here
      (text += '\\') += c;
    }
  }

  char32_t hexadecimal(int digits) {
    char32_t code = 0;
    for (; digits > 0; --digits, ++at_) {
      const std::size_t digit = std::u32string_view(U"0123456789abcdef").find(lower_point(here()));
      need(digit != std::u32string_view::npos && code <= 0x10FFFF);
      code = code * 16 + static_cast<char32_t>(digit);
    }
    need(code <= 0x10FFFF);
    return code;
  }

  /// An optional sign and a number, or a complex sum of two; its value does not matter.
  Value number() {
    pass_sign();
    unsigned_number();
    skip_space();
    if (pass_sign()) {
      unsigned_number();
      need(source_[at_ - 1] == 'j' || source_[at_ - 1] == 'J');
    }
    return {};
  }

  bool pass_sign() {
    if (here() != '+' && here() != '-') return false;
    ++at_;
    skip_space();
    return true;
  }

  void unsigned_number() {
    const char32_t base = here() == '0' ? here(1) | 32 : 0;
    if (base == 'x' || base == 'o' || base == 'b') {
      at_ += 2;
      if (here() == '_') ++at_;
      need(digits(base == 'x' ? U"0123456789abcdefABCDEF" : base == 'o' ? U"01234567" : U"01") > 0);
    } else {
      decimal();
    }
    need(!is_word(here()));
  }

  void decimal() {
    const std::size_t start = at_;
    std::size_t count = digits(U"0123456789");
    const bool padded = count > 1 && source_[start] == '0' &&
                        source_.substr(start, at_ - start).find_first_not_of(U"0_") != source_.npos;
    bool whole = true;
    if (here() == '.') {
      ++at_;
      whole = false;
      count += digits(U"0123456789");
    }
    need(count > 0);
    if (here() == 'e' || here() == 'E') {
      ++at_;
      whole = false;
      if (here() == '+' || here() == '-') ++at_;
      need(digits(U"0123456789") > 0);
    }
    if (here() == 'j' || here() == 'J') {
      ++at_;
      whole = false;
    }
    need(!whole || !padded);  // 007 is no integer in Python
  }

  /// Passes over digits with single underscores between them; returns how many.
  std::size_t digits(std::u32string_view allowed) {
    std::size_t count = 0;
    const auto is_digit = [&](char32_t c) { return c != 0 && allowed.find(c) != allowed.npos; };
    while (is_digit(here()) || (count > 0 && here() == '_' && is_digit(here(1)))) {
      if (here() != '_') ++count;
      ++at_;
    }
    return count;
  }

  std::u32string_view source_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

/// O1's repair: double quotes around each bare key between `{` or `,` and `:`.
inline std::u32string quote_bare_keys(std::u32string_view text) {
  const auto is_bare = [](char32_t c) {
    return std::u32string_view(U"\"'{}:,").find(c) == std::u32string_view::npos && !is_space(c);
  };
  std::u32string quoted;
  std::size_t at = 0;
  while (at < text.size()) {
    quoted += text[at++];
    if (quoted.back() != '{' && quoted.back() != ',') continue;
    std::size_t first = at;
    while (first < text.size() && is_space(text[first])) ++first;
    std::size_t last = first;
    while (last < text.size() && is_bare(text[last])) ++last;
    std::size_t colon = last;
    while (colon < text.size() && is_space(text[colon])) ++colon;
    if (first == last || colon == text.size() || text[colon] != ':') continue;
    (quoted += text.substr(at, first - at)) += '"';
    (quoted += text.substr(first, last - first)) += '"';
    at = last;
  }
  return quoted;
}

/// O1: the reply, or what a dict reply holds under "content".
inline std::u32string oe_reply(std::u32string_view prediction) {
  const std::u32string reply(strip(prediction));
  auto literal = PythonLiteral::parse(reply);
  if (!literal) {
    std::u32string repaired = reply;
    if (!repaired.starts_with(U'{')) repaired.insert(0, 1, U'{');
    if (!repaired.ends_with(U'}')) repaired += U'}';
    literal = PythonLiteral::parse(quote_bare_keys(repaired));
  }
  const bool usable = literal && literal->kind == PythonLiteral::Kind::dict && literal->content &&
                      !literal->content->empty();
  return usable ? std::u32string(strip(*literal->content)) : reply;
}

/// Whether word characters neither precede nor follow [at, end) in `text`.
inline bool stands_alone(std::u32string_view text, std::size_t at, std::size_t end) noexcept {
  return (at == 0 || !is_word(text[at - 1])) && (end == text.size() || !is_word(text[end]));
}

/// M3 and M4: the letter that a multiple-choice reply names, or 0.
inline char32_t mc_letter(std::u32string_view reply) {
  static constexpr std::u32string_view keywords[] = {U"correct", U"answer", U"option",
                                                     U"Correct", U"Answer", U"Option"};
  static constexpr std::u32string_view letters = U"ABCD";
  const std::size_t last_letter = reply.find_last_of(letters);
  for (std::size_t at = 0; last_letter != reply.npos && at < last_letter; ++at)
    for (const std::u32string_view word : keywords)
      if (reply.substr(at, word.size()) == word && stands_alone(reply, at, at + word.size()))
        return reply[reply.find_first_of(letters, at + word.size())];
  for (std::size_t at = reply.size(); at-- > 1;)
    if (reply[at] == ':' && letters.find(reply[at - 1]) != letters.npos) return reply[at - 1];
  return 0;
}

/// O3: what the first \boxed{…} holds; nothing when its brace never closes.
inline std::optional<std::u32string> boxed(std::u32string_view reply) {
  static constexpr std::u32string_view opening = U"\\boxed{";
  const std::size_t found = reply.find(opening);
  if (found == reply.npos) return std::nullopt;
  const std::size_t start = found + opening.size();
  int depth = 1;
  for (std::size_t at = start; at < reply.size(); ++at) {
    if (reply[at] == '{') ++depth;
    if (reply[at] == '}' && --depth == 0) return std::u32string(reply.substr(start, at - start));
  }
  return std::nullopt;
}

/// Where `word` (lower case) at `at` ends, ignoring case as Python's re does; npos: not there.
inline std::size_t match_ignoring_case(std::u32string_view text, std::size_t at,
                                       std::u32string_view word) noexcept {
  if (at + word.size() > text.size()) return text.npos;
  for (std::size_t i = 0; i < word.size(); ++i) {
    char32_t c = text[at + i];
    if (c == 0x130 || c == 0x131) c = 'i';  // dotted capital and dotless small i
    if (c == 0x17F) c = 's';                // long s
    if (lower_point(c) != word[i]) return text.npos;
  }
  return at + word.size();
}

/// O4: what follows "final answer … :" up to three line ends in a row.
inline std::optional<std::u32string> after_final_answer(std::u32string_view reply) {
  for (std::size_t at = 0; at < reply.size(); ++at) {
    if (at > 0 && is_word(reply[at - 1])) continue;
    std::size_t end = match_ignoring_case(reply, at, U"final");
    if (end == reply.npos) end = match_ignoring_case(reply, at, U"correct");
    if (end == reply.npos || end == reply.size() || !is_space(reply[end])) continue;
    while (end < reply.size() && is_space(reply[end])) ++end;
    end = match_ignoring_case(reply, end, U"answer");
    if (end == reply.npos || (end < reply.size() && is_word(reply[end]))) continue;
    const std::size_t colon = reply.find_first_of(U":\uFF1A", end);
    if (colon == reply.npos) return std::nullopt;  // nor can a later match have one
    std::size_t start = colon + 1;
    while (start < reply.size() && is_space(reply[start])) ++start;
    const std::size_t stop = std::min(reply.find(U"\n\n\n", start), reply.size());
    return std::u32string(reply.substr(start, stop - start));
  }
  return std::nullopt;
}

inline void replace_all(std::u32string& text, std::u32string_view from, std::u32string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != text.npos; at += to.size())
    text.replace(at, from.size(), to);
}

inline constexpr std::u32string_view failed_call = U"Failed to obtain answer via API.";
inline constexpr const char* nothing_extracted = "SAME as predict";
inline constexpr const char* call_failed = "Fail to Call API";

}  // namespace detail

/// What the rules make of one reply.
struct OfficialScore {
  std::string extracted;  // "SAME as predict" when no rule found an answer
  bool match = false;
};

/// Rules M1 to M7.
inline OfficialScore score_official_mc(std::string_view answer, std::string_view prediction) {
  using namespace detail;
  const std::u32string truth = to_points(answer), all = to_points(prediction);
  const std::u32string_view reply = strip(all);
  if (reply == failed_call) return {call_failed, false};
  const char32_t letter = mc_letter(reply);
  const auto holds = [&](const std::u32string& part) { return reply.find(part) != reply.npos; };
  OfficialScore score{nothing_extracted, false};
  if (letter != 0) {
    score.extracted = static_cast<char>(letter);
    score.match = lower(strip(truth)) == std::u32string(1, lower_point(letter));
  }
  score.match = score.match || holds(truth + U":") || holds(truth + U"**") || holds(U"**" + truth);
  return score;
}

/// Rules O1 to O6.
inline OfficialScore score_official_oe(std::string_view answer, std::string_view prediction) {
  using namespace detail;
  const std::u32string truth = to_points(answer), reply = oe_reply(to_points(prediction));
  if (reply == failed_call) return {call_failed, false};
  std::optional<std::u32string> found = boxed(reply);
  if (!found) found = after_final_answer(reply);
  if (found) {
    replace_all(*found, U"\\dfrac", U"\\frac");
    replace_all(*found, U"\\pi", U"3.14");
  }
  const std::string extracted = found ? to_utf8(*found) : nothing_extracted;
  const std::u32string wanted = lower(strip(truth));
  const bool match = wanted == lower(strip(to_points(extracted))) || wanted == lower(reply) ||
                     reply.find(truth) != reply.npos;
  return {extracted, match};
}

/// The official rule score of `prediction` where `answer` is the truth, both exactly as stored:
/// trailing blanks matter. A missing prediction is the text "nan".
inline OfficialScore score_official(Form form, std::string_view answer,
                                    std::string_view prediction) {
  return form == Form::mc ? score_official_mc(answer, prediction)
                          : score_official_oe(answer, prediction);
}

/// One scored problem, for the official table.
struct OfficialItem {
  std::string category;
  bool match = false;
};

/// The official `_acc.csv`: the overall mean, then one mean per category sorted by code point,
/// as unrounded fractions with all fields quoted. Throws Error when there is nothing to average.
inline std::string official_csv(const std::vector<OfficialItem>& items) {
  GAZE_CHECK(!items.empty(), "official_csv", "no items");
  struct Tally {
    std::size_t hits = 0, count = 0;
  };
  Tally overall;
  std::map<std::string, Tally> categories;  // byte order of UTF-8 is the order of code points
  for (const OfficialItem& item : items) {
    for (Tally* tally : {&overall, &categories[item.category]}) {
      tally->hits += item.match;
      ++tally->count;
    }
  }
  std::string names = "\"Overall\"", values;
  const auto add_value = [&](const Tally& t) {
    values += (values.empty() ? "\"" : ",\"") +
              python_float_text(static_cast<double>(t.hits) / static_cast<double>(t.count)) + "\"";
  };
  add_value(overall);
  for (const auto& [category, tally] : categories) {
    names += ",\"";
    for (const char c : category) names.append(c == '"' ? 2 : 1, c);
    names += '"';
    add_value(tally);
  }
  return names + "\n" + values + "\n";
}

}  // namespace gaze::phyx
