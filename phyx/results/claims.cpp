// SPDX-License-Identifier: MIT
// Claims as JSON.
#include "phyx/results/claims.hpp"

#include <cmath>
#include <set>
#include <string_view>
#include <utility>

#include "gaze/core/error.hpp"
#include "gaze/core/printable.hpp"

namespace gaze::phyx {

namespace {

/// Reads the fields of one claim and refuses those that it does not know.
class ClaimReader {
 public:
  ClaimReader(const io::Json& value, std::string where) : value_(value), where_(std::move(where)) {
    GAZE_CHECK(value.is_object(), "claims", where_, ": not an object");
  }

  std::string text(const char* key) {
    io::json_at(value_, key, where_);
    return text(key, "");
  }
  std::string text(const char* key, const std::string& otherwise) {
    known_.insert(key);
    return io::json_text(value_, key, where_, otherwise);
  }
  double number(const char* key, double otherwise) {
    known_.insert(key);
    return io::json_number(value_, key, where_, otherwise);
  }
  const io::Json* object(const char* key) {
    known_.insert(key);
    const auto found = value_.find(key);
    return found == value_.end() ? nullptr : &*found;
  }
  void check_all_known() const {
    for (const auto& [key, unused] : value_.items())
      GAZE_CHECK(known_.count(key), "claims", where_, ": unknown field '",
                 printable(key, kShownBytes), "'");
  }
  const std::string& where() const { return where_; }

 private:
  const io::Json& value_;
  std::string where_;
  std::set<std::string> known_;
};

ClaimSlice slice_from_json(const io::Json& value, const std::string& where) {
  ClaimReader in(value, where);
  ClaimSlice out;
  out.split = in.text("split", out.split);
  out.format = in.text("format", out.format);
  out.kind = in.text("kind", out.kind);
  out.name = in.text("name", out.name);
  in.check_all_known();
  return out;
}

Claim claim_from_json(const io::Json& value, const std::string& where) {
  ClaimReader in(value, where);
  Claim out;
  out.id = in.text("id");
  out.text = in.text("text");
  out.condition = in.text("condition");
  out.reference = in.text("reference");
  out.metric = in.text("metric");
  if (const io::Json* slice = in.object("slice"))
    out.slice = slice_from_json(*slice, where + ", slice");
  const std::string expected = in.text("expected");
  const auto verdict = verdict_of(expected);
  GAZE_CHECK(verdict && *verdict != Verdict::undecided, "claims", where, ", expected: '",
             printable(expected, kShownBytes), "' is not above, below or equivalent");
  out.expected = *verdict;
  out.margin = in.number("margin", out.margin);
  GAZE_CHECK(std::isfinite(out.margin) && out.margin >= 0, "claims", where,
             ", margin: must not be negative, got ", out.margin);
  out.source = in.text("source", "");
  in.check_all_known();
  return out;
}

}  // namespace

std::vector<std::string> names_of_slice(const std::string& name) {
  std::vector<std::string> out;
  for (std::size_t at = 0;;) {
    const std::size_t plus = name.find('+', at);
    out.push_back(name.substr(at, plus - at));
    if (plus == name.npos) return out;
    at = plus + 1;
  }
}

std::string difference_metric(const Claim& claim) {
  return claim.metric + "_vs_" + claim.reference;
}

io::Json claims_to_json(const std::vector<Claim>& claims) {
  io::Json out = io::Json::array();
  for (const auto& c : claims)
    out.push_back({{"id", c.id},
                   {"text", c.text},
                   {"condition", c.condition},
                   {"reference", c.reference},
                   {"metric", c.metric},
                   {"slice",
                    {{"split", c.slice.split},
                     {"format", c.slice.format},
                     {"kind", c.slice.kind},
                     {"name", c.slice.name}}},
                   {"expected", verdict_name(c.expected)},
                   {"margin", c.margin},
                   {"source", c.source}});
  return out;
}

std::vector<Claim> claims_from_json(const io::Json& value, const std::string& where) {
  GAZE_CHECK(value.is_array(), "claims", where, ": not a list");
  std::vector<Claim> out;
  std::set<std::string> ids;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const std::string here = where + ", claim " + std::to_string(i + 1);
    out.push_back(claim_from_json(value[i], here));
    GAZE_CHECK(ids.insert(out.back().id).second, "claims", here, ": id '",
               printable(out.back().id, kShownBytes), "' appears twice");
  }
  return out;
}

}  // namespace gaze::phyx
