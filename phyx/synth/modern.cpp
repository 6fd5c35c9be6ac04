// SPDX-License-Identifier: MIT
// Modern physics: photoelectric effect, energy levels, half-life, a particle between plates, a fast
// rocket; new: the needed photon, time dilation.
#include "phyx/synth/domains.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "phyx/synth/draft.hpp"
#include "phyx/synth/props.hpp"

namespace gaze::phyx::synth {

namespace {

struct PhotoBoxes {
  Box photon, metal, electron;
};

/// A photon (gold) that hits a metal and the emitted electron (blue); no label for 0.
PhotoBoxes draw_photoelectric(Draft& d, int photon, int work, int kinetic, bool from_left) {
  const float s = from_left ? 1.f : -1.f;
  const auto at = [s](float x, float y) { return Point{.5f + s * (x - .5f), y}; };
  const Point shift = d.near({0, 0});
  draw_block(d, {Point{.1f, .64f} + shift, Point{.9f, .9f} + shift}, {.80f, .83f, .88f});
  const Box metal = d.inner_label(work, d.near(Point{.5f, .775f} + shift, .008f), ink);
  const Point foot = at(.46f, .61f), source = at(.12f, .14f);
  const Point bend = foot + .2f * unit(source - foot);
  d.canvas.sine(source, bend, 3, .04f, .03f, light_gold);
  d.canvas.arrow(bend, foot, .03f, light_gold, .13f);
  const Point electron = at(.72f, .36f);
  d.canvas.arrow(at(.53f, .6f), at(.65f, .44f), .03f, speed_green, .1f);
  draw_charge(d, electron, .07f, length_blue, false);
  PhotoBoxes boxes{span(source, foot, 0), metal, around(electron, .07f, .07f)};
  if (photon > 0) {
    boxes.photon = d.label(photon, d.near(at(.45f, .2f)), {.72f, .42f, .0f});
  }
  if (kinetic > 0) {
    boxes.electron = join(boxes.electron, d.label(kinetic, d.near(at(.85f, .15f)), speed_green));
  }
  return boxes;
}

// Kinetic energy = photon energy - work function.
Values draw_photoelectric_values(Rng& r) { return {r.range(1, 9), r.range(1, 12)}; }

void build_photoelectric(const Values& v, Draft& d) {
  const int work = v[0], photon = v[0] + v[1];
  const bool from_left = d.rng.below(2) == 0;
  d.kind("metal");
  const PhotoBoxes boxes = draw_photoelectric(d, photon, work, 0, from_left);
  d.fact("photon", photon, boxes.photon);
  d.fact("work", work, boxes.metal);
  d.note("from", from_left ? "left" : "right");
  d.say(
      {{"a photon sets an electron free from a metal . the picture shows the photon energy and the "
        "work of the metal in eV .",
        "what is the kinetic energy of the electron ?"},
       {"a photon with an energy in eV hits a metal with a work in eV .",
        "find the kinetic energy of the electron ."}});
  d.principle("energy conservation");
  d.answer(d.step(photon, '-', work), "eV", {photon + work, photon, work});
}

constexpr int jumps[3][2] = {{1, 0}, {2, 1}, {2, 0}};  // from the higher to the lower level

// The photon's energy is the difference of two levels; the third one does not matter.
Values draw_energy_levels(Rng& r) {
  const int low = r.range(1, 6), middle = low + r.range(1, 7), high = middle + r.range(1, 7);
  return {low, middle, high, r.below(3)};
}

Values deciding_energy_levels(const Values& v) {
  const auto& jump = jumps[v[3]];
  return {v[static_cast<std::size_t>(jump[0])], v[static_cast<std::size_t>(jump[1])]};
}

void build_energy_levels(const Values& v, Draft& d) {
  static constexpr const char* names[] = {"low", "middle", "high"};
  const int from = jumps[v[3]][0], to = jumps[v[3]][1];
  d.kind("levels");
  float heights[3];
  Box boxes[3];
  for (int i = 0; i < 3; ++i) {
    heights[i] = d.near({0, .82f - .31f * static_cast<float>(i)}).y;
    d.canvas.line({.08f, heights[i]}, {.6f, heights[i]}, .03f, ink);
    const Point at = d.near({.79f, heights[i]});
    boxes[i] = d.label(v[static_cast<std::size_t>(i)], at, ink);
  }
  const float x = d.near({.3f, 0}, .03f).x;
  d.canvas.arrow({x, heights[from] + .02f}, {x, heights[to] - .03f}, .045f, force_red, .11f);
  d.canvas.disc({x, heights[from]}, .045f, length_blue);
  const auto with_line = [&](int i) { return join(boxes[i], around({x, heights[i]}, .05f, .05f)); };
  d.fact(words("from", names[from]), v[static_cast<std::size_t>(from)], with_line(from));
  d.fact(words("to", names[to]), v[static_cast<std::size_t>(to)], with_line(to));
  const int other = 3 - from - to;
  d.note(names[other], v[static_cast<std::size_t>(other)]);
  d.note("jump", words(from == 1 ? "low" : to == 1 ? "high" : "far"));
  d.say({{"an electron falls along the red arrow . the picture shows the energy levels in eV .",
          "what is the energy of the photon ?"},
         {"the picture shows three energy levels in eV and the fall of an electron .",
          "find the photon energy ."}});
  d.principle("energy conservation");
  const int high = v[static_cast<std::size_t>(from)], low = v[static_cast<std::size_t>(to)];
  d.answer(d.step(high, '-', low), "eV", {high + low, high, low});
}

// Half of the nuclei are left after each half-life.
Values draw_half_life(Rng& r) {
  for (;;) {
    const int count = r.range(1, 3), life = r.range(2, 9), rest = r.range(2, 12);
    if (rest << count <= 96) return {life, life * count, rest << count};
  }
}

void build_half_life(const Values& v, Draft& d) {
  const int life = v[0], time = v[1], nuclei = v[2];
  d.kind("decay");
  const Point origin = d.near({.14f, .84f});
  std::vector<Point> curve;
  for (int i = 0; i <= 40; ++i) {
    const float t = static_cast<float>(i) / 40;
    curve.push_back(origin + Point{.02f + .68f * t, -.62f * std::exp2(-3 * t)});
  }
  for (int i = 1; i <= 2; ++i) {
    const float t = static_cast<float>(i) / 3, h = -.62f * std::exp2(-3 * t);
    d.canvas.dashed(origin + Point{.02f + .68f * t, 0}, origin + Point{.02f + .68f * t, h}, .014f,
                    steel);
    d.canvas.dashed(origin + Point{0, h}, origin + Point{.02f + .68f * t, h}, .014f, steel);
  }
  d.canvas.arrow(origin, origin + Point{0, -.74f}, .025f, ink, .08f);
  d.canvas.arrow(origin, origin + Point{.78f, 0}, .025f, ink, .08f);
  d.canvas.polyline(curve, .04f, d.tint(force_red));
  d.say({{words("a sample has", nuclei, "g of a nucleus . half life =", life, "s . time =", time,
                "s ."),
          "how much is left ?"},
         {words("the half life of a nucleus is", life, "s . a sample starts with", nuclei,
                "g and waits", time, "s ."),
          "find the mass left ."}});
  d.principle("radioactive decay law");
  const int count = d.step(time, '/', life);
  int left_over = nuclei;
  for (int i = 0; i < count; ++i) left_over = d.step(left_over, '/', 2);
  d.answer(left_over, "g", {nuclei - left_over, nuclei, 2 * left_over});
}

// The plate at the higher potential attracts an electron, the other one a proton; a neutron is not
// deflected.
Values draw_plates_particle(Rng& r) {
  const int roll = r.below(9), first = r.range(1, 9), gap = r.range(1, 8);
  const int second = (first + gap - 1) % 9 + 1;  // another potential
  return {roll == 0 ? 2 : roll % 2, r.below(2), first, second, r.range(-1, 1), r.range(-1, 1)};
}

void build_plates_particle(const Values& v, Draft& d) {
  static constexpr const char* particles[] = {"electron", "proton", "neutron"};
  static constexpr const char* articles[] = {"an", "a", "a"};
  const std::string particle = particles[v[0]], one = words(articles[v[0]], particle);
  const int side = v[1] == 0 ? right : up;  // of the first plate
  const int potentials[] = {v[2], v[3]};
  const Point centre = d.near({.5f, .5f}), u = direction_vector(side), across{u.y, u.x};
  d.kind("plates");
  Box boxes[2];
  for (int i = 0; i < 2; ++i) {
    const Point c = centre + (i == 0 ? .315f : -.315f) * u;
    const Point half{.14f + .25f * std::abs(across.x), .14f + .25f * std::abs(across.y)};
    draw_block(d, {c - half, c + half}, {.80f, .83f, .88f});
    boxes[i] = d.inner_label(potentials[i], c, ink);
  }
  const Point ball =
      centre + .05f * static_cast<float>(v[4]) * u + .14f * static_cast<float>(v[5]) * across;
  draw_ball(d, ball, .08f, d.tint({.55f, .58f, .62f}));
  d.fact(words("potential", direction_name(side)), potentials[0], boxes[0]);
  d.fact(words("potential", direction_name(side + 2)), potentials[1], boxes[1]);
  d.note("axis", side == right ? "horizontal" : "vertical");
  d.say({{words(one, "is at rest between two plates . the picture shows each potential in V ."),
          words("which way does the", particle, "start to move ?")},
         {words("two plates with a potential in V act on", one, "at rest ."),
          words("in which direction does the", particle, "move ?")}});
  d.principle("coulomb law");
  d.step(std::max(v[2], v[3]), '-', std::min(v[2], v[3]));
  if (v[0] == 2) {
    d.answer("rest", other_directions(d.rng.below(4)));
  } else {
    const int way = (v[0] == 0) == (v[2] > v[3]) ? side : side + 2;
    std::vector<std::string> others = other_directions(way);
    others.push_back("rest");
    d.answer(direction_name(way), others);
  }
}

/// A rocket that flies to the right (s = 1) or left (s = -1).
void draw_rocket(Draft& d, Point c, float s) {
  const auto at = [&](float x, float y) { return c + Point{s * x, y}; };
  const Point flame[] = {at(-.26f, -.07f), at(-.42f, 0), at(-.26f, .07f)};
  d.canvas.polygon(flame, light_gold);
  const Point wing[] = {at(-.28f, -.19f), at(-.1f, 0), at(-.28f, .19f)};
  d.canvas.polygon(wing, d.tint(force_red));
  const Point hull[] = {at(-.28f, -.115f), at(.16f, -.115f), at(.27f, -.06f), at(.34f, 0),
                        at(.27f, .06f),    at(.16f, .115f),  at(-.28f, .115f)};
  d.canvas.polygon(hull, d.tint({.86f, .89f, .94f}));
  std::vector<Point> rim(std::begin(hull), std::end(hull));
  rim.push_back(rim.front());
  d.canvas.polyline(rim, .02f, ink);
}

// Length contraction: L = L0 / gamma.
Values draw_rocket_length(Rng& r) {
  for (;;) {
    const int gamma = r.range(2, 6), length = r.range(2, 24);
    if (gamma * length <= 99) return {gamma, length, r.below(2)};
  }
}

void build_rocket_length(const Values& v, Draft& d) {
  const int gamma = v[0], proper = v[0] * v[1];
  const float s = v[2] == 0 ? 1.f : -1.f;
  d.kind("rocket");
  const Point c = d.near({.5f + .03f * s, .4f});
  draw_rocket(d, c, s);
  d.canvas.disc(c + Point{.1f * s, 0}, .055f, ink);
  d.canvas.disc(c + Point{.1f * s, 0}, .038f, water);
  const Point from = c + Point{-.29f * s, .25f}, to = c + Point{.34f * s, .25f};
  draw_length(d, from, to);
  const Box box = d.label(proper, d.near({.5f, c.y + .41f}), length_blue);
  d.fact("length", proper, join(box, span(from, to, 0)));
  d.note("velocity", s > 0 ? "right" : "left");
  d.say({{words("the picture shows the length of a rocket at rest in m . now it is fast . gamma =",
                gamma, "."),
          "what is the length seen from earth ?"},
         {words("a rocket with a length in m at rest moves with gamma =", gamma, "."),
          "find the length seen from earth ."}});
  d.principle("special relativity");
  d.answer(d.step(proper, '/', gamma), "m", {proper, proper - gamma, proper + gamma});
}

// Photon energy = work function + kinetic energy; new.
void build_photon_needed(const Values& v, Draft& d) {
  const int work = v[0], kinetic = v[1];
  const bool from_left = d.rng.below(2) == 0;
  d.kind("metal");
  const PhotoBoxes boxes = draw_photoelectric(d, 0, work, kinetic, from_left);
  d.fact("kinetic", kinetic, boxes.electron);
  d.fact("work", work, boxes.metal);
  d.note("from", from_left ? "left" : "right");
  d.say({{"a photon sets an electron free from a metal . the picture shows the kinetic energy and "
          "the "
          "work of the metal in eV .",
          "what is the energy of the photon ?"},
         {"an electron with a kinetic energy in eV leaves a metal with a work in eV .",
          "find the photon energy ."}});
  d.principle("energy conservation");
  d.answer(d.step(kinetic, '+', work), "eV", {std::abs(kinetic - work), kinetic, work});
}

// Time dilation: t = gamma * t0; new.
Values draw_time_dilation(Rng& r) {
  for (;;) {
    const int gamma = r.range(2, 6), proper = r.range(2, 12);
    if (gamma != proper) return {gamma, proper, r.below(2)};
  }
}

void build_time_dilation(const Values& v, Draft& d) {
  const int gamma = v[0], proper = v[1];
  const float s = v[2] == 0 ? 1.f : -1.f;
  d.kind("rocket");
  const Point c = d.near({.5f + .03f * s, .38f});
  draw_rocket(d, c, s);
  const Point clock = c + Point{-.12f * s, .4f};
  d.canvas.line(c + Point{-.12f * s, .115f}, clock, .014f, steel);
  draw_ball(d, clock, .12f, {1, 1, 1});
  d.canvas.line(clock, clock + Point{0, -.07f}, .02f, force_red);
  d.canvas.line(clock, clock + Point{.05f, 0}, .02f, ink);
  const Box box = d.label(proper, d.near(clock + Point{.32f * s, 0}), length_blue);
  d.fact("time", proper, join(box, around(clock, .12f, .12f)));
  d.note("velocity", s > 0 ? "right" : "left");
  d.say(
      {{words("the picture shows the time of a clock in a fast rocket in s . gamma =", gamma, "."),
        "what is the time seen from earth ?"},
       {words("a rocket with a clock moves with gamma =", gamma,
              ". the time in the rocket is in s ."),
        "find the time seen from earth ."}});
  d.principle("special relativity");
  d.answer(d.step(proper, '*', gamma), "s", {proper, proper + gamma, gamma});
}

}  // namespace

std::vector<Template> modern_templates() {
  const std::string m = "Modern Physics";
  return {
      {"photoelectric",
       m,
       "Quantum Phenomena",
       {grounding, numerical},
       true,
       false,
       draw_photoelectric_values,
       build_photoelectric},
      {"energy_levels",
       m,
       "Quantum Phenomena",
       {spatial, grounding, numerical},
       true,
       false,
       draw_energy_levels,
       build_energy_levels,
       deciding_energy_levels},
      {"half_life",
       m,
       "Nuclear Physics",
       {multi_formula, predictive, numerical},
       false,
       false,
       draw_half_life,
       build_half_life,
       unordered<3>},
      {"plates_particle",
       m,
       "Particle Physics",
       {spatial, implicit_condition, predictive},
       true,
       false,
       draw_plates_particle,
       build_plates_particle,
       first_values<4>},
      {"rocket_length",
       m,
       "Relativity",
       {grounding, numerical},
       true,
       false,
       draw_rocket_length,
       build_rocket_length,
       first_values<2>},
      {"photon_needed",
       m,
       "Quantum Phenomena",
       {grounding, numerical},
       true,
       true,
       draw_photoelectric_values,
       build_photon_needed},
      {"time_dilation",
       m,
       "Relativity",
       {grounding, numerical},
       true,
       true,
       draw_time_dilation,
       build_time_dilation,
       first_values<2>},
  };
}

}  // namespace gaze::phyx::synth
