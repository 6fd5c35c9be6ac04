// SPDX-License-Identifier: MIT
// Means over heads, and their maps as bytes.
#include "phyx/serve/attention_maps.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "gaze/io/base64.hpp"
#include "gaze/text/utf8_repair.hpp"

namespace gaze::phyx::serve {

AttentionMaps::AttentionMaps(const ChatPrompt& prompt, std::size_t most_bytes)
    : layers_(static_cast<std::size_t>(prompt.layers)),
      heads_(static_cast<std::size_t>(prompt.heads)),
      pictures_(prompt.pictures) {
  for (const PromptPicture& p : pictures_) {
    tokens_ += static_cast<std::size_t>(p.grid.tokens());
    cells_ += static_cast<std::size_t>(p.grid.cells());
  }
  for (const char* detail : {"heads", "layers", "mean"}) {
    detail_ = detail;
    ranges_ = ranges_of(detail_);
    if (token_bytes() <= most_bytes) break;
  }
}

std::vector<AttentionMaps::Range> AttentionMaps::ranges_of(const std::string& detail) const {
  const std::size_t all = layers_ * heads_;
  std::vector<Range> out{{0, all}};
  if (detail == "mean") return out;
  const std::size_t step = detail == "heads" ? 1 : heads_;
  for (std::size_t first = 0; first < all; first += step) out.emplace_back(first, first + step);
  return out;
}

TokenMaps AttentionMaps::operator()(const GeneratedToken& token) const {
  GAZE_CHECK(token.seen.size() == layers_ * heads_ * tokens_, "attention_maps", token.seen.size(),
             " values of ", layers_, " layers x ", heads_, " heads x ", tokens_, " image tokens");
  TokenMaps out{.token = token.id};
  out.maps.reserve(token_bytes());
  std::size_t first = 0;  // image token of the picture
  for (const PromptPicture& p : pictures_) {
    out.scales.emplace_back();
    const auto n = static_cast<std::size_t>(p.grid.tokens());
    for (const auto& [begin, end] : ranges_) {
      std::vector<float> mean(n, 0.0f);
      for (std::size_t head = begin; head < end; ++head)
        for (std::size_t i = 0; i < n; ++i) mean[i] += token.seen[head * tokens_ + first + i];
      for (float& m : mean) m /= static_cast<float>(end - begin);
      if (out.scales.back().empty())
        out.shares.push_back(std::min(1.0f, std::accumulate(mean.begin(), mean.end(), 0.0f)));
      add_map(out, p.grid.map(mean));
    }
    first += n;
  }
  return out;
}

void AttentionMaps::add_map(TokenMaps& out, const std::vector<float>& map) const {
  const float top = *std::max_element(map.begin(), map.end());
  out.scales.back().push_back(top);
  for (const float value : map)
    out.maps.push_back(value > 0 ? static_cast<std::uint8_t>(std::lround(255 * value / top)) : 0);
}

io::OrderedJson AttentionMaps::json() const {
  io::OrderedJson pictures = io::OrderedJson::array();
  for (const PromptPicture& p : pictures_)
    pictures.push_back({{"width", p.size.width},
                        {"height", p.size.height},
                        {"columns", p.grid.columns()},
                        {"rows", p.grid.rows()}});
  return {{"layers", layers_},
          {"heads", heads_},
          {"pictures", std::move(pictures)},
          {"detail", detail_}};
}

io::OrderedJson token_maps_json(const ChatModel& model, const TokenMaps& maps) {
  return {{"token", text::repaired_utf8(model.bytes(maps.token))},
          {"shares", maps.shares},
          {"maps", io::base64_encode(maps.maps)},
          {"scales", maps.scales}};
}

}  // namespace gaze::phyx::serve
