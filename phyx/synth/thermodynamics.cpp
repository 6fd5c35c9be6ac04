// SPDX-License-Identifier: MIT
// Thermodynamics: heat flow, the first law, a compressed gas, heated water; new: final temperature.
#include "phyx/synth/domains.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "phyx/synth/draft.hpp"
#include "phyx/synth/props.hpp"

namespace gaze::phyx::synth {

namespace {

/// The colour of a body at 0 to 100 degC: from blue over white to red.
Colour heat_colour(int temperature) {
  const float t = static_cast<float>(temperature) / 100;
  const Colour cold{.50f, .72f, .98f}, mild{.97f, .95f, .90f}, hot{.98f, .55f, .45f};
  return t < .5f ? blend(cold, mild, 2 * t) : blend(mild, hot, 2 * t - 1);
}

/// Two touching bodies, the first on `side`. Returns the boxes of their labels.
std::pair<Box, Box> draw_contact(Draft& d, int side, int first, int second) {
  const Point centre = d.near({.5f, .5f}), u = direction_vector(side);
  const bool flat = u.y == 0;
  const float along = .19f;
  Box boxes[2];
  for (int i = 0; i < 2; ++i) {
    const int temperature = i == 0 ? first : second;
    const Point c = centre + (i == 0 ? along : -along) * u;
    draw_block(d, around(c, flat ? .185f : .25f, flat ? .24f : .185f), heat_colour(temperature));
    boxes[i] = d.inner_label(temperature, d.near(c, .008f), ink);
  }
  return {boxes[0], boxes[1]};
}

// Heat flows from hot to cold.
Values draw_heat_flow(Rng& r) {
  for (;;) {
    const int first = 10 * r.range(1, 9), second = 10 * r.range(1, 9);
    if (first != second) return {r.below(2), first, second};
  }
}

void build_heat_flow(const Values& v, Draft& d) {
  const int side = v[0] == 0 ? left : up, first = v[1], second = v[2];
  d.kind("contact");
  const auto [first_box, second_box] = draw_contact(d, side, first, second);
  d.fact(words("temperature", direction_name(side)), first, first_box);
  d.fact(words("temperature", direction_name(side + 2)), second, second_box);
  d.note("axis", side == left ? "horizontal" : "vertical");
  d.say({{"two metal blocks touch . the picture shows each temperature in degC .",
          "which way does heat flow ?"},
         {"two metal blocks with a temperature in degC touch each other .",
          "in which direction does the heat move ?"}});
  d.principle("heat transfer law");
  d.step(std::max(first, second), '-', std::min(first, second));
  const int way = (first > second ? side + 2 : side) & 3;
  d.answer(direction_name(way), other_directions(way));
}

// First law: change of internal energy = heat in - work done by the gas.
Values draw_first_law(Rng& r) {
  for (;;) {
    const int heat = r.range(2, 19), work = r.range(1, 9);
    if (heat > work) return {heat, work, r.below(2)};
  }
}

void build_first_law(const Values& v, Draft& d) {
  const int heat = v[0], work = v[1];
  const bool outwards = v[2] == 0;
  d.kind("gas");
  const Point c = d.near({.58f, .6f});
  const Box cylinder = around(c, .17f, .26f);
  d.canvas.box({c + Point{-.17f, -.17f}, cylinder.high}, d.tint(water));
  for (int i = 0; i < 9; ++i) {
    d.canvas.disc(c + Point{d.rng.real(-.13f, .13f), d.rng.real(-.1f, .22f)}, .014f, length_blue);
  }
  const Point walls[] = {cylinder.low,
                         {cylinder.low.x, cylinder.high.y},
                         cylinder.high,
                         {cylinder.high.x, cylinder.low.y}};
  d.canvas.polyline(walls, .03f, ink);
  const Point piston = c + Point{0, -.17f};
  d.canvas.box(around(piston, .17f, .035f), ink);
  const Point top = piston + Point{0, -.05f}, above = piston + Point{0, -.33f};
  d.canvas.arrow(outwards ? top : above, outwards ? above : top, .045f, speed_green, .13f);
  const Point from = c + Point{-.47f, .1f}, to = c + Point{-.2f, .1f};
  d.canvas.arrow(from, to, .045f, force_red, .11f);
  const Box heat_box = d.label(heat, d.near(c + Point{-.38f, -.08f}), force_red);
  const Box work_box = d.label(work, d.near(c + Point{.19f, -.38f}), speed_green);
  d.fact("heat in", heat, join(heat_box, span(from, to, 0)));
  d.fact(outwards ? "work out" : "work in", work, join(work_box, span(top, above, 0)));
  d.note("piston", outwards ? "up" : "down");
  d.say(
      {{"a gas takes in heat in J along the red arrow . the green arrow is work in J , out of or "
        "into the gas .",
        "how much does the internal energy grow ?"},
       {"the red arrow shows heat into a gas in J , the green arrow work in J out of or into it .",
        "find the growth of the internal energy ."}});
  d.principle("energy conservation");
  d.answer(d.step(heat, outwards ? '-' : '+', work), "J",
           {heat, outwards ? heat + work : heat - work});
}

// p V is constant at constant temperature.
Values draw_gas_compression(Rng& r) {
  for (;;) {
    const int pressure = r.range(2, 9), before = r.range(2, 12), after = r.range(2, 12);
    const int product = pressure * before;
    const bool distinct = before != after && pressure != before && pressure != after;
    if (distinct && product % after == 0 && product / after <= 40) return {pressure, before, after};
  }
}

void build_gas_compression(const Values& v, Draft& d) {
  const int pressure = v[0], before = v[1], after = v[2];
  d.kind("cylinders");
  Box boxes[2];
  for (int i = 0; i < 2; ++i) {
    const int volume = i == 0 ? before : after;
    const Point foot = d.near({i == 0 ? .25f : .75f, .88f}, .008f);
    const float height = .25f + .03f * static_cast<float>(volume), half = .17f;
    const Box gas{foot + Point{-half, -height}, foot + Point{half, 0}};
    d.canvas.box(gas, d.tint(water));
    const Point walls[] = {foot + Point{-half, -.74f}, foot + Point{-half, 0},
                           foot + Point{half, 0}, foot + Point{half, -.74f}};
    d.canvas.polyline(walls, .028f, ink);
    d.canvas.box(around(foot + Point{0, -height}, half, .032f), ink);
    d.canvas.line(foot + Point{0, -height}, foot + Point{0, -.78f}, .03f, steel);
    boxes[i] = d.inner_label(volume, foot + Point{0, -.135f}, length_blue);
  }
  d.fact("volume left", before, boxes[0]);
  d.fact("volume right", after, boxes[1]);
  d.note("change", after < before ? "smaller" : "larger");
  d.say(
      {{words(
            "left is a gas before , right is it after , at constant temperature . the volumes are "
            "in L . the pressure before is",
            pressure, "kPa ."),
        "what is the pressure after ?"},
       {words("a gas has pressure =", pressure,
              "kPa on the left . its volume in L changes to the one on the right at constant "
              "temperature ."),
        "find the new pressure ."}});
  d.principle("ideal gas law");
  const int product = d.step(pressure, '*', before);
  d.answer(d.step(product, '/', after), "kPa", {pressure, product, before});
}

// Q = m c dT with c in kJ per kg and degC: 4 for water, 2 for oil.
Values draw_water_heat(Rng& r) {
  for (;;) {
    const int mass = r.range(1, 16), rise = r.range(2, 24), capacity = 2 + 2 * r.below(2);
    if (mass * rise * capacity <= 199) return {mass, rise, capacity, r.below(2)};
  }
}

void build_water_heat(const Values& v, Draft& d) {
  const int mass = v[0], rise = v[1], capacity = v[2];
  const char *liquid = capacity == 4 ? "water" : "oil", *vessel = v[3] == 0 ? "pot" : "cup";
  d.kind("kettle");
  const Point c = d.near({.46f, .48f});
  const float half = v[3] == 0 ? .26f : .19f;
  const Colour oil{.96f, .82f, .45f};
  d.canvas.box({c + Point{-half, -.06f}, c + Point{half, .2f}},
               d.tint(capacity == 4 ? water : oil));
  const Point walls[] = {c + Point{-half, -.2f}, c + Point{-half, .2f}, c + Point{half, .2f},
                         c + Point{half, -.2f}};
  d.canvas.polyline(walls, .035f, ink);
  d.canvas.arc(c + Point{half, 0}, .1f, -1.5f, 1.5f, .035f, ink);
  for (int i = -1; i <= 1; ++i) {
    const Point foot = c + Point{.12f * static_cast<float>(i), .4f};
    const Point flame[] = {foot + Point{-.045f, 0}, foot + Point{0, -.14f}, foot + Point{.045f, 0},
                           foot + Point{0, .035f}};
    d.canvas.polygon(flame, d.tint(light_gold));
    d.canvas.disc(foot, .02f, force_red);
  }
  d.note("vessel", vessel);
  d.say({{words("a", vessel, "holds", mass, "kg of", liquid, ". it warms by", rise, "degC .",
                liquid, "needs", capacity, "kJ per kg and degC ."),
          "how much heat is needed ?"},
         {words(liquid, "in a", vessel, "has mass =", mass, "kg and warms by", rise,
                "degC . it needs", capacity, "kJ per kg and degC ."),
          "find the heat ."}});
  d.principle("heat transfer law");
  const int per_degree = d.step(mass, '*', capacity);
  d.answer(d.step(per_degree, '*', rise), "kJ",
           {per_degree, capacity * rise, capacity * (mass + rise)}, capacity);
}

// Equal bodies reach their mean temperature; which one is on the left does not matter; new.
Values draw_final_temperature(Rng& r) {
  for (;;) {
    const int first = 5 * r.range(1, 19), second = 5 * r.range(1, 19);
    if (first != second && (first + second) % 10 == 0) return {first, second};
  }
}

void build_final_temperature(const Values& v, Draft& d) {
  d.kind("contact");
  const auto [first_box, second_box] = draw_contact(d, left, v[0], v[1]);
  d.fact("temperature left", v[0], first_box);
  d.fact("temperature right", v[1], second_box);
  d.note("axis", "horizontal");
  d.say({{"two equal metal blocks touch . the picture shows each temperature in degC .",
          "what is the temperature after a long time ?"},
         {"two equal metal blocks with a temperature in degC touch each other .",
          "find the temperature at the end ."}});
  d.principle("heat transfer law");
  const int sum = d.step(v[0], '+', v[1]);
  d.answer(d.step(sum, '/', 2), "degC", {v[0], v[1], sum}, 5);
}

}  // namespace

std::vector<Template> thermodynamics_templates() {
  const std::string t = "Thermodynamics";
  return {
      {"heat_flow",
       t,
       "Temperature and Heat Transfer",
       {spatial, predictive},
       true,
       false,
       draw_heat_flow,
       build_heat_flow},
      {"first_law",
       t,
       "Laws of Thermodynamics",
       {spatial, grounding, numerical},
       true,
       false,
       draw_first_law,
       build_first_law},
      {"gas_compression",
       t,
       "Ideal Gases and Kinetic Theory",
       {implicit_condition, multi_formula, predictive},
       true,
       false,
       draw_gas_compression,
       build_gas_compression},
      {"water_heat",
       t,
       "Specific Heat and Calorimetry",
       {multi_formula, numerical},
       false,
       false,
       draw_water_heat,
       build_water_heat,
       unordered<3>},
      {"final_temperature",
       t,
       "Specific Heat and Calorimetry",
       {implicit_condition, predictive, numerical},
       true,
       true,
       draw_final_temperature,
       build_final_temperature,
       unordered<2>},
  };
}

}  // namespace gaze::phyx::synth
