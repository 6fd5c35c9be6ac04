// SPDX-License-Identifier: MIT
// Published checkpoints on the processor.
#include "phyx/eval/published_model.inl"
#include "gaze/cpu/kernels.hpp"

namespace gaze::phyx {

text::BytePairTokenizer load_tokenizer(const models::hf::Checkpoint& checkpoint) {
  auto tokenizer = text::BytePairTokenizer::load(checkpoint.folder + "/tokenizer.json");
  GAZE_CHECK(tokenizer.vocab_size() <= checkpoint.config.vocabulary, "checkpoint",
             checkpoint.folder, "/tokenizer.json: ", tokenizer.vocab_size(),
             " tokens, but config.json says ", checkpoint.config.vocabulary);
  return tokenizer;
}

template struct PublishedModel<Cpu>;
template std::unique_ptr<PublishedModel<Cpu>> load_published<Cpu>(const std::string&,
                                                                  const std::string&);
template void answer<Cpu>(const PublishedModel<Cpu>&, const std::string&, const SamplingSettings&,
                          std::uint64_t, const std::function<void(const std::string&)>&);

}  // namespace gaze::phyx
