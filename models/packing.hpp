// SPDX-License-Identifier: MIT
// Prompts, and their packing with completions into one flat batch of rows without padding.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "gaze/ops/attention.hpp"

namespace gaze::models {

/// The bytes of an RGB picture, S x S x 3.
using ImageBytes = std::shared_ptr<const std::vector<std::uint8_t>>;

/// Token ids; with an image, image_tokens() of them are the image token.
struct Prompt {
  std::vector<std::int32_t> tokens;
  ImageBytes rgb;                    // null: no image
  std::vector<std::uint8_t> region;  // per image token: 1 inside the region of interest
};

/// A prompt and completions of it, for their log-probabilities.
struct Group {
  const Prompt* prompt;
  std::vector<std::span<const std::int32_t>> completions;
};

/// The rows of a picture in a prompt: how many, the picture's side in pixels, and the token that
/// holds their places. A model without pictures has none.
struct PictureRows {
  Index tokens = 0, side = 0;
  std::int32_t token = -1;
};

/// A flat batch of N rows and its layout. A prompt is packed once for all its completions.
class PackedBatch {
 public:
  explicit PackedBatch(const PictureRows& pictures) : pictures_(pictures) {}

  Segment add_prompt(const Prompt& prompt) {
    const std::size_t begin = ids_.size();
    append(prompt.tokens);
    if (prompt.rgb) add_image(prompt.rgb, begin);
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
    if (prompt && prompt->rgb) add_image(prompt->rgb, begin);
    for (Index i = 0; i < static_cast<Index>(tokens.size()); ++i)
      layout_->add_step(0, 0, slot, position + i);
    return static_cast<std::int32_t>(ids_.size()) - 1;
  }

  void end_group() { layout_->end_group(); }

  const std::shared_ptr<TokenLayout>& layout() const { return layout_; }
  const std::vector<std::int32_t>& ids() const { return ids_; }  // [N], -1: an image's row
  const std::vector<std::int32_t>& image_rows() const { return image_rows_; }  // [N], -1: a token
  const std::vector<ImageBytes>& images() const { return images_; }

 private:
  void append(std::span<const std::int32_t> tokens) {
    ids_.insert(ids_.end(), tokens.begin(), tokens.end());
    image_rows_.resize(ids_.size(), -1);
  }

  /// Replaces the image tokens from row `begin` on by the rows of an image.
  void add_image(const ImageBytes& rgb, std::size_t begin) {
    const Index count = pictures_.tokens, side = pictures_.side;
    GAZE_CHECK(count > 0, "LanguageModel",
               "a prompt with a picture, but the model reads text only");
    const Index before = static_cast<Index>(images_.size()) * count;
    Index found = 0;
    for (std::size_t i = begin; i < ids_.size(); ++i) {
      if (ids_[i] != pictures_.token) continue;
      ids_[i] = -1;
      image_rows_[i] = checked_int32("Vlm", "the number of image tokens", before + found++);
    }
    GAZE_CHECK(found == count, "Vlm", "the prompt has ", found, " image tokens, its image needs ",
               count);
    GAZE_CHECK(static_cast<Index>(rgb->size()) == side * side * 3, "Vlm", "the image has ",
               rgb->size(), " bytes, the model expects ", side * side * 3);
    images_.push_back(rgb);
  }

  PictureRows pictures_;
  std::shared_ptr<TokenLayout> layout_ = std::make_shared<TokenLayout>();
  std::vector<std::int32_t> ids_, image_rows_;
  std::vector<ImageBytes> images_;
};

}  // namespace gaze::models
