// SPDX-License-Identifier: MIT
// The synthetic suite: every template over hundreds of seeds (arithmetic, options, leaks, scene),
// then the suite as a whole (domains, reasoning types, vocabulary, balance, splits).
#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <set>
#include <sstream>

#include "gaze/core/error.hpp"
#include "phyx/synth/draft.hpp"
#include "phyx/synth/rng.hpp"
#include "phyx/synth/suite.hpp"
#include "tests/numbers.hpp"
#include "tests/test.hpp"

namespace test_synth {

using namespace gaze::phyx;
using namespace gaze::phyx::synth;
using gaze::test::near_to;

namespace {

constexpr int small_picture = 16;  // most checks do not look at the pixels

std::vector<std::string> split_words(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

bool is_number(const std::string& word) {
  return !word.empty() &&
         std::all_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Evaluates "a op b = c" and returns c when it is true, otherwise -1.
int evaluate(const std::string& step) {
  const std::vector<std::string> w = split_words(step);
  if (w.size() != 5 || w[3] != "=") return -1;
  const int a = std::stoi(w[0]), b = std::stoi(w[2]), c = std::stoi(w[4]);
  switch (w[1][0]) {
    case '+':
      return a + b == c ? c : -1;
    case '-':
      return a - b == c ? c : -1;
    case '*':
      return a * b == c ? c : -1;
    case '/':
      return b * c == a ? c : -1;
    default:
      return -1;
  }
}

/// The prompt without the options and without the closing instruction.
std::string body_of(const Problem& p) { return p.question.substr(0, p.question.find("Please")); }

const std::map<std::string, std::set<std::string>>& units_of_principle() {
  static const std::map<std::string, std::set<std::string>> units = {
      {"newton second law", {"m/s^2", ""}},
      {"static equilibrium", {"kg"}},
      {"energy conservation", {"J", "eV"}},
      {"momentum conservation", {"m/s"}},
      {"uniform motion", {"m", "s"}},
      {"ohm law", {"mA"}},
      {"coulomb law", {""}},
      {"magnetic force law", {""}},
      {"faraday law", {"V", "mA"}},
      {"ideal gas law", {"kPa"}},
      {"heat transfer law", {"kJ", "degC", ""}},
      {"wave speed relation", {"m/s", "Hz", ""}},
      {"wave superposition", {"m", "cm", ""}},
      {"ray optics law", {"degree", "m", "cm", ""}},
      {"radioactive decay law", {"g"}},
      {"special relativity", {"m", "s"}}};
  return units;
}

void check_solution(const Problem& p) {
  const Solution& s = p.solution;
  const auto entry = units_of_principle().find(s.principle);
  REQUIRE(entry != units_of_principle().end());
  CHECK(entry->second.count(s.unit) == 1);
  int last = -1;
  for (const std::string& step : s.steps) {
    INFO(step);
    last = evaluate(step);
    REQUIRE(last >= 0);
    for (const std::string& w : split_words(step)) {
      if (is_number(w)) CHECK(std::stoi(w) <= 199);
    }
  }
  CHECK(s.steps.size() <= 4);
  if (is_number(s.value)) {
    REQUIRE(!s.steps.empty());
    CHECK(std::stoi(s.value) == last);
  }
  CHECK(p.answer.size() == 1);
}

void check_options(const Sample& s) {
  const std::set<std::string> distinct(s.mc.options.begin(), s.mc.options.end());
  CHECK(distinct.size() == 4);
  REQUIRE((s.mc.answer >= "A" && s.mc.answer <= "D"));
  CHECK(s.mc.options[static_cast<std::size_t>(s.mc.answer[0] - 'A')] == s.oe.answer);
  for (const std::string& option : s.mc.options) {
    CHECK(is_number(split_words(option)[0]) == is_number(s.mc.solution.value));
  }
}

/// Checks that the text does not contain the picture's values, and contains all of its own.
void check_image_need(const Problem& p) {
  const std::vector<std::string> text = split_words(body_of(p));
  const std::set<std::string> in_text(text.begin(), text.end());
  if (!p.needs_image) {
    CHECK(p.solution.look.empty());
    CHECK(p.scene.regions.empty());
    return;
  }
  CHECK(!p.solution.look.empty());
  CHECK(p.solution.look.size() == p.scene.regions.size());
  for (const std::string& look : p.solution.look) {
    const std::string value = split_words(look).back();
    INFO(look << " | " << body_of(p));
    // "left" and "red" may be words of a text; a number or a sign of the picture may not.
    if (is_number(value) || value == "plus" || value == "minus") CHECK(in_text.count(value) == 0);
  }
}

void check_scene(const Problem& p) {
  REQUIRE(p.scene.slots.size() == 6);
  for (const std::string& slot : p.scene.slots) CHECK(split_words(slot).size() == 1);
  CHECK(split_words(p.scene.caption).size() <= 16);
  CHECK(split_words(p.scene.caption)[0] == p.scene.slots[0]);
  for (const Region& r : p.scene.regions) {
    INFO(r.name);
    CHECK((0 <= r.x0 && r.x0 < r.x1 && r.x1 <= 1));
    CHECK((0 <= r.y0 && r.y0 < r.y1 && r.y1 <= 1));
    CHECK((r.x1 - r.x0) * (r.y1 - r.y0) < .5f);
  }
}

void check_prompts(const Sample& s) {
  const std::string body = body_of(s.mc);
  CHECK(s.mc.question ==
        body +
            "Please directly answer the question and provide the correct OPTION LETTER ONLY, e.g., "
            "A, B, C, D. OPTION: A: " +
            s.mc.options[0] + " B: " + s.mc.options[1] + " C: " + s.mc.options[2] +
            " D: " + s.mc.options[3]);
  CHECK(s.oe.question == body + " Please answer the question with step by step reasoning.");
  const std::size_t count = split_words(body).size();
  CHECK((count >= 12 && count <= 40));
  CHECK(body.find("  ") == std::string::npos);
}

}  // namespace

TEST_CASE("every problem of every template is consistent", "[synth]") {
  for (const Template& t : templates()) {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
      INFO(t.id << " seed " << seed);
      const Sample s = sample(t, seed, small_picture);
      check_solution(s.mc);
      check_options(s);
      check_image_need(s.oe);
      check_scene(s.oe);
      check_prompts(s);
      CHECK(s.mc.image == s.oe.image);
      CHECK(s.mc.template_id == t.id);
      CHECK((s.mc.form == Form::mc && s.oe.form == Form::oe));
    }
  }
}

TEST_CASE("the text of a template that needs its picture does not reveal the picture", "[synth]") {
  // With the layout's seed fixed and other values, only numbers that the text states may change.
  for (const char* id :
       {"push_acceleration", "force_direction", "charge_force", "heat_flow", "magnetic_force",
        "mirror_angle", "energy_levels", "pulse_overlap", "refraction_bend"}) {
    const Template& t = find_template(id);
    std::set<std::string> texts;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
      Draft d(small_picture, 5);
      t.build(values_of(t, seed), d);
      texts.insert(d.description + d.question);
    }
    INFO(id);
    CHECK(texts.size() <= 2);
  }
}

TEST_CASE("answers agree with independently computed physics", "[synth]") {
  const auto check = [](const char* id, const Values& v, const char* value, const char* unit_name) {
    Draft d(small_picture, 1);
    find_template(id).build(v, d);
    INFO(id);
    CHECK(d.solution.value == value);
    CHECK(d.solution.unit == unit_name);
  };
  check("push_acceleration", {4, 5}, "5", "m/s^2");  // 20 N on 4 kg
  check("force_direction", {0, 3, 7}, "left", "");   // 3 N right, 7 N left
  check("force_direction", {1, 7, 3}, "up", "");
  check("force_direction", {1, 4, 4}, "rest", "");
  check("lever_balance", {6, 2, 4, 0}, "3", "kg");  // 6 * 2 = 3 * 4
  check("fall_energy", {2, 3, 10, 0}, "60", "J");   // m g h
  check("cart_collision", {2, 4, 6}, "2", "m/s");   // 12 = 6 v
  check("opposing_acceleration", {3, 14, 2, 0}, "4", "m/s^2");
  check("ohm_current", {3, 7}, "7", "mA");                // 21 V over 3 kohm
  check("charge_force", {right, 1, 1, 0}, "right", "");   // red on the right, like charges
  check("charge_force", {up, 1, 0, 0}, "down", "");       // red above, unlike
  check("magnetic_force", {right, 1, 0, 0}, "up", "");    // B into the page
  check("magnetic_force", {right, 0, 0, 0}, "down", "");  // x cross z = -y
  check("magnetic_force", {up, 0, 0, 0}, "right", "");    // y cross z = x
  check("electron_magnetic", {right, 1, 0, 0}, "down", "");
  check("rod_voltage", {2, 3, 4}, "24", "V");
  check("heat_flow", {0, 20, 70}, "left", "");  // the right body is hot
  check("heat_flow", {1, 80, 10}, "down", "");
  check("first_law", {9, 4, 0}, "5", "J");   // work done by the gas
  check("first_law", {9, 4, 1}, "13", "J");  // work done on the gas
  check("gas_compression", {3, 8, 4}, "6", "kPa");
  check("water_heat", {2, 5, 4, 0}, "40", "kJ");
  check("water_heat", {2, 5, 2, 1}, "20", "kJ");  // oil
  check("final_temperature", {20, 50}, "35", "degC");
  check("standing_wave", {3, 12, 0}, "8", "m");                  // 2 L / n
  check("doppler_listener", {right, 0, 0, 1, 2, 3}, "red", "");  // red on the right, ahead
  check("doppler_listener", {up, 0, 0, 1, 2, 3}, "blue", "");
  check("doppler_listener", {up, 1, 0, 1, 2, 3}, "yellow", "");  // behind
  check("pulse_echo", {8, 6, 0}, "24", "m");
  check("pulse_overlap", {7, 3, 1}, "4", "cm");
  check("mirror_angle", {30, 0, 0}, "60", "degree");
  check("mirror_walk", {9, 3, 0}, "12", "m");
  check("refraction_bend", {10, 13, 0, 0, 0}, "toward", "");
  check("refraction_bend", {24, 15, 0, 0, 0}, "away", "");
  check("refraction_bend", {15, 15, 0, 0, 0}, "straight", "");
  check("lens_image", {2, 3, 12}, "8", "cm");
  check("slit_order", {2, 10, 4}, "3", "");
  check("photoelectric", {4, 3}, "3", "eV");  // photon 7, work 4
  check("energy_levels", {2, 5, 9, 2}, "7", "eV");
  check("half_life", {5, 15, 80}, "10", "g");
  check("plates_particle", {0, 0, 3, 8, 0, 0}, "left", "");   // electron to the higher potential
  check("plates_particle", {1, 0, 3, 8, 0, 0}, "right", "");  // proton to the lower one
  check("plates_particle", {0, 1, 9, 2, 0, 0}, "up", "");
  check("plates_particle", {1, 1, 9, 2, 0, 0}, "down", "");
  check("plates_particle", {2, 1, 9, 2, 0, 0}, "rest", "");
  check("rocket_length", {3, 4, 0}, "4", "m");
  check("time_dilation", {3, 4, 0}, "12", "s");
}

TEST_CASE("a refracted ray stays below the critical angle", "[synth]") {
  const Template& t = find_template("refraction_bend");
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    const Values v = values_of(t, seed);
    const double incidence = (11 + 3 * v[4]) * 3.14159265 / 180;
    CHECK(v[0] * std::sin(incidence) < v[1]);
  }
}

TEST_CASE("the suite covers domains, reasoning types and needs", "[synth]") {
  std::map<std::string, int> domain_counts, reasoning_counts;
  std::set<std::string> ids, subfields;
  int trained = 0, fresh = 0, without_image = 0;
  for (const Template& t : templates()) {
    CHECK(ids.insert(t.id).second);
    subfields.insert(t.subfield);
    ++domain_counts[t.domain];
    for (const std::string& r : t.reasoning) ++reasoning_counts[r];
    (t.is_new ? fresh : trained) += 1;
    without_image += t.needs_image ? 0 : 1;
  }
  CHECK(trained >= 22);
  CHECK(fresh >= 6);
  for (const char* domain : domains) CHECK(domain_counts[domain] >= 4);
  CHECK(domain_counts.size() == domains.size());
  for (const char* type : reasoning_types) CHECK(reasoning_counts[type] >= 5);
  CHECK(reasoning_counts.size() == reasoning_types.size());
  CHECK(reasoning_counts["Spatial Relation Reasoning"] >= 6);
  CHECK(subfields.size() >= 18);
  const double share = static_cast<double>(without_image) / static_cast<double>(ids.size());
  CHECK((share > .18 && share < .32));
  CHECK_THROWS_AS(find_template("nothing"), gaze::Error);
}

TEST_CASE("the vocabulary is small", "[synth]") {
  std::set<std::string> vocabulary;
  const auto add = [&](const std::string& text) {
    for (const std::string& w : split_words(text)) {
      if (!is_number(w)) vocabulary.insert(w);
    }
  };
  for (const Template& t : templates()) {
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
      const Sample s = sample(t, seed, small_picture);
      add(body_of(s.oe));
      for (const std::string& option : s.mc.options) add(option);
      add(s.mc.solution.principle);
      for (const std::string& look : s.mc.solution.look) add(look);
      add(s.mc.scene.caption);
    }
  }
  INFO(vocabulary.size() << " words");
  CHECK(vocabulary.size() <= 350);
  for (const std::string& w : vocabulary) {
    for (const char c : w) CHECK((c > ' ' && c < 127));
  }
}

TEST_CASE("blind guesses are poor", "[synth]") {
  std::map<std::string, int> letters;
  std::array<int, 4> ranks{};  // of the answer among numeric options
  int problems = 0, numeric = 0;
  for (const Template& t : templates()) {
    std::map<std::string, int> answers;
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
      const Sample s = sample(t, seed + 1000, 8);
      ++answers[s.oe.answer];
      ++letters[s.mc.answer];
      ++problems;
      if (!is_number(s.mc.solution.value) || std::stoi(s.mc.solution.value) < 20) continue;
      std::size_t rank = 0;
      for (const std::string& o : s.mc.options) {
        if (std::stoi(o) < std::stoi(s.mc.solution.value)) ++rank;
      }
      ++ranks[rank];
      ++numeric;
    }
    INFO(t.id);
    for (const auto& [answer, count] : answers) CHECK(count <= 150);
    CHECK(answers.size() >= 3);
  }
  for (const auto& [letter, count] : letters) CHECK(std::abs(count * 4. / problems - 1) < .06);
  for (const int count : ranks) CHECK(std::abs(count * 4. / numeric - 1) < .15);
}

TEST_CASE("all splits exist and have disjoint values", "[synth]") {
  for (const Template& t : templates()) {
    if (t.is_new) continue;
    std::array<std::set<std::uint64_t>, 3> keys;
    for (std::uint64_t seed = 0; seed < 3000; ++seed) {
      const std::uint64_t key = value_key(t, seed);
      keys[static_cast<std::size_t>(split_of(key))].insert(key);
    }
    INFO(t.id);
    CHECK(keys[0].size() >= 30);
    CHECK(keys[1].size() >= 2);
    CHECK(keys[2].size() >= 6);
  }
  std::array<int, 3> counts{};
  for (std::uint64_t i = 0; i < 20000; ++i)
    ++counts[static_cast<std::size_t>(split_of(gaze::phyx::mix_bits(i)))];
  CHECK(near_to(counts[0], 16000, .03));
  CHECK(near_to(counts[1], 1200, .12));
  CHECK(near_to(counts[2], 2800, .08));
  const Template& t = templates().front();
  CHECK(split_of(value_key(t, seed_in(t, Split::val, 9))) == Split::val);
}

TEST_CASE("a sample is a pure function of template and seed", "[synth]") {
  for (const Template& t : templates()) {
    const Sample a = sample(t, 42, 32), b = sample(t, 42, 32), c = sample(t, 43, 32);
    CHECK(a.mc.image == b.mc.image);
    CHECK(a.mc.question == b.mc.question);
    CHECK(a.oe.answer == b.oe.answer);
    CHECK(a.mc.image != c.mc.image);
    // The size of the picture changes nothing but the pixels.
    const Sample large = sample(t, 42, 96);
    CHECK(large.mc.question == a.mc.question);
    CHECK(large.oe.scene.caption == a.oe.scene.caption);
  }
}

TEST_CASE("make_split cycles, repeats and agrees between the forms", "[synth]") {
  std::set<std::string> trained, fresh;
  for (const Template& t : templates()) (t.is_new ? fresh : trained).insert(t.id);
  for (const char* name : {"train", "val", "test_known", "test_new"}) {
    const std::vector<Problem> mc = make_split(name, Form::mc, 90, 3, small_picture);
    const std::vector<Problem> oe = make_split(name, Form::oe, 90, 3, small_picture);
    const std::vector<Problem> again = make_split(name, Form::oe, 90, 3, small_picture);
    REQUIRE(mc.size() == 90);
    REQUIRE(oe.size() == 90);
    std::set<std::string> ids;
    for (std::size_t i = 0; i < 90; ++i) {
      CHECK(mc[i].index == std::to_string(i));
      CHECK(mc[i].split == name);
      CHECK(mc[i].image == oe[i].image);
      CHECK(mc[i].options[static_cast<std::size_t>(mc[i].answer[0] - 'A')] == oe[i].answer);
      CHECK(oe[i].options[0].empty());
      CHECK(oe[i].question == again[i].question);
      CHECK(oe[i].image == again[i].image);
      ids.insert(oe[i].template_id);
    }
    CHECK(ids == (std::string(name) == "test_new" ? fresh : trained));
  }
  CHECK_THROWS_AS(make_split("dev", Form::mc, 1, 0), gaze::Error);
  CHECK(make_split("train", Form::mc, 0, 0).empty());
}

TEST_CASE("no problem occurs twice in a split", "[synth]") {
  std::set<std::pair<std::vector<std::uint8_t>, std::string>> seen;
  for (const Problem& p : make_split("val", Form::oe, 600, 11, 24)) {
    CHECK(seen.insert({p.image, p.question}).second);
  }
}

}  // namespace test_synth
