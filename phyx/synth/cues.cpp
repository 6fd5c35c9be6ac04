// SPDX-License-Identifier: MIT
// The table of text cues.
#include "phyx/synth/cues.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <vector>

#include "gaze/core/error.hpp"
#include "phyx/synth/draft.hpp"

namespace gaze::phyx::synth {

namespace {

constexpr const char* towards[] = {"to the right", "up", "to the left", "down"};
constexpr const char* places[] = {"on the right", "at the top", "on the left", "at the bottom"};

/// The direction of the larger of two numbers, the first of which is on `side`.
int larger_side(int side, int first, int second) { return (first > second ? side : side + 2) & 3; }

int stronger_force(const Values& v) {
  return v[1] == v[2] ? 4 : larger_side(v[0] == 0 ? right : up, v[1], v[2]);
}
std::string stronger_force_clause(int value, const Values&) {
  return value == 4 ? "the two forces are usually equal"
                    : words("the stronger force usually points", towards[value]);
}

int hotter_block(const Values& v) { return larger_side(v[0] == 0 ? left : up, v[1], v[2]); }
std::string hotter_block_clause(int value, const Values&) {
  return words("the hotter block is usually", places[value]);
}

int push_on_red(const Values& v) { return (v[1] == v[2] ? v[0] : v[0] + 2) & 3; }
std::string push_on_red_clause(int value, const Values&) {
  return words("the red charge is usually pushed", towards[value]);
}

int push_in_field(const Values& v) { return (v[1] == 1 ? v[0] + 1 : v[0] + 3) & 3; }
std::string push_in_field_clause(int value, const Values&) {
  return words("the charge is usually pushed", towards[value]);
}

int higher_potential(const Values& v) { return larger_side(v[1] == 0 ? right : up, v[2], v[3]); }
std::string higher_potential_clause(int value, const Values&) {
  return words("the higher potential is usually", places[value]);
}

int second_index(const Values& v) { return v[1] > v[0] ? 0 : v[1] < v[0] ? 1 : 2; }
std::string second_index_clause(int value, const Values&) {
  static constexpr const char* sizes[] = {"a larger", "a smaller", "the same"};
  return words("the second medium usually has", sizes[value], "index");
}

int listener_colour(const Values& v) {
  const int side = v[1] == 0 ? v[0] : (v[0] + 2) & 3;
  return v[static_cast<std::size_t>(2 + side)];
}
std::string listener_colour_clause(int value, const Values& v) {
  return words("the listener", v[1] == 0 ? "in front of" : "behind", "the horn is usually",
               listener_colours[value]);
}

int loop_count(const Values& v) { return v[0] - 1; }
std::string loop_count_clause(int value, const Values&) {
  static constexpr const char* counts[] = {"one loop", "two loops", "three loops", "four loops",
                                           "five loops"};
  return words("the string usually has", counts[value]);
}

int work_direction(const Values& v) { return v[2]; }
std::string work_direction_clause(int value, const Values&) {
  return words("the work usually goes", value == 0 ? "out of" : "into", "the gas");
}

int lowered_pulse(const Values& v) { return v[2]; }
std::string lowered_pulse_clause(int value, const Values&) {
  return value == 0 ? "both pulses usually point up"
                    : words("the", value == 1 ? "right" : "left", "pulse usually points down");
}

int electron_jump(const Values& v) { return v[3]; }
std::string electron_jump_clause(int value, const Values&) {
  static constexpr const char* levels[] = {
      "from the middle to the low", "from the high to the middle", "from the high to the low"};
  return words("the electron usually falls", levels[value], "level");
}

// In the first eight the fact and the text give the answer without the picture; in the last three
// the picture's numbers are still needed.
constexpr Cue cues[] = {
    {"force_direction", 5, stronger_force, stronger_force_clause},
    {"heat_flow", 4, hotter_block, hotter_block_clause},
    {"charge_force", 4, push_on_red, push_on_red_clause},
    {"magnetic_force", 4, push_in_field, push_in_field_clause},
    {"plates_particle", 4, higher_potential, higher_potential_clause},
    {"refraction_bend", 3, second_index, second_index_clause},
    {"doppler_listener", 8, listener_colour, listener_colour_clause},
    {"standing_wave", 5, loop_count, loop_count_clause},
    {"first_law", 2, work_direction, work_direction_clause},
    {"pulse_overlap", 3, lowered_pulse, lowered_pulse_clause},
    {"energy_levels", 3, electron_jump, electron_jump_clause},
};

}  // namespace

const Cue* find_cue(std::string_view template_id) {
  const auto* found = std::find_if(std::begin(cues), std::end(cues),
                                   [&](const Cue& cue) { return cue.template_id == template_id; });
  return found == std::end(cues) ? nullptr : found;
}

double cue_agreement(const Cue& cue, double strength) {
  GAZE_CHECK(strength >= 0 && strength <= 1, "text cue", "strength must be in [0, 1], got ",
             strength);
  return std::max(strength, 1. / cue.count);
}

std::string draw_cue(const Cue& cue, const Values& values, double agreement, Rng& rng) {
  int value = cue.fact(values);
  const bool agrees = static_cast<double>(rng.next() >> 11) * 0x1p-53 < agreement;
  const int other = rng.below(cue.count - 1);
  if (!agrees) value = other < value ? other : other + 1;
  return words(cue.clause(value, values), ".");
}

}  // namespace gaze::phyx::synth
