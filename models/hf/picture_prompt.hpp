// SPDX-License-Identifier: MIT
// Pictures in the prompts of published checkpoints: the tokens that stand for one, and its tiles.
// Source: processing_idefics3.py, processing_llava_next.py of transformers 4.49 to 5.24.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gaze/image/tiles.hpp"
#include "models/hf/chat.hpp"
#include "models/hf/checkpoint.hpp"
#include "models/hf/picture_config.hpp"
#include "models/packing.hpp"

namespace gaze::models::hf {

namespace detail {

/// Adds text whose added tokens are control tokens.
template <class Tokenizer>
void add_marked(std::vector<PromptPart>& out, const Tokenizer& tokenizer, std::string_view text) {
  tokenizer.cut(
      text,
      [&](std::string_view words) {
        out.push_back({std::string(words), false});
      },
      [&](const auto& token) {
        out.push_back({token.content, true});
      });
}

/// Each tile after its row and column, each row of tiles on a line, then the whole picture.
template <class Tokenizer>
std::vector<PromptPart> split_picture(const Tokenizer& tokenizer, const image::TilePlan& plan,
                                      Index tokens, const std::string& image_token) {
  std::vector<PromptPart> out;
  const auto tile = [&](const std::string& name) {
    add_marked(out, tokenizer, "<fake_token_around_image>" + name);
    for (Index i = 0; i < tokens; ++i) out.push_back({image_token, true});
  };
  for (int row = 1; row <= plan.rows; ++row) {
    for (int column = 1; column <= plan.columns; ++column)
      tile(concat("<row_", row, "_col_", column, ">"));
    out.push_back({"\n", false});
  }
  if (plan.rows > 0) out.push_back({"\n", false});
  tile("<global-img>");
  add_marked(out, tokenizer, "<fake_token_around_image>");
  return out;
}

}  // namespace detail

/// A prompt that is written part by part, and its pictures in the order of their places.
template <class Tokenizer>
class PicturePrompt {
 public:
  PicturePrompt(const Checkpoint& c, const PictureConfig& config, const Tokenizer& tokenizer)
      : checkpoint_(c),
        config_(config),
        tokenizer_(tokenizer),
        image_token_(tokenizer.token(c.image_token)) {}

  void add(const PromptPart& part) { parts_.push_back(part); }

  void add(const image::Image& picture) {
    const image::TilePlan plan = plan_tiles(config_, {picture.width, picture.height});
    for (const image::Image& tile : image::cut_tiles(picture, plan)) {
      const auto values = image::to_float(tile, config_.normalization);
      values_.insert(values_.end(), values.begin(), values.end());
    }
    const Index tokens = checkpoint_.model.image_tokens();
    if (std::holds_alternative<image::AnyresTiling>(config_.tiling))
      add_rows(anyres_rows(plan, static_cast<int>(checkpoint_.model.image_side()),
                           static_cast<std::int32_t>(tiles_ * tokens)));
    else
      for (PromptPart& p : detail::split_picture(tokenizer_, plan, tokens, image_token_))
        parts_.push_back(std::move(p));
    tiles_ += plan.tiles();
  }

  Prompt finish() && {
    Prompt out{encode(tokenizer_, parts_), nullptr, {}, std::move(rows_)};
    if (tiles_ > 0) out.values = std::make_shared<const std::vector<float>>(std::move(values_));
    return out;
  }

 private:
  /// One image token for each row of the tiles' features, or newline.
  void add_rows(const std::vector<std::int32_t>& rows) {
    rows_.insert(rows_.end(), rows.begin(), rows.end());
    parts_.insert(parts_.end(), rows.size(), {image_token_, true});
  }

  const Checkpoint& checkpoint_;
  const PictureConfig& config_;
  const Tokenizer& tokenizer_;
  std::string image_token_;
  std::vector<PromptPart> parts_;
  std::vector<float> values_;
  std::vector<std::int32_t> rows_;
  Index tiles_ = 0;
};

/// The prompt of parts whose places hold these pictures.
template <class Tokenizer>
Prompt prompt_with_pictures(const Checkpoint& c, const PictureConfig& config,
                            const Tokenizer& tokenizer, std::span<const PromptPart> parts,
                            std::span<const image::Image> pictures) {
  PicturePrompt<Tokenizer> out(c, config, tokenizer);
  std::size_t places = 0;
  for (const PromptPart& part : parts) {
    if (!part.picture)
      out.add(part);
    else if (places++ < pictures.size())
      out.add(pictures[places - 1]);
  }
  GAZE_CHECK(places == pictures.size(), "prompt", "the prompt has ", places,
             places == 1 ? " place" : " places", " for pictures, and there are ", pictures.size());
  return std::move(out).finish();
}

}  // namespace gaze::models::hf
