// SPDX-License-Identifier: MIT
// The attention reward: attention on the picture while the model describes the picture.
//
// The raw form, the mean attention mass on the image, collapses: the first tokens have the most
// mass, so the shortest text wins ("attention_raw" demonstrates this). The default form has four
// guards. It is relative to uniform attention, hence independent of the image's size; it counts a
// fixed number of tokens of the look section, so other text has no influence; it excludes attention
// sinks; and it is zero unless the response is well-formed and right.
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

/// The baseline of a token's attention.
enum class AttentionBaseline { none, uniform };

struct AttentionRewardConfig {
  std::vector<int> layers, heads;  // empty: all
  AttentionWindow window = AttentionWindow::look;
  int min_tokens = 2;           // a shorter window scores 0
  int max_tokens = 8;           // tokens counted from the start of the window; 0: all
  std::string mark = "region";  // or "image", also used for a trace without a region
  bool exclude_sink = true;     // image and region as shares of the mass outside sinks
  AttentionBaseline baseline = AttentionBaseline::uniform;
  double cap = 4;  // upper limit of share / uniform
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

/// The ungated score: the mean over the counted tokens, 0 if there are too few. Empty without a
/// trace or a picture. Without a marked region, or if it covers the whole picture, the image is
/// measured. Throws Error if the trace does not match its sizes, or `config` names a layer, head or
/// mark that does not exist.
std::optional<double> look_score(const Completion& completion, const AttentionRewardConfig& config);

/// The gated score; empty for a problem without a picture.
std::optional<double> attention_score(const RewardInput& in,
                                      const AttentionRewardConfig& config = {});

/// The raw form: mean image mass over all tokens, no gate, no baseline.
AttentionRewardConfig raw_attention();

/// attention_score as a reward.
Reward make_attention_reward(AttentionRewardConfig config = {}, std::string name = "attention");

/// The raw form as a reward, named "attention_raw".
Reward make_raw_attention_reward();

}  // namespace gaze::phyx
