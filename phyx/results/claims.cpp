// SPDX-License-Identifier: MIT
// Fields of comparisons and claims, and their JSON.
#include "phyx/results/claims.hpp"

namespace gaze::phyx {

Fields<Comparison> comparison_fields(bool with_rule) {
  using C = Comparison;
  Fields<C> out = {
      field("condition", "the condition whose difference is tested", any_value, &C::condition),
      field("against", "the condition that is subtracted", any_value, &C::against),
      field("metric", "a metric of results.csv", any_value, &C::metric),
      field("split", "test problems", {"all", "known", "new"}, &C::split),
      field("format", "multiple choice, open-ended or both", {"all", "MC", "OE"}, &C::format),
      field("slice_kind", "kind of the slice", any_value, &C::slice_kind),
      field("slice", "slice of this kind", any_value, &C::slice),
      field("margin", "differences up to it count as none", at_least(0), &C::margin)};
  if (with_rule) out.push_back(field("rule", "the claim", claim_rules, &C::rule));
  return out;
}

Fields<Claim> claim_fields() {
  return {field("text", "the claim in words", any_value, &Claim::text),
          field("source", "where the claim comes from", any_value, &Claim::source)};
}

io::OrderedJson comparisons_json(const std::vector<Comparison>& all) {
  io::OrderedJson out = io::OrderedJson::object();
  for (const auto& c : all) out[c.name] = fields_json(comparison_fields(false), c);
  return out;
}

io::OrderedJson claims_json(const std::vector<Claim>& all) {
  io::OrderedJson out = io::OrderedJson::object();
  for (const auto& c : all) {
    io::OrderedJson& claim = out[c.name] = fields_json(claim_fields(), c);
    claim["tests"] = io::OrderedJson::array();
    for (const auto& t : c.tests) claim["tests"].push_back(fields_json(comparison_fields(true), t));
  }
  return out;
}

namespace {

template <class S>
S from_json(const Fields<S>& fields, const io::Json& object, const std::string& where) {
  GAZE_CHECK(object.is_object(), "study", where, ": not an object");
  S out;
  for (const auto& [key, value] : object.items())
    if (key != "tests") set_field(fields, out, key, value, where);
  return out;
}

}  // namespace

std::vector<Comparison> comparisons_from_json(const io::Json& all, const std::string& source) {
  std::vector<Comparison> out;
  for (const auto& [name, value] : all.items()) {
    out.push_back(from_json(comparison_fields(false), value, source + ", " + printable(name, 80)));
    out.back().name = name;
  }
  return out;
}

std::vector<Claim> claims_from_json(const io::Json& all, const std::string& source) {
  std::vector<Claim> out;
  for (const auto& [name, value] : all.items()) {
    const std::string where = source + ", " + printable(name, 80);
    out.push_back(from_json(claim_fields(), value, where));
    out.back().name = name;
    for (const auto& test : value.value("tests", io::Json::array()))
      out.back().tests.push_back(from_json(comparison_fields(true), test, where));
  }
  return out;
}

}  // namespace gaze::phyx
