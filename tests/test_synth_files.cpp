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

#include "gaze/io/atomic_file.hpp"
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
  static const std::set<std::string> places = {"left", "right",  "up",   "down",
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
    std::vector<Keys> held_out;
    for (const char* split : {"val", "test_known"}) {
      const std::vector<Problem> problems = read_suite(at, split);
      for (const auto& [id, share] : overlaps(keys, problems, key)) {
        INFO(id << ": share of " << split << " scenes that repeat training " << share);
        CHECK(find_template(id).layout_only);
      }
      Keys& own = held_out.emplace_back();
      for (const Problem& p : problems) {
        CHECK(p.layout_only == find_template(p.template_id).layout_only);
        own[p.template_id].insert(key(p));
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

}  // namespace test_synth_files
