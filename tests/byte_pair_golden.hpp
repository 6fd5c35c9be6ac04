// SPDX-License-Identifier: MIT
// The byte-level BPE tokeniser of tests/golden/byte_pair_golden.json.
#pragma once
#include "gaze/io/json.hpp"
#include "gaze/text/byte_pair.hpp"
#include "tests/data.hpp"

namespace gaze::test::byte_pair {

inline const io::Json& golden() {
  static const io::Json file = golden_json("byte_pair_golden.json");
  return file;
}

inline text::BytePairTokenizer parsed(const io::Json& file) {
  return text::BytePairTokenizer::parse(file.dump(), "tokenizer.json");
}

inline const text::BytePairTokenizer& base() {
  static const text::BytePairTokenizer tokenizer = parsed(golden()["tokenizer"]);
  return tokenizer;
}

}  // namespace gaze::test::byte_pair
