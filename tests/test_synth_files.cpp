// SPDX-License-Identifier: MIT
// The written suite: nothing that decides the answer of a held-out scene occurs in training, text
// cues agree with the picture as often as asked, and a split has the templates it was asked for.
#include <algorithm>
#include <cctype>
#include <cmath>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "gaze/io/atomic_file.hpp"
#include "phyx/answer/response.hpp"
#include "phyx/synth/cues.hpp"
#include "phyx/synth/files.hpp"
#include "phyx/synth/suite.hpp"
#include "tests/folder.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_synth_files {

using namespace gaze::phyx;
using namespace gaze::phyx::synth;
using gaze::test::contains;
using gaze::test::error_of;
using gaze::test::Folder;

namespace {

constexpr int small_picture = 8;

std::vector<std::string> split_words(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

bool is_number(const std::string& word) {
  return std::all_of(word.begin(), word.end(), [](unsigned char c) { return std::isdigit(c); });
}

/// The question without options and instructions, which follow "Please".
std::string body_of(const Problem& p) { return p.question.substr(0, p.question.find("Please")); }

std::string sorted_text(std::vector<std::string> parts) {
  std::sort(parts.begin(), parts.end());
  std::string out;
  for (const auto& part : parts) out += part + ';';
  return out;
}

/// The key of the first count of repeated scenes: look facts, numbers in the question in any order,
/// answer, and with `slots` the labels of the scene, which include some of the layout.
std::string problem_key(const Problem& p, bool slots) {
  std::vector<std::string> numbers;
  for (const auto& word : split_words(body_of(p)))
    if (is_number(word)) numbers.push_back(word);
  std::string key = sorted_text(p.solution.look) + '|' + sorted_text(numbers) + '|' + p.answer;
  if (slots) {
    for (const auto& slot : p.scene.slots) key += '|' + slot;
  }
  return key;
}

/// The deciding values alone. Where the answer is a number, the words that place a quantity in the
/// picture are left out of its name: a mirrored picture has the same values.
std::string value_text(const Problem& p) {
  static const std::set<std::string> places = {"left", "right",  "up",  "down",
                                               "low",  "middle", "high"};
  Problem plain = p;
  if (is_number(p.solution.value)) {
    for (std::string& look : plain.solution.look) {
      std::string kept;
      for (const auto& word : split_words(look))
        if (places.count(word) == 0) kept += word + ' ';
      look = kept;
    }
  }
  return problem_key(plain, false);
}

using Keys = std::map<std::string, std::set<std::string>>;  // by template

/// Share of a template's held-out scenes whose key occurs in training, for all templates with any.
std::map<std::string, double> overlaps(const Keys& training, const std::vector<Problem>& held_out,
                                       std::string (*key)(const Problem&)) {
  std::map<std::string, int> scenes, repeated;
  for (const Problem& p : held_out) {
    if (p.form == Form::mc) continue;
    ++scenes[p.template_id];
    const auto known = training.find(p.template_id);
    if (known != training.end() && known->second.count(key(p)) > 0) ++repeated[p.template_id];
  }
  std::map<std::string, double> out;
  for (const auto& [id, count] : repeated) out[id] = double(count) / scenes[id];
  return out;
}

std::vector<std::string> template_ids(bool is_new) {
  std::vector<std::string> out;
  for (const Template& t : templates())
    if (t.is_new == is_new) out.push_back(t.id);
  return out;
}

/// Writes and compares the splits of some templates.
void check_overlaps(const Folder& folder, std::size_t training, std::size_t known,
                    const SuiteOptions& options) {
  const std::string at = folder.path.string();
  write_suite(at, "train", training, 1, small_picture, options);
  for (const char* split : {"val", "test_known"})
    write_suite(at, split, known, 1001, small_picture, options);
  const auto scene = [](const Problem& p) { return problem_key(p, true); };
  const auto scene_values = [](const Problem& p) { return problem_key(p, false); };
  std::string (*const kinds[])(const Problem&) = {scene, scene_values, value_text};
  const std::vector<Problem> trained = read_suite(at, "train");
  const std::size_t expected = split_templates("train", options).size();
  for (const auto key : kinds) {
    Keys keys;
    for (const Problem& p : trained)
      if (p.form == Form::oe) keys[p.template_id].insert(key(p));
    CHECK(keys.size() == expected);
    for (const char* split : {"val", "test_known"}) {
      const std::vector<Problem> problems = read_suite(at, split);
      for (const auto& [id, share] : overlaps(keys, problems, key)) {
        INFO(id << ": share of " << split << " scenes that repeat an earlier split " << share);
        CHECK(find_template(id).layout_only);
      }
      for (const Problem& p : problems) {
        CHECK(p.layout_only == find_template(p.template_id).layout_only);
        keys[p.template_id].insert(key(p));
      }
    }
  }
}

}  // namespace

TEST_CASE("no deciding value of a held-out scene occurs in the training file", "[synth]") {
  // The sizes of the quick preset: 14,000 training scenes, 420 held-out ones.
  check_overlaps(Folder("overlap_known"), 14000, 420, {});
}

TEST_CASE("the same for new templates with splits of their values", "[synth]") {
  SuiteOptions options;
  options.templates = template_ids(true);
  check_overlaps(Folder("overlap_new"), 5500, 165, options);
}

TEST_CASE("three templates hold out layouts alone", "[synth]") {
  std::set<std::string> layout_only;
  for (const Template& t : templates()) {
    if (t.layout_only) layout_only.insert(t.id);
    if (t.layout_only) CHECK(t.deciding == nullptr);
  }
  CHECK(layout_only ==
        std::set<std::string>{"charge_force", "magnetic_force", "electron_magnetic"});
  // Of a template that does not occur in training, everything is held out.
  for (const Problem& p : make_split("test_new", Form::oe, 22, 1, small_picture))
    CHECK_FALSE(p.layout_only);
}

TEST_CASE("layout does not change what decides the answer", "[synth]") {
  const auto same = [](const char* id, const Values& a, const Values& b) {
    INFO(id);
    CHECK(value_key(find_template(id), a) == value_key(find_template(id), b));
  };
  same("lever_balance", {6, 2, 4, 0}, {6, 2, 4, 1});  // mirrored
  same("fall_energy", {2, 3, 10, 0}, {3, 2, 10, 2});  // the same numbers in the text
  same("rod_voltage", {2, 3, 4}, {4, 2, 3});
  same("mirror_angle", {30, 0, 0}, {30, 1, 1});
  same("mirror_distance", {7, 0}, {7, 1});
  same("refraction_bend", {10, 13, 0, 0, 0}, {10, 13, 1, 1, 2});  // another angle
  same("plates_particle", {0, 0, 3, 8, 0, 0}, {0, 0, 3, 8, 1, -1});
  same("doppler_listener", {0, 0, 1, 2, 3, 4}, {0, 0, 1, 7, 6, 5});  // the other listeners
  same("energy_levels", {2, 5, 9, 2}, {2, 7, 9, 2});                 // the level between
  same("pulse_overlap", {7, 3, 1}, {3, 7, 2});
  const Template& t = find_template("refraction_bend");
  CHECK(value_key(t, {10, 13, 0, 0, 0}) != value_key(t, {13, 10, 0, 0, 0}));
}

TEST_CASE("reference responses fit the token limit", "[synth]") {
  constexpr std::size_t limit = 64;  // AblationSettings::max_tokens
  for (const Template& t : templates()) {
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
      const Sample s = sample(t, seed, small_picture);
      INFO(t.id);
      for (const Problem& p : {s.mc, s.oe})
        CHECK(split_words(gold_response(p)).size() + 1 <= limit);  // a token each, and the end
    }
  }
}

namespace {

/// A look fact's value: "3" of the fact "loops = 3"; empty if no fact has this name.
std::string look_value(const Problem& p, const std::string& name) {
  for (const auto& look : p.solution.look)
    if (look.rfind(name + " = ", 0) == 0) return look.substr(name.size() + 3);
  return "";
}

std::string towards(const std::string& direction) {
  return direction == "left" || direction == "right" ? "to the " + direction : direction;
}

std::string at_place(const std::string& direction) {
  static const std::map<std::string, std::string> names = {{"right", "on the right"},
                                                           {"up", "at the top"},
                                                           {"left", "on the left"},
                                                           {"down", "at the bottom"}};
  return names.at(direction);
}

std::string opposite(const std::string& direction) {
  static const std::map<std::string, std::string> names = {
      {"right", "left"}, {"left", "right"}, {"up", "down"}, {"down", "up"}};
  return names.at(direction);
}

/// What a true cue says, from the reference solution.
std::string true_words(const Problem& p) {
  const std::string &id = p.template_id, &value = p.solution.value;
  if (id == "force_direction") return value == "rest" ? "equal" : "points " + towards(value);
  if (id == "heat_flow") return at_place(opposite(value));
  if (id == "charge_force" || id == "magnetic_force") return "pushed " + towards(value);
  if (id == "doppler_listener") return "usually " + value;
  if (id == "standing_wave") {
    static const char* counts[] = {"one", "two", "three", "four", "five"};
    return std::string(counts[std::stoi(look_value(p, "loops")) - 1]) + " loop";
  }
  if (id == "first_law") return look_value(p, "work out").empty() ? "into" : "out of";
  if (id == "refraction_bend")
    return value == "toward" ? "larger" : value == "away" ? "smaller" : "same";
  if (id == "pulse_overlap") {
    if (!look_value(p, "left down").empty()) return "left pulse";
    return look_value(p, "right down").empty() ? "both" : "right pulse";
  }
  if (id == "plates_particle") {
    std::string highest;
    int potential = 0;
    for (const char* direction : {"right", "up", "left", "down"}) {
      const std::string text = look_value(p, std::string("potential ") + direction);
      if (text.empty() || std::stoi(text) < potential) continue;
      highest = direction;
      potential = std::stoi(text);
    }
    return at_place(highest);
  }
  REQUIRE(id == "energy_levels");
  std::string names[2];
  for (const char* level : {"low", "middle", "high"}) {
    if (!look_value(p, std::string("from ") + level).empty()) names[0] = level;
    if (!look_value(p, std::string("to ") + level).empty()) names[1] = level;
  }
  return "from the " + names[0] + " to the " + names[1];
}

bool agrees(const Sample& s) { return contains(s.cue, true_words(s.oe)); }

/// True if `count` of n trials lies within four standard deviations of a binomial distribution.
bool binomial(int count, int n, double p) {
  return std::abs(count - n * p) <= 4 * std::sqrt(n * p * (1 - p)) + 1e-9;
}

}  // namespace

TEST_CASE("text cues agree with the picture as often as asked", "[synth]") {
  constexpr int scenes = 2000;
  int with_cue = 0;
  for (const Template& t : templates()) {
    const Cue* cue = find_cue(t.id);
    if (!cue) {
      CHECK(sample(t, 1, small_picture, .9).cue.empty());
      continue;
    }
    CHECK(t.needs_image);
    ++with_cue;
    for (const double strength : {0., .6, .9, 1.}) {
      std::map<std::string, std::pair<int, int>> by_fact;  // agreeing, all
      int agreeing = 0;
      for (std::uint64_t seed = 0; seed < scenes; ++seed) {
        const Sample s = sample(t, seed, small_picture, strength);
        const bool right = agrees(s);
        agreeing += right;
        auto& [good, all] = by_fact[true_words(s.oe)];
        good += right;
        ++all;
      }
      const double expected = std::max(strength, 1. / cue->count);
      INFO(t.id << " at " << strength << ": " << agreeing);
      CHECK(binomial(agreeing, scenes, expected));
      CHECK(by_fact.size() == std::size_t(cue->count));
      // The share is the same for every value, so at chance a cue says nothing about the picture.
      for (const auto& [words, counts] : by_fact) {
        INFO(words);
        CHECK(binomial(counts.first, counts.second, expected));
      }
    }
  }
  CHECK(with_cue >= 6);
  CHECK_THROWS_AS(sample(find_template("heat_flow"), 1, small_picture, 1.1), gaze::Error);
}

TEST_CASE("a cue changes the question and nothing else", "[synth]") {
  for (const Template& t : templates()) {
    INFO(t.id);
    for (std::uint64_t seed = 0; seed < 30; ++seed) {
      const Sample plain = sample(t, seed, small_picture);
      const Sample cued = sample(t, seed, small_picture, .6);
      CHECK(plain.cue.empty());
      CHECK_FALSE(contains(plain.mc.question, "usually"));
      CHECK_FALSE(contains(plain.oe.question, "usually"));
      CHECK(sample(t, seed, small_picture, .6).cue == cued.cue);
      for (const auto& [a, b] : {std::pair{plain.mc, cued.mc}, std::pair{plain.oe, cued.oe}}) {
        std::string question = b.question;
        if (!cued.cue.empty()) {
          REQUIRE(contains(question, " . " + cued.cue + " "));
          question.erase(question.find(cued.cue), cued.cue.size() + 1);
        }
        CHECK(question == a.question);
        CHECK(b.options == a.options);
        CHECK(b.answer == a.answer);
        CHECK(b.image == a.image);
        CHECK(gold_response(b) == gold_response(a));
      }
    }
  }
}

TEST_CASE("written files have cues in training, and at chance in other splits", "[synth]") {
  const Folder folder("cues");
  const auto files = [&](const std::string& name, const SuiteOptions& options) {
    const std::string at = folder.file(name);
    std::map<std::string, std::string> out;
    for (const char* split : {"train", "val", "test_known", "test_new"}) {
      write_suite(at, split, 56, 5, small_picture, options);
      for (const Form form : {Form::mc, Form::oe})
        out[std::string(split) + (form == Form::mc ? " MC" : " OE")] =
            gaze::io::read_file(suite_file(at, split, form));
    }
    return out;
  };
  SuiteOptions strong, weak;
  strong.cue = .9;
  weak.cue = 0;
  const auto plain = files("plain", {}), at_90 = files("strong", strong),
             at_0 = files("weak", weak);
  CHECK(files("again", strong) == at_90);
  for (const auto& [name, text] : plain) {
    INFO(name);
    CHECK_FALSE(contains(text, "usually"));
    const bool training = contains(name, "train"), fresh = contains(name, "new");
    CHECK(contains(at_90.at(name), "usually") == !fresh);
    CHECK((at_90.at(name) == at_0.at(name)) == !training);
  }
  SuiteOptions wrong;
  wrong.cue = -.1;
  CHECK(contains(error_of([&] { make_split("val", Form::mc, 1, 0, 8, wrong); }),
                 "cue must be in [0, 1], got -0.1"));
}

TEST_CASE("a split has the templates that it is asked for", "[synth]") {
  SuiteOptions options;
  options.templates = {"mirror_walk", "heat_flow"};  // a new and a trained one
  for (const char* split : {"train", "val", "test_known", "test_new"}) {
    std::map<std::string, int> counts;
    for (const Problem& p : make_split(split, Form::oe, 10, 2, small_picture, options)) {
      ++counts[p.template_id];
      CHECK(p.split == split);
    }
    CHECK(counts == std::map<std::string, int>{{"mirror_walk", 5}, {"heat_flow", 5}});
  }
  options.templates = {};
  options.rare = {"mirror_walk", "time_dilation"};
  options.rare_share = 0.04;
  std::map<std::string, int> counts;
  for (const Problem& p : make_split("train", Form::oe, 200, 2, small_picture, options))
    ++counts[p.template_id];
  CHECK(counts["mirror_walk"] == 4);
  CHECK(counts["time_dilation"] == 4);
  CHECK(counts.size() == 30);
  const auto error = [](std::vector<std::string> names) {
    SuiteOptions wrong;
    wrong.templates = std::move(names);
    return error_of([&] { make_split("train", Form::mc, 1, 0, small_picture, wrong); });
  };
  CHECK(contains(error({"heat_flow", "heat"}), "templates: no template is called heat"));
  CHECK(contains(error({"heat_flow", "heat_flow"}), "templates: heat_flow occurs twice"));
}

}  // namespace test_synth_files
