// SPDX-License-Identifier: MIT
// Ordering templates, assigning splits, making problems.
#include "phyx/synth/suite.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "gaze/core/error.hpp"
#include "gaze/core/printable.hpp"
#include "gaze/image/png.hpp"
#include "phyx/data/prompt.hpp"
#include "phyx/synth/cues.hpp"
#include "phyx/synth/draft.hpp"
#include "phyx/synth/rng.hpp"

namespace gaze::phyx::synth {

namespace {

/// Three wrong numbers, multiples of the grain. The number of them below the answer is drawn first,
/// so that the answer's rank among the options carries no information.
std::vector<std::string> wrong_numbers(const Draft& d, int value, Rng& rng) {
  std::vector<int> below, above;
  const auto offer = [&](int x) {
    if (x == value || x < 0 || x > 199 || x % d.grain != 0) return;
    std::vector<int>& side = x < value ? below : above;
    if (std::find(side.begin(), side.end(), x) == side.end()) side.push_back(x);
  };
  for (const int x : d.wrong_numbers) offer(x);
  for (const int step : {1, 2, 3, 5}) {
    offer(value - step * d.grain);
    offer(value + step * d.grain);
  }
  offer(2 * value);
  if (value % 2 == 0) offer(value / 2);
  rng.shuffle(below);
  rng.shuffle(above);
  const int most = std::min(3, static_cast<int>(below.size()));
  const int wanted =
      std::clamp(rng.below(4), std::max(0, 3 - static_cast<int>(above.size())), most);
  std::vector<std::string> out;
  for (int i = 0; i < wanted; ++i) out.push_back(words(below[static_cast<std::size_t>(i)]));
  for (std::size_t i = 0; out.size() < 3; ++i) out.push_back(words(above.at(i)));
  return out;
}

void set_options(Problem& mc, const Draft& d, Rng& rng) {
  const std::string& value = d.solution.value;
  std::vector<std::string> wrong = d.wrong_words;
  if (wrong.empty()) wrong = wrong_numbers(d, std::stoi(value), rng);
  rng.shuffle(wrong);
  const auto right = static_cast<std::size_t>(rng.below(4));
  mc.answer = std::string(1, static_cast<char>('A' + right));
  for (std::size_t i = 0, used = 0; i < 4; ++i) {
    const std::string& text = i == right ? value : wrong.at(used++);
    mc.options[i] = d.solution.unit.empty() ? text : text + ' ' + d.solution.unit;
  }
}

/// The part that both forms share: everything except question, options and answer.
Problem common_part(const Template& t, Draft& d) {
  d.scene.slots.resize(6, "none");
  Problem p;
  p.image = image::encode_png(d.canvas.bytes().data(), d.canvas.size(), d.canvas.size());
  p.category = t.domain;
  p.subfield = t.subfield;
  p.reasoning = t.reasoning;
  p.template_id = t.id;
  p.needs_image = t.needs_image;
  p.layout_only = t.layout_only;
  p.solution = d.solution;
  p.scene = d.scene;
  return p;
}

/// A hash of picture and question, without the cue: cues must not change which scenes a split has.
std::uint64_t scene_key(const Sample& s) {
  const std::string_view pixels(reinterpret_cast<const char*>(s.mc.image.data()),
                                s.mc.image.size());
  std::string question = s.oe.question;
  if (!s.cue.empty()) question.erase(question.find(s.cue), s.cue.size() + 1);
  return mix(hash_text(pixels), hash_text(question));
}

}  // namespace

const std::vector<Template>& templates() {
  static const std::vector<Template> all = [] {
    const std::vector<std::vector<Template>> domains_of = {
        mechanics_templates(), electromagnetism_templates(), thermodynamics_templates(),
        wave_templates(),      optics_templates(),           modern_templates()};
    std::vector<Template> out;
    for (const bool is_new : {false, true}) {
      for (std::size_t i = 0; i < 8; ++i) {
        for (const std::vector<Template>& domain : domains_of) {
          if (i < domain.size() && domain[i].is_new == is_new) out.push_back(domain[i]);
        }
      }
    }
    return out;
  }();
  return all;
}

const Template& find_template(std::string_view id) {
  for (const Template& t : templates()) {
    if (t.id == id) return t;
  }
  GAZE_FAIL("find_template", "no template is called ", id);
}

Values values_of(const Template& t, std::uint64_t seed) {
  Rng rng(mix(seed, hash_text(t.id)));
  return t.draw(rng);
}

Values deciding_values(const Template& t, const Values& values) {
  return t.deciding ? t.deciding(values) : values;
}

std::uint64_t value_key(const Template& t, const Values& values) {
  std::uint64_t key = hash_text(t.id);
  for (const int v : deciding_values(t, values))
    key = mix(key, static_cast<std::uint64_t>(static_cast<std::int64_t>(v)));
  return key;
}

std::uint64_t value_key(const Template& t, std::uint64_t seed) {
  return value_key(t, values_of(t, seed));
}

Split split_of(std::uint64_t key) {
  const std::uint64_t percent = key % 100;
  return percent < 80 ? Split::train : percent < 86 ? Split::val : Split::test_known;
}

Sample sample(const Template& t, std::uint64_t seed, int image_size, std::optional<double> cue) {
  const std::uint64_t start = mix(seed, hash_text(t.id));
  const Values values = values_of(t, seed);
  Draft d(image_size, mix(start, 1));
  t.build(values, d);
  Sample s;
  if (const Cue* of_template = cue ? find_cue(t.id) : nullptr) {
    Rng draws(mix(start, 3));
    s.cue = draw_cue(*of_template, values, cue_agreement(*of_template, *cue), draws);
    d.description += ' ' + s.cue;
  }
  s.mc = common_part(t, d);
  s.oe = s.mc;
  const std::string text = d.description + ' ' + d.question;
  s.mc.form = Form::mc;
  Rng rng(mix(start, 2));
  set_options(s.mc, d, rng);
  s.mc.question = render_prompt(Form::mc, "", text, s.mc.options);
  s.oe.question = render_prompt(Form::oe, "", text);
  s.oe.answer =
      d.solution.unit.empty() ? d.solution.value : d.solution.value + ' ' + d.solution.unit;
  return s;
}

std::uint64_t seed_in(const Template& t, Split split, std::uint64_t seed) {
  for (std::uint64_t attempt = 0; attempt < 100000; ++attempt) {
    const std::uint64_t candidate = mix(seed, attempt);
    if (split_of(value_key(t, candidate)) == split) return candidate;
  }
  GAZE_FAIL("seed_in", t.id, " has no values in this split");
}

namespace {

/// The ids as a set. Throws Error for an unknown id, and one that occurs twice.
std::set<std::string_view> named_templates(const std::vector<std::string>& ids) {
  std::set<std::string_view> named;
  for (const std::string& id : ids) {
    const auto same_id = [&](const Template& t) { return t.id == id; };
    GAZE_CHECK(std::any_of(templates().begin(), templates().end(), same_id), "make_split",
               "templates: no template is called ", printable(id, kShownBytes));
    GAZE_CHECK(named.insert(id).second, "make_split", "templates: ", id, " occurs twice");
  }
  return named;
}

}  // namespace

std::vector<const Template*> split_templates(std::string_view split, const SuiteOptions& options) {
  const bool is_new = split == "test_new";
  GAZE_CHECK(is_new || split == "train" || split == "val" || split == "test_known", "make_split",
             "no split is called ", split);
  const std::set<std::string_view> named = named_templates(options.templates);
  std::vector<const Template*> out;
  for (const Template& t : templates()) {
    if (named.empty() ? t.is_new == is_new : named.count(t.id) > 0) out.push_back(&t);
  }
  return out;
}

std::vector<Problem> make_split(std::string_view split, Form form, std::size_t count,
                                std::uint64_t seed, int image_size, const SuiteOptions& options) {
  const std::vector<const Template*> cycle = split_templates(split, options);
  std::vector<const Template*> rare;
  for (const auto id : named_templates(options.rare)) rare.push_back(&find_template(id));
  const double rare_share = rare.empty() ? 0 : options.rare_share;
  GAZE_CHECK(rare_share >= 0 && rare_share <= 1, "make_split", "rare_share must be in [0, 1], got ",
             rare_share);
  const auto rare_before = [&](std::size_t i) {
    return static_cast<std::size_t>(std::floor(static_cast<double>(i) * rare_share));
  };
  const bool all_values = split == "test_new";
  const Split part = split == "train" ? Split::train
                     : split == "val" ? Split::val
                                      : Split::test_known;
  std::optional<double> cue = options.cue;
  GAZE_CHECK(!cue || (*cue >= 0 && *cue <= 1), "make_split", "cue must be in [0, 1], got ", *cue);
  if (cue && split != "train") cue = 0;
  std::vector<Problem> out;
  std::set<std::uint64_t> seen;  // hashes of picture and question
  for (std::uint64_t attempt = mix(seed, hash_text(split)); out.size() < count; ++attempt) {
    const std::size_t i = out.size(), rares = rare_before(i);
    const bool is_rare = rare_before(i + 1) > rares;
    const Template& t = is_rare ? *rare[rares % rare.size()] : *cycle[(i - rares) % cycle.size()];
    Sample s =
        sample(t, all_values ? mix_bits(attempt) : seed_in(t, part, attempt), image_size, cue);
    if (!seen.insert(scene_key(s)).second) continue;
    Problem& p = form == Form::mc ? s.mc : s.oe;
    p.index = std::to_string(out.size());
    p.split = split;
    p.layout_only = p.layout_only && !all_values;
    out.push_back(std::move(p));
  }
  return out;
}

}  // namespace gaze::phyx::synth
