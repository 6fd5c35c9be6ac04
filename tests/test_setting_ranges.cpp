// SPDX-License-Identifier: MIT
// Non-finite and out-of-range settings are refused by name: optimiser, schedule, advantages, policy
// loss and GRPO run.
#include "gaze/gaze.hpp"
#include "gaze/rl/grpo.hpp"
#include "tests/numbers.hpp"
#include "tests/test.hpp"
#include "tests/texts.hpp"

namespace test_setting_ranges {
namespace {

using namespace gaze;
using namespace gaze::test;

/// Two weights, and gradients of 1 for the next step.
struct Weights {
  Parameters<float> all;
  Parameter<float, Cpu>* w = &all.add("w", {1, 2}, Init::ones(), "part");

  Weights() { all.allocate(1); }
  void learn() { backward(sum(w->value)); }
  std::vector<float> values() const { return w->value.to_vector(); }
};

template <class Settings, class Change>
std::string refusal_of(Change change) {
  Settings s;
  change(s);
  return error_of([&] { s.check(); });
}

/// Checks that each of these values is refused with the setting's name.
template <class Settings>
void refused(const std::string& name, auto field, const std::vector<double>& values) {
  for (const double value : values) {
    const std::string error = refusal_of<Settings>([&](Settings& s) { field(s) = value; });
    INFO(name << " = " << value << ": " << error);
    CHECK(contains(error, name));
  }
}

}  // namespace

TEST_CASE("a non-finite learning rate does not change the weights", "[optim]") {
  Weights weights;
  AdamW<float> adamw(weights.all, {});
  for (const double rate : {not_a_number, infinity, -infinity, -1e-3, 1e39}) {
    weights.learn();
    CHECK(contains(error_of([&] { adamw.step(rate); }), "[gaze::AdamW] the learning rate"));
    CHECK(weights.values() == std::vector<float>{1, 1});
    CHECK(adamw.steps() == 0);
    weights.all.clear_gradients();
  }
  weights.learn();
  adamw.step(0);
  CHECK(weights.values() == std::vector<float>{1, 1});
  weights.learn();
  adamw.step(0.1);
  CHECK(weights.values()[0] < 1);
}

TEST_CASE("settings of AdamW are refused by name", "[optim]") {
  using S = AdamWSettings;
  refused<S>("beta1", [](S & s) -> auto& { return s.beta1; }, {not_a_number, -0.1, 1, infinity});
  refused<S>("beta2", [](S & s) -> auto& { return s.beta2; }, {not_a_number, -0.1, 1, infinity});
  refused<S>("eps", [](S & s) -> auto& { return s.eps; }, {not_a_number, 0, -1e-8, infinity});
  refused<S>("weight decay", [](S & s) -> auto& { return s.weight_decay; },
             {not_a_number, -0.1, infinity});
  refused<S>("clip norm", [](S & s) -> auto& { return s.clip; }, {not_a_number, -1, infinity});
  const std::string fine = refusal_of<S>([](S& s) { s.weight_decay = s.clip = s.beta1 = 0; });
  CHECK(fine == "");
  Weights weights;
  CHECK(contains(error_of([&] { AdamW<float>(weights.all, {.eps = not_a_number}); }), "eps"));
}

TEST_CASE("the AdamW kernel refuses numbers that would corrupt the weights", "[optim]") {
  std::vector<float> w{1}, g{1}, m{0}, v{0};
  const auto step = [&](AdamWStep<float> s, float scale) {
    return error_of([&] {
      Kernels<Cpu>::adamw_step(args::AdamW<float>{.n = 1,
                                                  .param = w.data(),
                                                  .grad = g.data(),
                                                  .m = m.data(),
                                                  .v = v.data(),
                                                  .settings = s,
                                                  .bias_correction1 = 0.1f,
                                                  .bias_correction2 = 0.1f,
                                                  .grad_scale = scale});
    });
  };
  const float bad = static_cast<float>(not_a_number);
  CHECK(contains(step({.lr = bad}, 1), "the learning rate"));
  CHECK(contains(step({.beta1 = bad}, 1), "beta1"));
  CHECK(contains(step({.beta2 = 1}, 1), "beta2"));
  CHECK(contains(step({.eps = bad}, 1), "eps"));
  CHECK(contains(step({.weight_decay = -1}, 1), "the weight decay"));
  CHECK(contains(step({}, bad), "the gradient's scale"));
  CHECK(w == std::vector<float>{1});
  CHECK(step({}, 1) == "");
}

TEST_CASE("settings of the schedule are refused by name", "[optim]") {
  using S = CosineSchedule;
  refused<S>("peak", [](S & s) -> auto& { return s.peak; }, {not_a_number, -1, infinity});
  refused<S>("floor", [](S & s) -> auto& { return s.floor; }, {not_a_number, -0.1, 1.1, infinity});
  const std::string warmup = refusal_of<S>([](S& s) { s.warmup = -1; });
  CHECK(contains(warmup, "warmup and steps must be at least 0, got -1"));
  const std::string steps = refusal_of<S>([](S& s) { s.steps = -1; });
  CHECK(contains(steps, "got 0 and -1"));
  CHECK(contains(error_of([] { CosineSchedule{.peak = not_a_number}(0); }), "the peak"));
  CHECK(contains(error_of([] { CosineSchedule{}(-1); }), "step -1"));
}

TEST_CASE("settings of the policy loss are refused by name", "[rl]") {
  using S = rl::LossSettings;
  const std::vector<double> bad{not_a_number, -1, infinity};
  refused<S>(
      "clip_low", [](S & s) -> auto& { return s.clip_low; }, bad);
  refused<S>(
      "clip_high", [](S & s) -> auto& { return s.clip_high; }, bad);
  refused<S>("max_length", [](S & s) -> auto& { return s.max_length; },
             {not_a_number, 0, infinity});
  refused<S>(
      "kl", [](S & s) -> auto& { return s.kl; }, bad);
  refused<S>(
      "delta", [](S & s) -> auto& { return s.delta; }, bad);
  refused<S>("dual", [](S & s) -> auto& { return s.dual_clip; }, {not_a_number, -1, 1, infinity});
  refused<S>("soft", [](S & s) -> auto& { return s.soft_positive; }, {not_a_number, 0, infinity});
  refused<S>("soft", [](S & s) -> auto& { return s.soft_negative; }, {not_a_number, 0, infinity});
  refused<S>(
      "gamma_positive.k", [](S & s) -> auto& { return s.gamma_positive.k; }, bad);
  refused<S>(
      "gamma_positive.lambda", [](S & s) -> auto& { return s.gamma_positive.lambda; }, bad);
  refused<S>(
      "gamma_negative.k", [](S & s) -> auto& { return s.gamma_negative.k; }, bad);
  refused<S>(
      "gamma_negative.lambda", [](S & s) -> auto& { return s.gamma_negative.lambda; }, bad);
  refused<S>(
      "exponents", [](S & s) -> auto& { return s.token_log_limit; }, bad);
  refused<S>(
      "exponents", [](S & s) -> auto& { return s.log_ratio_limit; }, bad);
  refused<S>(
      "exponents", [](S & s) -> auto& { return s.kl_log_limit; }, bad);
  refused<S>("kl_limit", [](S & s) -> auto& { return s.kl_limit; }, {not_a_number, -1, -infinity});
  refused<S>("high-entropy", [](S & s) -> auto& { return s.top_entropy; }, {not_a_number, 0, 1.5});
  refused<S>(
      "entropy_bonus", [](S & s) -> auto& { return s.entropy_bonus; }, bad);
  refused<S>(
      "papo.gamma", [](S & s) -> auto& { return s.papo.gamma; }, bad);
  refused<S>(
      "pathwise", [](S & s) -> auto& { return s.pathwise; }, bad);
  refused<S>("papo.mask", [](S & s) -> auto& { return s.papo.mask; }, {not_a_number, -0.1, 1.1});
  refused<S>(
      "papo.eta", [](S & s) -> auto& { return s.papo.eta; }, bad);
  refused<S>(
      "papo.eta_masked", [](S & s) -> auto& { return s.papo.eta_masked; }, bad);
  refused<S>("off_policy_limit", [](S & s) -> auto& { return s.off_policy_limit; },
             {not_a_number, -infinity});
  refused<S>(
      "correction.low", [](S & s) -> auto& { return s.correction.low; }, bad);
  refused<S>("correction.high", [](S & s) -> auto& { return s.correction.high; },
             {not_a_number, -1});
  const std::string fine =
      refusal_of<S>([](S& s) { s.kl_limit = s.off_policy_limit = s.correction.high = infinity; });
  CHECK(fine == "");
}

TEST_CASE("settings of advantages and of a GRPO run are refused by name", "[rl]") {
  using A = rl::AdvantageSettings;
  using G = rl::GrpoSettings;
  const std::vector<double> bad{not_a_number, -1, infinity};
  refused<A>(
      "eps", [](A & s) -> auto& { return s.eps; }, bad);
  refused<A>("discount", [](A & s) -> auto& { return s.discount; }, {not_a_number, -1, 1.5});
  refused<G>(
      "eps", [](G & s) -> auto& { return s.advantage.eps; }, bad);
  refused<G>(
      "kl_in_reward", [](G & s) -> auto& { return s.kl_in_reward; }, bad);
  refused<G>(
      "alpha", [](G & s) -> auto& { return s.reference_sync.alpha; }, bad);
  refused<G>(
      "adaptive", [](G & s) -> auto& { return s.adaptive.coefficient; }, bad);
  refused<G>(
      "adaptive", [](G & s) -> auto& { return s.adaptive.least; }, bad);
  refused<G>(
      "adaptive", [](G & s) -> auto& { return s.adaptive.most; }, bad);
  refused<G>(
      "adaptive.step", [](G & s) -> auto& { return s.adaptive.step; }, bad);
  refused<G>(
      "adaptive.target", [](G & s) -> auto& { return s.adaptive.target; }, bad);
  const std::string kl_every = refusal_of<G>([](G& s) { s.kl_every = -1; });
  CHECK(contains(kl_every, "kl_every must be at least 0, got -1"));
  for (const Index rounds : {-1, 64}) {
    const std::string resample = refusal_of<G>([&](G& s) { s.resample = rounds; });
    CHECK(contains(resample, "resample must be in [0, 63], got " + std::to_string(rounds)));
  }
  CHECK(refusal_of<G>([](G& s) { s.resample = 63; }).empty());
  const std::string fine = refusal_of<G>([](G&) {});
  CHECK(fine == "");
  rl::RewardTable table;
  table.rows = {{1.0}, {0.0}};
  table.weights = {not_a_number};
  CHECK(contains(error_of([&] { rl::advantages(table, 2, {}); }),
                 "the weight of a reward function is nan"));
}

}  // namespace test_setting_ranges
