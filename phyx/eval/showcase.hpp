// SPDX-License-Identifier: MIT
// A few problems answered in full view: the text, its rewards, and per token where it looked.
#pragma once
#include <string>
#include <vector>

#include "gaze/generate/sampling.hpp"
#include "gaze/io/json.hpp"
#include "gaze/text/tokenizer.hpp"
#include "phyx/completion.hpp"
#include "phyx/train/examples.hpp"
#include "phyx/train/model.hpp"

namespace gaze::phyx {

/// An answer with, per token, the attention on each image token: mean over layers and heads.
struct Shown {
  phyx::Completion completion;
  std::vector<std::vector<float>> maps;  // [token][image token]; empty without a picture
};

/// The greedy answer to one problem.
template <class Device>
Shown show(const Model<Device>& model, const text::Tokenizer& tokenizer, const Example& example,
           const SamplingSettings& sampling);

/// One line of completions.jsonl; `image` is a path relative to the output folder.
io::OrderedJson shown_json(const Example& e, const phyx::Completion& c, const std::string& image);

/// Text that is cut in the middle of a character would not be JSON: bad bytes become U+FFFD.
std::string dump_line(const io::OrderedJson& j);

/// Writes a problem's picture under `folder`/images, once, and returns its relative path; "" for a
/// problem without one. Its name is made of split and index, which are any text that a data file
/// holds.
std::string write_picture(const std::string& folder, const Example& e, Index side);

extern template Shown show<Cpu>(const Model<Cpu>&, const text::Tokenizer&, const Example&,
                                const SamplingSettings&);

}  // namespace gaze::phyx
