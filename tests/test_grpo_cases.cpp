// SPDX-License-Identifier: MIT
// Known values of GRPO's variants: advantages, losses and gradients with respect to the new
// log-probabilities, in float64 and float32. GAZE_GRPO_CASES selects another file of cases. Unknown
// options and results are failures.
#include <cstdlib>
#include <functional>

#include "gaze/generate/sampling.hpp"
#include "gaze/io/atomic_file.hpp"
#include "gaze/ops/logprob.hpp"
#include "gaze/rl/variants.hpp"
#include "tests/data.hpp"
#include "tests/grpo_case.hpp"

namespace test_grpo_cases {
namespace {

using namespace gaze;
using namespace gaze::rl;
using namespace gaze::test;
using namespace gaze::test::known_values;

// ---- options of other packages ------------- ---------------------------------------------------

template <class T>
void trl_loss(GrpoCase<T>& c) {
  LossSettings& s = c.loss;
  struct Kind {
    Aggregation aggregation;
    Surrogate surrogate;
  };
  const auto kind =
      c.in.template word<Kind>("loss_type", "dapo",
                               {{"grpo", {Aggregation::sequence_mean, Surrogate::clip}},
                                {"bnpo", {Aggregation::micro_token_mean, Surrogate::clip}},
                                {"dr_grpo", {Aggregation::fixed_length, Surrogate::clip}},
                                {"dapo", {Aggregation::token_mean, Surrogate::clip}},
                                {"luspo", {Aggregation::sequence_sum, Surrogate::clip}},
                                {"cispo", {Aggregation::token_mean, Surrogate::weight}},
                                {"sapo", {Aggregation::sequence_mean, Surrogate::soft}},
                                {"vespo", {Aggregation::token_mean, Surrogate::gamma}}});
  s.aggregation = kind.aggregation;
  s.surrogate = kind.surrogate;
  s.ratio = c.in.template word<RatioLevel>("importance_sampling_level", "token",
                                           {{"token", RatioLevel::token},
                                            {"sequence", RatioLevel::sequence},
                                            {"sequence_token", RatioLevel::sequence_token}});
  s.clip_low = c.in.get("epsilon", 0.2);
  s.clip_high = c.in.get("epsilon_high", s.clip_low);
  if (s.surrogate == Surrogate::weight) {
    s.bounds = Bounds::absolute;
    s.clip_low = 0;
  }
  if (s.surrogate == Surrogate::gamma) {
    s.ratio = RatioLevel::sequence_sum;
    s.token_log_limit = s.log_ratio_limit = 20;
  }
  s.delta = c.in.get("delta", 0.0);
  s.max_length = c.in.get("max_completion_length", 256.0);
  s.kl = c.in.get("beta", 0.0);
  s.kl_bias_correction = c.in.get("use_bias_correction_kl", false);
  s.mask_truncated = c.in.get("mask_truncated_completions", false);
  s.top_entropy = c.in.get("top_entropy_quantile", 1.0);
  s.off_policy_limit = c.in.get("off_policy_mask_threshold", s.off_policy_limit);
  s.soft_positive = c.in.get("sapo_temperature_pos", 1.0);
  s.soft_negative = c.in.get("sapo_temperature_neg", 1.05);
  s.gamma_positive = {c.in.get("vespo_k_pos", 2.0), c.in.get("vespo_lambda_pos", 3.0)};
  s.gamma_negative = {c.in.get("vespo_k_neg", 3.0), c.in.get("vespo_lambda_neg", 2.0)};
  c.bonus = c.in.get("entropy_coef", 0.0);
  c.accumulation = c.in.get("grad_accum_steps", 1.0);
  if (c.in.has("num_items_in_batch")) c.items = c.in.get("num_items_in_batch", 0.0);
  using C = ImportanceCorrection;
  if (c.in.has("is_mode"))
    s.correction =
        c.in.template word<C>("is_mode", "",
                              {{"token_truncate", {C::Level::token, C::Mode::truncate}},
                               {"token_mask", {C::Level::token, C::Mode::mask}},
                               {"sequence_truncate", {C::Level::sequence, C::Mode::truncate}},
                               {"sequence_mask", {C::Level::sequence, C::Mode::mask}}});
  s.correction.low = c.in.get("is_clip_min", 0.0);
  s.correction.high = c.in.get("is_clip_max", 3.0);
}

template <class T>
void trl(GrpoCase<T>& c) {
  if (c.in.has("completion_mask")) c.read_mask("completion_mask");
  if (c.in.has("rewards_per_func")) {
    c.group = c.in.template get<Index>("num_generations", 8);
    c.read_rewards(c.in.at("rewards_per_func"), "reward_weights");
    c.advantage.spread = c.in.template word<Spread>("scale_rewards", "group",
                                                    {{"group", Spread::group},
                                                     {"true", Spread::group},
                                                     {"batch", Spread::batch},
                                                     {"none", Spread::none},
                                                     {"false", Spread::none}});
    c.advantage.objectives =
        c.in.template word<Objectives>("multi_objective_aggregation", "sum_then_normalize",
                                       {{"sum_then_normalize", Objectives::sum_then_normalise},
                                        {"normalize_then_sum", Objectives::normalise_then_sum}});
    if (c.advantage.objectives == Objectives::normalise_then_sum) {
      c.advantage.spread = Spread::group;
      c.advantage.whiten = Whiten::completions;
    }
    c.check_advantages();
  } else {
    c.read_advantages(c.in.at("advantages"));
    c.check("advantages", c.inputs.advantages);
  }
  if (!c.in.has("new_logps")) return;
  c.read_tokens();
  trl_loss(c);
  c.check_loss();
}

template <class T>
void trl_rloo(GrpoCase<T>& c) {
  c.read_mask("completion_mask");
  c.read_tokens();
  c.group = c.in.template get<Index>("num_generations", 2);
  c.read_rewards(c.in.at("rewards_per_func"), "reward_weights");
  c.loss = variant("rloo").loss;
  c.loss.clip_low = c.in.get("epsilon", 0.2);
  c.loss.clip_high = c.in.get("epsilon_high", c.loss.clip_low);
  c.advantage = variant("rloo").advantage;
  if (c.in.get("normalize_advantages", false)) c.advantage.whiten = Whiten::completions;
  if (const double beta = c.in.get("beta", 0.05); beta != 0) {
    auto kl = completion_kl(c.inputs, c.loss, KlEstimator::k1);
    c.check("kl_sum_per_sequence", kl);
    for (double& x : kl) x *= -beta;
    add_reward(c.table, "kl", kl);
  }
  c.out.has("kl_sum_per_sequence");
  c.check_advantages();
  c.check_loss();
}

template <class T>
void verl_advantages(GrpoCase<T>& c) {
  const auto name = c.in.template word<std::string>(
      "adv_estimator", "",
      {{"grpo", "grpo"},
       {"rloo", "rloo"},
       {"rloo_vectorized", "rloo"},
       {"reinforce_plus_plus", "reinforce_plus_plus"},
       {"reinforce_plus_plus_baseline", "reinforce_plus_plus_baseline"},
       {"opo", "opo"},
       {"gdpo", "gdpo"},
       {"gpg", "gpg"},
       {"gpg_nonzero_rewards", "gpg_verl"},
       {"grpo_passk", "pass_at_k"}});
  c.advantage = variant(name).advantage;
  c.advantage.eps = c.in.get("epsilon", 1e-6);
  c.advantage.discount = c.in.get("gamma", 1.0);
  if (name == "gdpo") c.advantage.whiten = Whiten::tokens;
  const bool by_deviation = c.in.get("norm_adv_by_std_in_grpo", true);
  if (name == "grpo" || name == "pass_at_k")
    c.advantage.spread = by_deviation ? Spread::group : Spread::none;
  if (c.in.has("response_mask")) c.read_mask("response_mask");
  c.read_rewards(c.in.at("rewards"), "weights");
  const auto index = c.in.at("group_index").template get<std::vector<Index>>();
  c.group = std::count(index.begin(), index.end(), index.front());
  for (std::size_t i = 0; i < index.size(); ++i)  // groups of one size, one after another
    REQUIRE(index[i] ==
            index[i / static_cast<std::size_t>(c.group) * static_cast<std::size_t>(c.group)]);
  c.check_advantages();
}

/// verl counts clipped tokens even if a completion has one ratio.
template <class T>
void verl_clip_shares(GrpoCase<T>& c, const Tensor<T>& x) {
  const LossSettings& s = c.loss;
  LossSettings level = s;
  const bool logs = s.surrogate == Surrogate::log_clip;
  if (logs) {
    level.surrogate = Surrogate::clip;
    level.ratio = RatioLevel::token;
  }
  const auto r = ratios(x, c.inputs, level);
  const auto kept = kept_tokens(c.inputs, s);
  double cut = 0, lower = 0, count = 0;
  std::size_t at = 0;
  for (std::size_t i = 0; i < c.inputs.lengths.size(); ++i)
    for (Index t = 0; t < c.inputs.lengths[i]; ++t, ++at) {
      if (!kept[at]) continue;
      count += 1;
      const bool per_token = c.inputs.advantages.size() != c.inputs.lengths.size();
      const T a = static_cast<T>(c.inputs.advantages[per_token ? at : i]);
      const auto flags = rl::detail::clip_flags(std::log(r[at]), r[at], a, s);
      if (logs) {
        cut += flags.outside && a > 0;
        lower += flags.outside && a < 0;
      } else if (s.surrogate == Surrogate::weight) {
        cut += flags.outside;
      } else if (s.surrogate == Surrogate::clip) {
        cut += flags.low || flags.high;
        lower += clipped(r[at], a, s, T(0)).dual;
      }
    }
  c.check("pg_clipfrac", cut / count);
  c.check("pg_clipfrac_lower", lower / count);
}

template <class T>
void verl_loss(GrpoCase<T>& c) {
  c.read_mask("response_mask");
  c.read_tokens();
  c.read_advantages(c.in.at("advantages"));
  LossSettings& s = c.loss = variant("grpo_verl").loss;
  const std::string mode = c.in.has("loss_mode") ? "loss_mode" : "policy_loss";
  const auto name = c.in.template word<std::string>(mode, "vanilla",
                                                    {{"vanilla", "grpo_verl"},
                                                     {"gspo", "gspo_token"},
                                                     {"geo_mean", "gmpo"},
                                                     {"sapo", "sapo"},
                                                     {"cispo", "cispo_verl"}});
  const LossSettings& v = variant(name).loss;
  s.ratio = v.ratio;
  s.surrogate = v.surrogate;
  if (name != "grpo_verl") s.dual_clip = 0;
  if (name == "gspo_token") s.log_ratio_limit = 10;
  s.aggregation = c.in.template word<Aggregation>(
      "loss_agg_mode",
      name == "gmpo" || name == "gspo_token" ? "seq-mean-token-mean" : "token-mean",
      {{"token-mean", Aggregation::token_mean},
       {"token-sum", Aggregation::token_sum},
       {"seq-mean-token-sum", Aggregation::sequence_sum},
       {"seq-mean-token-mean", Aggregation::sequence_mean},
       {"seq-mean-token-sum-norm", Aggregation::fixed_length}});
  s.max_length = c.in.get("loss_scale_factor", static_cast<double>(c.mask.front().size()));
  s.clip_low = c.in.get("clip_ratio_low", c.in.get("clip_ratio", 0.2));
  s.clip_high = c.in.get("clip_ratio_high", c.in.get("clip_ratio", 0.2));
  if (c.in.has("clip_ratio_c") && s.dual_clip > 0) s.dual_clip = c.in.get("clip_ratio_c", 3.0);
  s.soft_positive = c.in.get("tau_pos", 1.0);
  s.soft_negative = c.in.get("tau_neg", 1.05);
  c.bonus = c.in.get("entropy_coeff", 0.0);
  if (c.in.has("batch_num_tokens")) c.items = c.in.get("batch_num_tokens", 0.0);
  const auto x = Tensor<T>::from({static_cast<Index>(c.logp.size())}, c.logp);
  c.check("pg_loss", policy_loss(x, c.inputs, s, loss_totals(c.inputs, s)).item());
  verl_clip_shares(c, x);
  if (c.in.get("use_kl_loss", false)) {
    s.kl = c.in.get("kl_loss_coef", 0.001);
    s.estimator = c.in.template word<KlEstimator>("kl_loss_type", "low_var_kl",
                                                  {{"kl", KlEstimator::k1},
                                                   {"k1", KlEstimator::k1},
                                                   {"abs", KlEstimator::absolute},
                                                   {"mse", KlEstimator::k2},
                                                   {"k2", KlEstimator::k2},
                                                   {"low_var_kl", KlEstimator::k3},
                                                   {"k3", KlEstimator::k3}});
    LossMetrics with;
    policy_loss(x, c.inputs, s, loss_totals(c.inputs, s), &with);
    if (s.aggregation == Aggregation::token_mean) c.check("kl_loss", with.kl);
  }
  c.check_loss();
}

/// Trainers of a few hundred lines: policy gradient, token mean.
template <class T>
void small(GrpoCase<T>& c) {
  const auto name = c.in.template word<std::string>("variant", "",
                                                    {{"nanochat", "nanochat"},
                                                     {"grpo_zero", "grpo_zero"},
                                                     {"nano_aha", "grpo_zero"},
                                                     {"gmpo", "gmpo"}});
  c.advantage = variant(name).advantage;
  c.loss = variant(name).loss;
  c.read_mask("completion_mask");
  c.read_tokens();
  c.loss.kl = c.in.get("kl_coeff", 0.0);
  if (name == "gmpo") {
    c.loss.clip_low = c.in.get("epsilon", c.in.get("clip", 0.4));
    c.loss.clip_high = c.in.get("epsilon_high", c.loss.clip_low);
  }
  if (c.in.has("advantages")) {
    c.read_advantages(c.in.at("advantages"));
  } else {
    c.group = c.in.template get<Index>("num_generations", 0);
    c.read_rewards(c.in.at("rewards"), "reward_weights");
    c.check_advantages();
  }
  c.check_loss();
}

/// Names of unknown options and results, whose values were not compared.
std::string unknown_names(const Fields& in, const Fields& out) {
  std::string text;
  for (const auto& [kind, names] :
       {std::pair("options", in.unknown()), std::pair("results", out.unknown())})
    if (!names.empty())
      text += std::string(text.empty() ? "" : "; ") + "unknown " + kind + ":" + names;
  return text;
}

template <class T>
void check_all_known(const GrpoCase<T>& c) {
  if (const std::string names = unknown_names(c.in, c.out); !names.empty()) FAIL_CHECK(names);
}

template <class T>
void run_case(const Json& known, bool padded) {
  GrpoCase<T> c{Fields(known.at("inputs")), Fields(known.at("outputs")), padded};
  const std::string semantics = known.at("semantics").get<std::string>();
  if (semantics == "trl")
    trl(c);
  else if (semantics == "trl_rloo")
    trl_rloo(c);
  else if (semantics == "verl" && c.in.has("adv_estimator"))
    verl_advantages(c);
  else if (semantics == "verl")
    verl_loss(c);
  else if (semantics == "small")
    small(c);
  else
    FAIL("unknown semantics " << semantics);
  check_all_known(c);
}

// ---- cases beside the loss ---------------------------------------------------------------------

template <class T>
void run_aux(const Json& known) {
  GrpoCase<T> c{Fields(known.at("inputs")), Fields(known.at("outputs")), false};
  const std::string name = known.at("name").get<std::string>();
  Doubles logits;
  if (c.in.has("logits"))
    for (const double x : c.in.at("logits").template get<Doubles>()) logits.push_back(c.rounded(x));
  if (c.out.has("logp")) {
    const auto v = static_cast<Index>(logits.size());
    const auto one = Tensor<T>::from({1, 1}, {T(1)});
    const auto w = Tensor<T>::from({v, 1}, std::vector<T>(logits.begin(), logits.end()));
    Doubles logp;
    for (std::int32_t i = 0; i < v; ++i) {
      const auto y = linear_logprob(one, w, Indices<Cpu>::from({1}, {i}),
                                    static_cast<T>(c.in.get("temperature", 1.0)));
      logp.push_back(y.logp.item());
      c.check("entropy", y.entropy.item());
    }
    c.check("logp", logp);
  } else if (c.out.has("probs")) {
    SamplingSettings f;
    f.temperature = c.in.get("temp", c.in.get("temperature", 1.0));
    f.top_k = c.in.template get<int>("top_k", 0);
    f.top_p = c.in.get("top_p", 1.0);
    f.min_p = c.in.get("min_p", 0.0);
    f.repetition_penalty = c.in.get("rep", c.in.get("repetition_penalty", 1.0));
    const auto seen = c.in.get("seen", std::vector<std::int32_t>());
    c.check("probs", filtered_probabilities(logits, f, seen));
  } else if (c.in.has("soft_punish_cache")) {
    const auto longest = c.in.template get<Index>("max_completion_len", 0);
    const auto cache = c.in.template get<Index>("soft_punish_cache", 0);
    for (const auto& [length, value] : known.at("outputs").items())
      c.check(length, overlong_punishment(std::stoll(length), longest, cache));
  } else if (c.out.has("k3")) {
    const auto lp = c.in.at(c.in.has("logp") ? "logp" : "new_logps").template get<Doubles>();
    const auto ref =
        c.in.at(c.in.has("ref_logp") ? "ref_logp" : "ref_logps").template get<Doubles>();
    const std::map<std::string, KlEstimator> estimators = {{"k1", KlEstimator::k1},
                                                           {"k2", KlEstimator::k2},
                                                           {"k3", KlEstimator::k3},
                                                           {"abs", KlEstimator::absolute}};
    for (const auto& [key, e] : estimators) {
      Doubles values;
      for (std::size_t i = 0; i < lp.size(); ++i) {
        const double d = c.rounded(ref[i]) - c.rounded(lp[i]);
        values.push_back(kl_estimate(d, std::exp(d), e, 0.0).value);
      }
      c.check(key, values);
    }
  } else if (c.out.has("keep")) {
    const auto group = c.in.template get<Index>("num_generations", 0);
    const auto a = advantages(c.in.at("rewards").template get<Doubles>(), group, {});
    Doubles keep;  // one per completion, or one per group
    const bool each = c.out.at("keep").size() != a.zero_spread.size();
    for (const bool flat : a.zero_spread)
      keep.insert(keep.end(), each ? static_cast<std::size_t>(group) : 1, !flat);
    Json numbers = Json::array();
    for (const auto& k : c.out.at("keep"))
      numbers.push_back(k.is_boolean() ? double(k.template get<bool>()) : k.template get<double>());
    REQUIRE(numbers.template get<Doubles>() == keep);
  } else {
    FAIL("unknown kind of case: " << name);
  }
  check_all_known(c);
}

Json read_cases() {
  const char* other = std::getenv("GAZE_GRPO_CASES");
  const std::string path = other && *other ? other : data_path("grpo_cases.json");
  return io::parse_json(io::read_file(path), path);
}

/// Runs each case of a list; an exception fails only its case.
void each_case(const Json& cases, const std::function<void(const Json&)>& run) {
  REQUIRE(!cases.empty());
  for (const auto& known : cases) {
    const std::string name = known.at("name").get<std::string>();
    INFO(name);
    std::string error;
    try {
      run(known);
    } catch (const std::exception& e) {
      error = e.what();
    }
    CHECK(error == "");
  }
}

}  // namespace

TEMPLATE_TEST_CASE("GRPO's variants reproduce known values", "", double, float) {
  const Json file = read_cases();
  SECTION("padding left out") {
    each_case(file.at("cases"), [](const Json& c) { run_case<TestType>(c, false); });
  }
  SECTION("padding kept, holding infinities and worse") {
    each_case(file.at("cases"), [](const Json& c) { run_case<TestType>(c, true); });
  }
}

TEMPLATE_TEST_CASE("values beside the loss reproduce known values", "", double, float) {
  const Json file = read_cases();
  if (!file.contains("aux_cases")) return;
  each_case(file.at("aux_cases"), run_aux<TestType>);
}

TEST_CASE("a case with an unknown option, result or variant fails") {
  Json c = {{"name", "x"},
            {"semantics", "trl"},
            {"inputs", {{"rewards_per_func", {{1.0}, {0.0}}}, {"num_generations", 2}}},
            {"outputs", Json::object()}};
  const auto unknown = [&] {
    GrpoCase<double> one{Fields(c.at("inputs")), Fields(c.at("outputs")), false};
    trl(one);
    return unknown_names(one.in, one.out);
  };
  CHECK(unknown() == "");
  c["outputs"]["new_result"] = 1;
  CHECK(unknown() == "unknown results: new_result");
  c["inputs"]["new_option"] = 1;
  CHECK(unknown() == "unknown options: new_option; unknown results: new_result");
  c["inputs"]["scale_rewards"] = "median";
  CHECK_THROWS_WITH(unknown(), "unknown scale_rewards: median");
}

}  // namespace test_grpo_cases
