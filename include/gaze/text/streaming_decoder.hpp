// SPDX-License-Identifier: MIT
// Decodes a completion id by id while it is being generated, always in whole characters.
//
//   gaze::text::StreamingDecoder stream(tokenizer);
//   for (const std::int32_t id : ids) std::cout << stream.push(id);
//   std::cout << stream.finish();
#pragma once
#include <cstdint>
#include <string>

#include "gaze/text/byte_pair.hpp"

namespace gaze::text {

/// The strings returned by push and finish are valid UTF-8 and join to tokenizer.decode(ids,
/// special). A character whose bytes are spread over several tokens is returned with the last of
/// them.
class StreamingDecoder {
 public:
  /// `tokenizer` must outlive the decoder.
  explicit StreamingDecoder(const BytePairTokenizer& tokenizer,
                            SpecialTokens special = SpecialTokens::keep)
      : tokenizer_(&tokenizer), special_(special) {}

  /// The characters that this id completes; may be empty. An unknown id is an Error.
  std::string push(std::int32_t id) {
    if (special_ == SpecialTokens::skip && tokenizer_->is_special(id)) return "";
    std::string text;
    pending_ += tokenizer_->bytes(id);
    pending_.erase(0, pending_.size() - append_repaired(pending_, text));
    return text;
  }

  /// Ends the text: U+FFFD if a character is incomplete, else nothing. The next push begins
  /// another.
  std::string finish() {
    const bool incomplete = !pending_.empty();
    pending_.clear();
    return incomplete ? std::string(kReplacement) : "";
  }

 private:
  const BytePairTokenizer* tokenizer_;
  SpecialTokens special_;
  std::string pending_;  ///< the beginning of a character: at most 3 bytes
};

}  // namespace gaze::text
