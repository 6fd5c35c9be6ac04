// SPDX-License-Identifier: MIT
// Filling templates, decoding and resizing pictures, mapping regions to image tokens.
#include "phyx/train/examples.hpp"

#include <algorithm>
#include <functional>
#include <span>

#include "gaze/core/error.hpp"
#include "gaze/image/decode.hpp"
#include "phyx/data/prompt.hpp"

namespace gaze::phyx {

const std::vector<std::string>& instruction_phrases() {
  static const std::vector<std::string> phrases = {std::string(letter_instruction),
                                                   std::string(reasoning_instruction)};
  return phrases;
}

Example ExampleMaker::operator()(Problem problem) {
  Example e;
  if (!problem.image.empty()) {
    const Pixels pixels = decode(problem);
    e.prompt.rgb = e.caption_prompt.rgb = pixels;
    e.prompt.region = region_flags(problem.scene.regions);
  }
  e.prompt.tokens = fill(prompts_.problem, e.prompt.rgb != nullptr, fields_of(problem));
  e.caption_prompt.tokens = fill(prompts_.caption, e.prompt.rgb != nullptr, {});
  problem.image.clear();
  problem.image.shrink_to_fit();
  e.problem = std::move(problem);
  return e;
}

models::Prompt ExampleMaker::problem_prompt(const Problem& problem, const Example& like) const {
  models::Prompt p = like.prompt;
  p.tokens = fill(prompts_.problem, p.rgb != nullptr, fields_of(problem));
  return p;
}

models::Prompt ExampleMaker::letters_prompt(const std::string& options) const {
  models::Prompt p;
  p.tokens = fill(prompts_.letters, false, {{"{options}", options}});
  return p;
}

phyx::Completion ExampleMaker::completion(const SampledTokens& c,
                                          const models::Prompt& prompt) const {
  phyx::Completion out;
  out.ended = c.ended;
  out.length = static_cast<int>(c.tokens.size());
  std::vector<std::int32_t> text = c.tokens;
  if (c.ended) text.pop_back();
  out.text = without_nul(tokenizer_.decode(text));
  for (const std::int32_t id : text) out.tokens.push_back(tokenizer_.decode({id}));
  if (c.ended) out.tokens.push_back("");
  out.attention = attention_trace(c, config_.decoder, prompt, tokenizer_.image());
  return out;
}

std::vector<std::int32_t> ExampleMaker::fill(const std::string& form, bool image,
                                             const models::PromptFields& fields) const {
  return models::fill_prompt(tokenizer_, form, image ? config_.image_tokens() : 0, fields);
}

models::PromptFields ExampleMaker::fields_of(const Problem& problem) const {
  if (prompts_.problem.find("{options}") == std::string::npos)
    return {{"{question}", problem.question}};
  return {{"{question}", std::string(bare_prompt(problem.question))},
          {"{options}", list_options(problem.options)}};
}

std::size_t ExampleMaker::least_tokens(const Problem& problem) const {
  std::size_t out = 0;
  for (const auto& [name, text] : fields_of(problem))
    if (prompts_.problem.find(name) != std::string::npos) out += tokenizer_.least_ids(text);
  return out;
}

Pixels ExampleMaker::decode(const Problem& problem) {
  const std::string key(problem.image.begin(), problem.image.end());
  auto& known = pixels_[std::hash<std::string>{}(key)];
  if (auto pixels = known.lock()) return pixels;
  const auto picture =
      image::decode_image(std::span<const std::uint8_t>(problem.image), "problem " + problem.index);
  auto pixels = models::image_bytes(picture, config_.vit.image);
  known = pixels;
  return pixels;
}

std::vector<std::uint8_t> ExampleMaker::region_flags(const std::vector<Region>& regions) const {
  const Index side = config_.image_side();
  std::vector<std::uint8_t> flags(static_cast<std::size_t>(side * side), 0);
  const double size = 1.0 / static_cast<double>(side);
  for (std::size_t i = 0; i < flags.size(); ++i) {
    const double x = static_cast<double>(static_cast<Index>(i) % side) * size;
    const double y = static_cast<double>(static_cast<Index>(i) / side) * size;
    for (const Region& r : regions) {
      const double w = std::min<double>(r.x1, x + size) - std::max<double>(r.x0, x);
      const double h = std::min<double>(r.y1, y + size) - std::max<double>(r.y0, y);
      if (w > 0 && h > 0 && w * h >= 0.1 * size * size) flags[i] = 1;
    }
  }
  return flags;
}

}  // namespace gaze::phyx
