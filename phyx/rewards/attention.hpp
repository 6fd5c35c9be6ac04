// SPDX-License-Identifier: MIT
// The attention reward: did the model look at the picture while it said what the picture shows?
//
// The obvious form, the mean attention mass on the image, collapses: the first tokens have the most
// mass, so the shortest text wins ("attention_raw", kept to show exactly that). The default form
// is guarded four times. It is relative to uniform attention and so not tied to the image's size;
// it reads a fixed number of tokens of the look section only, so other text cannot move it; it
// excludes attention sinks; and it is zero unless the response is well-formed and right.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "phyx/answer/strict_rule.hpp"
#include "phyx/completion.hpp"
#include "phyx/rewards/reward.hpp"

namespace gaze::phyx {

/// Which generated tokens count. `look`: from <think> to the first stop or the word "principle".
enum class AttentionWindow { all, first_n, think, look, answer };

/// What a token's attention is measured against.
enum class AttentionBaseline { none, uniform };

struct AttentionRewardConfig {
  std::vector<int> layers, heads;  // empty: all
  AttentionWindow window = AttentionWindow::look;
  int min_tokens = 2;           // a shorter window earns nothing
  int max_tokens = 8;           // only the first so many tokens of the window count; 0: all of them
  std::string mark = "region";  // or "image"; a trace without a region falls back to the image
  bool exclude_sink = true;     // image and region as shares of what does not go to sinks
  AttentionBaseline baseline = AttentionBaseline::uniform;
  double cap = 4;  // looking more than this many times as much as uniform earns nothing more
  bool gate_format = true, gate_correct = true;
  StrictRule rule;
};

/// Tokens from `begin` up to, not including, `end`.
struct TokenSpan {
  int begin = 0, end = 0;
  int size() const { return end > begin ? end - begin : 0; }
};

/// The tokens of a window; a tag may span several of them.
TokenSpan window_of(const std::vector<std::string>& tokens, AttentionWindow window);

/// The ungated score of the look: the mean over the counted tokens, 0 when there are too few.
/// Nothing without a trace or without a picture. A region that is the whole picture tells nothing
/// about where the model looks, so then, as when no region is marked, the image is measured.
/// Throws Error where the trace does not fit its sizes, or `config` asks for a layer, head or mark
/// that there is not.
std::optional<double> look_score(const Completion& completion, const AttentionRewardConfig& config);

/// The gated score. A problem without a picture has no attention to reward: nothing.
std::optional<double> attention_score(const RewardInput& in,
                                      const AttentionRewardConfig& config = {});

/// The raw form: mean image mass over all tokens, no gate, no baseline.
AttentionRewardConfig raw_attention();

/// attention_score as a reward.
Reward make_attention_reward(AttentionRewardConfig config = {}, std::string name = "attention");

/// The raw form as a reward, named "attention_raw".
Reward make_raw_attention_reward();

}  // namespace gaze::phyx
