// SPDX-License-Identifier: MIT
// Every setting of GRPO by name, for command lines, configuration files and documentation: one
// table over the fields of GrpoSettings, and the names of each axis's choices.
//
//   grpo_options()                    the table, in the order of the axes
//   set_option(settings, "kl=0.04")   sets one; an Error lists the known names
//   options_json(settings)            all values
#pragma once
#include <charconv>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "gaze/io/json.hpp"
#include "gaze/rl/grpo_settings.hpp"

namespace gaze::rl {

/// One setting. `choices`: the names of an axis's or switch's values; empty for a number.
struct GrpoOption {
  std::string name, meaning;
  std::vector<std::string> choices;
  std::function<io::OrderedJson(const GrpoSettings&)> get;
  std::function<void(GrpoSettings&, const std::string& text)> set;
};

namespace detail {

using Names = std::vector<std::string>;

/// The choices of each axis, in the order of its enumeration.
inline Names choices_of(RatioLevel) {
  return {"token", "sequence", "sequence_token", "sequence_sum"};
}
inline Names choices_of(Surrogate) { return {"clip", "weight", "soft", "gamma", "log_clip"}; }
inline Names choices_of(Bounds) { return {"around_one", "absolute"}; }
inline Names choices_of(Aggregation) {
  return {"sequence_mean",    "token_mean", "fixed_length",
          "micro_token_mean", "token_sum",  "sequence_sum"};
}
inline Names choices_of(KlEstimator) { return {"k1", "k2", "k3", "absolute"}; }
inline Names choices_of(ImportanceCorrection::Level) { return {"none", "token", "sequence"}; }
inline Names choices_of(ImportanceCorrection::Mode) { return {"truncate", "mask"}; }
inline Names choices_of(Spread) { return {"group", "batch", "none", "nonzero", "nonzero_rewards"}; }
inline Names choices_of(Baseline) {
  return {"group_mean", "leave_one_out", "length_weighted", "second_best", "none"};
}
inline Names choices_of(Objectives) { return {"sum_then_normalise", "normalise_then_sum"}; }
inline Names choices_of(Whiten) { return {"none", "completions", "tokens"}; }

inline std::string joined(const Names& names) {
  std::string out;
  for (const auto& n : names) out += (out.empty() ? "" : ", ") + n;
  return out;
}

/// The index of `text` among the choices.
inline std::size_t choice(const std::string& name, const Names& choices, const std::string& text) {
  const auto found = std::find(choices.begin(), choices.end(), text);
  GAZE_CHECK(found != choices.end(), "grpo", name, ": no choice '", text, "'; there are ",
             joined(choices));
  return static_cast<std::size_t>(found - choices.begin());
}

/// A number of at least 0, finite unless the setting may be infinite ("no limit").
template <class Number>
Number number(const std::string& name, const std::string& text, bool may_be_infinite) {
  Number value{};
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  bool good = read.ec == std::errc() && read.ptr == end && value >= 0;
  if constexpr (std::is_floating_point_v<Number>)
    good = good && (may_be_infinite || value < HUGE_VAL);
  GAZE_CHECK(good, "grpo", name, ": must be a ", std::is_integral_v<Number> ? "whole " : "",
             "number of at least 0", may_be_infinite ? " or inf" : "", ", got '", text, "'");
  return value;
}

template <class T>
void read_option(const std::string& name, const std::string& text, bool may_be_infinite, T& to) {
  if constexpr (std::is_enum_v<T>)
    to = static_cast<T>(choice(name, choices_of(T{}), text));
  else if constexpr (std::is_same_v<T, bool>)
    to = choice(name, {"false", "true"}, text) == 1;
  else
    to = number<T>(name, text, may_be_infinite);
}

template <class T>
io::OrderedJson option_json(T value) {
  if constexpr (std::is_enum_v<T>)
    return choices_of(T{})[static_cast<std::size_t>(value)];
  else if constexpr (std::is_floating_point_v<T>)
    return std::isinf(value) ? io::OrderedJson("inf") : io::OrderedJson(value);
  else
    return value;
}

/// The row of a field; `at(settings)` returns a reference to the field.
template <class At>
GrpoOption option(const char* name, const char* meaning, At at) {
  using T = std::remove_reference_t<decltype(at(std::declval<GrpoSettings&>()))>;
  GrpoOption out{name, meaning, {}, {}, {}};
  if constexpr (std::is_enum_v<T>) out.choices = choices_of(T{});
  if constexpr (std::is_same_v<T, bool>) out.choices = {"false", "true"};
  GrpoSettings defaults;
  bool infinite = false;
  if constexpr (std::is_floating_point_v<T>) infinite = std::isinf(at(defaults));
  out.get = [at](const GrpoSettings& s) {
    GrpoSettings copy = s;
    return option_json<T>(at(copy));
  };
  out.set = [at, infinite, name](GrpoSettings& s, const std::string& text) {
    read_option<T>(name, text, infinite, at(s));
  };
  return out;
}

#define GAZE_FIELD(field) \
  [](GrpoSettings & s) -> auto& { return s.field; }

inline std::vector<GrpoOption> run_options() {
  return {option("prompts", "prompts per step", GAZE_FIELD(prompts)),
          option("group", "completions per prompt", GAZE_FIELD(group)),
          option("updates", "passes over one rollout", GAZE_FIELD(updates)),
          option("minibatches", "optimiser steps per pass", GAZE_FIELD(minibatches)),
          option("groups_per_micro", "groups per forward and backward pass",
                 GAZE_FIELD(groups_per_micro)),
          option("resample", "rounds that replace groups with equal rewards, at most 63",
                 GAZE_FIELD(resample)),
          option("overlong_cache", "soft overlong penalty: width of the ramp below max_tokens",
                 GAZE_FIELD(overlong_cache))};
}

inline std::vector<GrpoOption> sampling_options() {
  return {option("temperature", "sampling temperature", GAZE_FIELD(sampling.temperature)),
          option("top_k", "keep the k likeliest tokens; 0: all", GAZE_FIELD(sampling.top_k)),
          option("top_p", "keep the likeliest tokens with this total probability",
                 GAZE_FIELD(sampling.top_p)),
          option("min_p", "keep tokens with this share of the likeliest token's probability",
                 GAZE_FIELD(sampling.min_p)),
          option("repetition_penalty", "penalty on tokens seen; 1: none",
                 GAZE_FIELD(sampling.repetition_penalty))};
}

inline std::vector<GrpoOption> advantage_options() {
  return {option("spread", "divisor of a centred reward", GAZE_FIELD(advantage.spread)),
          option("eps", "added to the standard deviation", GAZE_FIELD(advantage.eps)),
          option("baseline", "baseline subtracted from a reward", GAZE_FIELD(advantage.baseline)),
          option("population", "variances divide by n instead of n - 1",
                 GAZE_FIELD(advantage.population)),
          option("objectives", "several rewards: normalise before or after their sum",
                 GAZE_FIELD(advantage.objectives)),
          option("whiten", "a last normalisation over the batch", GAZE_FIELD(advantage.whiten)),
          option("discount", "discount of a reward per following token",
                 GAZE_FIELD(advantage.discount))};
}

inline std::vector<GrpoOption> ratio_options() {
  return {
      option("ratio", "level of the ratio", GAZE_FIELD(loss.ratio)),
      option("surrogate", "the objective", GAZE_FIELD(loss.surrogate)),
      option("bounds", "clip widths around 1 or absolute", GAZE_FIELD(loss.bounds)),
      option("clip_low", "lower clip width", GAZE_FIELD(loss.clip_low)),
      option("clip_high", "upper clip width", GAZE_FIELD(loss.clip_high)),
      option("delta", "upper limit of the unclipped ratio; 0: none", GAZE_FIELD(loss.delta)),
      option("dual_clip", "lower limit of the objective where A < 0, times A; 0: none",
             GAZE_FIELD(loss.dual_clip)),
      option("soft_positive", "soft: temperature where A > 0", GAZE_FIELD(loss.soft_positive)),
      option("soft_negative", "soft: temperature where A < 0", GAZE_FIELD(loss.soft_negative)),
      option("gamma_positive.k", "gamma: shape where A > 0", GAZE_FIELD(loss.gamma_positive.k)),
      option("gamma_positive.lambda", "gamma: rate where A > 0",
             GAZE_FIELD(loss.gamma_positive.lambda)),
      option("gamma_negative.k", "gamma: shape where A < 0", GAZE_FIELD(loss.gamma_negative.k)),
      option("gamma_negative.lambda", "gamma: rate where A < 0",
             GAZE_FIELD(loss.gamma_negative.lambda)),
      option("token_log_limit", "limit of a token's log-ratio", GAZE_FIELD(loss.token_log_limit)),
      option("log_ratio_limit", "limit of the ratio's logarithm",
             GAZE_FIELD(loss.log_ratio_limit))};
}

inline std::vector<GrpoOption> average_options() {
  return {option("aggregation", "average over the tokens' losses", GAZE_FIELD(loss.aggregation)),
          option("max_length", "L of fixed_length", GAZE_FIELD(loss.max_length)),
          option("mean_over_active", "average only over completions with a token in the loss",
                 GAZE_FIELD(loss.mean_over_active)),
          option("mask_truncated", "exclude truncated completions from the loss",
                 GAZE_FIELD(loss.mask_truncated))};
}

inline std::vector<GrpoOption> kl_options() {
  return {
      option("kl", "weight of the KL term; 0: no reference", GAZE_FIELD(loss.kl)),
      option("estimator", "estimator of the KL term", GAZE_FIELD(loss.estimator)),
      option("kl_log_limit", "limit of the log-ratio in the KL term",
             GAZE_FIELD(loss.kl_log_limit)),
      option("kl_limit", "limit of the KL term's value per token", GAZE_FIELD(loss.kl_limit)),
      option("kl_bias_correction", "multiply the KL term by the ratio",
             GAZE_FIELD(loss.kl_bias_correction)),
      option("kl_k2_gradient", "use the gradient of k2 in the KL term",
             GAZE_FIELD(loss.kl_k2_gradient)),
      option("kl_in_reward", "weight of a completion's KL subtracted from its reward",
             GAZE_FIELD(kl_in_reward)),
      option("reward_estimator", "estimator of the KL in the reward", GAZE_FIELD(reward_estimator)),
      option("kl_every",
             "steps between measurements of the KL from the start, besides the last step; 0: never",
             GAZE_FIELD(kl_every)),
      option("reference_sync.every", "steps between synchronisations; 0: never",
             GAZE_FIELD(reference_sync.every)),
      option("reference_sync.alpha", "weight of the policy in the new reference",
             GAZE_FIELD(reference_sync.alpha))};
}

inline std::vector<GrpoOption> entropy_options() {
  return {option("top_entropy", "share of tokens to train on, those of highest entropy",
                 GAZE_FIELD(loss.top_entropy)),
          option("entropy_bonus", "weight of the mean entropy", GAZE_FIELD(loss.entropy_bonus)),
          option("adaptive_entropy", "adapt the bonus to a target entropy",
                 GAZE_FIELD(adaptive_entropy)),
          option("adaptive.coefficient", "initial weight", GAZE_FIELD(adaptive.coefficient)),
          option("adaptive.least", "minimum weight", GAZE_FIELD(adaptive.least)),
          option("adaptive.most", "maximum weight", GAZE_FIELD(adaptive.most)),
          option("adaptive.step", "change of the weight per update", GAZE_FIELD(adaptive.step)),
          option("adaptive.target", "entropy at or below which the weight rises",
                 GAZE_FIELD(adaptive.target))};
}

inline std::vector<GrpoOption> picture_options() {
  return {option("papo.gamma", "PAPO: weight of the KL from the policy with a masked picture",
                 GAZE_FIELD(loss.papo.gamma)),
          option("papo.mask", "PAPO: share of the picture's patches that are masked",
                 GAZE_FIELD(loss.papo.mask)),
          option("papo.eta", "PAPO: penalty on the entropy", GAZE_FIELD(loss.papo.eta)),
          option("papo.eta_masked", "PAPO: penalty on the entropy with a masked picture",
                 GAZE_FIELD(loss.papo.eta_masked)),
          option("pathwise", "weight of the rewards' gradient through the attention they read",
                 GAZE_FIELD(loss.pathwise))};
}

inline std::vector<GrpoOption> correction_options() {
  return {
      option("correction.level", "importance weights for a sampler that differs from the trainer",
             GAZE_FIELD(loss.correction.level)),
      option("correction.mode", "clamp weights out of bounds or set them to 0",
             GAZE_FIELD(loss.correction.mode)),
      option("correction.low", "lower bound of the weights", GAZE_FIELD(loss.correction.low)),
      option("correction.high", "upper bound of the weights", GAZE_FIELD(loss.correction.high)),
      option("off_policy_limit", "limit of the mean log-ratio of completions with A < 0",
             GAZE_FIELD(loss.off_policy_limit))};
}

#undef GAZE_FIELD

}  // namespace detail

/// All settings except the seed, max_tokens and the number of steps, which belong to the run.
inline const std::vector<GrpoOption>& grpo_options() {
  static const std::vector<GrpoOption> all = [] {
    using namespace detail;
    std::vector<GrpoOption> out;
    for (const auto& part : {run_options(), sampling_options(), advantage_options(),
                             ratio_options(), average_options(), kl_options(), entropy_options(),
                             picture_options(), correction_options()})
      out.insert(out.end(), part.begin(), part.end());
    return out;
  }();
  return all;
}

/// Sets one option from "name=value". An unknown name or value is an Error that lists the known
/// ones.
inline void set_option(GrpoSettings& s, const std::string& assignment) {
  const std::size_t equal = assignment.find('=');
  GAZE_CHECK(equal != assignment.npos, "grpo", "'", assignment, "' is not NAME=VALUE");
  const std::string name = assignment.substr(0, equal);
  detail::Names known;
  for (const GrpoOption& o : grpo_options()) {
    if (o.name == name) return o.set(s, assignment.substr(equal + 1));
    known.push_back(o.name);
  }
  GAZE_FAIL("grpo", "no setting named '", name, "'; there are ", detail::joined(known));
}

/// The value of every option by name; "inf" where there is no limit.
inline io::OrderedJson options_json(const GrpoSettings& s) {
  io::OrderedJson out;
  for (const GrpoOption& o : grpo_options()) out[o.name] = o.get(s);
  return out;
}

}  // namespace gaze::rl
