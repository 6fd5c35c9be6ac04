// SPDX-License-Identifier: MIT
// Example answers with attention maps per token.
#pragma once
#include <string>
#include <vector>

#include "gaze/generate/sampling.hpp"
#include "gaze/io/json.hpp"
#include "phyx/completion.hpp"
#include "phyx/train/model.hpp"
#include "phyx/train/problem_codec.hpp"

namespace gaze::phyx {

/// An answer with the attention of each token on each image token, averaged over layers and heads.
struct Shown {
  phyx::Completion completion;
  std::vector<std::vector<float>> maps;  // [token][image token]; empty without a picture
};

/// The greedy answer to one problem.
template <class Device>
Shown show(const Model<Device>& model, const ProblemCodec& codec, const Example& example,
           const SamplingSettings& sampling);

/// One line of completions.jsonl; `image` is a path relative to the output folder.
io::OrderedJson shown_json(const Example& e, const phyx::Completion& c, const std::string& image);

/// Dumps one line; invalid UTF-8, as in a text cut within a character, becomes U+FFFD.
std::string dump_line(const io::OrderedJson& j);

/// Writes a problem's picture to `folder`/images unless it exists, and returns its relative path;
/// "" for a problem without a picture of one tile. The name is made from split and index, which are
/// untrusted.
std::string write_picture(const std::string& folder, const Example& e, Index side);

extern template Shown show<Cpu>(const Model<Cpu>&, const ProblemCodec&, const Example&,
                                const SamplingSettings&);

}  // namespace gaze::phyx
