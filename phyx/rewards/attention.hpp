// SPDX-License-Identifier: MIT
// The attention rewards: attention on the picture while the model describes the picture.
//
//   attention         reads the mass on the whole image. It needs no annotations, as in the study.
//   attention_region  reads the mass on the annotated region of interest: an oracle with boxes.
//   attention_raw     the mean mass on the image over all tokens, without guards. It collapses: the
//                     first tokens have the most mass, so the shortest text wins.
//
// The first two have four guards. They are relative to uniform attention, hence independent of the
// image's size; they count the first 2 to 8 tokens of the look section, so other text has no
// influence; they exclude attention sinks; and they are zero unless the response is well-formed and
// right. A right, well-formed response without a look section gets the score of uniform attention:
// where the text decides, the reference response has none.
#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "phyx/answer/strict_rule.hpp"
#include "phyx/completion.hpp"
#include "phyx/rewards/options.hpp"
#include "phyx/rewards/reward.hpp"

namespace gaze::phyx {

/// Which generated tokens count. `look`: from <think> to the first stop or the word "principle".
enum class AttentionWindow { all, think, look, answer };

/// The baseline of a token's attention.
enum class AttentionBaseline { none, uniform };

/// The keys whose mass is measured.
enum class AttentionMark { image, region };

struct AttentionRewardConfig {
  std::vector<int> layers, heads;  // empty: all
  AttentionWindow window = AttentionWindow::look;
  int min_tokens = 2;  // a shorter window is not measured
  int max_tokens = 8;  // tokens counted from the start of the window; 0: all
  AttentionMark mark = AttentionMark::image;
  bool exclude_sink = true;  // image and region as shares of the mass outside sinks
  AttentionBaseline baseline = AttentionBaseline::uniform;
  double cap = 4;       // upper limit of share / uniform
  double neutral = .5;  // a window that is not measured: r/(1+r) at r = 1, for baseline uniform
  bool gate_format = true, gate_correct = true;
  StrictRule rule;
};

/// Tokens from `begin` to `end` (exclusive).
struct TokenSpan {
  int begin = 0, end = 0;
  int size() const { return end > begin ? end - begin : 0; }
};

/// The tokens of a window; a tag may span several of them.
TokenSpan window_of(const std::vector<std::string>& tokens, AttentionWindow window);

/// The ungated score: the mean over the counted tokens, in [0, 1]. Empty without a trace, a picture
/// or a window of min_tokens. With AttentionMark::region the image is measured where no region is
/// marked or it covers the whole picture. Throws Error if the trace does not match its sizes, or
/// `config` names a layer or head that does not exist.
std::optional<double> look_score(const Completion& completion,
                                 const AttentionRewardConfig& config = {});

/// The gated score; empty without a trace or a picture.
std::optional<double> attention_score(const RewardInput& in,
                                      const AttentionRewardConfig& config = {});

/// The derivative of look_score with respect to the trace's masses, in their order: how the score
/// changes if the text stays and the attention moves. Empty where look_score is.
std::vector<float> look_gradient(const Completion& completion,
                                 const AttentionRewardConfig& config = {});

/// The derivative of attention_score likewise; empty where a gate is closed too.
std::vector<float> attention_gradient(const RewardInput& in,
                                      const AttentionRewardConfig& config = {});

/// The oracle: the mass on the region instead of the image.
AttentionRewardConfig region_attention();

/// The raw form: mean image mass over all tokens, no gate, no baseline.
AttentionRewardConfig raw_attention();

/// attention_score as a reward.
Reward make_attention_reward(AttentionRewardConfig config = {}, std::string name = "attention");

/// The raw form as a reward, named "attention_raw".
Reward make_raw_attention_reward(AttentionRewardConfig config = raw_attention());

/// The kinds "attention", "attention_region" and "attention_raw".
RewardKind attention_kind();
RewardKind attention_region_kind();
RewardKind raw_attention_kind();

/// Adds the options `layers` and `heads` to a table; `at` returns the AttentionRewardConfig, or
/// another struct with these members, in a config.
template <class Config, class At>
void add_attention_heads(OptionTable<Config>& table, At at) {
  table.add("layers", [at](Config & c) -> auto& { return at(c).layers; },
            "decoder layers that count; empty: all", {0});
  table.add("heads", [at](Config & c) -> auto& { return at(c).heads; },
            "heads that count in each layer; empty: all", {0});
}

/// Adds the options of look_score(), except the mark.
template <class Config, class At>
void add_look_options(OptionTable<Config>& table, At at) {
  using Window = AttentionWindow;
  using Baseline = AttentionBaseline;
  add_attention_heads(table, at);
  table.add_choice(
      "window", [at](Config & c) -> auto& { return at(c).window; }, "the tokens that count",
      std::vector<std::pair<std::string, Window>>{{"look", Window::look},
                                                  {"think", Window::think},
                                                  {"answer", Window::answer},
                                                  {"all", Window::all}});
  table.add("min_tokens", [at](Config & c) -> auto& { return at(c).min_tokens; },
            "a shorter window is not measured", {1});
  table.add("max_tokens", [at](Config & c) -> auto& { return at(c).max_tokens; },
            "tokens counted from the start of the window; 0: all", {0});
  table.add(
      "exclude_sink", [at](Config & c) -> auto& { return at(c).exclude_sink; },
      "measure shares of the attention outside the prompt's first token");
  table.add_choice(
      "baseline", [at](Config & c) -> auto& { return at(c).baseline; },
      "relative to uniform attention, or the share itself",
      std::vector<std::pair<std::string, Baseline>>{{"uniform", Baseline::uniform},
                                                    {"none", Baseline::none}});
  table.add("cap", [at](Config & c) -> auto& { return at(c).cap; },
            "upper limit of the share relative to uniform attention", {1});
}

}  // namespace gaze::phyx
