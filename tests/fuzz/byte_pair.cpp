// SPDX-License-Identifier: MIT
// Fuzz target: the bytes up to the first NUL are a tokenizer.json, the others a text. The file is
// refused with an Error, or its tokeniser encodes and decodes the text. See README.md.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "gaze/text/byte_pair.hpp"
#include "gaze/text/streaming_decoder.hpp"

namespace {

using namespace gaze::text;

void require(bool right, const char* what) {
  if (right) return;
  std::fprintf(stderr, "FINDING: %s\n", what);
  std::abort();
}

void check(const BytePairTokenizer& tokenizer, std::string_view text) {
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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = input.find('\0');
  try {
    const auto tokenizer = BytePairTokenizer::parse(input.substr(0, end), "fuzz");
    check(tokenizer, end == input.npos ? input : input.substr(end + 1));
  } catch (const gaze::Error&) {  // the file is refused
  } catch (const std::exception& e) {
    require(false, e.what());
  }
  return 0;
}
