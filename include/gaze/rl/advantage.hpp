// SPDX-License-Identifier: MIT
// Advantages: how much better a completion is than the others of its group.
//
//   A = (R - baseline) / (std + eps), then optionally whitened over the batch
//
// Each part is an axis of AdvantageSettings; a named estimator is a choice on all of them
// (variants.hpp). docs/grpo.md maps them to the options of TRL and verl.
#pragma once
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gaze/core/error.hpp"
#include "gaze/core/index.hpp"
#include "gaze/rl/loss_settings.hpp"

namespace gaze::rl {

/// The divisor of the centred reward.
///   group: the group's standard deviation (GRPO: Shao et al. 2024)
///   batch: the standard deviation of all rewards of the step (Lite PPO: Liu et al. 2025)
///   none:  nothing (Dr. GRPO: Liu et al. 2025)
///   nonzero: the share of the batch's centred rewards that are not 0, so that groups with equal
///            rewards do not weaken the gradient (GPG: Chu et al. 2025)
///   nonzero_rewards: the share of rewards that are not 0, before centring (verl's GPG)
enum class Spread { group, batch, none, nonzero, nonzero_rewards };

/// The baseline subtracted from a reward.
///   group_mean:      the mean of its group
///   leave_one_out:   the mean of the others of its group (RLOO: Ahmadian et al. 2024)
///   length_weighted: the mean of its group, weighted by length (OPO: Hao et al. 2025)
///   second_best:     the best of a group gets its lead over the second, the others get 0
///                    (for pass at k: Tang et al. 2025)
///   none:            nothing (REINFORCE++: Hu 2025)
enum class Baseline { group_mean, leave_one_out, length_weighted, second_best, none };

/// With several reward functions: normalise their weighted sum, or normalise each and then sum
/// (GDPO: Liu et al. 2026).
enum class Objectives { sum_then_normalise, normalise_then_sum };

/// A last normalisation over the whole batch: (A - mean) / divisor.
///   completions: each completion counts once, the divisor is std + eps (TRL)
///   tokens:      each token counts once, the divisor is sqrt(variance + 1e-8) (verl)
enum class Whiten { none, completions, tokens };

/// How rewards become advantages.
struct AdvantageSettings {
  Spread spread = Spread::group;
  double eps = 1e-4;  // added to the standard deviation
  Baseline baseline = Baseline::group_mean;
  bool population = false;  // variances divide by n instead of n - 1
  Objectives objectives = Objectives::sum_then_normalise;
  Whiten whiten = Whiten::none;
  double discount = 1;  // per following token; below 1 advantages differ by token

  /// Throws an Error that names a setting out of range.
  void check() const {
    detail::check_setting("advantages", "eps", eps);
    detail::check_setting("advantages", "discount", discount, 0, 1);
  }
};

/// A reward function's score of a completion; empty where it does not apply.
using Score = std::optional<double>;

/// The scores of all completions, group by group, under every reward function.
struct RewardTable {
  std::vector<std::string> names;        // one per function; may be empty
  std::vector<double> weights;           // one per function; empty: 1 each
  std::vector<std::vector<Score>> rows;  // [completion][function]
};

/// Advantages, group by group. A completion that no function scored has reward NaN and advantage 0.
struct Advantages {
  std::vector<double> values;              // one per completion
  std::vector<double> tokens;              // one per token, with a discount only
  std::vector<double> rewards;             // weighted sums
  std::vector<bool> zero_std;              // per group: are all its rewards equal?
  double mean_std = 0;                     // mean of the groups' standard deviations
  double reward_mean = 0, reward_std = 0;  // over the batch, n - 1
  double frac_zero_std = 0;                // TRL's frac_reward_zero_std
};

namespace detail {

inline constexpr double no_score = std::numeric_limits<double>::quiet_NaN();

/// Mean and standard deviation of the numbers in x that are not NaN; NaN where there are too few.
struct MeanDeviation {
  double mean, deviation;
  Index count;
};
inline MeanDeviation mean_deviation(std::span<const double> x, bool population = false) {
  double mean = 0, squares = 0;
  Index count = 0;
  for (const double v : x) {
    if (std::isnan(v)) continue;
    mean += v;
    ++count;
  }
  mean /= static_cast<double>(count);
  for (const double v : x)
    if (!std::isnan(v)) squares += (v - mean) * (v - mean);
  const Index divisor = population ? count : count - 1;
  return {mean, divisor > 0 ? std::sqrt(squares / static_cast<double>(divisor)) : no_score, count};
}

inline bool is_zero(double deviation) { return std::abs(deviation) <= 1e-8; }

/// R - baseline of one group.
inline std::vector<double> centred(std::span<const double> r, std::span<const Index> lengths,
                                   double mean, Baseline baseline) {
  std::vector<double> out(r.begin(), r.end());
  double sum = 0, count = 0, weighted = 0, length = 0;
  std::size_t best = 0;
  for (std::size_t i = 0; i < r.size(); ++i) {
    if (std::isnan(r[i])) continue;
    sum += r[i];
    count += 1;
    if (baseline == Baseline::length_weighted) {
      weighted += static_cast<double>(lengths[i]) * r[i];
      length += static_cast<double>(lengths[i]);
    }
    if (std::isnan(r[best]) || r[i] > r[best]) best = i;
  }
  double second = no_score;
  for (std::size_t i = 0; i < r.size(); ++i)
    if (i != best && !(r[i] <= second)) second = std::isnan(r[i]) ? second : r[i];
  for (std::size_t i = 0; i < r.size(); ++i) {
    if (baseline == Baseline::group_mean) out[i] = r[i] - mean;
    if (baseline == Baseline::leave_one_out) out[i] = r[i] - (sum - r[i]) / (count - 1);
    if (baseline == Baseline::length_weighted) out[i] = r[i] - weighted / length;
    if (baseline == Baseline::second_best) out[i] = i == best ? r[i] - second : 0;
  }
  return out;
}

/// Divides centred rewards by the share of nonzero values among the non-NaN values of `counted`;
/// all become 0 where there is none.
inline void divide_by_nonzero(std::vector<double>& centred, std::span<const double> counted) {
  double all = 0, nonzero = 0;
  for (const double c : counted) {
    all += !std::isnan(c);
    nonzero += !std::isnan(c) && !is_zero(c);
  }
  for (double& c : centred) c = is_zero(c) ? 0 : c * (all / std::max(1.0, nonzero));
}

/// (R - baseline) / (std + eps), group by group. NaN where there is no score.
inline std::vector<double> normalised(std::span<const double> rewards, Index group,
                                      std::span<const Index> lengths, const AdvantageSettings& s) {
  const auto g = static_cast<std::size_t>(group);
  const double batch = mean_deviation(rewards, s.population).deviation;
  std::vector<double> out;
  for (std::size_t at = 0; at < rewards.size(); at += g) {
    const auto one = rewards.subspan(at, g);
    const auto [mean, deviation, count] = mean_deviation(one, s.population);
    const double divisor = s.spread == Spread::group   ? deviation + s.eps
                           : s.spread == Spread::batch ? batch + s.eps
                                                       : 1.0;
    const auto sizes = lengths.empty() ? lengths : lengths.subspan(at, g);
    for (const double c : centred(one, sizes, mean, s.baseline)) out.push_back(c / divisor);
  }
  if (s.spread == Spread::nonzero) divide_by_nonzero(out, std::vector<double>(out));
  if (s.spread == Spread::nonzero_rewards) divide_by_nonzero(out, rewards);
  return out;
}

inline double weight(const RewardTable& t, std::size_t k) {
  return t.weights.empty() ? 1.0 : t.weights[k];
}

/// The weighted sum of each row's scores; NaN for a row without one.
inline std::vector<double> row_sums(const RewardTable& t, auto score) {
  std::vector<double> out;
  for (std::size_t i = 0; i < t.rows.size(); ++i) {
    double sum = 0;
    bool any = false;
    for (std::size_t k = 0; k < t.rows[i].size(); ++k) {
      any = any || t.rows[i][k].has_value();
      const double v = score(i, k);
      if (!std::isnan(v)) sum += weight(t, k) * v;
    }
    out.push_back(any ? sum : no_score);
  }
  return out;
}

/// One function's scores; NaN where it has none.
inline std::vector<double> column(const RewardTable& t, std::size_t k) {
  std::vector<double> out;
  for (const auto& row : t.rows) out.push_back(row[k].value_or(no_score));
  return out;
}

/// The weighted sum of separately normalised functions.
inline std::vector<double> sum_of_normalised(const RewardTable& t, Index group,
                                             std::span<const Index> lengths,
                                             const AdvantageSettings& s) {
  std::vector<std::vector<double>> parts;
  for (std::size_t k = 0; k < t.rows.front().size(); ++k)
    parts.push_back(normalised(column(t, k), group, lengths, s));
  return row_sums(t, [&](std::size_t i, std::size_t k) { return parts[k][i]; });
}

/// (x - mean) / deviation, where value i counts repeats[i] times (empty: once each).
inline void whiten(std::vector<double>& x, std::span<const Index> repeats, Whiten how, double eps) {
  const auto times = [&](std::size_t i) {
    return std::isnan(x[i]) ? 0.0 : repeats.empty() ? 1.0 : static_cast<double>(repeats[i]);
  };
  double count = 0, mean = 0, squares = 0;
  for (std::size_t i = 0; i < x.size(); ++i) count += times(i);
  for (std::size_t i = 0; i < x.size(); ++i)
    if (times(i) > 0) mean += times(i) * x[i] / count;
  for (std::size_t i = 0; i < x.size(); ++i)
    if (times(i) > 0) squares += times(i) * (x[i] - mean) * (x[i] - mean);
  const double variance = squares / (count - 1);
  const double divisor =
      how == Whiten::tokens ? std::sqrt(variance + 1e-8) : std::sqrt(variance) + eps;
  for (double& v : x) v = (v - mean) / divisor;
}

inline void check(const RewardTable& t, Index group, std::span<const Index> lengths,
                  const AdvantageSettings& s) {
  s.check();
  GAZE_CHECK(group >= 2, "advantages", "a group needs at least two completions, got ", group);
  GAZE_CHECK(!t.rows.empty() && t.rows.size() % static_cast<std::size_t>(group) == 0, "advantages",
             t.rows.size(), " rewards do not make groups of ", group);
  const std::size_t functions = t.rows.front().size();
  GAZE_CHECK(functions > 0 && (t.weights.empty() || t.weights.size() == functions) &&
                 (t.names.empty() || t.names.size() == functions),
             "advantages", functions, " reward functions, ", t.weights.size(), " weights, ",
             t.names.size(), " names");
  for (const double w : t.weights)
    GAZE_CHECK(std::isfinite(w), "advantages", "the weight of a reward function is ", w);
  for (const auto& row : t.rows) {
    GAZE_CHECK(row.size() == functions, "advantages", "a row has ", row.size(), " rewards, not ",
               functions);
    for (const Score& r : row)
      GAZE_CHECK(!r || std::isfinite(*r), "advantages", "a reward is ", r.value_or(0));
  }
  const bool by_length =
      s.baseline == Baseline::length_weighted || s.whiten == Whiten::tokens || s.discount != 1;
  GAZE_CHECK(lengths.size() == t.rows.size() || (lengths.empty() && !by_length), "advantages",
             t.rows.size(), " rewards, ", lengths.size(), " lengths");
}

/// Computes the logged statistics of the rewards as TRL does.
inline void describe(Advantages& out, Index group, const AdvantageSettings& s) {
  const auto all = mean_deviation(out.rewards);
  out.reward_mean = all.mean;
  out.reward_std = all.deviation;
  const auto g = static_cast<std::size_t>(group);
  double flat = 0;
  for (std::size_t at = 0; at < out.rewards.size(); at += g) {
    const double d = mean_deviation(std::span<const double>(out.rewards).subspan(at, g)).deviation;
    out.zero_std.push_back(is_zero(d));
    flat += is_zero(d);
    out.mean_std += std::isnan(d) ? 0 : d;
  }
  const auto groups = static_cast<double>(out.zero_std.size());
  out.mean_std /= groups;
  out.frac_zero_std = flat / groups;
  if (s.objectives == Objectives::normalise_then_sum)
    out.frac_zero_std = is_zero(mean_deviation(out.values).deviation);
  else if (s.spread == Spread::batch)
    out.frac_zero_std = is_zero(all.deviation);
}

}  // namespace detail

/// Advantages of rewards in groups of `group` rows. `lengths` (tokens of each completion) are
/// needed for OPO, whitening over tokens and a discount.
inline Advantages advantages(const RewardTable& table, Index group, const AdvantageSettings& s,
                             std::span<const Index> lengths = {}) {
  detail::check(table, group, lengths, s);
  Advantages out;
  out.rewards = detail::row_sums(table, [&](std::size_t i, std::size_t k) {
    return table.rows[i][k].value_or(detail::no_score);
  });
  out.values = s.objectives == Objectives::normalise_then_sum
                   ? detail::sum_of_normalised(table, group, lengths, s)
                   : detail::normalised(out.rewards, group, lengths, s);
  detail::describe(out, group, s);
  if (s.discount != 1) {
    for (std::size_t i = 0; i < out.values.size(); ++i)
      for (Index t = lengths[i] - 1; t >= 0; --t)
        out.tokens.push_back(out.values[i] * std::pow(s.discount, static_cast<double>(t)));
    if (s.whiten != Whiten::none) detail::whiten(out.tokens, {}, s.whiten, s.eps);
  } else if (s.whiten != Whiten::none) {
    const bool by_token = s.whiten == Whiten::tokens;
    detail::whiten(out.values, by_token ? lengths : std::span<const Index>(), s.whiten, s.eps);
  }
  for (auto* list : {&out.values, &out.tokens})
    for (double& a : *list)
      if (std::isnan(a)) a = 0;
  return out;
}

/// The same for one finite reward per completion.
inline Advantages advantages(std::span<const double> rewards, Index group,
                             const AdvantageSettings& settings,
                             std::span<const Index> lengths = {}) {
  RewardTable table;
  for (const double r : rewards) table.rows.push_back({r});
  return advantages(table, group, settings, lengths);
}

/// The soft overlong punishment, to be added to the reward: 0 up to `longest - cache` tokens, then
/// falling linearly to -1 at `longest` (DAPO, eq. 13: Yu et al. 2025).
inline double overlong_punishment(Index length, Index longest, Index cache) {
  GAZE_CHECK(cache > 0 && cache <= longest, "overlong_punishment", "a cache of ", cache,
             " tokens out of ", longest);
  if (length <= longest - cache) return 0;
  if (length > longest) return -1;
  return static_cast<double>(longest - cache - length) / static_cast<double>(cache);
}

}  // namespace gaze::rl
