// SPDX-License-Identifier: MIT
// Fuzz target: a published tokenizer.json and a text. The file is refused with an Error, or its
// tokeniser encodes and decodes any text.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gaze/text/byte_pair.hpp"
#include "gaze/text/streaming_decoder.hpp"
#include "tests/fuzz/target.hpp"

namespace fuzz_byte_pair {

using namespace gaze::text;
using gaze::fuzz::require;

void run(std::string_view input) {
  gaze::fuzz::Pieces pieces{input};
  const auto tokenizer = BytePairTokenizer::parse(std::string(pieces.next()), "fuzz");
  const std::string_view text = pieces.rest;
  const std::vector<std::int32_t> ids = tokenizer.encode(text);
  require(ids == tokenizer.encode(text), "other ids the second time");
  for (const std::int32_t id : tokenizer.encode_plain(text))
    require(!tokenizer.is_special(id), "plain text gives a special token");
  for (const SpecialTokens special : {SpecialTokens::keep, SpecialTokens::skip}) {
    StreamingDecoder stream(tokenizer, special);
    std::string streamed;
    for (const std::int32_t id : ids) streamed += stream.push(id);
    streamed += stream.finish();
    require(gaze::is_utf8(streamed), "decoded text is not UTF-8");
    require(streamed == tokenizer.decode(ids, special), "other text id by id");
  }
}

const gaze::fuzz::Target target("byte_pair", run);

}  // namespace fuzz_byte_pair
