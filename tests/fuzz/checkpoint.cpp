// SPDX-License-Identifier: MIT
// Fuzz target: the folder of a published checkpoint without its weights: config.json,
// generation_config.json, tokenizer_config.json, chat_template.jinja.
#include <string>
#include <string_view>

#include "models/hf/checkpoint.hpp"
#include "tests/fuzz/target.hpp"

namespace fuzz_checkpoint {

using gaze::fuzz::require;
using namespace gaze::models::hf;

void run(std::string_view input) {
  static const gaze::fuzz::Folder folder;
  gaze::fuzz::Pieces pieces{input};
  for (const char* name :
       {"config.json", "generation_config.json", "tokenizer_config.json", "chat_template.jinja"})
    folder.put_if_any(name, pieces.next());
  const Checkpoint c = open_checkpoint(folder.path());
  require(!c.weights.empty() && !c.ends.empty(), "no weights or no end token");
  for (const auto end : c.ends) require(end >= 0 && end < c.model.vocabulary, "no such end token");
  require(c.image_token < c.model.vocabulary, "no such image token");
  find_chat_template(c.chat);
}

const gaze::fuzz::Target target("checkpoint", run);

}  // namespace fuzz_checkpoint
