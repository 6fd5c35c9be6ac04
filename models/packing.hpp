// SPDX-License-Identifier: MIT
// Prompts, and their packing with completions into one flat batch of rows without padding.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "gaze/ops/attention.hpp"

namespace gaze::models {

/// The bytes of an RGB picture, or of its tiles, [tiles, S, S, 3].
using ImageBytes = std::shared_ptr<const std::vector<std::uint8_t>>;
/// The same as normalised values [tiles, 3, S, S].
using ImageValues = std::shared_ptr<const std::vector<float>>;

/// Token ids; with pictures, some of them are the image token: as many as the tiles have features,
/// or as picture_rows has elements.
struct Prompt {
  std::vector<std::int32_t> tokens;
  ImageBytes rgb;                    // null: no picture
  std::vector<std::uint8_t> region;  // per image token: 1 inside the region of interest
  /// Per image token: the row of the tiles' features [tiles * tokens of a tile], or newline_row.
  /// Empty: all of them in order.
  std::vector<std::int32_t> picture_rows = {};
  ImageValues values = {};  // instead of rgb

  static constexpr std::int32_t newline_row = -1;
  bool sees() const { return rgb || values; }
};

/// One tile of a picture.
struct Tile {
  ImageBytes rgb;
  ImageValues values;
  std::size_t number;  // of the prompt's tiles
};

/// A prompt and completions of it, for their log-probabilities.
struct Group {
  const Prompt* prompt;
  std::vector<std::span<const std::int32_t>> completions;
};

/// The rows of a tile in a prompt: how many, the tile's side in pixels, and the token that holds
/// their places; whether several tiles and newlines are possible. A model without pictures has
/// none.
struct PictureRows {
  Index tokens = 0, side = 0;
  std::int32_t token = -1;
  bool newlines = false;
};

/// A flat batch of N rows and its layout. A prompt is packed once for all its completions.
class PackedBatch {
 public:
  explicit PackedBatch(const PictureRows& pictures) : pictures_(pictures) {}

  Segment add_prompt(const Prompt& prompt) {
    const std::size_t begin = ids_.size();
    append(prompt.tokens);
    if (prompt.sees()) add_tiles(prompt, begin);
    return layout_->add_sequence(static_cast<Index>(prompt.tokens.size()));
  }

  /// Rows that follow a prompt and see it; at least one.
  Segment add_continuation(const Segment& prompt, std::span<const std::int32_t> tokens) {
    append(tokens);
    return layout_->add_continuation(prompt, static_cast<Index>(tokens.size()));
  }

  /// Rows of a sequence whose keys are in a cache, see RunningPart; returns the last one.
  std::int32_t add_running(std::span<const std::int32_t> tokens, Index position, Index slot,
                           const Prompt* prompt) {
    GAZE_CHECK(slot % kKeyLanes == 0, "decode", "a sequence from slot ", slot,
               ", not a multiple of ", kKeyLanes);
    const std::size_t begin = ids_.size();
    append(tokens);
    if (prompt && prompt->sees()) add_tiles(*prompt, begin);
    for (Index i = 0; i < static_cast<Index>(tokens.size()); ++i)
      layout_->add_step(0, 0, slot, position + i);
    return static_cast<std::int32_t>(ids_.size()) - 1;
  }

  void end_group() { layout_->end_group(); }

  const std::shared_ptr<TokenLayout>& layout() const { return layout_; }
  const std::vector<std::int32_t>& ids() const { return ids_; }  // [N], -1: an image's row
  const std::vector<std::int32_t>& image_rows() const { return image_rows_; }  // [N], -1: another
  /// [N], 0: a newline, -1: another row; empty if there is none.
  const std::vector<std::int32_t>& newline_rows() const { return newline_rows_; }
  const std::vector<Tile>& tiles() const { return tiles_; }

 private:
  void append(std::span<const std::int32_t> tokens) {
    ids_.insert(ids_.end(), tokens.begin(), tokens.end());
    image_rows_.resize(ids_.size(), -1);
    if (!newline_rows_.empty()) newline_rows_.resize(ids_.size(), -1);
  }

  /// Replaces the image tokens from row `begin` on by the rows of the prompt's tiles.
  void add_tiles(const Prompt& prompt, std::size_t begin) {
    GAZE_CHECK(pictures_.tokens > 0, "LanguageModel",
               "a prompt with a picture, but the model reads text only");
    const Index before = static_cast<Index>(tiles_.size()) * pictures_.tokens;
    const Index features = count_tiles(prompt) * pictures_.tokens;
    const auto& rows = prompt.picture_rows;
    const Index places = rows.empty() ? features : static_cast<Index>(rows.size());
    Index found = 0;
    for (std::size_t i = begin; i < ids_.size(); ++i) {
      if (ids_[i] != pictures_.token) continue;
      ids_[i] = -1;
      if (found < places)
        place(i, rows.empty() ? found : rows[static_cast<std::size_t>(found)], before, features);
      ++found;
    }
    GAZE_CHECK(found == places, "Vlm", "the prompt has ", found, " image tokens, its image needs ",
               places);
  }

  /// Adds a prompt's tiles; returns their number.
  Index count_tiles(const Prompt& prompt) {
    const auto size = static_cast<std::size_t>(pictures_.side * pictures_.side * 3);
    const std::size_t has = prompt.rgb ? prompt.rgb->size() : prompt.values->size();
    GAZE_CHECK(has > 0 && has % size == 0, "Vlm", "the image has ", has,
               prompt.rgb ? " bytes" : " values", ", the model expects ", size);
    for (std::size_t i = 0; i < has / size; ++i) tiles_.push_back({prompt.rgb, prompt.values, i});
    return static_cast<Index>(has / size);
  }

  /// Row i of the batch shows feature `row` of `features`, which follow `before` others.
  void place(std::size_t i, Index row, Index before, Index features) {
    if (row == Prompt::newline_row) {
      GAZE_CHECK(pictures_.newlines, "Vlm", "a newline in a picture, but the model has none");
      newline_rows_.resize(ids_.size(), -1);
      newline_rows_[i] = 0;
      return;
    }
    GAZE_CHECK(row >= 0 && row < features, "Vlm", "feature ", row, " of a picture with ", features);
    image_rows_[i] = checked_int32("Vlm", "the number of image tokens", before + row);
  }

  PictureRows pictures_;
  std::shared_ptr<TokenLayout> layout_ = std::make_shared<TokenLayout>();
  std::vector<std::int32_t> ids_, image_rows_, newline_rows_;
  std::vector<Tile> tiles_;
};

}  // namespace gaze::models
