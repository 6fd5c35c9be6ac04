// SPDX-License-Identifier: MIT
// One case of known GRPO values: parses its fields, rejects unknown ones, and checks advantages,
// loss and gradient. test_grpo_cases.cpp defines the options.
#pragma once
#include <map>
#include <set>

#include "gaze/cpu/kernels.hpp"
#include "gaze/io/json.hpp"
#include "gaze/rl/policy_loss.hpp"
#include "tests/test.hpp"

namespace gaze::test::known_values {

using namespace gaze::rl;
using Doubles = std::vector<double>;
using Json = nlohmann::json;

/// A JSON object that records which of its fields were read.
class Fields {
 public:
  explicit Fields(Json j) : j_(std::move(j)) {}
  bool has(const std::string& key) {
    asked_.insert(key);
    return j_.contains(key) && !j_[key].is_null();
  }
  const Json& at(const std::string& key) {
    asked_.insert(key);
    return j_.at(key);
  }
  template <class V>
  V get(const std::string& key, V otherwise) {
    return has(key) ? j_[key].get<V>() : otherwise;
  }
  /// One of a few words; any other word throws.
  template <class V>
  V word(const std::string& key, const std::string& otherwise,
         const std::map<std::string, V>& words) {
    std::string w = otherwise;
    if (has(key)) w = j_[key].is_string() ? j_[key].get<std::string>() : j_[key].dump();
    const auto found = words.find(w);
    if (found == words.end()) throw std::runtime_error("unknown " + key + ": " + w);
    return found->second;
  }
  std::string unknown() const {
    std::string out;
    for (const auto& [key, value] : j_.items())
      if (!asked_.count(key)) out += " " + key;
    return out;
  }

 private:
  Json j_;
  std::set<std::string> asked_;
};

/// One case in one precision and one layout: without padding, or with padding full of values that
/// must not matter.
template <class T>
struct GrpoCase {
  Fields in, out;
  bool padded = false;
  double tolerance = std::is_same_v<T, double> ? 1e-9 : 5e-6;

  Json mask = {};  // [B][T]
  LossInputs inputs = {};
  std::vector<T> logp = {};
  LossSettings loss = {};
  AdvantageSettings advantage = {};
  Index group = 0;
  RewardTable table = {};
  double accumulation = 1, bonus = 0;
  std::optional<double> items = {};  // tokens of the whole step

  double rounded(double x) const { return static_cast<double>(static_cast<T>(x)); }
  Catch::Approx near(double x) const {
    return Catch::Approx(x).epsilon(0).margin(tolerance * std::max(1.0, std::abs(x)));
  }

  // ---- reading ---------------------------------------------------------------------------------

  /// Flattens [B][T], completion by completion.
  Doubles flat(const Json& rows) const {
    const double poison[] = {INFINITY, -INFINITY, NAN, 1e30, -1e30};
    Doubles x;
    for (std::size_t i = 0; i < rows.size(); ++i)
      for (std::size_t t = 0; t < mask[i].size(); ++t) {
        const bool counts = mask[i][t].get<double>() != 0;
        if (counts) x.push_back(rounded(rows[i][t].get<double>()));
        if (!counts && padded) x.push_back(poison[(i + t) % 5]);
      }
    return x;
  }
  void read_mask(const std::string& key) {
    mask = in.at(key);
    for (const auto& row : mask) {
      Index length = 0;
      for (const auto& m : row) {
        const bool counts = m.template get<double>() != 0;
        if (!counts && !padded) continue;
        ++length;
        if (padded) inputs.mask.push_back(counts);
      }
      inputs.lengths.push_back(length);
    }
  }
  void read_tokens() {
    const auto x = flat(in.at("new_logps"));
    logp.assign(x.begin(), x.end());
    if (in.has("old_logps")) inputs.old = flat(in.at("old_logps"));
    if (in.has("ref_logps")) inputs.ref = flat(in.at("ref_logps"));
    if (in.has("sampling_logps")) inputs.sampling = flat(in.at("sampling_logps"));
    if (in.has("entropies")) inputs.entropy = flat(in.at("entropies"));
    if (in.has("truncated"))
      for (const auto& t : in.at("truncated")) inputs.truncated.push_back(t.template get<bool>());
  }
  void read_advantages(const Json& a) {
    if (a.front().is_array())
      inputs.advantages = flat(a);
    else
      for (const auto& x : a) inputs.advantages.push_back(rounded(x.template get<double>()));
  }
  /// One score per completion, or one per completion and function; null: none.
  void read_rewards(const Json& rows, const std::string& weights) {
    const auto score = [this](const Json& x) {
      return x.is_null() ? Score() : Score(rounded(x.get<double>()));
    };
    for (const auto& row : rows) {
      table.rows.emplace_back();
      if (!row.is_array()) {
        table.rows.back().push_back(score(row));
        continue;
      }
      for (const auto& x : row) table.rows.back().push_back(score(x));
    }
    if (in.has(weights)) table.weights = in.at(weights).template get<Doubles>();
  }
  Doubles kept_lengths() const {
    Doubles out;
    for (const auto& row : mask) {
      out.push_back(0);
      for (const auto& m : row) out.back() += m.template get<double>() != 0;
    }
    return out;
  }
  std::vector<Index> lengths() const {
    const auto x = mask.is_null() ? Doubles() : kept_lengths();
    return {x.begin(), x.end()};
  }

  // ---- checking --------------------------------------------------------------------------------

  void check(const std::string& key, double x) {
    if (!out.has(key)) return;
    INFO(key);
    CHECK(x == near(out.at(key).template get<double>()));
  }
  void check(const std::string& key, const Doubles& x) {
    if (!out.has(key)) return;
    INFO(key);
    const auto& expected = out.at(key);
    REQUIRE(expected.size() == x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
      INFO("number " << i);
      if (expected[i].is_null())
        CHECK(std::isnan(x[i]));
      else
        CHECK(x[i] == near(expected[i].template get<double>()));
    }
  }
  /// Values per token against [B][T], or against [B][1] where a completion has one.
  void check_tokens(const std::string& key, auto value) {
    if (!out.has(key)) return;
    INFO(key);
    const auto& expected = out.at(key);
    std::size_t at = 0;
    for (std::size_t i = 0; i < mask.size(); ++i)
      for (std::size_t t = 0; t < mask[i].size(); ++t) {
        const bool counts = mask[i][t].template get<double>() != 0;
        if (counts || padded) {
          INFO("completion " << i << ", token " << t);
          const bool one = expected[i].size() == 1;
          if (counts) CHECK(value(at) == near(expected[i][one ? 0 : t].template get<double>()));
          ++at;
        }
      }
  }

  void check_advantages() {
    const auto by_length = lengths();
    const auto a = advantages(table, group, advantage, by_length);
    check("rewards", a.rewards);
    check("rewards_after_kl", a.rewards);
    check("reward_mean", a.reward_mean);
    check("reward_std", a.reward_std);
    check("frac_reward_zero_std", a.frac_zero_std);
    if (out.has("normalized_per_func")) {
      for (std::size_t k = 0; k < table.rows.front().size(); ++k) {
        RewardTable one;
        for (const auto& row : table.rows) one.rows.push_back({row[k]});
        const auto part = advantages(one, group, {Spread::group, advantage.eps});
        for (std::size_t i = 0; i < part.values.size(); ++i)
          if (table.rows[i][k])
            CHECK(part.values[i] ==
                  near(out.at("normalized_per_func")[i][k].template get<double>()));
      }
    }
    if (out.has("advantages") && out.at("advantages").front().is_array()) {
      const auto& tokens = a.tokens;
      std::size_t at = 0;
      for (std::size_t i = 0; i < a.values.size(); ++i)
        for (Index t = 0; t < by_length[i]; ++t, ++at)
          CHECK((tokens.empty() ? a.values[i] : tokens[at]) ==
                near(out.at("advantages")[i][static_cast<std::size_t>(t)].template get<double>()));
    } else {
      check("advantages", a.values);
    }
    inputs.advantages = a.values;
    for (double& x : inputs.advantages) x = rounded(x);
  }

  void check_loss() {
    const auto x = Tensor<T>::from({static_cast<Index>(logp.size())}, logp);
    auto leaf = x;
    leaf.requires_grad();
    const LossTotals local = loss_totals(inputs, loss);
    LossTotals totals = local;
    totals.tokens = items.value_or(totals.tokens);
    totals.completions *= accumulation;
    totals.active *= accumulation;
    totals.bonus_tokens *= accumulation;
    totals.micro_batches = accumulation;
    if (loss.top_entropy < 1) {
      add_entropy_totals(totals, inputs, loss);
      totals.bonus_tokens *= accumulation;
      check("entropy_threshold", totals.entropy_threshold);
    }
    const auto policy = policy_loss(leaf, inputs, loss, totals);
    double value = policy.item();
    if (bonus != 0) {
      const auto h = Tensor<T>::from({static_cast<Index>(inputs.entropy.size())},
                                     std::vector<T>(inputs.entropy.begin(), inputs.entropy.end()));
      const double one = entropy_bonus(h, inputs, loss, totals, -1).item();
      check("entropy_loss", one);
      value += entropy_bonus(h, inputs, loss, totals, bonus).item();
    }
    CHECK(value == near(out.at("loss").template get<double>()));
    backward(policy);
    const auto gradient = leaf.grad().to_vector();
    check_tokens("dloss_dlogp", [&](std::size_t t) { return gradient[t]; });
    for (std::size_t t = 0; t < inputs.mask.size(); ++t)
      if (!inputs.mask[t]) CHECK(gradient[t] == 0);
    check_details(x, local);
  }

  /// Metrics that TRL logs per micro-batch.
  void check_details(const Tensor<T>& x, const LossTotals& local) {
    LossMetrics m;
    LossTotals totals = local;
    if (loss.top_entropy < 1) add_entropy_totals(totals, inputs, loss);
    LossTotals scaled = totals;
    scaled.tokens = items.value_or(scaled.tokens);
    check("policy_loss_before_entropy_and_accum", policy_loss(x, inputs, loss, scaled).item());
    policy_loss(x, inputs, loss, totals, &m);
    if (loss.kl != 0)
      check("kl_mean", m.kl);
    else
      out.has("kl_mean");
    if (out.has("clip_ratio")) {
      Fields c(out.at("clip_ratio"));
      const std::map<std::string, double> known = {{"low_mean", m.clip_low},
                                                   {"high_mean", m.clip_high},
                                                   {"region_mean", m.clip_low + m.clip_high},
                                                   {"low_min", m.clip_low_min},
                                                   {"high_max", m.clip_high_max}};
      for (const auto& [key, v] : known) {
        INFO("clip_ratio/" << key);
        if (c.has(key)) CHECK(v == near(c.at(key).template get<double>()));
      }
      CHECK(c.unknown() == "");
    }
    check("cispo_clip_ratio", m.clip_high);
    LossSettings all = loss;
    all.mask_truncated = false;
    const auto r = ratios(x, inputs, all);
    check_tokens("ratio", [&](std::size_t t) { return r[t]; });
    const auto kept = kept_tokens(inputs, loss);
    check_tokens("effective_mask", [&](std::size_t t) { return kept[t]; });
    const auto trained = trained_tokens(inputs, loss, totals);
    check_tokens("entropy_mask", [&](std::size_t t) { return trained[t]; });
    if (loss.correction.level != ImportanceCorrection::Level::none) {
      const auto w = importance_weights(inputs, loss);
      check_tokens("importance_sampling_ratio", [&](std::size_t t) { return w[t]; });
    }
    per_completion("sequence_ratio", r);
    if (loss.surrogate == Surrogate::gamma) {
      const auto c = rl::detail::token_constants<T>(x.data(), inputs, loss, totals);
      auto phi = rl::detail::log_ratios<T>(x.data(), c, inputs, loss).value;
      for (std::size_t t = 0; t < phi.size(); ++t)
        phi[t] = gamma_weight(phi[t], c.advantage[t], loss);
      if (out.has("vespo_phi") && out.at("vespo_phi").front().is_array())
        check_tokens("vespo_phi", [&](std::size_t t) { return phi[t]; });
      else
        per_completion("vespo_phi", phi);
    }
    if (!std::isinf(loss.off_policy_limit)) {
      std::vector<T> a;
      for (std::size_t i = 0; i < inputs.lengths.size(); ++i)
        a.insert(a.end(), static_cast<std::size_t>(inputs.lengths[i]),
                 static_cast<T>(inputs.advantages[i]));
      per_completion("opsm", on_policy_tokens(x.data(), a, inputs, loss));
    }
    out.has("grad_check");  // how the case itself was checked
  }

  /// The value of each completion's first token.
  template <class V>
  void per_completion(const std::string& key, const std::vector<V>& tokens) {
    Doubles first;
    std::size_t at = 0;
    for (const Index length : inputs.lengths) {
      first.push_back(static_cast<double>(tokens[at]));
      at += static_cast<std::size_t>(length);
    }
    check(key, first);
  }
};

}  // namespace gaze::test::known_values
