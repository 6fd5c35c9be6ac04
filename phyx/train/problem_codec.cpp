// SPDX-License-Identifier: MIT
// What all codecs share.
#include "phyx/train/problem_codec.hpp"

#include <algorithm>

namespace gaze::phyx {

std::vector<std::int32_t> ProblemCodec::response(const std::string& text) const {
  auto ids = encode(text);
  ids.push_back(ends().ids.front());
  return ids;
}

std::string without_nul(const std::string& text) {
  std::string out;
  for (const char c : text) c == '\0' ? out += "\uFFFD" : out += c;
  return out;
}

AttentionTrace attention_trace(const SampledTokens& c, const models::DecoderConfig& config,
                               const models::Prompt& prompt, std::int32_t image_token) {
  AttentionTrace a;
  if (c.seen.empty()) return a;
  a.tokens = static_cast<int>(c.tokens.size());
  a.layers = static_cast<int>(config.layers);
  a.heads = static_cast<int>(config.heads);
  a.marks = {"image", "region", "sink", "text"};
  a.mass = c.seen;
  for (int t = 0; t < a.tokens; ++t) a.keys.push_back(static_cast<int>(prompt.tokens.size()) + t);
  a.image_tokens =
      static_cast<int>(std::count(prompt.tokens.begin(), prompt.tokens.end(), image_token));
  for (const auto flag : prompt.region) a.region_tokens += flag;
  return a;
}

}  // namespace gaze::phyx
