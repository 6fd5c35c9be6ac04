// SPDX-License-Identifier: MIT
// Mechanics: pushes, opposing forces, a lever, a fall, a collision; new: work, opposed
// acceleration.
#include "phyx/synth/domains.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "phyx/synth/draft.hpp"
#include "phyx/synth/props.hpp"

namespace gaze::phyx::synth {

namespace {

/// A block on a floor with a horizontal force: mass inside, force above the arrow.
/// Returns the boxes of the mass and of the force.
std::pair<Box, Box> draw_push(Draft& d, int mass, int force, int direction, float floor) {
  const Point u = direction_vector(direction);
  const Point centre = d.near({.5f - .22f * u.x, floor - .165f}, .008f);
  draw_wall(d, {.06f, floor}, {.94f, floor}, {0, 1});
  draw_block(d, around(centre, .16f, .155f), pale);
  Box mass_box = around(centre, .12f, .12f);
  if (mass > 0) mass_box = d.inner_label(mass, centre, ink);
  const Point tail = centre + .17f * u, tip = centre + .58f * u;
  d.canvas.arrow(tail, tip, .035f, force_red, .11f);
  const Point above = d.near({centre.x + .37f * u.x, floor - .4f});
  return {mass_box, join(d.label(force, above, force_red), span(tail, tip, 0))};
}

// F = m a: a = F / m.
Values draw_push_acceleration(Rng& r) {
  for (;;) {
    const int mass = r.range(2, 9), acceleration = r.range(2, 12);
    if (mass * acceleration <= 99) return {mass, acceleration};
  }
}

void build_push_acceleration(const Values& v, Draft& d) {
  const int mass = v[0], force = v[0] * v[1], direction = 2 * d.rng.below(2);
  d.kind("push");
  const auto [mass_box, force_box] = draw_push(d, mass, force, direction, .76f);
  d.fact("mass", mass, mass_box);
  d.fact("force", force, force_box);
  d.note("direction", direction_name(direction));
  d.say({{"a block is pushed on a smooth floor . the picture shows the mass in kg and the force "
          "in N .",
          "what is the acceleration ?"},
         {"a force in N acts on a block with a mass in kg . the floor is smooth .",
          "find the acceleration of the block ."}});
  d.principle("newton second law");
  d.answer(d.step(force, '/', mass), "m/s^2", {force - mass, mass, force + mass});
}

/// Two forces along one axis on a body in the middle; first along `axis`, second against it.
/// `unit_length` is the length of an arrow per newton, `half` the half side of the body.
struct Opposing {
  Point centre;
  Box first, second;
};

Opposing draw_opposing(Draft& d, int axis, int first, int second, float unit_length, float half) {
  const Point u = direction_vector(axis), centre = d.near({.5f, .54f});
  draw_block(d, around(centre, half, half), pale);
  Box boxes[2];
  for (int side = 0; side < 2; ++side) {
    const int force = side == 0 ? first : second;
    const Point along = side == 0 ? u : -1 * u;
    const Point tail = centre + half * along;
    const Point tip = tail + (.1f + unit_length * static_cast<float>(force)) * along;
    d.canvas.arrow(tail, tip, .035f, force_red, .09f);
    const bool flat = u.y == 0;
    const Point at = centre + .3f * along + (flat ? Point{0, -.22f} : Point{.2f, 0});
    boxes[side] = join(d.label(force, d.near(at), force_red), span(tail, tip, 0));
  }
  return {centre, boxes[0], boxes[1]};
}

// A body at rest starts to move in the direction of the net force.
Values draw_force_direction(Rng& r) {
  const int first = r.range(1, 9);
  const int second = r.below(6) == 0 ? first : r.range(1, 9);
  return {r.below(2), first, second};
}

void build_force_direction(const Values& v, Draft& d) {
  const int axis = v[0] == 0 ? right : up, first = v[1], second = v[2];
  d.kind("forces");
  const auto [centre, first_box, second_box] = draw_opposing(d, axis, first, second, .024f, .12f);
  d.fact(words("force", direction_name(axis)), first, first_box);
  d.fact(words("force", direction_name(axis + 2)), second, second_box);
  d.note("axis", axis == right ? "horizontal" : "vertical");
  d.say({{"a block at rest on smooth ice is seen from above . two forces in N act on it .",
          "which way does the block start to move ?"},
         {"two forces in N act on a block at rest on smooth ice , seen from above .",
          "in which direction does the block move ?"}});
  d.principle("newton second law");
  const int larger = std::max(first, second);
  d.step(larger, '-', first + second - larger);
  const int way = first > second ? axis : axis + 2;
  if (first == second) {
    std::vector<std::string> others = other_directions(d.rng.below(4));
    d.answer("rest", others);
  } else {
    std::vector<std::string> others = other_directions(way);
    others.push_back("rest");
    d.answer(direction_name(way), others);
  }
}

// Torque balance: m1 d1 = m2 d2.
Values draw_lever_balance(Rng& r) {
  for (;;) {
    const int known = r.range(1, 9), near_arm = r.range(2, 6), far_arm = r.range(2, 6);
    const int torque = known * near_arm;
    if (near_arm != far_arm && torque % far_arm == 0) {
      return {known, near_arm, far_arm, r.below(2)};
    }
  }
}

void build_lever_balance(const Values& v, Draft& d) {
  const int known = v[0], known_arm = v[1], other_arm = v[2];
  const float side = v[3] == 0 ? -1.f : 1.f;  // the known body is on the left or on the right
  d.kind("lever");
  const Point pivot = d.near({.5f, .5f});
  const auto spot = [&](float s, int arm) {
    return pivot + Point{s * (.1f + .045f * static_cast<float>(arm)), 0};
  };
  const Point foot[] = {pivot, pivot + Point{-.07f, .13f}, pivot + Point{.07f, .13f}};
  d.canvas.polygon(foot, steel);
  d.canvas.line(pivot - Point{.45f, 0}, pivot + Point{.45f, 0}, .04f, ink);
  const Point at_known = spot(side, known_arm), at_other = spot(-side, other_arm);
  const Point lift{0, -.165f};
  draw_block(d, around(at_known + lift, .105f, .14f), pale);
  draw_block(d, around(at_other + lift, .105f, .14f), {.99f, .93f, .75f});
  const Box mass_box = d.inner_label(known, at_known + lift, ink);
  d.inner_label("?", at_other + lift, ink);
  const Point low{0, .17f};
  draw_length(d, pivot + low, at_known + low);
  draw_length(d, pivot + low, at_other + low);
  const Box known_box = d.label(known_arm, d.near(pivot + Point{side * .25f, .325f}), length_blue);
  const Box other_box = d.label(other_arm, d.near(pivot + Point{-side * .25f, .325f}), length_blue);
  const char *near_side = side < 0 ? "left" : "right", *far_side = side < 0 ? "right" : "left";
  d.fact(words("mass", near_side), known, mass_box);
  d.fact(words("distance", near_side), known_arm, known_box);
  d.fact(words("distance", far_side), other_arm, other_box);
  d.note("known", near_side);
  d.say({{"a lever is in balance . the picture shows one mass in kg and the distances in m .",
          "what is the other mass ?"},
         {"two bodies balance on a lever . mass in kg and distances in m are in the picture .",
          "find the unknown mass ."}});
  d.principle("static equilibrium");
  const int torque = d.step(known, '*', known_arm);
  d.answer(d.step(torque, '/', other_arm), "kg", {known, torque, known * other_arm});
}

// E = m g h. Planets and moons of the solar system have g from 1 to 25 m/s^2, the Earth 10.
Values draw_fall_energy(Rng& r) {
  for (;;) {
    const int mass = r.range(1, 9), height = r.range(1, 12), gravity = r.range(2, 12);
    if (mass * height * gravity <= 199) return {mass, height, gravity, r.below(3)};
  }
}

void build_fall_energy(const Values& v, Draft& d) {
  static constexpr const char* bodies[] = {"ball", "stone", "box"};
  const int mass = v[0], height = v[1], gravity = v[2], shape = v[3];
  const std::string body = bodies[shape];
  d.kind("fall");
  draw_wall(d, {.08f, .86f}, {.92f, .86f}, {0, 1});
  const Point centre = d.near({.38f, .24f});
  if (shape == 0) draw_ball(d, centre, .1f, d.tint(force_red));
  if (shape == 2) draw_block(d, around(centre, .1f, .1f), {.93f, .80f, .58f});
  if (shape == 1) {
    const Point corners[] = {centre + Point{-.1f, .04f},  centre + Point{-.05f, -.08f},
                             centre + Point{.06f, -.09f}, centre + Point{.11f, .02f},
                             centre + Point{.03f, .1f},   centre + Point{-.06f, .1f}};
    d.canvas.polygon(corners, d.tint({.45f, .45f, .48f}));
  }
  d.canvas.arrow(centre + Point{0, .15f}, centre + Point{0, .42f}, .03f, speed_green);
  draw_length(d, {.72f, centre.y}, {.72f, .845f});
  d.note("body", body);
  d.say({{words("a", body, "falls from rest on a planet . mass =", mass, "kg . height =", height,
                "m . g =", gravity, "m/s^2 ."),
          "what is the kinetic energy at the ground ?"},
         {words("a", body, "of", mass, "kg falls from rest", height,
                "m down on a planet . g =", gravity, "m/s^2 ."),
          "find the kinetic energy at the ground ."}});
  d.principle("energy conservation");
  const int weight = d.step(mass, '*', gravity);
  d.answer(d.step(weight, '*', height), "J", {weight, gravity * (mass + height), gravity * height});
}

// Carts that stick together: m1 v1 = (m1 + m2) v.
Values draw_cart_collision(Rng& r) {
  for (;;) {
    const int first = r.range(1, 6), second = r.range(1, 6), after = r.range(1, 9);
    const int momentum = (first + second) * after;
    if (momentum % first == 0 && momentum / first <= 20) return {first, second, momentum / first};
  }
}

void build_cart_collision(const Values& v, Draft& d) {
  const int first = v[0], second = v[1], speed = v[2];
  d.kind("collision");
  draw_wall(d, {.05f, .72f}, {.95f, .72f}, {0, 1});
  const bool from_left = d.rng.below(2) == 0;
  const Colour fills[] = {force_red, length_blue};
  for (int i = 0; i < 2; ++i) {
    const Point c = d.near({(i == 0) == from_left ? .24f : .72f, .56f});
    draw_block(d, around(c, .13f, .08f), blend(fills[i], {1, 1, 1}, .25f));
    for (const float wheel : {-.075f, .075f}) {
      d.canvas.disc({c.x + wheel, .675f}, .04f, ink);
      d.canvas.disc({c.x + wheel, .675f}, .015f, steel);
    }
    if (i > 0) continue;
    const float s = from_left ? 1.f : -1.f;
    d.canvas.arrow(c + Point{-.08f * s, -.17f}, c + Point{.2f * s, -.17f}, .03f, speed_green);
  }
  d.note("moving", from_left ? "right" : "left");
  d.say({{words("a red cart of", first, "kg moves at", speed, "m/s and sticks to a blue cart of",
                second, "kg at rest ."),
          "what is the speed after the collision ?"},
         {words("a red cart has mass =", first, "kg and speed =", speed,
                "m/s . it sticks to a blue cart at rest with mass =", second, "kg ."),
          "find the speed of both carts ."}});
  d.principle("momentum conservation");
  const int momentum = d.step(first, '*', speed), total = d.step(first, '+', second);
  d.answer(d.step(momentum, '/', total), "m/s", {speed, total, momentum});
}

// W = F d; new.
Values draw_pull_work(Rng& r) { return {r.range(2, 9), r.range(2, 9)}; }

void build_pull_work(const Values& v, Draft& d) {
  const int force = v[0], distance = v[1], direction = 2 * d.rng.below(2);
  d.kind("push");
  const Box force_box = draw_push(d, 0, force, direction, .58f).second;
  draw_length(d, {.2f, .7f}, {.8f, .7f});
  const Box distance_box = d.label(distance, d.near({.5f, .85f}), length_blue);
  d.fact("force", force, force_box);
  d.fact("distance", distance, distance_box);
  d.note("direction", direction_name(direction));
  d.say({{"a block at rest is pushed on a smooth floor . the picture shows the force in N and the "
          "distance in m .",
          "what is the kinetic energy of the block ?"},
         {"a force in N acts on a block at rest over a distance in m . the floor is smooth .",
          "find the kinetic energy ."}});
  d.principle("energy conservation");
  d.answer(d.step(force, '*', distance), "J", {force + distance, force, distance});
}

// Net force, then acceleration; new.
Values draw_opposing_acceleration(Rng& r) {
  for (;;) {
    const int mass = r.range(2, 6), acceleration = r.range(2, 6), second = r.range(1, 9);
    if (mass * acceleration + second <= 30) {
      return {mass, mass * acceleration + second, second, 2 * r.below(2)};
    }
  }
}

void build_opposing_acceleration(const Values& v, Draft& d) {
  const int mass = v[0], larger = v[1], smaller = v[2], axis = v[3];
  d.kind("forces");
  const auto [centre, large_box, small_box] = draw_opposing(d, axis, larger, smaller, .006f, .13f);
  const Box mass_box = d.inner_label(mass, centre, ink);
  d.fact(words("force", direction_name(axis)), larger, large_box);
  d.fact(words("force", direction_name(axis + 2)), smaller, small_box);
  d.fact("mass", mass, mass_box);
  d.note("axis", "horizontal");
  d.say({{"two forces in N act on a block on a smooth floor . the mass in kg is in the picture .",
          "what is the acceleration ?"},
         {"a block with a mass in kg is on smooth ice . two forces in N act on it .",
          "find the acceleration of the block ."}});
  d.principle("newton second law");
  const int net = d.step(larger, '-', smaller);
  d.answer(d.step(net, '/', mass), "m/s^2", {net, mass, net + smaller});
}

}  // namespace

std::vector<Template> mechanics_templates() {
  const std::string m = "Mechanics";
  return {
      {"push_acceleration",
       m,
       "Dynamics",
       {grounding, numerical},
       true,
       false,
       draw_push_acceleration,
       build_push_acceleration},
      {"force_direction",
       m,
       "Dynamics",
       {spatial, predictive},
       true,
       false,
       draw_force_direction,
       build_force_direction},
      {"lever_balance",
       m,
       "Statics",
       {spatial, multi_formula, numerical},
       true,
       false,
       draw_lever_balance,
       build_lever_balance,
       first_values<3>},
      {"fall_energy",
       m,
       "Work and Energy",
       {implicit_condition, multi_formula, numerical},
       false,
       false,
       draw_fall_energy,
       build_fall_energy,
       unordered<3>},
      {"cart_collision",
       m,
       "Momentum and Collisions",
       {implicit_condition, multi_formula, predictive},
       false,
       false,
       draw_cart_collision,
       build_cart_collision,
       unordered<3>},
      {"pull_work",
       m,
       "Work and Energy",
       {grounding, implicit_condition, numerical},
       true,
       true,
       draw_pull_work,
       build_pull_work},
      {"opposing_acceleration",
       m,
       "Dynamics",
       {spatial, multi_formula, numerical},
       true,
       true,
       draw_opposing_acceleration,
       build_opposing_acceleration,
       first_values<3>},
  };
}

}  // namespace gaze::phyx::synth
