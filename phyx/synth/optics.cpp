// SPDX-License-Identifier: MIT
// Optics: reflection, the plane mirror's image, refraction, a lens, two slits; new: a walk towards
// the mirror.
#include "phyx/synth/domains.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "phyx/synth/draft.hpp"
#include "phyx/synth/props.hpp"

namespace gaze::phyx::synth {

namespace {

// The angle of reflection is relative to the normal, the angle in the picture to the mirror.
Values draw_mirror_angle(Rng& r) { return {r.range(10, 80), r.below(2), r.below(2)}; }

void build_mirror_angle(const Values& v, Draft& d) {
  const int angle = v[0];
  const float side = v[1] == 0 ? -1.f : 1.f, over = v[2] == 0 ? -1.f : 1.f;
  d.kind("ray");
  const Point hit = d.near({.5f, .5f - .12f * over});
  draw_mirror(d, hit - Point{.42f, 0}, hit + Point{.42f, 0}, {0, -over});
  d.canvas.dashed(hit, hit + Point{0, .44f * over}, .014f, steel);
  const float radians = static_cast<float>(angle) * 3.14159265f / 180;
  const Point back{side * std::cos(radians), over * std::sin(radians)};
  const Point start = hit + .46f * back, middle = hit + .2f * back;
  d.canvas.line(start, hit, .035f, light_gold);
  d.canvas.arrow(start, middle, .035f, light_gold, .1f);
  const float along_mirror = side > 0 ? 0 : 3.14159265f;
  const float along_ray = std::atan2(back.y, back.x);
  const float turn = std::remainder(along_ray - along_mirror, 6.2831853f);
  d.canvas.arc(hit, .15f, along_mirror, along_mirror + turn, .018f, length_blue);
  const Point at = d.near(hit + Point{.26f * side, -.21f * over});
  d.fact("angle", angle, join(d.label(angle, at, length_blue), span(hit, middle, 0)));
  d.note("ray", side < 0 ? "left" : "right");
  d.note("mirror", over < 0 ? "down" : "up");
  d.say({{"light hits a mirror . the picture shows the angle between ray and mirror in degree .",
          "what is the angle of reflection from the normal ?"},
         {"a ray makes an angle in degree with the mirror .",
          "find the angle of reflection from the normal ."}});
  d.principle("ray optics law");
  d.answer(d.step(90, '-', angle), "degree", {angle, 90, 180 - angle});
}

/// A person in front of a vertical mirror; returns the box of the distance's label.
Box draw_person_at_mirror(Draft& d, int distance, bool mirror_right) {
  const float s = mirror_right ? 1.f : -1.f;
  const auto at = [s](float x, float y) { return Point{.5f + s * (x - .5f), y}; };
  draw_mirror(d, at(.88f, .1f), at(.88f, .9f), {s, 0});
  const Point foot = d.near(at(.2f, .72f));
  const Colour coat = d.tint(force_red);
  const Segment body[] = {{foot - Point{0, .34f}, foot - Point{0, .16f}},
                          {foot - Point{0, .16f}, foot + Point{-.07f, 0}},
                          {foot - Point{0, .16f}, foot + Point{.07f, 0}},
                          {foot - Point{0, .3f}, foot + Point{-.1f, -.2f}},
                          {foot - Point{0, .3f}, foot + Point{.1f, -.2f}}};
  d.canvas.segments(body, .035f, coat);
  draw_ball(d, foot - Point{0, .41f}, .08f, d.tint({.98f, .82f, .66f}));
  const Point from{foot.x, .83f}, to = at(.86f, .83f);
  draw_length(d, from, to);
  return join(d.label(distance, d.near(at(.56f, .66f)), length_blue), span(from, to, 0));
}

// The image is as far behind the mirror as the person is in front of it.
Values draw_mirror_distance(Rng& r) { return {r.range(2, 99), r.below(2)}; }

void build_mirror_distance(const Values& v, Draft& d) {
  d.kind("mirror");
  d.fact("distance", v[0], draw_person_at_mirror(d, v[0], v[1] == 0));
  d.note("mirror", v[1] == 0 ? "right" : "left");
  d.say({{"a person looks into a mirror . the distance to the mirror in m is in the picture .",
          "how far is the person from the image ?"},
         {"the picture shows the distance of a person to a mirror in m .",
          "find the distance between the person and the image ."}});
  d.principle("ray optics law");
  d.answer(d.step(v[0], '+', v[0]), "m", {v[0], 3 * v[0], v[0] + 10}, 2);
}

// Into a larger index the ray bends toward the normal. Indices in tenths, from air (10) to diamond
// (24); the angle stays below the critical one.
Values draw_refraction_bend(Rng& r) {
  const int from = r.range(10, 24);
  const int to = r.below(6) == 0 ? from : r.range(10, 24);
  return {from, to, r.below(2), r.below(2), r.below(3)};
}

void build_refraction_bend(const Values& v, Draft& d) {
  const int from = v[0], to = v[1];
  const float side = v[2] == 0 ? -1.f : 1.f, over = v[3] == 0 ? -1.f : 1.f;
  const float radians = (11.f + 3 * static_cast<float>(v[4])) * 3.14159265f / 180;
  d.kind("refraction");
  const Point hit = d.near({.5f + .08f * side, .5f});
  const Colour glass{.38f, .66f, .90f};
  const auto medium = [&](int index, float s) {
    const float y = hit.y + s * .45f;
    d.canvas.box({{.03f, std::min(hit.y, y)}, {.97f, std::max(hit.y, y)}},
                 blend(d.paper, glass, .13f + .036f * static_cast<float>(index - 10)));
  };
  medium(from, over);
  medium(to, -over);
  d.canvas.line({.03f, hit.y}, {.97f, hit.y}, .02f, ink);
  d.canvas.dashed(hit - Point{0, .38f}, hit + Point{0, .38f}, .014f, ink);
  const Point start = hit + .44f * Point{side * std::sin(radians), over * std::cos(radians)};
  d.canvas.arrow(start, hit, .04f, {.90f, .50f, .02f}, .12f);
  const auto label = [&](int index, float s) {
    return d.inner_label(index, d.near(hit + Point{-.3f * side, s * .23f}), ink);
  };
  d.fact("index from", from, label(from, over));
  d.fact("index to", to, label(to, -over));
  d.note("ray", words(over < 0 ? "down" : "up"));
  d.note("side", side < 0 ? "left" : "right");
  d.say(
      {{"a ray passes from one medium into another . the picture shows the index of each medium in "
        "tenths .",
        "how does the ray bend from the normal ?"},
       {"the picture shows the index of two media in tenths and a ray that comes to the normal .",
        "which way does the ray bend ?"}});
  d.principle("ray optics law");
  d.step(std::max(from, to), '-', std::min(from, to));
  std::vector<std::string> all{"toward", "away", "straight", "back"};
  const std::string value = to > from ? "toward" : to < from ? "away" : "straight";
  std::erase(all, value);
  d.answer(value, all);
}

// Magnification: image height = object height * image distance / object distance.
Values draw_lens_image(Rng& r) {
  for (;;) {
    const int object = r.range(2, 9), factor = r.range(2, 6), height = r.range(2, 9);
    if (height * factor <= 45) return {height, object, object * factor};
  }
}

void build_lens_image(const Values& v, Draft& d) {
  const int height = v[0], object = v[1], image = v[2];
  d.kind("lens");
  const float y = d.near({0, .46f}).y;
  d.canvas.line({.03f, y}, {.97f, y}, .014f, steel);
  std::vector<Point> lens;
  for (int i = 0; i < 24; ++i) {
    const float t = 6.2831853f * static_cast<float>(i) / 24, s = std::sin(t), c = std::cos(t);
    lens.push_back({.4f + .07f * c, y + .36f * s});
  }
  d.canvas.polygon(lens, d.tint(water));
  lens.push_back(lens.front());
  d.canvas.polyline(lens, .016f, length_blue);
  const Point object_tip{.16f, y - .15f}, image_tip{.84f, y + .275f}, through{.4f, y - .15f};
  const Point rays[] = {object_tip, through, image_tip};
  d.canvas.polyline(rays, .018f, light_gold);
  d.canvas.line(object_tip, image_tip, .018f, light_gold);
  d.canvas.arrow({.16f, y}, object_tip, .035f, ink, .08f);
  d.canvas.arrow({.84f, y}, image_tip, .035f, force_red, .08f);
  d.note("image", "down");
  d.say({{words("a lens makes an image . object height =", height, "cm . object distance =", object,
                "cm . image distance =", image, "cm ."),
          "what is the height of the image ?"},
         {words("an object of height", height, "cm is", object,
                "cm from a lens . the image distance is", image, "cm ."),
          "find the height of the image ."}});
  d.principle("ray optics law");
  const int factor = d.step(image, '/', object);
  d.answer(d.step(factor, '*', height), "cm", {factor, height, image - object});
}

// Bright fringe number n: the path difference is n wavelengths.
Values draw_slit_order(Rng& r) {
  for (;;) {
    const int wavelength = r.range(2, 6), order = r.range(1, 7), shorter = r.range(4, 20);
    const int longer = shorter + wavelength * order;
    if (longer <= 40 && shorter != wavelength) return {wavelength, longer, shorter};
  }
}

void build_slit_order(const Values& v, Draft& d) {
  const int wavelength = v[0], longer = v[1], shorter = v[2];
  const bool longer_down =
      d.rng.below(2) == 0;  // the longer path starts below: the fringe is above
  d.kind("slits");
  const float y = .5f, x = d.near({.16f, 0}).x, slit = .13f;
  const Segment plate[] = {{{x, .1f}, {x, y - slit - .05f}},
                           {{x, y - slit + .05f}, {x, y + slit - .05f}},
                           {{x, y + slit + .05f}, {x, .9f}}};
  d.canvas.segments(plate, .035f, ink);
  d.canvas.line({.92f, .1f}, {.92f, .9f}, .045f, steel);
  const Point spot{.9f, y + (longer_down ? -.1f : .1f)};
  for (const float s : {-1.f, 1.f}) {
    const Point start{x, y + s * slit};
    d.canvas.arrow(start - Point{.13f, 0}, start - Point{.01f, 0}, .025f, light_gold, .07f);
    d.canvas.line(start, spot, .025f, light_gold);
  }
  d.canvas.disc(spot, .045f, force_red);
  const int above = longer_down ? shorter : longer, below = longer_down ? longer : shorter;
  const Box upper = d.label(above, d.near({.55f, .21f}), length_blue);
  const Box lower = d.label(below, d.near({.55f, .79f}), length_blue);
  d.fact("path up", above, upper);
  d.fact("path down", below, lower);
  d.note("spot", longer_down ? "up" : "down");
  d.say({{words("light from two slits meets in a bright spot . the two paths in um are in the "
                "picture . wavelength =",
                wavelength, "um ."),
          "what is the order of the bright spot ?"},
         {words("two slits send light with a wavelength of", wavelength,
                "um to a bright spot . each path is in um ."),
          "find the order of the spot ."}});
  d.principle("wave superposition");
  const int difference = d.step(longer, '-', shorter);
  d.answer(d.step(difference, '/', wavelength), "", {difference, wavelength});
}

// Walk, then double; new.
Values draw_mirror_walk(Rng& r) {
  for (;;) {
    const int distance = r.range(4, 40), walk = r.range(1, 9);
    if (walk < distance) return {distance, walk, r.below(2)};
  }
}

void build_mirror_walk(const Values& v, Draft& d) {
  const int distance = v[0], walk = v[1];
  d.kind("mirror");
  d.fact("distance", distance, draw_person_at_mirror(d, distance, v[2] == 0));
  d.note("mirror", v[2] == 0 ? "right" : "left");
  d.say({{words("the distance of a person to a mirror in m is in the picture . the person moves",
                walk, "m to the mirror ."),
          "how far is the person from the image after it ?"},
         {words("a person at a distance in m moves", walk, "m to the mirror ."),
          "find the distance between the person and the image ."}});
  d.principle("ray optics law");
  const int rest = d.step(distance, '-', walk);
  d.answer(d.step(rest, '+', rest), "m", {rest, 2 * distance, distance + walk}, 2);
}

}  // namespace

std::vector<Template> optics_templates() {
  const std::string o = "Optics";
  return {
      {"mirror_angle",
       o,
       "Geometrical Optics",
       {spatial, implicit_condition, numerical},
       true,
       false,
       draw_mirror_angle,
       build_mirror_angle,
       first_values<1>},
      {"mirror_distance",
       o,
       "Geometrical Optics",
       {spatial, implicit_condition, numerical},
       true,
       false,
       draw_mirror_distance,
       build_mirror_distance,
       first_values<1>},
      {"refraction_bend",
       o,
       "Geometrical Optics",
       {spatial, predictive},
       true,
       false,
       draw_refraction_bend,
       build_refraction_bend,
       first_values<2>},
      {"lens_image",
       o,
       "Optical Instruments",
       {multi_formula, numerical},
       false,
       false,
       draw_lens_image,
       build_lens_image,
       unordered<3>},
      {"slit_order",
       o,
       "Wave Optics",
       {grounding, multi_formula, numerical},
       true,
       false,
       draw_slit_order,
       build_slit_order},
      {"mirror_walk",
       o,
       "Geometrical Optics",
       {spatial, multi_formula, numerical},
       true,
       true,
       draw_mirror_walk,
       build_mirror_walk,
       first_values<2>},
  };
}

}  // namespace gaze::phyx::synth
