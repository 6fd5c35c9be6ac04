// SPDX-License-Identifier: MIT
// Outcomes as JSON lines, with attempts by column and every field checked when read.
#include "phyx/results/outcome.hpp"

#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <set>
#include <utility>

#include "gaze/core/error.hpp"
#include "gaze/core/printable.hpp"
#include "gaze/io/atomic_file.hpp"
#include "gaze/io/line_file.hpp"

namespace gaze::phyx {

namespace {

using Json = io::Json;

struct FlagColumn {
  const char* name;
  bool Attempt::*field;
};
constexpr std::array<FlagColumn, 7> attempt_flags = {{
    {"correct", &Attempt::correct},
    {"parsed", &Attempt::parsed},
    {"well_formed", &Attempt::well_formed},
    {"official", &Attempt::official},
    {"principle", &Attempt::principle},
    {"unit", &Attempt::unit},
    {"truncated", &Attempt::truncated},
}};

/// Six digits are far finer than the intervals and keep the file small. NaN is null.
Json share_json(float v) {
  return std::isfinite(v) ? Json(std::round(double(v) * 1e6) / 1e6) : Json(nullptr);
}

template <class Value>
Json column(const std::vector<Attempt>& attempts, Value value) {
  Json out = Json::array();
  for (const auto& a : attempts) out.push_back(value(a));
  return out;
}

/// One reward of every attempt; NaN if unknown.
float reward_or_nan(const Attempt& a, const std::string& name) {
  const auto found = a.rewards.find(name);
  return found == a.rewards.end() ? std::numeric_limits<float>::quiet_NaN() : found->second;
}

Json attempts_to_json(const std::vector<Attempt>& attempts) {
  Json out = Json::object();
  bool scored = false, facts = false;
  std::set<std::string> rewards;
  for (const auto& a : attempts) {
    scored = scored || std::isfinite(a.look_score);
    facts = facts || a.look_facts > 0;
    for (const auto& r : a.rewards) rewards.insert(r.first);
  }
  for (const auto& flag : attempt_flags)
    out[flag.name] = column(attempts, [&](const Attempt& a) { return a.*flag.field ? 1 : 0; });
  out["attention"] = column(attempts, [](const Attempt& a) { return share_json(a.attention); });
  out["length"] = column(attempts, [](const Attempt& a) { return a.length; });
  if (scored)
    out["look_score"] = column(attempts, [](const Attempt& a) { return share_json(a.look_score); });
  if (facts) {
    out["look_facts"] = column(attempts, [](const Attempt& a) { return a.look_facts; });
    out["look_right"] = column(attempts, [](const Attempt& a) { return a.look_right; });
  }
  for (const auto& name : rewards)
    out["rewards"][name] =
        column(attempts, [&](const Attempt& a) { return share_json(reward_or_nan(a, name)); });
  return out;
}

Json flags_to_json(const std::vector<bool>& flags) {
  Json out = Json::array();
  for (const bool flag : flags) out.push_back(flag ? 1 : 0);
  return out;
}

Json perturbed_to_json(const Perturbed& p) {
  Json out = {{"greedy", Json::array()}, {"sampled", flags_to_json(p.sampled)}};
  if (p.greedy) out["greedy"].push_back(*p.greedy ? 1 : 0);
  return out;
}

/// Reads the fields of one line; errors name file, line and field.
class LineReader {
 public:
  LineReader(const Json& value, std::string where) : value_(value), where_(std::move(where)) {
    GAZE_CHECK(value.is_object(), "read_outcomes", where_, ": not a JSON object");
  }

  const Json& at(const char* name) const {
    const auto found = value_.find(name);
    GAZE_CHECK(found != value_.end(), "read_outcomes", where_, ", ", name, ": missing");
    return *found;
  }
  std::string text(const char* name) const {
    const Json& v = at(name);
    GAZE_CHECK(v.is_string(), "read_outcomes", where_, ", ", name, ": not a text");
    return v.get<std::string>();
  }
  bool boolean(const char* name) const {
    const Json& v = at(name);
    GAZE_CHECK(v.is_boolean(), "read_outcomes", where_, ", ", name, ": not true or false");
    return v.get<bool>();
  }
  std::int64_t integer(const char* name) const {
    const Json& v = at(name);
    GAZE_CHECK(v.is_number_integer(), "read_outcomes", where_, ", ", name, ": not an integer");
    return v.get<std::int64_t>();
  }
  const Json& list(const char* name) const {
    const Json& v = at(name);
    GAZE_CHECK(v.is_array(), "read_outcomes", where_, ", ", name, ": not a list");
    return v;
  }
  std::vector<bool> flags(const char* name) const {
    std::vector<bool> out;
    for (const Json& v : list(name)) {
      const bool good = v.is_number_integer() && (v == 0 || v == 1);
      GAZE_CHECK(good, "read_outcomes", where_, ", ", name, ": expected 0 or 1, got ",
                 printable(v.dump(), kShownBytes));
      out.push_back(v == 1);
    }
    return out;
  }
  bool has(const char* name) const { return value_.contains(name); }
  /// The numbers of a list of `count` entries below `limit` in size; NaN for null.
  std::vector<float> numbers(const char* name, std::size_t count, double limit,
                             const char* meaning) const {
    const Json& column = sized_list(name, count);
    std::vector<float> out;
    for (const Json& v : column) {
      GAZE_CHECK(v.is_null() || v.is_number(), "read_outcomes", where_, ", ", name,
                 ": not a number");
      GAZE_CHECK(v.is_null() || std::fabs(v.get<double>()) < limit, "read_outcomes", where_, ", ",
                 name, ": ", v.dump(), " is not a ", meaning);
      out.push_back(v.is_null() ? std::numeric_limits<float>::quiet_NaN() : v.get<float>());
    }
    return out;
  }
  std::vector<int> counts(const char* name, std::size_t count, const char* meaning) const {
    std::vector<int> out;
    for (const Json& v : sized_list(name, count)) {
      GAZE_CHECK(v.is_number_integer() && v >= 0 && v < 10'000'000, "read_outcomes", where_, ", ",
                 name, ": not a ", meaning);
      out.push_back(v.get<int>());
    }
    return out;
  }
  LineReader inner(const char* name) const { return {at(name), where_ + ", " + name}; }
  const std::string& where() const { return where_; }
  const Json& value() const { return value_; }

 private:
  const Json& sized_list(const char* name, std::size_t count) const {
    const Json& column = list(name);
    GAZE_CHECK(column.size() == count, "read_outcomes", where_, ", ", name,
               ": length differs from that of correct");
    return column;
  }

  const Json& value_;
  std::string where_;
};

void rewards_from_json(const LineReader& in, std::vector<Attempt>& out) {
  GAZE_CHECK(in.value().is_object(), "read_outcomes", in.where(), ": not an object");
  for (const auto& [name, unused] : in.value().items()) {
    const auto values = in.numbers(name.c_str(), out.size(), 1e6, "reward");
    for (std::size_t i = 0; i < out.size(); ++i)
      if (std::isfinite(values[i])) out[i].rewards[name] = values[i];
  }
}

std::vector<Attempt> attempts_from_json(const LineReader& in) {
  std::vector<Attempt> out(in.list("correct").size());
  for (const auto& flag : attempt_flags) {
    const auto column = in.flags(flag.name);
    GAZE_CHECK(column.size() == out.size(), "read_outcomes", in.where(), ", ", flag.name,
               ": length differs from that of correct");
    for (std::size_t i = 0; i < out.size(); ++i) out[i].*flag.field = column[i];
  }
  const std::size_t n = out.size();
  const auto attention = in.numbers("attention", n, 2, "share");
  const auto length = in.counts("length", n, "token count");
  for (std::size_t i = 0; i < n; ++i) {
    out[i].attention = attention[i];
    out[i].length = length[i];
  }
  if (in.has("look_score")) {
    const auto scores = in.numbers("look_score", n, 1e3, "look score");
    for (std::size_t i = 0; i < n; ++i) out[i].look_score = scores[i];
  }
  if (in.has("look_facts")) {
    const auto facts = in.counts("look_facts", n, "number of facts");
    const auto right = in.counts("look_right", n, "number of facts");
    for (std::size_t i = 0; i < n; ++i) {
      GAZE_CHECK(right[i] <= facts[i], "read_outcomes", in.where(), ", look_right: ", right[i],
                 " of ", facts[i], " facts");
      out[i].look_facts = facts[i];
      out[i].look_right = right[i];
    }
  }
  if (in.has("rewards")) rewards_from_json(in.inner("rewards"), out);
  return out;
}

Perturbed perturbed_from_json(const LineReader& in) {
  const auto greedy = in.flags("greedy");
  GAZE_CHECK(greedy.size() <= 1, "read_outcomes", in.where(), ", greedy: more than one");
  Perturbed out;
  if (!greedy.empty()) out.greedy = greedy[0];
  out.sampled = in.flags("sampled");
  return out;
}

}  // namespace

io::Json outcome_to_json(const Outcome& o) {
  io::Json out = {{"index", o.index},
                  {"form", o.form == Form::mc ? "MC" : "OE"},
                  {"split", o.split},
                  {"domain", o.domain},
                  {"subfield", o.subfield},
                  {"reasoning", o.reasoning},
                  {"template", o.template_id},
                  {"needs_image", o.needs_image},
                  {"greedy", attempts_to_json({o.greedy})},
                  {"sampled", attempts_to_json(o.sampled)},
                  {"blank", perturbed_to_json(o.blank)},
                  {"swapped", perturbed_to_json(o.swapped)}};
  if (!o.scene.empty()) out["scene"] = o.scene;
  if (o.layout_only) out["layout_only"] = true;
  if (o.gold_look.greedy) out["gold_look"] = perturbed_to_json(o.gold_look);
  if (!o.many.empty()) out["many"] = flags_to_json(o.many);
  return out;
}

Outcome outcome_from_json(const io::Json& value, const std::string& where) {
  const LineReader in(value, where);
  Outcome o;
  o.index = in.text("index");
  if (in.has("scene")) o.scene = in.text("scene");
  const std::string form = in.text("form");
  GAZE_CHECK(form == "MC" || form == "OE", "read_outcomes", where,
             ", form: ", printable(form, kShownBytes), " is neither MC nor OE");
  o.form = form == "MC" ? Form::mc : Form::oe;
  o.split = in.text("split");
  o.domain = in.text("domain");
  o.subfield = in.text("subfield");
  for (const auto& r : in.list("reasoning")) {
    GAZE_CHECK(r.is_string(), "read_outcomes", where, ", reasoning: not a list of texts");
    o.reasoning.push_back(r.get<std::string>());
  }
  o.template_id = in.text("template");
  o.needs_image = in.boolean("needs_image");
  o.layout_only = in.has("layout_only") && in.boolean("layout_only");
  if (in.has("gold_look")) o.gold_look = perturbed_from_json(in.inner("gold_look"));
  if (in.has("many")) o.many = in.flags("many");
  const auto greedy = attempts_from_json(in.inner("greedy"));
  GAZE_CHECK(greedy.size() == 1, "read_outcomes", where, ", greedy: not exactly one attempt");
  o.greedy = greedy[0];
  o.sampled = attempts_from_json(in.inner("sampled"));
  o.blank = perturbed_from_json(in.inner("blank"));
  o.swapped = perturbed_from_json(in.inner("swapped"));
  return o;
}

void write_outcomes(const std::string& path, const OutcomeSet& set) {
  const io::Json head = {{"condition", set.condition}, {"seed", set.seed}};
  std::string text = io::dump_json(head, path) + "\n";
  for (const auto& o : set.outcomes) text += io::dump_json(outcome_to_json(o), path) + "\n";
  io::write_file(path, text);
}

OutcomeSet read_outcomes(const std::string& path) {
  io::LineFile in(path, "read_outcomes");
  OutcomeSet set;
  bool first = true;
  for (std::string line; in.next(line); first = false) {
    const auto value = io::parse_json(line, in.where());
    if (!first) {
      set.outcomes.push_back(outcome_from_json(value, in.where()));
      continue;
    }
    const LineReader head(value, in.where());
    set.condition = head.text("condition");
    set.seed = head.integer("seed");
  }
  GAZE_CHECK(!set.condition.empty(), "read_outcomes", path, ": no condition; is the file empty?");
  return set;
}

}  // namespace gaze::phyx
