// SPDX-License-Identifier: MIT
// Outcomes as JSON lines, with attempts by column and every field checked when read.
#include "phyx/results/outcome.hpp"

#include <array>
#include <cmath>
#include <cstddef>
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

/// Shares in [0, 1], rounded to six digits, which are far finer than the intervals; null: NaN.
struct ShareColumn {
  const char* name;
  float Attempt::*field;
};
constexpr ShareColumn attention_column = {"attention", &Attempt::attention};
constexpr std::array<ShareColumn, 2> look_shares = {{
    {"look_score", &Attempt::look_score},
    {"look_region", &Attempt::look_region},
}};

struct CountColumn {
  const char* name;
  int Attempt::*field;
};
constexpr CountColumn length_column = {"length", &Attempt::length};
constexpr std::array<CountColumn, 2> look_counts = {{
    {"look_facts", &Attempt::look_facts},
    {"look_right", &Attempt::look_right},
}};

Json column_of(const std::vector<Attempt>& attempts, const ShareColumn& column) {
  Json out = Json::array();
  for (const auto& a : attempts) {
    const double rounded = std::round(double(a.*column.field) * 1e6) / 1e6;
    out.push_back(std::isfinite(a.*column.field) ? Json(rounded) : Json(nullptr));
  }
  return out;
}

Json column_of(const std::vector<Attempt>& attempts, const CountColumn& column) {
  Json out = Json::array();
  for (const auto& a : attempts) out.push_back(a.*column.field);
  return out;
}

Json attempts_to_json(const std::vector<Attempt>& attempts) {
  Json out = Json::object();
  for (const auto& flag : attempt_flags) {
    Json column = Json::array();
    for (const auto& a : attempts) column.push_back(a.*flag.field ? 1 : 0);
    out[flag.name] = std::move(column);
  }
  out[attention_column.name] = column_of(attempts, attention_column);
  out[length_column.name] = column_of(attempts, length_column);
  for (const auto& column : look_shares) out[column.name] = column_of(attempts, column);
  for (const auto& column : look_counts) out[column.name] = column_of(attempts, column);
  return out;
}

Json perturbed_to_json(const Perturbed& p) {
  Json out = {{"greedy", Json::array()}, {"sampled", Json::array()}};
  if (p.greedy) out["greedy"].push_back(*p.greedy ? 1 : 0);
  for (bool b : p.sampled) out["sampled"].push_back(b ? 1 : 0);
  return out;
}

/// Reads the fields of one line; errors name file, line and field.
class LineReader {
 public:
  LineReader(const Json& value, std::string where) : value_(value), where_(std::move(where)) {
    GAZE_CHECK(value.is_object(), "read_outcomes", where_, ": not a JSON object");
  }

  bool has(const char* name) const { return value_.contains(name); }
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
  LineReader inner(const char* name) const { return {at(name), where_ + ", " + name}; }
  const std::string& where() const { return where_; }

 private:
  const Json& value_;
  std::string where_;
};

const Json& full_list(const LineReader& in, const char* name, std::size_t size) {
  const Json& list = in.list(name);
  GAZE_CHECK(list.size() == size, "read_outcomes", in.where(), ", ", name,
             ": length differs from that of correct");
  return list;
}

void read_column(const LineReader& in, const ShareColumn& column, std::vector<Attempt>& out) {
  const Json& list = full_list(in, column.name, out.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    const Json& v = list[i];
    GAZE_CHECK(v.is_null() || v.is_number(), "read_outcomes", in.where(), ", ", column.name,
               ": not a number");
    GAZE_CHECK(v.is_null() || std::fabs(v.get<double>()) < 2, "read_outcomes", in.where(), ", ",
               column.name, ": ", v.dump(), " is not a share");
    if (!v.is_null()) out[i].*column.field = v.get<float>();
  }
}

void read_column(const LineReader& in, const CountColumn& column, std::vector<Attempt>& out) {
  const Json& list = full_list(in, column.name, out.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    const Json& v = list[i];
    GAZE_CHECK(v.is_number_integer() && v >= 0 && v < 10'000'000, "read_outcomes", in.where(), ", ",
               column.name, ": not a count");
    out[i].*column.field = v.get<int>();
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
  read_column(in, attention_column, out);
  read_column(in, length_column, out);
  if (!in.has(look_shares.front().name)) return out;  // written before these columns existed
  for (const auto& column : look_shares) read_column(in, column, out);
  for (const auto& column : look_counts) read_column(in, column, out);
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
  return {{"index", o.index},
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
}

Outcome outcome_from_json(const io::Json& value, const std::string& where) {
  const LineReader in(value, where);
  Outcome o;
  o.index = in.text("index");
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
