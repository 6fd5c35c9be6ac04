// SPDX-License-Identifier: MIT
// Waves and acoustics: wave speed, standing waves, the Doppler effect, echoes, overlapping pulses;
// new: the frequency of a wave, the time of a returning pulse.
#include "phyx/synth/domains.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "phyx/synth/draft.hpp"
#include "phyx/synth/props.hpp"

namespace gaze::phyx::synth {

namespace {

/// A travelling wave with its wavelength marked; returns the box of the label.
Box draw_wave(Draft& d, int wavelength) {
  const float y = d.near({0, .62f}).y, phase = d.rng.real(-.02f, .02f);
  d.canvas.dashed({.05f, y}, {.95f, y}, .012f, steel);
  const Colour colour = d.tint({.45f, .20f, .62f});
  d.canvas.sine({.06f + phase, y}, {.94f + phase, y}, 2, .17f, .035f, colour);
  const float first = .06f + phase + .11f, second = first + .44f;
  draw_length(d, {first, y - .25f}, {second, y - .25f});
  const Point middle{.5f * (first + second), y - .39f};
  return join(d.label(wavelength, d.near(middle), length_blue),
              {{first, y - .25f}, {second, y - .25f}});
}

// v = f lambda.
Values draw_wave_speed(Rng& r) {
  for (;;) {
    const int wavelength = r.range(2, 9), frequency = r.range(2, 9);
    if (wavelength != frequency) return {wavelength, frequency};
  }
}

void build_wave_speed(const Values& v, Draft& d) {
  const int wavelength = v[0], frequency = v[1];
  d.kind("wave");
  d.fact("wavelength", wavelength, draw_wave(d, wavelength));
  d.say({{words("the picture shows the wavelength in m . frequency =", frequency, "Hz ."),
          "what is the speed of the wave ?"},
         {words("a wave has a frequency of", frequency, "Hz and a wavelength in m ."),
          "find the speed of the wave ."}});
  d.principle("wave speed relation");
  d.answer(d.step(wavelength, '*', frequency), "m/s",
           {wavelength + frequency, frequency, wavelength});
}

// A string fixed at both ends: L = n lambda / 2.
Values draw_standing_wave(Rng& r) {
  for (;;) {
    const int loops = r.range(1, 5), wavelength = r.range(2, 24);
    const int twice = loops * wavelength;
    if (twice % 2 == 0 && twice / 2 != loops) {
      return {loops, twice / 2, r.below(2)};
    }
  }
}

void build_standing_wave(const Values& v, Draft& d) {
  const int loops = v[0], size = v[1];
  d.kind("string");
  const float y = d.near({0, .5f}).y;
  const Colour colour = v[2] == 0 ? d.tint({.45f, .20f, .62f}) : d.tint(speed_green);
  draw_wall(d, {.08f, y - .24f}, {.08f, y + .24f}, {-1, 0});
  draw_wall(d, {.92f, y - .24f}, {.92f, y + .24f}, {1, 0});
  const float waves = .5f * static_cast<float>(loops);
  d.canvas.sine({.08f, y}, {.92f, y}, waves, -.17f, .022f, blend(colour, d.paper, .5f));
  d.canvas.sine({.08f, y}, {.92f, y}, waves, .17f, .035f, colour);
  for (int i = 0; i <= loops; ++i) {
    const float x = .08f + .84f * static_cast<float>(i) / static_cast<float>(loops);
    d.canvas.disc({x, y}, .025f, ink);
  }
  d.fact("loops", loops, {{.08f, y - .2f}, {.92f, y + .2f}});
  d.note("colour", v[2] == 0 ? "purple" : "green");
  d.say({{words("a standing wave is on a string fixed at both walls . length =", size, "m ."),
          "what is the wavelength ?"},
         {words("a string of", size, "m between two walls has the standing wave of the picture ."),
          "find the wavelength ."}});
  d.principle("wave superposition");
  const int twice = d.step(size, '*', 2);
  d.answer(d.step(twice, '/', loops), "m", {size, twice, size * loops});
}

// Waves are compressed in front of a moving source: a higher pitch; behind it a lower one. The
// values: the source's direction, 0 or 1 for the highest or lowest pitch, the listeners' colours on
// the four sides.
Values draw_doppler_listener(Rng& r) {
  std::vector<int> colours(std::size(listener_colours));
  std::iota(colours.begin(), colours.end(), 0);
  r.shuffle(colours);
  return {r.below(4), r.below(2), colours[0], colours[1], colours[2], colours[3]};
}

/// The side of the listener that the question asks for.
int asked_side(const Values& v) { return v[1] == 0 ? v[0] : (v[0] + 2) & 3; }

Values deciding_doppler_listener(const Values& v) {
  return {v[0], v[1], v[static_cast<std::size_t>(2 + asked_side(v))]};
}

void build_doppler_listener(const Values& v, Draft& d) {
  static constexpr Colour fills[] = {force_red,          length_blue,        speed_green,
                                     {.97f, .80f, .10f}, {.58f, .22f, .72f}, {.97f, .52f, .08f},
                                     {.98f, .98f, .98f}, {.10f, .10f, .12f}};
  const auto colour_at = [&](int side) { return static_cast<std::size_t>(v[2 + (side & 3)]); };
  const int asked = asked_side(v);
  const Point centre = d.near({.5f, .5f}), u = direction_vector(v[0]);
  d.kind("doppler");
  for (int k = 3; k >= 1; --k) {
    const float age = static_cast<float>(k);
    d.canvas.ring(centre - .03f * age * u, .075f * age, .016f, blend(length_blue, d.paper, .55f));
  }
  d.canvas.arrow(centre - .1f * u, centre + .17f * u, .05f, ink, .13f);
  std::vector<std::string> others;
  Box box{};
  for (int side = 0; side < 4; ++side) {
    const Point c = d.near(centre + .37f * direction_vector(side));
    draw_ball(d, c, .09f, d.tint(fills[colour_at(side)]));
    if (side == asked) {
      box = around(c, .09f, .09f);
    } else {
      others.push_back(listener_colours[colour_at(side)]);
    }
  }
  const char* heard = listener_colours[colour_at(asked)];
  d.fact("velocity", direction_name(v[0]), around(centre, .17f, .17f));
  d.fact(direction_name(asked), heard, box);
  for (int side = asked + 1; side < asked + 4; ++side)
    d.note(direction_name(side), listener_colours[colour_at(side)]);
  const char* pitch = v[1] == 0 ? "highest" : "lowest";
  d.say({{"a horn moves along the arrow . four listeners stand around it .",
          words("which listener hears the", pitch, "pitch ?")},
         {"four listeners stand around a horn that moves along the arrow .",
          words("who hears the", pitch, "pitch ?")}});
  d.principle("wave speed relation");
  d.answer(heard, others);
}

// There and back: distance = speed * time / 2.
Values draw_pulse_echo(Rng& r) {
  for (;;) {
    const int speed = r.range(2, 20), time = 2 * r.range(1, 8);
    if (speed * time <= 199) return {speed, time, r.below(2)};
  }
}

void draw_rope(Draft& d, bool wall_right) {
  const float y = d.near({0, .52f}).y, s = wall_right ? 1.f : -1.f;
  const auto at = [&](float x, float height) { return Point{.5f + s * (x - .5f), y - height}; };
  draw_wall(d, at(.9f, -.24f), at(.9f, .24f), {s, 0});
  std::vector<Point> rope;
  for (int i = 0; i <= 60; ++i) {
    const float x = .06f + .84f * static_cast<float>(i) / 60, t = (x - .34f) / .085f;
    rope.push_back(at(x, .2f * std::exp(-t * t)));
  }
  d.canvas.polyline(rope, .035f, d.tint({.45f, .20f, .62f}));
  d.canvas.arrow(at(.42f, .27f), at(.7f, .27f), .03f, speed_green);
  draw_length(d, at(.06f, -.17f), at(.88f, -.17f));
}

void build_pulse_echo(const Values& v, Draft& d) {
  const int speed = v[0], time = v[1];
  const char* side = v[2] == 0 ? "right" : "left";
  d.kind("rope");
  draw_rope(d, v[2] == 0);
  d.note("wall", side);
  d.say({{words("a pulse moves to the wall on the", side, "and comes back . speed =", speed,
                "m/s . time =", time, "s ."),
          "what is the distance to the wall ?"},
         {words("a pulse on a rope with", speed, "m/s is back from the wall on the", side, "after",
                time, "s ."),
          "how far is the wall ?"}});
  d.principle("uniform motion");
  const int path = d.step(speed, '*', time);
  d.answer(d.step(path, '/', 2), "m", {path, speed + time, 2 * path});
}

// Overlapping pulses add with their signs.
Values draw_pulse_overlap(Rng& r) {
  for (;;) {
    const int first = r.range(1, 9), second = r.range(1, 9), mode = r.below(3);
    if (mode == 0 || (mode == 1 && first > second) || (mode == 2 && second > first)) {
      return {first, second, mode};  // mode 1: the right one is down, 2: the left one
    }
  }
}

/// The larger and the smaller height, and whether one pulse is down; which one is on the left does
/// not matter.
Values deciding_pulse_overlap(const Values& v) {
  return {std::max(v[0], v[1]), std::min(v[0], v[1]), v[2] == 0 ? 0 : 1};
}

void build_pulse_overlap(const Values& v, Draft& d) {
  d.kind("pulses");
  const float y = d.near({0, .53f}).y;
  const int heights[] = {v[0], v[1]};
  const bool lowered[] = {v[2] == 2, v[2] == 1};
  const float centres[] = {.28f, .72f};
  std::vector<Point> rope;
  for (int i = 0; i <= 80; ++i) {
    const float x = .05f + .9f * static_cast<float>(i) / 80;
    float rise = 0;
    for (int k = 0; k < 2; ++k) {
      const float t = (x - centres[k]) / .075f,
                  size = .12f + .012f * static_cast<float>(heights[k]);
      rise += (lowered[k] ? -size : size) * std::exp(-t * t);
    }
    rope.push_back({x, y - rise});
  }
  d.canvas.polyline(rope, .035f, d.tint({.45f, .20f, .62f}));
  const char* sides[] = {"left", "right"};
  for (int k = 0; k < 2; ++k) {
    const float s = lowered[k] ? -1.f : 1.f, way = k == 0 ? 1.f : -1.f;
    const Point above{centres[k], y - .31f * s};
    d.canvas.arrow(above - Point{.1f * way, 0}, above + Point{.13f * way, 0}, .028f, speed_green,
                   .08f);
    const Point at = d.near({centres[k], y + .17f * s});
    const Box number = d.label(heights[k], at, length_blue);
    d.fact(words(sides[k], lowered[k] ? "down" : "up"), heights[k],
           join(number, {{centres[k], y - .2f * s}, {centres[k], y - .2f * s}}));
  }
  d.say({{"two pulses on a rope move towards each other . the heights in cm are in the picture .",
          "what is the height when the pulses meet ?"},
         {"two pulses meet on a rope . each has a height in cm , up or down .",
          "find the height where the pulses overlap ."}});
  d.principle("wave superposition");
  const int larger = std::max(v[0], v[1]), smaller = std::min(v[0], v[1]);
  if (v[2] == 0) {
    d.answer(d.step(v[0], '+', v[1]), "cm", {larger - smaller, larger});
  } else {
    d.answer(d.step(larger, '-', smaller), "cm", {larger + smaller, larger});
  }
}

// f = v / lambda; new.
Values draw_wave_frequency(Rng& r) {
  const int wavelength = r.range(2, 9);
  return {wavelength, wavelength * r.range(2, 12)};
}

void build_wave_frequency(const Values& v, Draft& d) {
  const int wavelength = v[0], speed = v[1];
  d.kind("wave");
  d.fact("wavelength", wavelength, draw_wave(d, wavelength));
  d.say({{words("the picture shows the wavelength in m . speed =", speed, "m/s ."),
          "what is the frequency of the wave ?"},
         {words("a wave has a speed of", speed, "m/s and a wavelength in m ."),
          "find the frequency of the wave ."}});
  d.principle("wave speed relation");
  d.answer(d.step(speed, '/', wavelength), "Hz", {speed - wavelength, speed, speed + wavelength});
}

// time = 2 * distance / speed; new.
Values draw_pulse_return(Rng& r) {
  for (;;) {
    const int speed = r.range(2, 9), time = r.range(2, 12);
    if (speed * time % 2 == 0) return {speed, speed * time / 2, r.below(2)};
  }
}

void build_pulse_return(const Values& v, Draft& d) {
  const int speed = v[0], distance = v[1];
  const char* side = v[2] == 0 ? "right" : "left";
  d.kind("rope");
  draw_rope(d, v[2] == 0);
  d.note("wall", side);
  d.say({{words("a pulse moves to the wall on the", side, "and comes back . speed =", speed,
                "m/s . distance =", distance, "m ."),
          "what is the time ?"},
         {words("a pulse on a rope with", speed, "m/s comes back from the wall on the", side,
                ". the wall is", distance, "m away ."),
          "after which time is it back ?"}});
  d.principle("uniform motion");
  const int path = d.step(distance, '*', 2);
  d.answer(d.step(path, '/', speed), "s", {distance, path - speed, path});
}

}  // namespace

std::vector<Template> wave_templates() {
  const std::string w = "Waves/Acoustics";
  return {
      {"wave_speed",
       w,
       "Wave Properties",
       {grounding, numerical},
       true,
       false,
       draw_wave_speed,
       build_wave_speed},
      {"standing_wave",
       w,
       "Resonance and Harmonics",
       {grounding, multi_formula, numerical},
       true,
       false,
       draw_standing_wave,
       build_standing_wave,
       first_values<2>},
      {"doppler_listener",
       w,
       "Sound",
       {spatial, predictive},
       true,
       false,
       draw_doppler_listener,
       build_doppler_listener,
       deciding_doppler_listener},
      {"pulse_echo",
       w,
       "Sound",
       {implicit_condition, multi_formula, numerical},
       false,
       false,
       draw_pulse_echo,
       build_pulse_echo,
       unordered<2>},
      {"pulse_overlap",
       w,
       "Wave Properties",
       {spatial, predictive, numerical},
       true,
       false,
       draw_pulse_overlap,
       build_pulse_overlap,
       deciding_pulse_overlap},
      {"wave_frequency",
       w,
       "Wave Properties",
       {grounding, numerical},
       true,
       true,
       draw_wave_frequency,
       build_wave_frequency},
      {"pulse_return",
       w,
       "Sound",
       {implicit_condition, multi_formula, numerical},
       false,
       true,
       draw_pulse_return,
       build_pulse_return,
       unordered<2>},
  };
}

}  // namespace gaze::phyx::synth
