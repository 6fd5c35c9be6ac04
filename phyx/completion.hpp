// SPDX-License-Identifier: MIT
// One response of a model: its text, its tokens, and what it attended to meanwhile.
#pragma once
#include <string>
#include <vector>

namespace gaze::phyx {

/// What the model attended to while generating: the attention mass that the query row which
/// produced a token put on each marked set of keys, as
/// mass[((token * layers + layer) * heads + head) * marks.size() + mark], each in [0, 1].
struct AttentionTrace {
  int tokens = 0, layers = 0, heads = 0;
  std::vector<std::string> marks;  // "image", "region", "sink"
  std::vector<float> mass;
  std::vector<int> keys;  // visible keys per generated token
  int image_tokens = 0, region_tokens = 0;
};

/// One sampled response. `tokens` are the texts of the generated tokens, in step with the trace.
struct Completion {
  std::string text;
  bool ended = true;  // false: cut off at the length limit
  int length = 0;     // generated tokens
  std::vector<std::string> tokens;
  AttentionTrace attention;
};

}  // namespace gaze::phyx
