// SPDX-License-Identifier: MIT
// Splitting look sections into facts, and comparing them.
#include "phyx/rewards/look_facts.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "gaze/text/strings.hpp"
#include "phyx/answer/quantity.hpp"
#include "phyx/rewards/rubric.hpp"

namespace gaze::phyx {

namespace {

/// "mass = 5 kg" is {"mass", "5 kg"}; "ball left" is {"ball left", ""}.
struct Fact {
  std::string name, value;
  friend bool operator==(const Fact&, const Fact&) = default;
};

void add_facts(const std::string& text, std::vector<Fact>& out) {
  Fact fact;
  bool after = false;
  for (const auto& word : text::split_words(text::lower(text) + " ,")) {
    if (word == grammar.comma) {
      if (!fact.name.empty() || !fact.value.empty()) out.push_back(fact);
      fact = {};
      after = false;
    } else if (word == "=" && !after) {
      after = true;
    } else {
      std::string& part = after ? fact.value : fact.name;
      part += (part.empty() ? "" : " ") + word;
    }
  }
}

bool same_value(const std::string& a, const std::string& b) {
  if (a == b) return true;
  const auto x = parse_quantity(a), y = parse_quantity(b);
  return x && y && x->note == y->note && same_quantity(*x, *y, 1e-9);
}

bool states(const std::vector<Fact>& said, const Fact& gold) {
  bool found = false;
  for (const Fact& fact : said) {
    if (fact.name != gold.name) continue;
    if (!same_value(fact.value, gold.value)) return false;
    found = true;
  }
  return found;
}

}  // namespace

LookFacts look_facts(const Problem& problem, const ParsedResponse& response) {
  std::vector<Fact> gold, said;
  for (const auto& clause : problem.solution.look) add_facts(clause, gold);
  LookFacts out;
  out.gold = static_cast<int>(gold.size());
  if (!response.well_formed || response.think.size() > longest_think) return out;
  add_facts(split_think(response.think).look, said);
  // The reference itself may give a name several values; then each must be among them.
  const auto right = [&](const Fact& fact) {
    const auto same_name = [&](const Fact& other) { return other.name == fact.name; };
    if (std::count_if(gold.begin(), gold.end(), same_name) == 1) return states(said, fact);
    return std::find(said.begin(), said.end(), fact) != said.end() &&
           std::count_if(said.begin(), said.end(), same_name) <=
               std::count_if(gold.begin(), gold.end(), same_name);
  };
  out.right = static_cast<int>(std::count_if(gold.begin(), gold.end(), right));
  return out;
}

}  // namespace gaze::phyx
