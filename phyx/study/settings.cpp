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
#include "models/hf/checkpoint.hpp"
#include "models/presets.hpp"
#include "phyx/eval/trained_model.hpp"
#include "phyx/file_names.hpp"
#include "phyx/rewards/required_fields.hpp"
#include "phyx/study/claim_checks.hpp"
#include "phyx/synth/suite.hpp"
#include "phyx/train/prompt_template.hpp"

namespace gaze::phyx {

namespace {

/// Sections whose settings a condition may change.
constexpr const char* changeable[] = {"grpo.", "sft.", "rft.", "evaluation."};

/// Throws a SettingError about these settings unless `good`.
template <class... Parts>
void require_setting(bool good, const std::vector<std::string>& names, const Parts&... parts) {
  if (!good) throw SettingError(names, concat(parts...));
}

/// "grpo.kl" of "kl=0.1".
std::string assigned(const std::string& assignment) {
  return "grpo." + assignment.substr(0, assignment.find('='));
}

/// The requested settings of GRPO without any one of which the others are valid.
std::vector<std::string> grpo_faults(const rl::GrpoSettings& start,
                                     const std::vector<std::string>& requested) {
  std::vector<std::string> out;
  for (const auto& one : requested) {
    rl::GrpoSettings others = start;
    for (const auto& assignment : requested)
      if (assigned(assignment) != assigned(one)) rl::set_option(others, assignment);
    try {
      others.check();
      out.push_back(assigned(one));
    } catch (const Error&) {  // it has other faults
    }
  }
  out.push_back("grpo");
  return out;
}

/// GRPO's settings: those of the variant, then the requested ones.
void settle_grpo(AblationSettings& s) {
  blame({"grpo.variant"}, [&] { s.grpo.apply(rl::variant(s.variant)); });
  s.grpo.sampling.max_tokens = s.evaluation.sampling.max_tokens = s.max_tokens;
  s.grpo.loss.max_length = static_cast<double>(s.max_tokens);
  const rl::GrpoSettings start = s.grpo;
  for (const auto& assignment : s.grpo_set)
    blame({assigned(assignment)}, [&] { rl::set_option(s.grpo, assignment); });
  try {
    s.grpo.check();
  } catch (const Error& e) {
    throw SettingError(grpo_faults(start, s.grpo_set), message_of(e));
  }
}

/// Names of known templates, each once.
void check_templates(const std::string& name, const std::vector<std::string>& templates) {
  std::set<std::string> seen;
  for (const auto& id : templates) {
    blame({name}, [&] { synth::find_template(id); });
    require_setting(seen.insert(id).second, {name}, name, ": ", printable(id, kShownBytes),
                    " occurs twice");
  }
}

/// Whether supervised training or training by reward has all templates.
bool trains_all_templates(const AblationSettings& s) {
  const auto in = [](const std::vector<std::string>& names, const synth::Template& t) {
    return std::find(names.begin(), names.end(), t.id) != names.end();
  };
  const auto& all = synth::templates();
  return std::all_of(all.begin(), all.end(), [&](const synth::Template& t) {
    return in(s.sft_templates, t) || in(s.rl_templates, t) ||
           (s.sft_templates.empty() && !t.is_new);
  });
}

void check_data(const AblationSettings& s) {
  check_templates("data.sft_templates", s.sft_templates);
  check_templates("data.rl_templates", s.rl_templates);
  require_setting(s.cues || s.cue_strength == 0, {"data.cue_strength", "data.cues"},
                  "data.cue_strength is ", s.cue_strength,
                  ", but data.cues is false: there are no cues");
  require_setting(s.rl_share == 0 || !s.rl_templates.empty(), {"data.rl_share"},
                  "data.rl_share is ", s.rl_share, ", but there are no data.rl_templates");
  if (s.own.used()) return;
  require_setting(s.test_known + s.test_new > 0, {"data.test_known", "data.test_new"},
                  "no test scenes");
  require_setting(s.split == "val" || s.test_new == 0 || !trains_all_templates(s),
                  {"data.test_new", "data.sft_templates", "data.rl_templates"}, "data.test_new is ",
                  s.test_new, ", but all templates are trained; it must be 0");
}

/// The settings with a single value, without conditions, comparisons and claims.
void settle_values(AblationSettings& s) {
  settle_own_data(s);
  blame({"prompts.problem"}, [&] { check_prompt_template(s.prompts.problem, "prompts.problem"); });
  settle_grpo(s);
  AblationSettings scratch = s;
  for (const auto& f : study_fields()) blame({f.name}, [&] { f.set(scratch, f.get(s), f.name); });
  blame({"model"}, [&] { model_config(s); });
  require_setting(!s.seeds.empty(), {"seeds"}, "no seeds");
  require_setting(s.validate_every == 0 || s.validate_scenes > 0,
                  {"validation.scenes", "validation.every"},
                  "validation.scenes must be above 0 with validation.every ", s.validate_every);
  for (const int k : s.pass_at)
    require_setting(k <= pass_samples(s.evaluation), {"evaluation.k"}, "evaluation.k: ", k,
                    " is above ",
                    s.evaluation.many > 0 ? "evaluation.many, " : "evaluation.samples, ",
                    pass_samples(s.evaluation));
  const EvaluationSettings& e = s.evaluation;
  require_setting(e.many == 0 || e.many > e.samples, {"evaluation.many", "evaluation.samples"},
                  "evaluation.many must be 0 or above evaluation.samples, ", e.samples, ", got ",
                  e.many);
  require_setting(e.many == 0 || e.many_share > 0, {"evaluation.many_share", "evaluation.many"},
                  "evaluation.many_share must be above 0 with evaluation.many ", e.many);
  check_data(s);
}

std::string names_of(const std::vector<Condition>& conditions) {
  std::string out;
  for (const Condition& c : conditions) out += (out.empty() ? "" : ", ") + c.name;
  return out;
}

void check_name(const char* kind, const std::string& name) {
  GAZE_CHECK(is_plain_name(name), "study", "a ", kind, " named '", printable(name, kShownBytes),
             "'; names consist of 1 to ", longest_name, " letters, digits, - and _");
}

/// The options `layers` and `heads` of a reward, lists of integers, are of the model's decoder.
/// `where` starts the message.
void check_layers_and_heads(const AblationSettings& s, const std::string& reward,
                            const io::Json& options, const std::string& where = "") {
  const models::DecoderConfig decoder = model_config(s).decoder;
  for (const auto& [name, count] :
       {std::pair("layers", decoder.layers), std::pair("heads", decoder.heads)}) {
    const io::Json chosen = options.value(name, io::Json::array());
    if (!chosen.is_array()) continue;
    for (const io::Json& one : chosen)
      GAZE_CHECK(!one.is_number_integer() || (one >= 0 && one < count), "study", where, reward, ".",
                 name, ": there is no ", one.dump(), "; the decoder of ", s.model, " has ", count,
                 " ", name, ", 0 to ", count - 1);
  }
}

void check_condition(const AblationSettings& s, const Condition& c) {
  check_name("condition", c.name);
  const auto where = [&] { return "condition." + c.name; };
  GAZE_CHECK(
      (c.method == Method::grpo) == !c.rewards.empty(), "study", where(),
      c.method == Method::grpo ? ": method grpo needs rewards" : ": only method grpo has rewards");
  for (const RewardUse& use : c.rewards) check_name("reward", use.name);
  for (const RewardTerm& term : mix_of(c, s.reward_options).terms)
    check_layers_and_heads(s, term.reward.name, term.reward.options, where() + ": ");
  for (const auto& [name, value] : c.changes.items())
    GAZE_CHECK(std::any_of(std::begin(changeable), std::end(changeable),
                           [&, key = name](const char* p) { return key.rfind(p, 0) == 0; }),
               "study", where(), ".", name, ": a condition has no such setting of its own");
  for (const double t : c.temperatures)
    GAZE_CHECK(std::isfinite(t) && t >= min_temperature, "study", where(),
               ".temperatures: must be finite and at least ", min_temperature, ", got ", t);
  GAZE_CHECK(c.pool_set != Pool::rl || has_rl_problems(s), "study", where(),
             ".pool: rl has no problems of its own without data.rl_templates or data.cues");
  const AblationSettings own = settings_of(s, c);
  if ((c.method == Method::sft || c.method == Method::rft) && own.sft.steps == 0)
    matched_condition(s, c);
  require_setting(c.method != Method::grpo || own.grpo.loss.pathwise == 0 ||
                      mix_of(c, own.reward_options).has_attention_gradient(),
                  {"grpo.pathwise", "rewards"},
                  "grpo.pathwise needs a reward that reads the attention, such as attention");
}

/// What a condition of a published checkpoint cannot have.
void check_checkpoint_condition(const AblationSettings& s, const Condition& c) {
  const RewardMix mix = mix_of(c, s.reward_options);
  const bool pictures = s.own.used() && model_config(s).sees();
  for (std::size_t i = 0; i < c.rewards.size(); ++i)
    for (const RequiredField& f : required_fields(c.rewards[i].kind, mix.terms[i].reward.options))
      GAZE_CHECK(f.name != "image" || pictures, "study", "the reward ", f.kind,
                 " needs pictures, but ",
                 s.own.used() ? s.model + " reads text only" : "data.suite words has none");
  const RewardNeeds needs = mix.needs();
  GAZE_CHECK(!needs.answer_swapped && !needs.twin_swapped, "study",
             "a reward that swaps pictures is for our own models: those of a published checkpoint "
             "have different numbers of tokens");
  const rl::GrpoSettings& grpo = settings_of(s, c).grpo;
  require_setting(grpo.reference_sync.every == 0, {"grpo.reference_sync.every"},
                  "grpo.reference_sync.every must be 0: the reference is the published checkpoint");
  require_setting(!grpo.loss.papo.needs_masked(), {"grpo.papo.gamma"},
                  "the terms of PAPO, which mask pictures, are for our own models");
}

/// check_condition() with errors about the condition or its settings.
void check_named_condition(const AblationSettings& s, const Condition& c) {
  const std::string self = "condition." + c.name;
  const auto text = [&](const Error& e) {
    const std::string message = message_of(e);
    return message.rfind(self, 0) == 0 ? message : self + ": " + message;
  };
  try {
    check_condition(s, c);
    if (from_checkpoint(s) && wanted(s, c)) check_checkpoint_condition(s, c);
  } catch (const SettingError& e) {
    std::vector<std::string> names;
    for (const auto& name : e.names()) names.push_back(self + "." + name);
    throw SettingError(names, text(e));
  } catch (const Error& e) {
    throw SettingError({self}, text(e));
  }
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

std::string start_name(const AblationSettings& s) {
  for (const Condition& c : s.conditions)
    if (c.method == Method::none) return c.name;
  return "";
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

bool from_checkpoint(const AblationSettings& s) {
  return models::hf::is_published_checkpoint(s.model);
}

PublishedSettings published_settings(const AblationSettings& s) {
  PublishedSettings out;
  out.precision = s.precision;
  out.split_images = s.checkpoint.split_images;
  out.template_text = s.checkpoint.prompt;
  return out;
}

models::VlmConfig model_config(const AblationSettings& s) {
  if (from_checkpoint(s)) {
    models::VlmConfig out = models::hf::open_checkpoint(s.model).model;
    out.bf16 = s.precision == "bf16";
    return out;
  }
  models::VlmConfig out =
      s.own.start.empty() ? models::preset(s.model) : read_model_files(s.own.start).config;
  out.vocabulary = 0;
  out.bf16 = s.precision == "bf16";
  return out;
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
    check_named_condition(s, c);
    require_setting(names.insert(c.name).second, {"condition." + c.name}, "two conditions named ",
                    c.name);
    if (s.sft.match.empty() && c.method == Method::grpo) s.sft.match = c.name;
  }
  for (const auto& name : s.only)
    require_setting(names.count(name) > 0, {"only"}, "only: no condition named ", name,
                    "; there are ", names_of(s.conditions));
  for (const auto& [name, options] : s.reward_options)
    blame({"reward." + name}, [&, key = name, own = options] {
      check_options(key, reward_kind(key).options, own);
      if (reward_kind(key).has_defaults()) make_reward(key, own);  // as the evaluation does
      check_layers_and_heads(s, key, own);
    });
  for (const Claim& c : s.claims) blame({"claim." + c.id}, [&] { check_claim(s, c); });
}

io::OrderedJson conditions_json(const AblationSettings& s) {
  io::OrderedJson out = io::OrderedJson::object();
  for (const Condition& c : s.conditions) out[c.name] = condition_json(c);
  return out;
}

io::OrderedJson settings_json(const AblationSettings& s) {
  io::OrderedJson j;
  j["preset"] = s.preset;
  const bool checkpoint = from_checkpoint(s);
  const auto of_checkpoint = [](const std::string& name) {
    return name.starts_with("checkpoint.") || name.starts_with("lora.") || name == "data.suite";
  };
  for (const auto& f : study_fields()) {
    if (!f.decides || (!checkpoint && of_checkpoint(f.name))) continue;
    const std::size_t dot = f.name.find('.');
    if (dot == f.name.npos)
      j[f.name] = f.get(s);
    else
      j[f.name.substr(0, dot)][f.name.substr(dot + 1)] = f.get(s);
  }
  if (s.own.used())
    j["data"] = {{"own", own_names(s.own)},
                 {"hold_out", s.own.hold_out},
                 {"hold_out_seed", s.own.hold_out_seed},
                 {"start", checkpoint            ? "a published checkpoint"
                           : s.own.start.empty() ? "random weights"
                                                 : "a trained model"}};
  j["start"] = start_name(s);
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
