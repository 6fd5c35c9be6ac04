// SPDX-License-Identifier: MIT
// One response of a model: text, tokens, and the attention recorded while generating.
#pragma once
#include <string>
#include <vector>

namespace gaze::phyx {

/// Attention while generating: for each token, the mass that its query row put on each marked set
/// of keys, mass[((token * layers + layer) * heads + head) * marks.size() + mark], in [0, 1].
struct AttentionTrace {
  int tokens = 0, layers = 0, heads = 0;
  std::vector<std::string> marks;  // "image", "region", "sink", "text"
  std::vector<float> mass;
  std::vector<int> keys;  // visible keys per generated token
  int image_tokens = 0, region_tokens = 0;
};

/// One sampled response. `tokens` are the texts of the generated tokens, one per token of the
/// trace.
struct Completion {
  std::string text;
  bool ended = true;  // false: cut off at the length limit
  int length = 0;     // generated tokens
  std::vector<std::string> tokens;
  AttentionTrace attention;
};

}  // namespace gaze::phyx
