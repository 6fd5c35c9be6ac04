// SPDX-License-Identifier: MIT
// Settings that depend on others, checks, and JSON.
#include "phyx/study/settings.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

#include "gaze/core/error.hpp"
#include "gaze/core/printable.hpp"
#include "gaze/rl/options.hpp"
#include "gaze/rl/variants.hpp"
#include "models/presets.hpp"
#include "phyx/study/claim_checks.hpp"
#include "phyx/synth/suite.hpp"

namespace gaze::phyx {

namespace {

/// Sections whose settings a condition may change.
constexpr const char* changeable[] = {"grpo.", "sft.", "rft.", "evaluation."};

/// The settings with a single value, without conditions, comparisons and claims.
void settle_values(AblationSettings& s) {
  settle_own_data(s);
  s.grpo.apply(rl::variant(s.variant));
  s.grpo.sampling.max_tokens = s.evaluation.sampling.max_tokens = s.max_tokens;
  s.grpo.loss.max_length = static_cast<double>(s.max_tokens);
  for (const auto& assignment : s.grpo_set) rl::set_option(s.grpo, assignment);
  AblationSettings scratch = s;
  for (const auto& f : study_fields()) f.set(scratch, f.get(s), f.name);
  s.grpo.check();
  models::preset(s.model);
  GAZE_CHECK(!s.seeds.empty(), "study", "no seeds");
  GAZE_CHECK(s.validate_every == 0 || s.validate_scenes > 0, "study",
             "validate_scenes must be above 0 with validate_every ", s.validate_every);
  for (const int k : s.pass_at)
    GAZE_CHECK(k <= pass_samples(s.evaluation), "study", "evaluation.k: ", k, " is above ",
               s.evaluation.many > 0 ? "evaluation.many, " : "evaluation.samples, ",
               pass_samples(s.evaluation));
  GAZE_CHECK(s.test_known + s.test_new > 0, "study", "no test scenes");
  for (const auto* templates : {&s.sft_templates, &s.rl_templates})
    for (const auto& id : *templates) synth::find_template(id);
}

std::string names_of(const std::vector<Condition>& conditions) {
  std::string out;
  for (const Condition& c : conditions) out += (out.empty() ? "" : ", ") + c.name;
  return out;
}

void check_name(const char* kind, const std::string& name) {
  const bool good = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '-';
  });
  GAZE_CHECK(good, "study", "a ", kind, " named '", name,
             "'; names consist of letters, digits, - and _");
}

void check_condition(const AblationSettings& s, const Condition& c) {
  check_name("condition", c.name);
  const auto where = [&] { return "condition." + c.name; };
  GAZE_CHECK(
      (c.method == Method::grpo) == !c.rewards.empty(), "study", where(),
      c.method == Method::grpo ? ": method grpo needs rewards" : ": only method grpo has rewards");
  mix_of(c, s.reward_options);
  for (const auto& [name, value] : c.changes.items())
    GAZE_CHECK(std::any_of(std::begin(changeable), std::end(changeable),
                           [&, key = name](const char* p) { return key.rfind(p, 0) == 0; }),
               "study", where(), ".", name, ": a condition has no such setting of its own");
  for (const double t : c.temperatures)
    GAZE_CHECK(std::isfinite(t) && t >= min_temperature, "study", where(),
               ".temperatures: must be finite and at least ", min_temperature, ", got ", t);
  const AblationSettings own = settings_of(s, c);
  if ((c.method == Method::sft || c.method == Method::rft) && own.sft.steps == 0)
    matched_condition(s, c);
}

io::OrderedJson condition_json(const Condition& c) {
  io::OrderedJson j;
  j["method"] = method_names[static_cast<std::size_t>(c.method)];
  j["meaning"] = c.meaning;
  if (c.pool_set) j["pool"] = pool_names[static_cast<std::size_t>(*c.pool_set)];
  for (const RewardUse& use : c.rewards) {
    io::OrderedJson& to = j["rewards"][use.name];
    to["weight"] = use.weight;
    if (use.kind != use.name) to["reward"] = use.kind;
    for (const auto& [key, value] : use.options.items()) to[key] = value;
  }
  if (!c.temperatures.empty()) j["temperatures"] = c.temperatures;
  j.update(c.changes);
  return j;
}

}  // namespace

const Condition& condition(const AblationSettings& s, const std::string& name) {
  for (const Condition& c : s.conditions)
    if (name == c.name) return c;
  GAZE_FAIL("condition", "no condition named ", name, "; there are ", names_of(s.conditions));
}

bool wanted(const AblationSettings& s, const Condition& c) {
  return s.only.empty() || std::find(s.only.begin(), s.only.end(), c.name) != s.only.end();
}

bool has_rl_problems(const AblationSettings& s) {
  return s.cues || (!s.rl_templates.empty() && s.rl_templates != s.sft_templates);
}

AblationSettings settings_of(const AblationSettings& s, const Condition& c) {
  AblationSettings own = s;
  if (rl::variant(s.variant).resample_zero_std && c.changes.contains("grpo.variant"))
    own.grpo.resample = 0;  // belonged to the study's variant
  for (const auto& [name, value] : c.changes.items())
    set_field(study_fields(), own, name, value, "condition." + c.name);
  settle_values(own);
  return own;
}

const Condition& matched_condition(const AblationSettings& s, const Condition& c) {
  const std::string match = settings_of(s, c).sft.match;
  for (const Condition& other : s.conditions)
    if (other.method == Method::grpo && (match.empty() || other.name == match)) return other;
  GAZE_FAIL("study", "condition.", c.name, ": sft.steps = 0 needs a condition of method grpo",
            match.empty() ? "" : " named " + match, ", whose arithmetic it matches");
}

void settle(AblationSettings& s) {
  settle_values(s);
  std::set<std::string> names;
  for (const Condition& c : s.conditions) {
    check_condition(s, c);
    GAZE_CHECK(names.insert(c.name).second, "study", "two conditions named ", c.name);
  }
  for (const auto& name : s.only)
    GAZE_CHECK(names.count(name), "study", "only: no condition named ", name, "; there are ",
               names_of(s.conditions));
  for (const auto& [name, options] : s.reward_options)
    check_options(name, reward_kind(name).options, options);
  for (const Claim& c : s.claims) check_claim(s, c);
}

io::OrderedJson conditions_json(const AblationSettings& s) {
  io::OrderedJson out = io::OrderedJson::object();
  for (const Condition& c : s.conditions) out[c.name] = condition_json(c);
  return out;
}

io::OrderedJson settings_json(const AblationSettings& s) {
  io::OrderedJson j;
  j["preset"] = s.preset;
  for (const auto& f : study_fields()) {
    if (!f.decides) continue;
    const std::size_t dot = f.name.find('.');
    if (dot == f.name.npos)
      j[f.name] = f.get(s);
    else
      j[f.name.substr(0, dot)][f.name.substr(dot + 1)] = f.get(s);
  }
  if (s.own.used())
    j["data"] = {{"own", printable(std::filesystem::path(s.own.file).filename().string())},
                 {"hold_out", s.own.hold_out},
                 {"hold_out_seed", s.own.hold_out_seed},
                 {"start", s.own.start.empty() ? "random weights" : "a trained model"}};
  j["reward"] = s.reward_options;
  j["condition"] = conditions_json(s);
  for (const Condition& c : s.conditions)
    for (const RewardTerm& term : mix_of(c, s.reward_options).terms)
      if (!term.reward.program.empty())
        j["programs"][c.name][term.reward.name] = term.reward.program;
  j["claims"] = claims_to_json(s.claims);
  if (!s.grid.empty()) j["grid"] = s.grid;
  return j;
}

}  // namespace gaze::phyx
