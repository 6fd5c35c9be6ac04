// SPDX-License-Identifier: MIT
// A few problems answered in full view: the text, its rewards, and per token where it looked.
#pragma once
#include "gaze/image/png.hpp"
#include "gaze/io/append_log.hpp"
#include "gaze/io/folders.hpp"
#include "phyx/eval/evaluator.hpp"
#include "phyx/eval/file_names.hpp"
#include "phyx/rewards/registry.hpp"

namespace gaze::phyx {

/// Greedy answers with, per token, the attention on each image token: mean over layers and heads.
struct Shown {
  phyx::Completion completion;
  std::vector<std::vector<float>> maps;  // [token][image token]
};

template <class Device>
Shown show(const Model<Device>& model, const text::Tokenizer& tokenizer, const Example& example,
           const SamplingSettings& sampling) {
  EvaluationSettings settings;
  settings.sampling = sampling;
  const Evaluator evaluator(model, tokenizer, settings);
  const models::Prompt* prompt = &example.prompt;
  const std::span<const models::Prompt* const> one(&prompt, 1);
  const std::uint64_t id = 0;
  const std::span<const std::uint64_t> ids(&id, 1);
  const auto marks = evaluator.complete(one, ids, 0, models::Watch::marks).front();
  Shown out{to_completion(marks, tokenizer, model.config(), example.prompt), {}};
  if (!example.prompt.rgb) return out;
  const auto seen = evaluator.complete(one, ids, 0, models::Watch::patches).front().seen;
  const auto tokens = static_cast<std::size_t>(out.completion.length);
  const auto cells = static_cast<std::size_t>(model.config().image_tokens());
  const std::size_t rows = seen.size() / tokens / cells;  // layers x heads
  for (std::size_t t = 0; t < tokens; ++t) {
    std::vector<float> map(cells, 0.0f);
    for (std::size_t r = 0; r < rows; ++r)
      for (std::size_t c = 0; c < cells; ++c)
        map[c] += seen[(t * rows + r) * cells + c] / static_cast<float>(rows);
    out.maps.push_back(std::move(map));
  }
  return out;
}

/// One line of completions.jsonl; `image` is a path relative to the output folder.
inline io::OrderedJson shown_json(const Example& e, const phyx::Completion& c,
                                  const std::string& image) {
  io::OrderedJson j;
  const Problem& p = e.problem;
  j["index"] = p.index;
  j["form"] = p.form == Form::mc ? "MC" : "OE";
  j["split"] = p.split;
  j["template"] = p.template_id;
  if (!image.empty()) j["image"] = image;
  j["question"] = p.question;
  j["answer"] = p.answer;
  j["text"] = c.text;
  j["ended"] = c.ended;
  j["correct"] = judge_strict(p, c.text).correct;
  j["official"] = score_official(p.form, p.answer, c.text).match;
  j["attention_image"] = image_mass(c.attention);
  return j;
}

/// Text that is cut in the middle of a character would not be JSON: bad bytes become U+FFFD.
inline std::string dump_line(const io::OrderedJson& j) {
  return j.dump(-1, ' ', false, io::OrderedJson::error_handler_t::replace);
}

/// Writes a problem's picture under `folder`/images, once, and returns its relative path. Its name
/// is made of split and index, which are any text that a data file holds.
inline std::string write_picture(const std::string& folder, const Example& e, Index side) {
  if (!e.prompt.rgb) return "";
  const std::string name =
      "images/" + safe_name(e.problem.split) + "_" + safe_name(e.problem.index, "_") + ".png";
  io::make_folders(folder + "/images");
  if (!io::exists(folder + "/" + name))
    io::write_file(folder + "/" + name,
                   std::span<const std::uint8_t>(image::encode_png(
                       e.prompt.rgb->data(), static_cast<int>(side), static_cast<int>(side))));
  return name;
}

}  // namespace gaze::phyx
