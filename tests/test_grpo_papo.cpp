// SPDX-License-Identifier: MIT
// PAPO's terms of the loss against a plain formula and finite differences, in whole steps of a
// small model, and the measured KL from the start.
#include "gaze/rl/papo.hpp"

#include "gaze/rl/grpo.hpp"
#include "gaze/rl/options.hpp"
#include "tests/small_model.hpp"
#include "tests/texts.hpp"

namespace test_grpo_papo {
namespace {

using namespace gaze;
using namespace gaze::rl;
using namespace gaze::test;
using Catch::Approx;
using Doubles = std::vector<double>;

// ---- the terms alone ---------------------------------------------------------------------------

/// Four completions, of which the second and the fourth (tokens 3 to 4 and 8 to 10) come with a
/// masked prompt.
struct Terms {
  LossInputs in;
  Doubles logp, entropy, masked_logp, masked_entropy;
  std::vector<std::int32_t> at = {3, 4, 8, 9, 10};

  explicit Terms(std::uint64_t seed) {
    const Philox random(seed, Purpose::test);
    in.lengths = {3, 2, 3, 3};
    in.advantages = {0.9, -0.4, -1.3, 0.8};
    in.truncated = {false, false, true, false};
    for (std::uint64_t i = 0; i < 11; ++i) {
      logp.push_back(-0.2 - 2 * random.uniform(1, i));
      entropy.push_back(2 * random.uniform(2, i));
    }
    in.old = logp;
    for (std::uint64_t m = 0; m < at.size(); ++m) {
      const double own = logp[static_cast<std::size_t>(at[m])];
      masked_logp.push_back(own - 1.5 * random.uniform(3, m) + 0.3);
      masked_entropy.push_back(2 * random.uniform(4, m));
    }
  }

  /// The terms by their formula.
  double plain(const LossSettings& s) const {
    const auto weight = plain_weights(s);
    double total = 0;
    for (std::size_t t = 0; t < logp.size(); ++t) total += weight[t] * s.papo.eta * entropy[t];
    for (std::size_t m = 0; m < at.size(); ++m) {
      const auto t = static_cast<std::size_t>(at[m]);
      const double d = masked_logp[m] - logp[t];
      total += weight[t] *
               (-s.papo.gamma * (std::exp(d) - d - 1) + s.papo.eta_masked * masked_entropy[m]);
    }
    return total;
  }

  Doubles plain_weights(const LossSettings& s) const {
    Doubles out;
    for (std::size_t i = 0; i < in.lengths.size(); ++i)
      for (Index t = 0; t < in.lengths[i]; ++t) {
        const bool out_of_loss = s.mask_truncated && in.truncated[i];
        const double n = static_cast<double>(in.lengths[i]), all = s.mask_truncated ? 8 : 11;
        double w = 1 / all;
        if (s.aggregation == Aggregation::sequence_mean) w = 1 / (4 * n);
        if (s.aggregation == Aggregation::fixed_length) w = 1 / (4 * s.max_length);
        out.push_back(out_of_loss ? 0 : w);
      }
    return out;
  }

  std::vector<Doubles*> inputs() { return {&logp, &entropy, &masked_logp, &masked_entropy}; }

  struct Result {
    double value;
    std::vector<Doubles> gradients;  // of the inputs(); empty where none arrived
    PapoSums sums;
  };
  Result engine(const LossSettings& s) {
    std::vector<Tensor<double>> leaves;
    for (const Doubles* x : inputs()) {
      leaves.push_back(Tensor<double>::from({static_cast<Index>(x->size())}, *x));
      leaves.back().requires_grad();
    }
    Result out;
    const auto y = papo_terms<double, Cpu>({leaves[0], leaves[1]}, {leaves[2], leaves[3]}, at, in,
                                           s, loss_totals(in, s), out.sums);
    out.value = y.item();
    backward(y);
    for (auto& leaf : leaves)
      out.gradients.push_back(leaf.grad().defined() ? leaf.grad().to_vector() : Doubles());
    return out;
  }
};

LossSettings papo(double gamma, double eta, double eta_masked) {
  LossSettings s;
  s.papo = {gamma, 0.3, eta, eta_masked};
  s.max_length = 7;
  return s;
}

/// Calls f with every aggregation and mask, and several weights.
template <class Function>
void each_setting(Function f) {
  for (const auto aggregation :
       {Aggregation::sequence_mean, Aggregation::token_mean, Aggregation::fixed_length})
    for (const bool mask : {false, true})
      for (const auto& [gamma, eta, eta_masked] :
           {std::array{0.1, 0.03, 0.03}, std::array{0.7, 0.0, 0.0}, std::array{0.2, 0.4, 0.9}}) {
        LossSettings s = papo(gamma, eta, eta_masked);
        s.aggregation = aggregation;
        s.mask_truncated = mask;
        INFO("aggregation " << static_cast<int>(aggregation) << ", mask " << mask << ", gamma "
                            << gamma);
        f(s);
      }
}

// ---- whole steps -------------------------------------------------------------------------------

using Nano = models::Vlm<float>;

std::vector<float> gradients(Nano& model) {
  std::vector<float> out;
  for (const auto& pack : model.parameters().packs()) {
    const auto g = pack.gradients.to_vector();
    out.insert(out.end(), g.begin(), g.end());
  }
  return out;
}

/// A policy, four prompts (the third without a picture) and a reward for even tokens.
struct Player {
  models::VlmConfig c = config("nano");
  Nano model{c, image_token, 3};
  std::vector<models::Prompt> prompts = some_prompts(c, 4);
  GrpoSettings s;
  Task<Nano> task;

  /// `mask` turns a prompt with a picture into its masked prompt.
  template <class Mask>
  explicit Player(Mask mask) {
    s.prompts = 4;
    s.group = 4;
    s.sampling.max_tokens = 6;
    task.masks = true;
    task.prompts = [this, mask](Index step, Index, Index count) {
      std::vector<TaskPrompt<Nano>> out;
      for (Index i = 0; i < count; ++i) {
        const auto& p = prompts[static_cast<std::size_t>(i)];
        out.push_back({&p, static_cast<std::uint64_t>(step * 8 + i), static_cast<std::size_t>(i)});
        if (p.rgb) out.back().masked = std::make_shared<const models::Prompt>(mask(p));
      }
      return out;
    };
    task.score = [](Index, auto, std::span<const SampledTokens> completions, Metrics&) {
      Doubles out;
      for (const auto& x : completions) out.push_back(x.tokens.front() % 2 == 0);
      return out;
    };
  }

  Metrics step(const Reference<Nano>& start = {}, Index i = 0) {
    return grpo_step<Nano>(
        model, nullptr, s, task, end_token, i, Watch::nothing, [] {}, nullptr, start);
  }
};

models::Prompt black(models::Prompt p) {
  p.rgb = std::make_shared<const std::vector<std::uint8_t>>(p.rgb->size(), 0);
  return p;
}
models::Prompt same(models::Prompt p) { return p; }

}  // namespace

TEST_CASE("PAPO's terms agree with their formula, and their derivatives with finite differences") {
  for (const std::uint64_t seed : {1, 2, 3}) {
    Terms c(seed);
    each_setting([&](const LossSettings& s) {
      const auto y = c.engine(s);
      CHECK(y.value == Approx(c.plain(s)).epsilon(1e-12).margin(1e-14));
      for (std::size_t k = 0; k < c.inputs().size(); ++k)
        for (std::size_t i = 0; i < c.inputs()[k]->size(); ++i) {
          INFO("input " << k << ", number " << i);
          double& x = (*c.inputs()[k])[i];
          const double before = x;
          x = before + 1e-6;
          const double up = c.plain(s);
          x = before - 1e-6;
          const double down = c.plain(s);
          x = before;
          const double found = y.gradients[k].empty() ? 0 : y.gradients[k][i];
          CHECK(found == Approx((up - down) / 2e-6).margin(1e-8));
        }
    });
  }
}

TEST_CASE("PAPO's metrics are sums over the tokens after masked prompts that are in the loss") {
  Terms c(4);
  double kl = 0, entropy = 0;
  for (std::size_t m = 0; m < c.at.size(); ++m) {
    const double d = c.masked_logp[m] - c.logp[static_cast<std::size_t>(c.at[m])];
    kl += std::exp(d) - d - 1;
    entropy += c.masked_entropy[m];
  }
  const auto y = c.engine(papo(0.1, 0, 0));
  CHECK(y.sums.kl == Approx(kl));
  CHECK(y.sums.entropy == Approx(entropy));
  CHECK(y.sums.tokens == 5);
  c.in.truncated = {false, true, true, true};
  LossSettings s = papo(0.1, 0, 0.2);
  s.mask_truncated = true;
  for (double& x : c.masked_logp) x = std::numeric_limits<double>::quiet_NaN();
  const auto none = c.engine(s);  // no token after a masked prompt is in the loss
  CHECK(none.value == 0);
  CHECK(none.sums.tokens == 0);
}

TEST_CASE("the limits of the KL term bound PAPO's, without gradient beyond") {
  Terms c(5);
  c.masked_logp[0] = c.logp[3] + 300;  // e^300 overflows in float32
  LossSettings s = papo(1, 0, 0);
  s.kl_limit = 0.2;
  const auto y = c.engine(s);
  CHECK(y.value >= -0.2);
  CHECK(y.gradients[2][0] == 0);
  CHECK(y.gradients[0][3] == 0);
  s.kl_limit = std::numeric_limits<double>::infinity();
  CHECK(std::isfinite(c.engine(s).value));
}

TEST_CASE(
    "a masked prompt equal to the prompt has no KL, and without weights PAPO changes no bit") {
  Player plain(black), off(same), on(same);
  plain.step();
  off.task.masks = false;
  off.step();
  CHECK(bits(gradients(off.model)) == bits(gradients(plain.model)));
  on.s.loss.papo.gamma = 0.5;
  const auto m = on.step();
  CHECK(metric(m, "papo/kl") == 0);
  CHECK(metric(m, "first_ratio_min") == 1);
  CHECK(metric(m, "first_ratio_max") == 1);
  CHECK(metric(m, "loss") == metric(m, "policy_loss"));
}

TEST_CASE("PAPO's terms are added to the loss, in any number of micro-batches") {
  std::vector<float> whole, without;
  {
    Player player(black);
    player.step();
    without = gradients(player.model);
  }
  for (const Index micro : {4, 1, 3}) {
    Player player(black);
    player.s.groups_per_micro = micro;
    player.s.loss.papo = {0.5, 0.3, 0.03, 0.02};
    const auto m = player.step();
    CHECK(metric(m, "papo/kl") > 0);
    CHECK(metric(m, "papo/masked_entropy") > 0);
    // token_mean: the terms are means over all tokens; three of four prompts have a picture.
    const Metrics ordinary = Player(black).step();
    CHECK(metric(m, "policy_loss") == Approx(metric(ordinary, "loss")).margin(1e-6));
    double masked = 0, all = 0;
    const auto batch = player.task.prompts(0, 0, 4);
    Metrics ignored;
    const auto rolled =
        roll_out(player.model, player.s, player.task, end_token, 0, 0, 4, Watch::nothing, ignored);
    for (std::size_t j = 0; j < rolled.completions.size(); ++j) {
      const auto n = static_cast<double>(rolled.completions[j].tokens.size());
      all += n;
      if (batch[j / 4].masked) masked += n;
    }
    CHECK(masked < all);
    const double terms =
        masked / all * (-0.5 * metric(m, "papo/kl") + 0.02 * metric(m, "papo/masked_entropy")) +
        0.03 * metric(m, "entropy");
    CHECK(metric(m, "loss") - metric(m, "policy_loss") == Approx(terms).margin(1e-6));
    const auto g = gradients(player.model);
    CHECK(bits(g) != bits(without));
    if (whole.empty()) whole = g;
    check_near_largest(g, whole, 1e-5f);
  }
}

TEST_CASE("training on PAPO's term alone raises the KL from the policy with a masked picture") {
  Player player(black);
  player.task.score = [](Index, auto, std::span<const SampledTokens> completions, Metrics&) {
    return Doubles(completions.size(), 0.0);
  };
  player.s.loss.papo = {1, 0.3, 0, 0};
  AdamW<float> optimiser(player.model.parameters(), {});
  Doubles kl;
  for (Index i = 0; i < 6; ++i) {
    kl.push_back(metric(player.step({}, 0), "papo/kl"));
    optimiser.step(3e-3);
  }
  CHECK(kl.back() > kl.front());
}

TEST_CASE("PAPO refuses a task that masks nothing, and a share of 0") {
  Player player(black);
  player.task.masks = false;
  player.s.loss.papo.gamma = 0.1;
  CHECK(contains(error_of([&] { player.step(); }), "need a task that masks its prompts"));
  player.s.loss.papo = {0, 0.3, 0.1, 0};  // the policy's own entropy needs no masked prompt
  CHECK_NOTHROW(player.step());
  GrpoSettings s;
  set_option(s, "papo.mask=0");
  CHECK_NOTHROW(s.check());
  set_option(s, "papo.gamma=0.1");
  CHECK(contains(error_of([&] { s.check(); }), "need a papo.mask above 0"));
  set_option(s, "papo.mask=1.5");
  CHECK(contains(error_of([&] { s.check(); }), "papo.mask must be"));
}

TEST_CASE("the KL from the start is measured every few steps and changes no gradient") {
  Player plain(black), measured(black);
  plain.s.kl_every = 0;
  measured.s.kl_every = 2;
  const Nano start(plain.c, image_token, 3), other(plain.c, image_token, 4);
  const auto has = [](const Metrics& m) {
    return std::any_of(m.begin(), m.end(), [](const auto& x) { return x.first == "kl_start"; });
  };
  CHECK_FALSE(has(plain.step(&start, 1)));
  CHECK_FALSE(has(measured.step({}, 1)));
  plain.model.parameters().clear_gradients();
  measured.model.parameters().clear_gradients();
  CHECK_FALSE(has(measured.step(&start, 0)));
  plain.step({}, 0);
  const auto m = measured.step(&start, 1);
  plain.step({}, 1);
  CHECK(metric(m, "kl_start") == 0);  // the policy is the start, bit for bit
  CHECK(bits(gradients(measured.model)) == bits(gradients(plain.model)));
  CHECK(metric(measured.step(&other, 3), "kl_start") > 1e-3);
  CHECK_FALSE(has(measured.step(&start, 4)));
  measured.s.steps = 5;
  CHECK(has(measured.step(&start, 4)));  // the last step of a run
  CHECK_FALSE(has(measured.step(&start, 2)));
  plain.s.steps = 5;
  CHECK_FALSE(has(plain.step(&start, 4)));
}

TEST_CASE("the measured KL is the mean of the k3 estimate over all tokens") {
  LossInputs in;
  in.lengths = {2, 1};
  in.advantages = {0, 0};
  in.truncated = {false, true};
  in.old = {-1, -2, -0.5};
  in.ref = {-1.5, -1, -0.5};
  const auto k3 = [](double d) { return std::exp(d) - d - 1; };
  CHECK(mean_kl(in) == Approx((k3(-0.5) + k3(1) + k3(0)) / 3));
}

}  // namespace test_grpo_papo
