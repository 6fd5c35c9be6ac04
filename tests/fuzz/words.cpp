// SPDX-License-Identifier: MIT
// Fuzz target: the tokenizer.json of a trained model, and a text. The first piece is a JSON merge
// patch (RFC 7396) of a valid file, or, with a version, itself the file.
#include <string>
#include <string_view>

#include "gaze/io/json.hpp"
#include "gaze/text/tokenizer.hpp"
#include "tests/fuzz/target.hpp"

namespace fuzz_words {

using gaze::fuzz::require;
using gaze::text::Tokenizer;

const gaze::fuzz::Folder& folder() {
  static const gaze::fuzz::Folder one;
  return one;
}

gaze::io::Json valid_file() {
  const std::string path = folder().file("valid.json");
  Tokenizer::build({"a block of mass 5 kg"}, {8, 4, 9, {"newton second law"}}).save(path);
  return gaze::io::read_json_object(path);
}

void check(const std::string& file, std::string_view text) {
  const Tokenizer tokenizer = Tokenizer::load(folder().put("tokenizer.json", file));
  const auto plain = tokenizer.encode_plain(text);
  require(tokenizer.decode(tokenizer.encode(text)) == text, "another text comes back");
  require(tokenizer.decode(plain) == text, "another plain text comes back");
  require(tokenizer.least_ids(text) <= plain.size(), "fewer ids than the lower bound");
  for (const std::int32_t id : plain)
    for (const std::int32_t control : {tokenizer.pad(), tokenizer.end(), tokenizer.user(),
                                       tokenizer.assistant(), tokenizer.image()})
      require(id != control, "plain text gives a control token");
}

void run(std::string_view input) {
  static const gaze::io::Json valid = valid_file();
  gaze::fuzz::Pieces pieces{input};
  const std::string_view first = pieces.next();
  const gaze::io::Json patch = gaze::io::parse_json(first, "the patch");
  if (patch.is_object() && patch.contains("version")) return check(std::string(first), pieces.rest);
  gaze::io::Json file = valid;
  file.merge_patch(patch);
  if (file.is_object()) check(gaze::io::dump_json(file, "the file"), pieces.rest);
}

const gaze::fuzz::Target target("words", run);

}  // namespace fuzz_words
