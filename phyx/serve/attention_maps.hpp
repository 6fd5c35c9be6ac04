// SPDX-License-Identifier: MIT
// The attention of generated tokens on the pictures of their prompt, as maps of bytes: what the
// extension gaze_attention of the API sends.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "gaze/generate/continuous_batch.hpp"
#include "gaze/io/json.hpp"
#include "phyx/serve/chat_model.hpp"

namespace gaze::phyx::serve {

/// Most bytes of the maps of one token, and of all that are held at once for one answer.
inline constexpr std::size_t kTokenMapBytes = std::size_t{256} << 10,
                             kHeldMapBytes = std::size_t{64} << 20;

/// The maps of one token.
struct TokenMaps {
  std::int32_t token = 0;
  std::vector<float> shares = {};       // per picture: all attention on it, the mean of heads
  std::vector<std::uint8_t> maps = {};  // [picture][map][row][column], of each map's maximum
  std::vector<std::vector<float>> scales = {};  // per picture: each map's maximum
};

/// How the attention that one request observes becomes maps. Each picture has the same list of
/// maps: the mean of all heads; with more detail the mean of each layer's heads; with still more
/// instead each head of each layer.
class AttentionMaps {
 public:
  /// With the finest detail of which a token's maps have at most `most_bytes`, or the least one.
  AttentionMaps(const ChatPrompt& prompt, std::size_t most_bytes);

  /// Bytes of the maps of one token.
  std::size_t token_bytes() const { return ranges_.size() * cells_; }

  /// The maps of an observed token. Throws Error if it was observed for another prompt.
  TokenMaps operator()(const GeneratedToken& token) const;

  /// {"layers", "heads", "pictures", "detail"}.
  io::OrderedJson json() const;

 private:
  using Range = std::pair<std::size_t, std::size_t>;

  std::vector<Range> ranges_of(const std::string& detail) const;
  void add_map(TokenMaps& out, const std::vector<float>& map) const;

  std::size_t layers_, heads_;
  std::vector<PromptPicture> pictures_;
  std::size_t tokens_ = 0, cells_ = 0;  // of all pictures
  std::string detail_;
  std::vector<Range> ranges_;  // heads, counted through all layers, that a map is the mean of
};

/// {"token", "shares", "maps", "scales"}.
io::OrderedJson token_maps_json(const ChatModel& model, const TokenMaps& maps);

}  // namespace gaze::phyx::serve
