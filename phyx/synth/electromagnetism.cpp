// SPDX-License-Identifier: MIT
// Electromagnetism: a circuit, two charges, a charge in a magnetic field, a moving rod; new: a
// series circuit, an electron in the field, the current of the rod.
#include "phyx/synth/domains.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "phyx/synth/draft.hpp"
#include "phyx/synth/props.hpp"

namespace gaze::phyx::synth {

namespace {

/// A loop of wire with a battery on one side.
void draw_loop(Draft& d, float battery_x) {
  d.canvas.frame({{.14f, .15f}, {.86f, .85f}}, .022f, ink);
  draw_battery(d, {battery_x, .5f});
}

// U = R I: I = U / R.
Values draw_ohm_current(Rng& r) {
  for (;;) {
    const int resistance = r.range(2, 9), current = r.range(2, 12);
    if (resistance * current <= 99) return {resistance, current};
  }
}

void build_ohm_current(const Values& v, Draft& d) {
  const int resistance = v[0], voltage = v[0] * v[1];
  const bool battery_left = d.rng.below(2) == 0;
  d.kind("circuit");
  draw_loop(d, battery_left ? .14f : .86f);
  draw_resistor(d, {battery_left ? .86f : .14f, .5f}, true);
  const Point at_voltage = d.near({battery_left ? .395f : .605f, .5f});
  const Point at_resistance = d.near({battery_left ? .72f : .28f, .5f});
  d.fact("voltage", voltage, d.label(voltage, at_voltage, force_red));
  d.fact("resistance", resistance, d.label(resistance, at_resistance, ink));
  d.note("battery", battery_left ? "left" : "right");
  d.say({{"a battery drives a current through a resistor . the picture shows the voltage in V and "
          "the resistance in kohm .",
          "what is the current ?"},
         {"the circuit has a battery with a voltage in V and a resistor in kohm .",
          "find the current ."}});
  d.principle("ohm law");
  d.answer(d.step(voltage, '/', resistance), "mA",
           {voltage - resistance, resistance, voltage + resistance});
}

// Like charges repel, unlike charges attract.
Values draw_charge_force(Rng& r) { return {r.below(4), r.below(2), r.below(2), r.below(4)}; }

void build_charge_force(const Values& v, Draft& d) {
  const int side = v[0];  // side of the red ball
  const bool red_plus = v[1] == 1, blue_plus = v[2] == 1;
  d.kind("charges");
  const float apart = .2f + .035f * static_cast<float>(v[3]);
  const Point centre = d.near({.5f, .5f}), u = direction_vector(side);
  d.canvas.dashed(centre - apart * u, centre + apart * u, .014f, steel);
  const Box red_box = draw_charge(d, centre + apart * u, .145f, force_red, red_plus);
  const Box blue_box = draw_charge(d, centre - apart * u, .145f, length_blue, blue_plus);
  d.fact(words("red", direction_name(side)), red_plus ? "plus" : "minus", red_box);
  d.fact(words("blue", direction_name(side + 2)), blue_plus ? "plus" : "minus", blue_box);
  d.note("side", direction_name(side));
  d.say({{"the picture shows a red and a blue charge with their signs .",
          "which way is the red charge pushed ?"},
         {"a red charge and a blue charge act on each other .",
          "in which direction does the force on the red charge point ?"}});
  d.principle("coulomb law");
  const int way = red_plus == blue_plus ? side : side + 2;
  d.answer(direction_name(way), other_directions(way));
}

// F = q v x B with B out of the page: the force is the velocity turned right by a quarter.
Values draw_magnetic_force(Rng& r) {
  return {r.below(4), r.below(2), r.range(-1, 1), r.range(-1, 1)};
}

/// Crosses (into the page) or dots (out of it) on a grid.
void draw_field(Draft& d, bool into) {
  const Colour colour = d.tint({.42f, .52f, .72f});
  for (int row = 0; row < 4; ++row) {
    for (int column = 0; column < 4; ++column) {
      const Point c{.14f + .24f * static_cast<float>(column),
                    .14f + .24f * static_cast<float>(row)};
      if (into) {
        const Segment cross[] = {{c + Point{-.035f, -.035f}, c + Point{.035f, .035f}},
                                 {c + Point{-.035f, .035f}, c + Point{.035f, -.035f}}};
        d.canvas.segments(cross, .018f, colour);
      } else {
        d.canvas.ring(c, .042f, .013f, colour);
        d.canvas.disc(c, .02f, colour);
      }
    }
  }
}

void build_field_force(const Values& v, Draft& d, bool plus) {
  const int velocity = v[0];
  const bool into = v[1] == 1;
  d.kind("field");
  draw_field(d, into);
  const Point u = direction_vector(velocity);
  const Point shift{.09f * static_cast<float>(v[2]), .09f * static_cast<float>(v[3])};
  const Point centre = d.near(Point{.5f, .5f} + shift - .12f * u);
  const Point tip = centre + .38f * u;
  d.canvas.line(centre, tip, .09f, d.paper);
  d.canvas.arrow(centre, tip, .04f, speed_green, .12f);
  draw_charge(d, centre, .12f, plus ? force_red : length_blue, plus);
  d.fact("field", into ? "into" : "out", around(centre, .26f, .26f));
  d.fact("velocity", direction_name(velocity), span(centre, tip, .06f));
  if (plus) {
    d.note("charge", "plus");
  } else {
    d.fact("charge", "minus", around(centre, .12f, .12f));
  }
  d.principle("magnetic force law");
  const int turned = into ? velocity + 1 : velocity + 3;
  const int way = (plus ? turned : turned + 2) & 3;
  d.answer(direction_name(way), other_directions(way));
}

void build_magnetic_force(const Values& v, Draft& d) {
  build_field_force(v, d, true);
  d.say({{"a positive charge moves along the green arrow in a magnetic field . a cross is into the "
          "page , a dot is out of it .",
          "which way does the force point ?"},
         {"a positive charge moves in a magnetic field . a cross is into the page , a dot is out .",
          "in which direction is the charge pushed ?"}});
}

void build_electron_magnetic(const Values& v, Draft& d) {
  build_field_force(v, d, false);
  d.say(
      {{"an electron moves along the green arrow in a magnetic field . a cross is into the page , "
        "a dot is out of it .",
        "which way does the force point ?"},
       {"an electron moves in a magnetic field . a cross is into the page , a dot is out .",
        "in which direction is the electron pushed ?"}});
}

// Motional voltage: U = B L v.
Values draw_rod_voltage(Rng& r) {
  for (;;) {
    const int field = r.range(2, 9), size = r.range(2, 9), speed = r.range(2, 12);
    if (field * size * speed <= 199) return {field, size, speed};
  }
}

void draw_rod(Draft& d) {
  draw_field(d, d.rng.below(2) == 0);
  const float x = d.near({.46f, 0}, .06f).x;
  const float y = d.near({.26f, 0}, .02f).x;
  for (const float rail : {y, 1 - y}) d.canvas.line({.06f, rail}, {.94f, rail}, .03f, ink);
  d.canvas.line({x, y - .06f}, {x, 1.06f - y}, .07f, ink);
  d.canvas.line({x, y - .06f}, {x, 1.06f - y}, .045f, d.tint(light_gold));
  d.canvas.line({x + .04f, .5f}, {x + .3f, .5f}, .09f, d.paper);
  d.canvas.arrow({x + .04f, .5f}, {x + .34f, .5f}, .04f, speed_green, .11f);
}

void build_rod_voltage(const Values& v, Draft& d) {
  d.kind("rod");
  draw_rod(d);
  d.note("velocity", "right");
  d.say({{words("a rod moves in a magnetic field . field =", v[0], "T . length =", v[1],
                "m . speed =", v[2], "m/s ."),
          "what is the voltage ?"},
         {words("a rod of", v[1], "m moves at", v[2], "m/s in a magnetic field of", v[0], "T ."),
          "find the voltage of the rod ."}});
  d.principle("faraday law");
  const int product = d.step(v[0], '*', v[1]);
  d.answer(d.step(product, '*', v[2]), "V", {product, v[0] + v[1] + v[2], v[1] * v[2]});
}

// Resistances in series add up; which one is above does not matter; new.
Values draw_series_circuit(Rng& r) {
  for (;;) {
    const int first = r.range(1, 6), second = r.range(1, 6), current = r.range(2, 9);
    if (first + second <= 9) return {first, second, current};
  }
}

Values deciding_series_circuit(const Values& v) {
  return {std::min(v[0], v[1]), std::max(v[0], v[1]), v[2]};
}

void build_series_circuit(const Values& v, Draft& d) {
  const int first = v[0], second = v[1], voltage = (v[0] + v[1]) * v[2];
  d.kind("circuit");
  draw_loop(d, .14f);
  draw_resistor(d, {.6f, .15f}, false);
  draw_resistor(d, {.6f, .85f}, false);
  d.fact("voltage", voltage, d.label(voltage, d.near({.41f, .5f}), force_red));
  d.fact("resistance up", first, d.label(first, d.near({.69f, .33f}), ink));
  d.fact("resistance down", second, d.label(second, d.near({.69f, .67f}), ink));
  d.note("battery", "left");
  d.say({{"a battery drives a current through two resistors in series . the picture shows the "
          "voltage in V and each resistance in kohm .",
          "what is the current ?"},
         {"the circuit has a battery with a voltage in V and two resistors in kohm in series .",
          "find the current ."}});
  d.principle("ohm law");
  const int total = d.step(first, '+', second);
  d.answer(d.step(voltage, '/', total), "mA", {total, voltage - total, first * second});
}

// Motional voltage, then Ohm's law; new.
Values draw_rod_current(Rng& r) {
  for (;;) {
    const int field = r.range(2, 6), size = r.range(2, 6), speed = r.range(2, 9);
    const int voltage = field * size * speed, resistance = r.range(2, 9);
    if (voltage <= 120 && voltage % resistance == 0) return {field, size, speed, resistance};
  }
}

void build_rod_current(const Values& v, Draft& d) {
  d.kind("rod");
  draw_rod(d);
  d.note("velocity", "right");
  d.say({{words("a rod moves in a magnetic field . field =", v[0], "T . length =", v[1],
                "m . speed =", v[2], "m/s . resistance =", v[3], "kohm ."),
          "what is the current ?"},
         {words("a rod of", v[1], "m moves at", v[2], "m/s in a magnetic field of", v[0],
                "T . the resistor has", v[3], "kohm ."),
          "find the current ."}});
  d.principle("faraday law");
  const int product = d.step(v[0], '*', v[1]);
  const int voltage = d.step(product, '*', v[2]);
  d.answer(d.step(voltage, '/', v[3]), "mA", {product, voltage, v[3]});
}

}  // namespace

std::vector<Template> electromagnetism_templates() {
  const std::string e = "Electromagnetism";
  return {
      {"ohm_current",
       e,
       "Electric Circuits",
       {grounding, numerical},
       true,
       false,
       draw_ohm_current,
       build_ohm_current},
      {"charge_force",
       e,
       "Electrostatics",
       {spatial, grounding},
       true,
       false,
       draw_charge_force,
       build_charge_force,
       nullptr,
       true},
      {"magnetic_force",
       e,
       "Magnetism",
       {spatial, grounding},
       true,
       false,
       draw_magnetic_force,
       build_magnetic_force,
       nullptr,
       true},
      {"rod_voltage",
       e,
       "Electromagnetic Induction",
       {multi_formula, numerical},
       false,
       false,
       draw_rod_voltage,
       build_rod_voltage,
       unordered<3>},
      {"series_circuit",
       e,
       "Electric Circuits",
       {grounding, multi_formula, numerical},
       true,
       true,
       draw_series_circuit,
       build_series_circuit,
       deciding_series_circuit},
      {"electron_magnetic",
       e,
       "Magnetism",
       {spatial, implicit_condition},
       true,
       true,
       draw_magnetic_force,
       build_electron_magnetic,
       nullptr,
       true},
      {"rod_current",
       e,
       "Electromagnetic Induction",
       {multi_formula, numerical},
       false,
       true,
       draw_rod_current,
       build_rod_current,
       unordered<4>},
  };
}

}  // namespace gaze::phyx::synth
